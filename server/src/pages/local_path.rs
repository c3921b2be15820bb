use std::fmt::Write;

/// Where a signed-in visitor starts.
pub(super) const HOME: &str = "/app";

/// A path of the dashboard that somebody may be sent to after signing in; [`HOME`] for anything
/// else. Only our own pages qualify, so a link cannot lead elsewhere.
pub(super) fn dashboard_path(text: &str) -> &str {
    let below = text.strip_prefix(HOME);
    let ours = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain { text } else { HOME }
}

/// `/sign-in` with the page to come back to.
pub(super) fn sign_in_path(next: &str) -> String {
    format!("/sign-in?next={}", encode(dashboard_path(next)))
}

/// Percent-encodes all but RFC 3986 unreserved characters.
pub(super) fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_dashboard_are_returned_to() {
        for ours in ["/app", "/app/charges?status=paid&q=a%20b", "/app?days=7"] {
            assert_eq!(dashboard_path(ours), ours);
        }
        let others = [
            "",
            "//evil.example",
            "https://evil.example/app",
            "/apparel",
            "/app\\evil",
            "/app/\r\nSet-Cookie: a=b",
            "/pay/EX-1",
            "javascript:alert(1)",
        ];
        for other in others {
            assert_eq!(dashboard_path(other), HOME, "{other:?}");
        }
    }

    #[test]
    fn the_way_back_survives_the_url() {
        let path = sign_in_path("/app/charges?status=paid&q=a");
        assert_eq!(
            path,
            "/sign-in?next=%2Fapp%2Fcharges%3Fstatus%3Dpaid%26q%3Da"
        );
    }
}
