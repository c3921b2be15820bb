use app::pages::Section;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use serde::Deserialize;

use super::{Said, chains, done, is_reason, review};
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const LABELS: [Label; 1] = [("txid", "txid", "The transaction")];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnFundsForm {
    txid: String,
    reason: String,
    /// `save`, or `edit` to go back.
    step: String,
}

/// What booking a transaction as the house's own would mean.
pub(super) async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(sent): Query<OwnFundsForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let sent = OwnFundsForm {
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
    Form(sent): Form<OwnFundsForm>,
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
        .book_own_funds(&code, &sent.txid, &sent.reason, &by)
        .await;
    match booked {
        Ok(_) => Ok(done(&path, Code::OwnFundsBooked)),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => {
            reviewed(gateway, &visitor, &code, sent, Said::Wrong(wrong)).await
        }
        Err(error) => refused(gateway, &visitor, &code, error, &LABELS).await,
    }
}

/// The page of the chain with what was wrong; nothing was booked.
pub(super) async fn refused(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    error: Error,
    labels: &[Label],
) -> Result<Response, Refusal> {
    let said = match error {
        Error::Invalid(wrong) => blame(&wrong, labels),
        error if error.is_transient() => notice(Code::TryAgain.word()),
        error => return Err(error.into()),
    };
    chains::one(gateway, visitor, code, said).await
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    sent: OwnFundsForm,
    said: Said,
) -> Result<Response, Refusal> {
    match gateway.review_own_funds(code, &sent.txid).await {
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
