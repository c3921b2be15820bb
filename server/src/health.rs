//! Whether the process lives, and whether it can do its work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::state::AppState;

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
}

/// Answers as long as the process does.
async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Answers 503 while the database does not. Nothing about the reason leaves the machine.
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let gateway = &state.gateway;
    match gateway.clock().refresh(gateway.pool()).await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "unavailable" })),
            )
        }
    }
}
