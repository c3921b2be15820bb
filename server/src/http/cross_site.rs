//! Forms are posted from our own pages, not from other sites' (security rule: Fetch Metadata first,
//! then `Origin`).
//!
//! Dialects that take a key in a header do not need this: another site cannot send that header.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::{Origin, Url};

use crate::state::AppState;

const FETCH_SITE: &str = "sec-fetch-site";

/// Middleware for every page with forms.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let public_url = &state.gateway.settings().public_url;
    if is_foreign(request.method(), request.headers(), public_url) {
        tracing::info!(
            path = request.uri().path(),
            "refused a form from another site"
        );
        let text = "This form was not sent from our own page. Open the page and try again.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

/// Whether a request that changes something comes from a page of another site.
///
/// Without a cookie there is nothing to borrow from the browser, so programs that send neither
/// header may post public forms; with a cookie one of the headers has to vouch for the page.
pub fn is_foreign(method: &Method, headers: &HeaderMap, public_url: &str) -> bool {
    if method.is_safe() {
        return false;
    }
    if let Some(site) = headers.get(FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let has_cookie = headers.contains_key(header::COOKIE);
    match headers.get(header::ORIGIN) {
        None => has_cookie,
        // Also sent by older browsers from our own pages, whose Referrer-Policy is no-referrer.
        Some(origin) if origin.as_bytes() == b"null" => has_cookie,
        Some(origin) => !origin
            .to_str()
            .is_ok_and(|origin| is_ours(origin, headers, public_url)),
    }
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

    /// `pairs` is `name: value` per line.
    #[track_caller]
    fn check(pairs: &str, foreign: bool) {
        let mut headers = HeaderMap::new();
        for line in pairs.lines() {
            let (name, value) = line.trim().split_once(": ").unwrap();
            headers.insert(
                name.parse::<header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
        }
        let found = is_foreign(&Method::POST, &headers, "https://pay.example");
        assert_eq!(found, foreign, "{pairs}");
        assert!(
            !is_foreign(&Method::GET, &headers, "https://pay.example"),
            "{pairs}"
        );
    }

    #[test]
    fn fetch_metadata_decides_when_it_is_there() {
        check("sec-fetch-site: same-origin\ncookie: s=1", false);
        check("sec-fetch-site: none\ncookie: s=1", false);
        check("sec-fetch-site: same-site\ncookie: s=1", true);
        check("sec-fetch-site: cross-site\ncookie: s=1", true);
        check("sec-fetch-site: cross-site", true);
        check(
            "sec-fetch-site: cross-site\norigin: https://pay.example",
            true,
        );
        check(
            "sec-fetch-site: same-origin\norigin: null\ncookie: s=1",
            false,
        );
    }

    #[test]
    fn the_origin_decides_otherwise() {
        check("origin: https://pay.example\ncookie: s=1", false);
        check("origin: https://pay.example:443\ncookie: s=1", false);
        check("origin: http://pay.example\ncookie: s=1", true);
        check("origin: https://evil.example\ncookie: s=1", true);
        check("origin: https://evil.example", true);
        check("origin: https://pay.example.evil.example", true);
        check(
            "origin: http://localhost:3000\nhost: localhost:3000\ncookie: s=1",
            false,
        );
        check(
            "origin: http://localhost:4000\nhost: localhost:3000\ncookie: s=1",
            true,
        );
        check("origin: data:text/html,x\ncookie: s=1", true);
    }

    #[test]
    fn a_cookie_needs_a_header_that_vouches_for_the_page() {
        check("cookie: s=1", true);
        check("origin: null\ncookie: s=1", true);
        check("origin: null", false);
        check("host: pay.example", false);
    }
}
