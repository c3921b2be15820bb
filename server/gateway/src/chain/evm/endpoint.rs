use std::fmt;

use url::Url;

/// Shorter parts of a path or a query are names such as `v3` and `eth`, not keys.
const KEY_CHARS_MIN: usize = 8;
/// Longest text of a node that is passed on, in characters.
const PASSED_ON_CHARS_MAX: usize = 200;

/// Where a node is. Services put the key of their customer into path, query or user, so only host
/// and port are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeUrl(Url);

impl NodeUrl {
    /// Reads an `http` or `https` URL; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
        usable.then_some(Self(url))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// A text that somebody else wrote, fit for a message: short, on one line, and without the
    /// secret parts of this URL, which some services repeat in their answers.
    pub(super) fn quote(&self, text: &str) -> String {
        let mut quoted = text.to_owned();
        for secret in self.secrets() {
            quoted = quoted.replace(&secret, "…");
        }
        quoted
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(PASSED_ON_CHARS_MAX)
            .collect()
    }

    /// Longest first, so that none is left over in part.
    fn secrets(&self) -> Vec<String> {
        let user = Some(self.0.username().to_owned()).filter(|user| !user.is_empty());
        let password = self.0.password().map(str::to_owned);
        let segments = self.0.path_segments().into_iter().flatten();
        let values = self.0.query_pairs().map(|(_, value)| value.into_owned());
        let keys = segments
            .map(str::to_owned)
            .chain(values)
            .chain(self.0.query().map(str::to_owned))
            .filter(|part| part.chars().count() >= KEY_CHARS_MIN);
        let mut secrets: Vec<String> = user.into_iter().chain(password).chain(keys).collect();
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }
}

/// Host and port.
impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeUrl({self})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str =
        "https://user:hunter2@node.example:8443/v3/0123456789abcdef?key=qwertyuiop";

    #[test]
    fn only_host_and_port_are_shown() {
        let url = NodeUrl::parse(SECRET).unwrap();
        assert_eq!(url.to_string(), "node.example:8443");
        assert_eq!(format!("{url:?}"), "NodeUrl(node.example:8443)");
        let plain = NodeUrl::parse("http://127.0.0.1:8545").unwrap();
        assert_eq!(plain.to_string(), "127.0.0.1:8545");
    }

    #[test]
    fn what_a_node_says_is_passed_on_without_the_keys() {
        let url = NodeUrl::parse(SECRET).unwrap();
        let said = "no project 0123456789abcdef, key=qwertyuiop, user:hunter2\nof v3";
        let quoted = url.quote(said);
        for secret in ["0123456789abcdef", "qwertyuiop", "hunter2"] {
            assert!(!quoted.contains(secret), "{quoted}");
        }
        assert!(quoted.starts_with("no project …"));
        assert!(quoted.ends_with(" of v3"));
    }

    #[test]
    fn a_long_answer_is_cut() {
        let url = NodeUrl::parse(SECRET).unwrap();
        assert_eq!(url.quote(&"ä".repeat(1_000)).chars().count(), 200);
    }

    #[test]
    fn other_schemes_and_texts_are_no_nodes() {
        for text in [
            "",
            "node.example",
            "ws://node.example",
            "file:///etc",
            "http://",
        ] {
            assert!(NodeUrl::parse(text).is_none(), "{text}");
        }
    }
}
