//! The public pages about coins and fees: no session, no script, and the same as CSV.

use app::pages::{CoinsPage, FeesPage};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use gateway::Error;
use gateway::dashboard::ExportPage;
use gateway::terms::{COIN_COLUMNS, FEE_COLUMNS, coin_cells};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/coins", get(coins))
        .route("/coins.csv", get(export_coins))
        .route("/fees", get(fees))
        .route("/fees.csv", get(export_fees))
}

/// Each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FeesQuery {
    q: String,
    page: String,
}

/// The coins that can be paid with.
async fn coins(State(state): State<AppState>) -> Result<Response, Refusal> {
    let view = state.gateway.coins_view().await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <CoinsPage view=view/> },
    ))
}

/// What each currency costs, a page at a time.
async fn fees(
    State(state): State<AppState>,
    Query(query): Query<FeesQuery>,
) -> Result<Response, Refusal> {
    let page = query.page.parse().unwrap_or(1);
    let view = state.gateway.fees_view(query.q.trim(), page).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <FeesPage view=view/> },
    ))
}

async fn export_coins(State(state): State<AppState>) -> Result<Response, Refusal> {
    let gateway = state.gateway;
    let name = csv::file_name("coins", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let gateway = gateway.clone();
        async move {
            let view = gateway.coins_view().await?;
            let rows = view.coins.into_iter().map(coin_cells).collect();
            Ok::<_, Error>(ExportPage { rows, next: None })
        }
    };
    csv::download(&name, &COIN_COLUMNS, rows).await
}

async fn export_fees(
    State(state): State<AppState>,
    Query(query): Query<FeesQuery>,
) -> Result<Response, Refusal> {
    let gateway = state.gateway;
    let name = csv::file_name("fees", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let (gateway, q) = (gateway.clone(), query.q.trim().to_owned());
        async move {
            let rows = gateway.fee_cells(&q).await?;
            Ok::<_, Error>(ExportPage { rows, next: None })
        }
    };
    csv::download(&name, &FEE_COLUMNS, rows).await
}
