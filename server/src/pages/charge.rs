use app::pages::ChargePage;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
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

/// Sends a webhook again, byte for byte.
pub(super) async fn redeliver(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Redeliver)?;
    let id: i64 = id.parse().map_err(|_| Refusal::NotFound)?;
    state.gateway.redeliver(visitor.merchant_id, id).await?;
    let page = charge_of_referer(&headers).map_or("/app/charges".to_owned(), |charge| {
        format!("/app/charges/{charge}?notice={}", Code::SentAgain.word())
    });
    Ok(Redirect::to(&page).into_response())
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

/// The charge whose page the form was on: only its id is taken from the header, so it cannot lead
/// anywhere else.
fn charge_of_referer(headers: &HeaderMap) -> Option<&str> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("/app/charges/")?;
    let id = rest.split(['?', '#', '/']).next()?;
    known_shape(id).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_referer_tells_the_charge_and_nothing_else() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::REFERER, text.parse().unwrap());
            charge_of_referer(&headers).map(str::to_owned)
        };
        let page = "http://127.0.0.1:3000/app/charges/EX-4K7QZ2MX3A?notice=accepted";
        assert_eq!(of(page).as_deref(), Some("EX-4K7QZ2MX3A"));
        assert_eq!(of("http://127.0.0.1:3000/app/charges"), None);
        assert_eq!(of("https://evil.example/app/charges/..//x"), None);
    }
}
