//! The settings of one chain's node, judged: each wrong one is named with its variable.
//!
//! Invariant: a URL that is kept has no credentials in it, so it may be shown.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::rpc::{Credentials, Password};
use super::software::{self, Software};
use crate::chain::address::{CoinParams, Network, params_on};

/// How often a waiting call looks, where nothing is announced.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long one call to the node may take.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// The value of `EXCHEQUER_CHAIN_…` that asks for this kind of node.
const KIND: &str = "bitcoin-core";
/// The value that asks for none, as an absent one does.
const KIND_SIMULATED: &str = "simulated";

/// Which node, and what it has to be.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    pub network: Network,
    /// The coin as it is on that network.
    pub coin: &'static CoinParams,
    pub url: Url,
    pub credentials: Credentials,
    /// For each call.
    pub call_limit: Duration,
    /// Where it announces what is new, `host:port`; `None`: it is asked again and again alone.
    pub zmq: Option<String>,
    /// How often a waiting call asks.
    pub look_every: Duration,
    pub(super) software: &'static Software,
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct NodeSettingError {
    pub variable: String,
    /// Continues the sentence that the variable's name begins.
    pub problem: String,
}

/// The texts of one chain's settings; an empty one counts as none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSettings {
    /// `EXCHEQUER_CHAIN_BTC`.
    pub kind: Option<String>,
    /// `EXCHEQUER_CHAIN_BTC_URL`.
    pub url: Option<String>,
    /// `EXCHEQUER_CHAIN_BTC_COOKIE`, a path.
    pub cookie: Option<String>,
    /// `EXCHEQUER_CHAIN_BTC_USER`.
    pub user: Option<String>,
    /// `EXCHEQUER_CHAIN_BTC_PASSWORD`.
    pub password: Option<Password>,
    /// `EXCHEQUER_CHAIN_BTC_NETWORK`.
    pub network: Option<String>,
    /// `EXCHEQUER_CHAIN_BTC_ZMQ`.
    pub zmq: Option<String>,
}

impl NodeSettings {
    /// Asks for the variables of the coin `code`.
    pub fn from_variables(code: &str, value_of: impl Fn(&str) -> Option<String>) -> Self {
        let value = |suffix: &str| {
            value_of(&variable(code, suffix))
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        Self {
            kind: value(""),
            url: value("_URL"),
            cookie: value("_COOKIE"),
            user: value("_USER"),
            password: value("_PASSWORD").map(Password::new),
            network: value("_NETWORK"),
            zmq: value("_ZMQ"),
        }
    }

    /// The node of the coin `code`; `None` when none is asked for.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn judge(self, code: &str) -> Result<Option<NodeConfig>, Vec<NodeSettingError>> {
        let mut wrong = Wrong {
            code,
            found: vec![],
        };
        match self.kind.as_deref() {
            Some(KIND) => {}
            None | Some(KIND_SIMULATED) => {
                self.name_useless(&mut wrong);
                return wrong.unless_any(None);
            }
            Some(other) => {
                let rule = format!("is {other:?}, but must be {KIND} or {KIND_SIMULATED}");
                wrong.add("", rule);
                return wrong.unless_any(None);
            }
        }
        let Some(software) = software::of(code) else {
            wrong.add("", format!("is {KIND}, which does not know {code}"));
            return wrong.unless_any(None);
        };
        let network = wrong.network(software, self.network.as_deref());
        let url = wrong.url(self.url.as_deref());
        let credentials = wrong.credentials(self.cookie, self.user, self.password);
        let zmq = self.zmq.and_then(|text| wrong.zmq(&text));
        let coin = network.and_then(|network| params_on(code, network));
        let (Some(network), Some(coin), Some(url), Some(credentials)) =
            (network, coin, url, credentials)
        else {
            return Err(wrong.found);
        };
        wrong.unless_any(Some(NodeConfig {
            network,
            coin,
            url,
            credentials,
            call_limit: CALL_LIMIT,
            zmq,
            look_every: LOOK_EVERY,
            software,
        }))
    }

