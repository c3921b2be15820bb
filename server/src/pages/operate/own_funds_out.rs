use app::pages::Section;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use serde::Deserialize;

use super::own_funds::refused;
use super::{Said, chains, done, is_reason, review};
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::Code;
use crate::pages::visitor::Visitor;
use crate::state::AppState;

/// The page has another field of that name, for what comes in.
const LABELS: [Label; 1] = [("txid", "out-txid", "The transaction")];

/// What a person says when it is a loss.
const LOSS: &str = "yes";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OutForm {
    txid: String,
    loss: String,
    reason: String,
    /// `save`, or `edit` to go back.
    step: String,
}

/// What booking a transaction as taken out of own funds would mean.
pub(super) async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(sent): Query<OutForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let sent = OutForm {
        reason: String::new(),
        ..sent
    };
    reviewed(&state.gateway, &visitor, &code, sent, Said::Nothing).await
}

/// Books it.
pub(super) async fn book(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Form(sent): Form<OutForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, by) = (&state.gateway, visitor.actor());
    // Only a code that is connected leads anywhere, so it is nothing that needs escaping.
    let code = gateway.chain_audit_page(&code).await?.code;
    let path = format!("/app/operate/chains/{code}");
    if sent.step == "edit" {
        return Ok(Redirect::to(&path).into_response());
    }
    let booked = gateway
        .book_own_funds_out(&code, &sent.txid, sent.loss == LOSS, &sent.reason, &by)
        .await;
    match booked {
        Ok(_) => Ok(done(&path, Code::OwnFundsBooked)),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => {
            reviewed(gateway, &visitor, &code, sent, Said::Wrong(wrong)).await
        }
        Err(error) => refused(gateway, &visitor, &code, error, &LABELS).await,
    }
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    sent: OutForm,
    said: Said,
) -> Result<Response, Refusal> {
    match gateway
        .review_own_funds_out(code, &sent.txid, sent.loss == LOSS)
        .await
    {
        Ok(mut view) => {
            view.reason = sent.reason;
            review(gateway, visitor, Section::Chains, view, said).await
        }
        Err(Error::Invalid(wrong)) => {
            chains::one(gateway, visitor, code, blame(&wrong, &LABELS)).await
        }
        Err(error) => Err(error.into()),
    }
}
