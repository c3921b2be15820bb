use app::pages::ChargePage;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gateway::auth::Permission;
use leptos::prelude::*;
use serde::Deserialize;

use super::checkout::known_shape;
use super::document::document;
use super::errors::Refusal;
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::visitor::Visitor;
use crate::state::AppState;

/// Where the money is to go back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RefundForm {
    address: String,
}

/// Everything about one charge.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadCharges)?;
    let id = known_shape(&id)?;
    let mut view = state.gateway.charge_detail(visitor.merchant_id, id).await?;
    if !visitor.has(Permission::ManageCharges) {
        (view.can_accept, view.can_refund, view.can_cancel) = (false, false, false);
    }
    let frame = visitor.frame(&state.gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <ChargePage frame=frame view=view/> },
    ))
}

/// Takes what came as payment.
pub(super) async fn accept(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageCharges)?;
    let id = known_shape(&id)?;
    let (gateway, merchant, actor) = (&state.gateway, visitor.merchant_id, visitor.actor());
    let done = gateway
        .accept_charge(merchant, id, actor, None, |_| no_body())
        .await;
    answer(id, done.map(|_| Code::Accepted), Code::WorthTooLittle)
}

/// Approves sending the money back: to the address given, else to the one the customer left.
pub(super) async fn refund(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<RefundForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageCharges)?;
    let id = known_shape(&id)?;
    let address = Some(form.address.trim().to_owned()).filter(|address| !address.is_empty());
    let (gateway, merchant, actor) = (&state.gateway, visitor.merchant_id, visitor.actor());
    let done = gateway
        .request_refund(merchant, id, address, actor, None, |_| no_body())
        .await;
    answer(
        id,
        done.map(|_| Code::RefundApproved),
        Code::NothingToRefund,
    )
}

/// Calls the charge off.
pub(super) async fn cancel(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageCharges)?;
    let id = known_shape(&id)?;
    let (gateway, merchant, actor) = (&state.gateway, visitor.merchant_id, visitor.actor());
    let done = gateway
        .cancel_charge(merchant, id, actor, None, |_| no_body())
        .await;
    answer(id, done.map(|_| Code::Cancelled), Code::NotPossible)
}

/// Pages need no rendered answer to keep with the effect.
fn no_body() -> (u16, Vec<u8>) {
    (StatusCode::NO_CONTENT.as_u16(), Vec::new())
}

fn answer(
    id: &str,
    done: Result<Code, gateway::Error>,
    on_conflict: Code,
) -> Result<Response, Refusal> {
    let code = match done {
        Ok(code) => code,
        Err(error) => Code::of_dashboard(error, on_conflict)?,
    };
    let page = format!("/app/charges/{id}?notice={}", code.word());
    Ok(Redirect::to(&page).into_response())
}
