//! Query strings of links that keep or drop one filter of a list.

/// `?name=value&…` of the pairs that have a value; empty when none has.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// Percent-encodes all but RFC 3986 unreserved characters.
fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_filters_leave_no_trace() {
        assert_eq!(query(&[("q", ""), ("status", "")]), "");
        assert_eq!(
            query(&[("q", ""), ("status", "paid"), ("limit", "50")]),
            "?status=paid&limit=50"
        );
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(query(&[("q", "a b&c=ü")]), "?q=a%20b%26c%3D%C3%BC");
    }
}
