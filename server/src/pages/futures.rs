//! Futures: the promises made, one of them, and the CSV. What they cost and how one is made is below.

mod prices;
mod promise;

use app::pages::{FuturesDetailPage, FuturesPage};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::dashboard::{FUTURES_COLUMNS, Place};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::notice;
use super::query::NoticeQuery;
use super::query::number;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/futures";

const LABELS: [Label; 5] = [
    ("state", "state", "State"),
    ("address", "address", "Deposit address"),
    ("receiver_amount", "receiver_amount", "Amount you get"),
    ("receiver_currency", "receiver_amount", "What you get"),
    ("key", "", "This form"),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/futures", get(list))
        .route("/app/futures.csv", get(export))
        .route("/app/futures/rates", get(prices::rates))
        .route("/app/futures/review", post(promise::review))
        .route("/app/futures/confirm", post(promise::confirm))
        .route("/app/futures/{id}", get(detail))
}

/// Each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    state: String,
    before: String,
    after: String,
}

impl ListQuery {
    fn state(&self) -> &str {
        self.state.trim()
    }

    /// The newest page, also for what is no number.
    fn place(&self) -> Place {
        let id = |text: &str| text.parse::<i64>().ok().filter(|id| *id > 0);
        match (id(&self.before), id(&self.after)) {
            (Some(id), _) => Place::Before(id),
            (None, Some(id)) => Place::After(id),
            (None, None) => Place::Newest,
        }
    }
}

/// The promises, filtered as the URL says.
async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    listed(&state.gateway, &visitor, &query, None).await
}

/// The list below what a form has to say. A filter that means nothing is named there and left out.
async fn listed(
    gateway: &Gateway,
    visitor: &Visitor,
    query: &ListQuery,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let merchant = visitor.merchant_id;
    let (view, said) = match gateway
        .futures_list(merchant, query.state(), query.place())
        .await
    {
        Err(Error::Invalid(wrong)) => {
            let view = gateway.futures_list(merchant, "", Place::Newest).await?;
            (view, blame(&wrong, &LABELS))
        }
        listed => (listed?, said),
    };
    let status = match &said {
        Some(Notice { is_error: true, .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let frame = visitor.frame(gateway, said).await?;
    Ok(document(
        status,
        move || view! { <FuturesPage frame=frame view=view/> },
    ))
}

/// Exactly the promises the filter lists, as CSV.
async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant) = (state.gateway, visitor.merchant_id);
    let filter = query.state().to_owned();
    let name = csv::file_name("futures", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_futures(merchant, &filter, before).await }
    };
    csv::download(&name, &FUTURES_COLUMNS, rows).await
}

/// One promise, ready to be paid while it waits.
async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let gateway = &state.gateway;
    let view = gateway
        .futures_detail(visitor.merchant_id, number(&id)?)
        .await?;
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <FuturesDetailPage frame=frame view=view/> },
    ))
}
