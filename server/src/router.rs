//! All routes of a server and what every one of them goes through.

use std::path::Path;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use crate::http::{panics, request_id, security_headers};
use crate::metrics::requests;
use crate::shutdown::Shutdown;
use crate::state::AppState;
use crate::{dialects, health, pages, sandbox, static_files};

/// Largest body of any request, bytes (`80`, Orders).
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What is shorter, bytes, is sent as it is: compressing it takes longer than sending it.
const COMPRESSED_ABOVE: u16 = 1024;

/// The whole server. `shutdown` ends the event streams, which would last for ever otherwise.
pub fn router(state: AppState, site_root: &Path, shutdown: Shutdown) -> Router {
    // From the inside out: the first layer is the one closest to the handlers.
    Router::new()
        .merge(dialects::orders::router())
        .merge(dialects::processing::router())
        .merge(sandbox::router())
        .merge(pages::router(&state, shutdown.clone()))
        .merge(static_files::router(site_root))
        .merge(health::router(shutdown))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(panics::catch))
        .layer(CompressionLayer::new().compress_when(worth_compressing()))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            security_headers::set,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            requests::count,
        ))
        .layer(middleware::from_fn(request_id::assign))
        .with_state(state)
}

fn worth_compressing() -> impl Predicate {
    SizeAbove::new(COMPRESSED_ABOVE).and(DefaultPredicate::new())
}

/// Programs are told in the shape of their dialect, people by a page.
async fn nothing_here(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return dialects::orders::Error::not_found().into_response();
    }
    pages::not_found(&state, &request)
}
