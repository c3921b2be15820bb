use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;

use super::checkout::PayQuery;
use super::errors::Refusal;
use super::hosted::Hosted;
use crate::documents::render_receipt;
use crate::state::AppState;

/// The receipt as a PDF, for whoever has the page's token (`80`, Orders).
pub(super) async fn show(
    State(state): State<AppState>,
    hosted: Hosted,
    Query(query): Query<PayQuery>,
) -> Result<Response, Refusal> {
    let id = hosted.public_id;
    let token = query.token().ok_or(Refusal::NotFound)?;
    let view = state.gateway.receipt(None, &id, Some(token)).await?;
    let rendered = spawn_blocking(move || render_receipt(&view)).await;
    let pdf = match rendered {
        Ok(Ok(pdf)) => pdf,
        Ok(Err(error)) => {
            tracing::error!(%error, id, "a receipt could not be rendered");
            return Err(Refusal::Internal);
        }
        Err(error) => {
            tracing::error!(%error, id, "rendering a receipt panicked");
            return Err(Refusal::Internal);
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{id}.pdf\""),
        ),
    ];
    Ok((headers, pdf).into_response())
}
