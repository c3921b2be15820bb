//! Transactions that people sign: the file they take away, and what they bring back.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::pages::errors::Refusal;
use crate::state::AppState;

/// An unsigned transaction as a download that no cache keeps. `name` is of our own making, without a folder.
pub(super) fn attachment(
    content_type: &'static str,
    name: &str,
    content: impl IntoResponse,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, content).into_response()
}

/// The file, or the field `text_name` where no file was chosen.
///
/// # Errors
/// 413 for what is larger than the route takes, 400 for what is no form.
pub(super) async fn uploaded(
    request: Request,
    state: &AppState,
    text_name: &str,
) -> Result<Vec<u8>, Refusal> {
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| Refusal::Meaningless)?;
    let (mut file, mut text) = (Vec::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(|error| refusal(&error))? {
        let into = match field.name() {
            Some("file") => &mut file,
            Some(name) if name == text_name => &mut text,
            _ => continue,
        };
        *into = field
            .bytes()
            .await
            .map_err(|error| refusal(&error))?
            .to_vec();
    }
    Ok(if file.is_empty() { text } else { file })
}

fn refusal(error: &MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::Other(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Refusal::Meaningless,
    }
}
