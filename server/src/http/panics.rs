//! A mistake of ours costs one answer, not the connection, and tells nothing about us.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;

use crate::dialects;
use crate::http::request_id::RequestId;

/// Middleware: a panic becomes a 500 in the shape of whoever was asked.
pub async fn catch(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let id = request.extensions().get::<RequestId>().cloned();
    // Nothing of the request outlives the panic, so nothing half-changed can be seen.
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(panic = message(panic.as_ref()), "a handler panicked");
            dialects::server_error(&path, id.as_ref().map(RequestId::as_str))
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::*;

    async fn broken() -> &'static str {
        panic!("secret of the implementation")
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_dialects_shape() {
        let app = Router::new()
            .route("/api/orders", get(broken))
            .route("/charges", get(broken))
            .layer(middleware::from_fn(catch));
        for (path, content_type) in [
            ("/api/orders", "application/json"),
            ("/charges", "text/plain; charset=utf-8"),
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 500, "{path}");
            assert_eq!(response.headers()["content-type"], content_type, "{path}");
            let body = axum::body::to_bytes(response.into_body(), 1_024)
                .await
                .unwrap();
            assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
        }
    }
}