    /// Settings of a node nobody asked for: somebody forgot to.
    fn name_useless(&self, wrong: &mut Wrong<'_>) {
        for (suffix, is_set) in [
            ("_URL", self.url.is_some()),
            ("_COOKIE", self.cookie.is_some()),
            ("_USER", self.user.is_some()),
            ("_PASSWORD", self.password.is_some()),
            ("_NETWORK", self.network.is_some()),
            ("_ZMQ", self.zmq.is_some()),
        ] {
            if is_set {
                let kind = variable(wrong.code, "");
                wrong.add(suffix, format!("is set, but {kind} is not {KIND}"));
            }
        }
    }
}

/// Collects what is wrong.
struct Wrong<'a> {
    code: &'a str,
    found: Vec<NodeSettingError>,
}

impl Wrong<'_> {
    fn add(&mut self, suffix: &str, problem: impl Into<String>) {
        self.found.push(NodeSettingError {
            variable: variable(self.code, suffix),
            problem: problem.into(),
        });
    }

    fn unless_any<T>(self, value: T) -> Result<T, Vec<NodeSettingError>> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self.found)
        }
    }

    /// Never assumed: money of the wrong network is worth nothing.
    fn network(&mut self, software: &Software, text: Option<&str>) -> Option<Network> {
        let names = software.network_names();
        let Some(text) = text else {
            self.add("_NETWORK", format!("is missing: one of {names}"));
            return None;
        };
        let network = text
            .parse()
            .ok()
            .filter(|network| software.identity(*network).is_some());
        if network.is_none() {
            self.add(
                "_NETWORK",
                format!("is {text:?}, but must be one of {names}"),
            );
        }
        network
    }

    /// The text is never repeated: it may hold a password.
    fn url(&mut self, text: Option<&str>) -> Option<Url> {
        let Some(text) = text else {
            self.add(
                "_URL",
                "is missing: where the node answers, such as http://127.0.0.1:8332",
            );
            return None;
        };
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        match url {
            None => self.add(
                "_URL",
                "must begin with http:// or https:// and name a host",
            ),
            Some(ref url) if !url.username().is_empty() || url.password().is_some() => {
                self.add(
                    "_URL",
                    "must be without user and password: they have settings of their own",
                );
            }
            Some(_) => return url,
        }
        None
    }

    /// As nodes are told it with `-zmqpubsequence`. Of the ways ZeroMQ has, TCP alone: a node elsewhere
    /// on this machine can be reached by it, too.
    fn zmq(&mut self, text: &str) -> Option<String> {
        let publisher = text
            .strip_prefix("tcp://")
            .and_then(|rest| rest.rsplit_once(':'));
        let is_usable = publisher.is_some_and(|(host, port)| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
            !host.is_empty()
                && host.chars().all(is_name)
                && (host.starts_with('[') || !host.contains(':'))
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        let Some((host, port)) = publisher.filter(|_| is_usable) else {
            self.add(
                "_ZMQ",
                "must be where the node announces what is new, such as tcp://127.0.0.1:28332",
            );
            return None;
        };
        Some(format!("{host}:{port}"))
    }

    fn credentials(
        &mut self,
        cookie: Option<String>,
        user: Option<String>,
        password: Option<Password>,
    ) -> Option<Credentials> {
        match (cookie, user, password) {
            (Some(path), None, None) => Some(Credentials::Cookie(PathBuf::from(path))),
            (None, Some(user), Some(_)) if user.contains(':') => {
                self.add("_USER", "must be without a colon");
                None
            }
            (None, Some(user), Some(password)) => Some(Credentials::Password { user, password }),
            (Some(_), _, _) => {
                self.add("_COOKIE", "is set beside a user or password: give one kind");
                None
            }
            (None, Some(_), None) => {
                self.add("_PASSWORD", "is missing beside the user");
                None
            }
            (None, None, Some(_)) => {
                self.add("_USER", "is missing beside the password");
                None
            }
            (None, None, None) => {
                let user = variable(self.code, "_USER");
                self.add(
                    "_COOKIE",
                    format!("is missing: the node's cookie file, unless {user} is given"),
                );
                None
            }
        }
    }
}

fn variable(code: &str, suffix: &str) -> String {
    format!("EXCHEQUER_CHAIN_{code}{suffix}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
