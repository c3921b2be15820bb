//! Headers every answer carries (`60-pages.md`; `80`, Pages). A handler that sets one itself wins.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::state::AppState;

/// Nothing inline, nothing from elsewhere, no frame around us.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' \
     'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), \
     geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

const HSTS: &str = "max-age=31536000";

/// Pages of customers, whose addresses hold a token: it must not travel in a `Referer`.
const CUSTOMER_PAGES: [&str; 4] = ["/pay/", "/invoice/", "/terminal", "/refund/"];

/// What may hold customer data: a cache must not keep it. Scripts, styles and images may be kept.
const NOT_STORED: [&str; 5] = [
    "text/html",
    "application/json",
    "application/pdf",
    "text/csv",
    "application/x-ndjson",
];

/// Whether a page is one of those that a customer opens, without a session.
pub fn is_customer_page(path: &str) -> bool {
    CUSTOMER_PAGES.iter().any(|page| path.starts_with(page))
}

/// Middleware around everything.
pub async fn set(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let holds_token = is_customer_page(request.uri().path());
    let is_https = state.gateway.settings().public_url.starts_with("https://");
    let mut response = next.run(request).await;
    let status = response.status();
    harden(status, response.headers_mut(), holds_token, is_https);
    response
}

fn harden(status: StatusCode, headers: &mut HeaderMap, holds_token: bool, is_https: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        header::REFERRER_POLICY,
        if holds_token {
            "no-referrer"
        } else {
            "same-origin"
        },
    );
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("permissions-policy"),
        PERMISSIONS_POLICY,
    );
    if is_https {
        set(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if is_event_stream(headers) {
        // The framework marks them `no-cache`, which lets a cache keep them.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    } else if is_not_stored(status, headers) {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A redirect has no type, and may tell where somebody was sent. A 304 speaks of what is kept
/// already.
fn is_not_stored(status: StatusCode, headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    };
    let content_type = content_type.to_str().unwrap_or_default();
    NOT_STORED.iter().any(|kind| content_type.starts_with(kind))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hardened(content_type: Option<&'static str>, holds_token: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        harden(StatusCode::OK, &mut headers, holds_token, true);
        headers
    }

    #[test]
    fn the_policy_allows_nothing_inline() {
        let headers = hardened(Some("text/html"), false);
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        assert!(!policy.contains("  "), "{policy}");
        for part in ["default-src 'none'", "object-src 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }

    #[test]
    fn addresses_with_a_token_are_not_told_to_anyone() {
        assert_eq!(hardened(None, true)["referrer-policy"], "no-referrer");
        assert_eq!(hardened(None, false)["referrer-policy"], "same-origin");
    }

    #[test]
    fn only_scripts_styles_and_images_may_be_kept() {
        for kept in [
            "text/javascript",
            "text/css",
            "image/svg+xml",
            "application/wasm",
        ] {
            assert!(
                !hardened(Some(kept), false).contains_key("cache-control"),
                "{kept}"
            );
        }
        for secret in [
            "text/html; charset=utf-8",
            "application/json",
            "application/pdf",
        ] {
            assert_eq!(
                hardened(Some(secret), false)["cache-control"],
                "no-store",
                "{secret}"
            );
        }
    }

    #[test]
    fn event_streams_are_not_stored_whatever_the_framework_says() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        harden(StatusCode::OK, &mut headers, true, false);
        assert_eq!(headers["cache-control"], "no-store");
    }

    #[track_caller]
    fn check_without_type(status: StatusCode, stored: bool) {
        let mut headers = HeaderMap::new();
        harden(status, &mut headers, false, false);
        assert_eq!(headers.contains_key("cache-control"), !stored, "{status}");
    }

    #[test]
    fn redirects_are_not_stored_and_what_is_kept_stays() {
        check_without_type(StatusCode::SEE_OTHER, false);
        check_without_type(StatusCode::NOT_MODIFIED, true);
    }

    #[test]
    fn a_handler_may_decide_otherwise() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("max-age=60"),
        );
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        harden(StatusCode::OK, &mut headers, false, false);
        assert_eq!(headers["cache-control"], "max-age=60");
        assert!(!headers.contains_key("strict-transport-security"));
    }
}
