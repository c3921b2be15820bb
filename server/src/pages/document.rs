use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;

/// A whole page: the component rendered to a complete document, islands with their props included.
/// Headers that every page carries are set for all answers alike.
pub(super) fn document<V: RenderHtml>(status: StatusCode, page: impl FnOnce() -> V) -> Response {
    let html = app::render(page);
    (
        status,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        html,
    )
        .into_response()
}
