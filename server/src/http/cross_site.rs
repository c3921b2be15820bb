//! Forms are posted from our own pages, not from other sites' (security rule: Fetch Metadata first,
//! then `Origin`).
//!
//! Dialects that take a key in a header do not need this: another site cannot send that header.

use axum::http::{HeaderMap, Method, header};
use url::{Origin, Url};

const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a request that changes something comes from a page of another site, for calls that know
/// nobody by a cookie: there is nothing to borrow from a browser, so only what another site's page
/// says of itself counts.
pub fn is_foreign(method: &Method, headers: &HeaderMap, public_url: &str) -> bool {
    if method.is_safe() {
        return false;
    }
    if let Some(site) = headers.get(FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    match headers.get(header::ORIGIN) {
        None => false,
        // Sent by our own pages as well, where their Referrer-Policy is no-referrer.
        Some(origin) if origin.as_bytes() == b"null" => false,
        Some(origin) => !origin
            .to_str()
            .is_ok_and(|origin| is_ours(origin, headers, public_url)),
    }
}

/// The same for pages that know somebody by a session: with one, an origin that is kept secret has
/// to be vouched for by Fetch Metadata.
///
/// A request with neither header is a program's: a browser sends `Origin` with every form that
/// another site's page posts, and a session's cookie does not go with it (`SameSite`).
pub fn is_foreign_to_session(
    method: &Method,
    headers: &HeaderMap,
    public_url: &str,
    has_session: bool,
) -> bool {
    let hidden = headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes() == b"null");
    let vouched = headers.contains_key(FETCH_SITE);
    is_foreign(method, headers, public_url)
        || (has_session && hidden && !vouched && !method.is_safe())
}

/// The origin is the public address, or the host the browser believes it talks to.
fn is_ours(origin: &str, headers: &HeaderMap, public_url: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let same = |text: &str| Url::parse(text).is_ok_and(|other| equal(&other, &url));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    same(public_url) || host.is_some_and(|host| same(&format!("{}://{host}", url.scheme())))
}

fn equal(one: &Url, other: &Url) -> bool {
    matches!(one.origin(), Origin::Tuple(..)) && one.origin() == other.origin()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Whether it is refused where nobody has a session, and where somebody has one. `pairs` is
    /// `name: value` per line.
    #[track_caller]
    fn check(pairs: &str, foreign: bool, foreign_to_session: bool) {
        let mut headers = HeaderMap::new();
        for line in pairs.lines() {
            let (name, value) = line.trim().split_once(": ").unwrap();
            headers.insert(
                name.parse::<header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
        }
        let url = "https://pay.example";
        for (method, counts) in [(Method::POST, true), (Method::GET, false)] {
            let found = is_foreign(&method, &headers, url);
            assert_eq!(found, foreign && counts, "{method} {pairs}");
            let without = is_foreign_to_session(&method, &headers, url, false);
            assert_eq!(without, found, "{method} {pairs}");
            let with = is_foreign_to_session(&method, &headers, url, true);
            assert_eq!(with, foreign_to_session && counts, "{method} {pairs}");
        }
    }

    #[test]
    fn fetch_metadata_decides_when_it_is_there() {
        for (pairs, foreign) in [
            ("sec-fetch-site: same-origin", false),
            ("sec-fetch-site: none", false),
            ("sec-fetch-site: same-site", true),
            ("sec-fetch-site: cross-site", true),
            (
                "sec-fetch-site: cross-site\norigin: https://pay.example",
                true,
            ),
            ("sec-fetch-site: same-origin\norigin: null", false),
        ] {
            check(pairs, foreign, foreign);
        }
    }

    #[test]
    fn the_origin_decides_otherwise() {
        for (pairs, foreign) in [
            ("origin: https://pay.example", false),
            ("origin: https://pay.example:443", false),
            ("origin: http://pay.example", true),
            ("origin: https://evil.example", true),
            ("origin: https://pay.example.evil.example", true),
            ("origin: http://localhost:3000\nhost: localhost:3000", false),
            ("origin: http://localhost:4000\nhost: localhost:3000", true),
            ("origin: data:text/html,x", true),
        ] {
            check(pairs, foreign, foreign);
        }
    }

    #[test]
    fn a_hidden_origin_is_refused_where_there_is_a_session_to_borrow() {
        check("origin: null", false, true);
    }

    #[test]
    fn without_either_header_it_is_a_program() {
        check("host: pay.example", false, false);
        check("cookie: sid=1", false, false);
    }
}
