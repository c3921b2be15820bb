//! `X-Request-Id`: one name for a request in the answer, in errors and in the log.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a caller's own name at most.
const CHARS_MAX: usize = 64;

/// The caller's own name for the request when it is a plain one, else ours. Neither can end a log
/// line or stand for markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The name that came with a request; made when there is none, or none that may be used.
    fn of(request: &Request) -> Self {
        let mut named = request.headers().get_all(REQUEST_ID).iter();
        match (named.next().and_then(plain), named.next()) {
            (Some(name), None) => Self(name.to_owned()),
            _ => Self::make(),
        }
    }

    fn make() -> Self {
        Self(format!("req_{}", Uuid::now_v7().simple()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Up to 64 of letters, digits, `-`, `_` and `.`.
fn plain(value: &HeaderValue) -> Option<&str> {
    let name = value.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=CHARS_MAX).contains(&name.len()) && name.bytes().all(is_plain)).then_some(name)
}

/// Outermost middleware: names the request and puts everything logged about it under that name.
///
/// The query string is not logged: page addresses carry their token there.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        method = %request.method(),
        path = shown(request.uri().path()),
    );
    let header = HeaderValue::from_str(id.as_str()).ok();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    response
}

/// A path as the log may have it: the one of a mailed link is its token, which is all that using it
/// takes.
fn shown(path: &str) -> &str {
    match path.strip_prefix("/refund/") {
        Some(token) if !token.is_empty() => "/refund/{token}",
        _ => path,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router, middleware};
    use tower::ServiceExt;

    use super::*;

    /// The name that handler and caller see, which is the same.
    async fn named(sent: &[&str]) -> String {
        let handler = |Extension(id): Extension<RequestId>| async move { id.as_str().to_owned() };
        let app = Router::new()
            .route("/", get(handler))
            .layer(middleware::from_fn(assign));
        let mut request = Request::builder().uri("/");
        for name in sent {
            request = request.header("x-request-id", *name);
        }
        let response = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let header = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1_024)
            .await
            .unwrap();
        assert_eq!(header.as_bytes(), body);
        header
    }

    #[tokio::test]
    async fn a_plain_name_is_kept() {
        let longest = "a".repeat(64);
        for name in ["shop-17", "A.b_c-9", "0", longest.as_str()] {
            assert_eq!(named(&[name]).await, name);
        }
    }

    #[tokio::test]
    async fn anything_else_gets_a_name_of_ours() {
        let too_long = "a".repeat(65);
        let all: [&[&str]; 7] = [
            &[],
            &[""],
            &["a b"],
            &["a\tb"],
            &["<script>"],
            &["one", "two"],
            &[too_long.as_str()],
        ];
        let mut made = BTreeSet::new();
        for sent in all {
            let name = named(sent).await;
            assert!(
                name.starts_with("req_") && name.len() == 36,
                "{sent:?}: {name}"
            );
            made.insert(name);
        }
        assert_eq!(made.len(), all.len(), "{made:?}");
        let latin = HeaderValue::from_bytes(b"a\xe9").unwrap();
        assert_eq!(plain(&latin), None);
    }

    #[test]
    fn a_token_in_a_path_is_not_logged() {
        assert_eq!(shown("/refund/rf_secret"), "/refund/{token}");
        assert_eq!(shown("/refund"), "/refund");
        assert_eq!(shown("/pay/EX-1"), "/pay/EX-1");
    }
}
