use app::pages::LandingPage;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leptos::prelude::*;

use super::document::document;
use crate::state::AppState;

/// The front page.
pub(super) async fn show(State(state): State<AppState>) -> Response {
    let test_mode = state.gateway.settings().test_mode;
    document(
        StatusCode::OK,
        move || view! { <LandingPage test_mode=test_mode/> },
    )
}
