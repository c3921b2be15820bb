//! The rates a merchant is quoted, and what futures cost for one of its addresses.

use app::pages::RatesPage;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::view::checkout::Notice;
use domain::view::developers::RatesView;
use gateway::auth::Permission;
use gateway::dashboard::RATE_COLUMNS;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::visitor::Visitor;
use crate::state::AppState;

const LABELS: [Label; 2] = [
    ("currency", "currency", "Currency"),
    ("address", "address", "Deposit address"),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/rates", get(show))
        .route("/app/rates.csv", get(export))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RatesQuery {
    currency: String,
    page: String,
    /// Of the merchant; asks for the futures too.
    address: String,
}

impl RatesQuery {
    fn page(&self) -> usize {
        self.page.parse().unwrap_or(1)
    }
}

/// Rates, filtered as the URL says. What means nothing is named above them and left out.
async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<RatesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let gateway = &state.gateway;
    let mut view = listed(gateway, &query).await?;
    let address = query.address.trim();
    if !address.is_empty() {
        match gateway.futures_tiers(visitor.merchant_id, address).await {
            Ok(tiers) => view.futures = Some(tiers),
            Err(Error::Invalid(wrong)) => view.notice = blame(&wrong, &LABELS),
            Err(error) => return Err(error.into()),
        }
        view.address = address.to_owned();
    }
    let status = match &view.notice {
        Some(Notice { is_error: true, .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <RatesPage frame=frame view=view/> },
    ))
}

async fn listed(gateway: &Gateway, query: &RatesQuery) -> Result<RatesView, Refusal> {
    let currency = query.currency.trim();
    match gateway.rates_view(currency, query.page()).await {
        Err(Error::Invalid(wrong)) => {
            let mut view = gateway.rates_view("", 1).await?;
            view.notice = blame(&wrong, &LABELS);
            Ok(view)
        }
        listed => Ok(listed?),
    }
}

/// Exactly the pairs the filter lists, as CSV.
async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<RatesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    visitor.may(Permission::ExportData)?;
    let gateway = state.gateway;
    let currency = query.currency.trim().to_owned();
    let name = csv::file_name("rates", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let (gateway, currency) = (gateway.clone(), currency.clone());
        async move { gateway.export_rates(&currency).await }
    };
    csv::download(&name, &RATE_COLUMNS, rows).await
}
