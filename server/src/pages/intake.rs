//! What every page checks of a request before its handler runs, whether that reads the body or not.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::errors::Refusal;
use super::settings::{LOGO_FORM_BYTES_MAX, LOGO_PATH};
use crate::http::{listening, oversize};
use crate::router::BODY_BYTES_MAX;

/// Middleware: an address that is no text leads nowhere, and a form that is too large is refused.
pub(super) async fn check(request: Request, next: Next) -> Response {
    if percent_decode_str(request.uri().path())
        .decode_utf8()
        .is_err()
    {
        return Refusal::NotFound.into_response();
    }
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let most = most_bytes(request.uri().path());
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        let (parts, body) = request.into_parts();
        oversize::drain_declared(&parts.headers, &mut body.into_data_stream()).await;
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, most).await {
        Ok(bytes) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Err(error) if listening::is_late(&error) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

/// Every form is small but the one that brings a picture.
fn most_bytes(path: &str) -> usize {
    if path == LOGO_PATH {
        LOGO_FORM_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    }
}
