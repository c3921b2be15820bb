//! `X-Request-Id`: one name for a request in the answer, in errors and in the log.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Made by us, whatever the caller sent: log lines must not be forgeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    fn make() -> Self {
        Self(format!("req_{}", Uuid::new_v4().simple()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Outermost middleware: names the request and puts everything logged about it under that name.
///
/// The query string is not logged: page addresses carry their token there.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId::make();
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        method = %request.method(),
        path = request.uri().path(),
    );
    let header = HeaderValue::from_str(id.as_str()).ok();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router, middleware};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn the_handler_and_the_caller_see_the_same_new_id() {
        let handler = |Extension(id): Extension<RequestId>| async move { id.as_str().to_owned() };
        let app = Router::new()
            .route("/", get(handler))
            .layer(middleware::from_fn(assign));
        let request = Request::builder().uri("/").header("x-request-id", "forged");
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
        assert!(header.starts_with("req_") && header.len() == 36, "{header}");
    }
}
