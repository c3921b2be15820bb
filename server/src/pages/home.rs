use app::pages::HomePage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gateway::auth::Permission;
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::visitor::Visitor;
use crate::state::AppState;

/// What the chart shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChartQuery {
    currency: String,
    days: String,
}

/// The first page of a merchant. Whoever sees balances alone starts at the wallets.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ChartQuery>,
) -> Result<Response, Refusal> {
    if !visitor.has(Permission::ReadCharges) {
        return Ok(Redirect::to("/app/wallets").into_response());
    }
    let code = Some(query.currency.as_str()).filter(|code| !code.is_empty());
    let days = query.days.parse().unwrap_or(30);
    let view = state.gateway.home(visitor.merchant_id, code, days).await?;
    let frame = visitor.frame(&state.gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <HomePage frame=frame view=view/> },
    ))
}
