//! The session cookie.

use axum::http::{HeaderMap, HeaderValue, header};

/// How long a browser keeps the cookie, seconds; the session itself may end earlier.
const MAX_AGE_SECONDS: u32 = 12 * 3_600;

/// Name of the cookie. Over https the `__Host-` prefix makes the browser refuse one that another
/// host or a plain-text answer set.
fn name(public_url: &str) -> &'static str {
    if is_https(public_url) {
        "__Host-sid"
    } else {
        "sid"
    }
}

fn is_https(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// The token of the request's session.
pub(super) fn token<'a>(headers: &'a HeaderMap, public_url: &str) -> Option<&'a str> {
    cookie(headers, name(public_url))
}

/// Value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// `Set-Cookie` that begins a session. The token is base64url, so it needs no quoting.
pub(super) fn begin(token: &str, public_url: &str) -> Option<HeaderValue> {
    let text = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE_SECONDS}{}",
        name(public_url),
        secure(public_url)
    );
    HeaderValue::from_str(&text).ok()
}

/// `Set-Cookie` that takes the cookie away.
pub(super) fn end(public_url: &str) -> Option<HeaderValue> {
    let name = name(public_url);
    let text = format!(
        "{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}",
        secure(public_url)
    );
    HeaderValue::from_str(&text).ok()
}

/// `; Secure` where the browser talks to us over https.
pub(super) fn secure(public_url: &str) -> &'static str {
    if is_https(public_url) { "; Secure" } else { "" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HTTPS: &str = "https://pay.example";
    const HTTP: &str = "http://127.0.0.1:3000";

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_cookie_is_bound_to_our_host_over_https() {
        let set = begin("abc", HTTPS).unwrap();
        let expected = "__Host-sid=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure";
        assert_eq!(set, expected);
        let set = begin("abc", HTTP).unwrap();
        assert_eq!(
            set,
            "sid=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
        );
        assert!(begin("a\r\nb", HTTP).is_none());
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let found = headers(&["theme=dark; sid=abc", "x=1"]);
        assert_eq!(token(&found, HTTP), Some("abc"));
        assert_eq!(token(&found, HTTPS), None);
        assert_eq!(token(&headers(&["__Host-sid=abc;x=1"]), HTTPS), Some("abc"));
        assert_eq!(token(&headers(&["xsid=abc", "sid"]), HTTP), None);
    }

    #[test]
    fn signing_out_takes_the_cookie_away() {
        assert!(
            end(HTTPS)
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("__Host-sid=; Path=/;")
        );
    }
}
