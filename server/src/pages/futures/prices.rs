//! What promises for one of the merchant's addresses cost now (`30`, futures/rates).

use app::pages::FuturesRatesPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::super::document::document;
use super::super::errors::Refusal;
use super::super::forms::blame;
use super::super::query::number;
use super::super::visitor::Visitor;
use super::{LABELS, ListQuery, listed};
use crate::state::AppState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RatesQuery {
    /// Number of a deposit address.
    address: String,
}

/// What promises for one address cost now.
pub(super) async fn rates(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<RatesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let gateway = &state.gateway;
    match query.address.trim() {
        "" => choose(gateway, &visitor).await,
        id => prices(gateway, &visitor, number(id)?, String::new(), None).await,
    }
}

/// The prices for one address. One that keeps its coin is named above the list of the others.
pub(super) async fn prices(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    typed: String,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let may_act = visitor.has(Permission::MoveMoney);
    let mut view = match gateway
        .futures_rates_view(visitor.merchant_id, id, may_act)
        .await
    {
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            return listed(gateway, visitor, &ListQuery::default(), said).await;
        }
        shown => shown?,
    };
    let status = match &said {
        Some(Notice { is_error: true, .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    view.typed = typed;
    view.notice = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <FuturesRatesPage frame=frame view=view/> },
    ))
}

/// The list, asking for the address that is missing.
pub(super) async fn choose(gateway: &Gateway, visitor: &Visitor) -> Result<Response, Refusal> {
    let said = Notice {
        is_error: true,
        text: "Choose one of your deposit addresses.".to_owned(),
        field: Some("address".to_owned()),
    };
    listed(gateway, visitor, &ListQuery::default(), Some(said)).await
}
