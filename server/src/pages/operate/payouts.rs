use app::pages::{PayoutPage, PayoutsPage};
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::operator::PAYOUT_COLUMNS;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::signing::{attachment, uploaded};
use super::{done, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::query::{number, older_than};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

/// Bytes of an upload at most: far more than a transaction that nodes relay takes.
pub(super) const PSBT_FORM_BYTES_MAX: usize = 4 * 1024 * 1024;

const LABELS: [Label; 2] = [
    ("psbt", "psbt", "The signed PSBT"),
    ("bump", "", "A higher fee"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PayoutsQuery {
    before: String,
    notice: String,
}

/// Every payout, the newest first.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway.payouts_view(older_than(&query.before)).await?;
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <PayoutsPage frame=frame view=view/> },
    ))
}

/// The same payouts as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let name = csv::file_name("payouts", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let gateway = gateway.clone();
        async move { gateway.export_payouts(before).await }
    };
    csv::download(&name, &PAYOUT_COLUMNS, rows).await
}

/// One payout with its transactions.
pub(super) async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let said = notice(&query.notice);
    one(&state.gateway, &visitor, number(&id)?, said).await
}

/// The transaction that waits for its signatures, as a file.
pub(super) async fn psbt(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let file = match drafted(gateway, id).await? {
        Some(tx) => gateway.download_psbt(tx, &visitor.actor()).await,
        None => return Ok(done(&path(id), Code::NotPossible)),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            let code = Code::of_dashboard(error, Code::NotPossible)?;
            return Ok(done(&path(id), code));
        }
    };
    Ok(attachment(
        "application/octet-stream",
        &file.name,
        file.bytes,
    ))
}

/// Takes the signed transaction back. The body is read only when the visitor may bring one.
pub(super) async fn signed(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let Some(tx) = drafted(gateway, id).await? else {
        return Ok(done(&path(id), Code::NotPossible));
    };
    let bytes = uploaded(request, &state, "psbt").await?;
    let sent = gateway.upload_psbt(tx, &bytes, &visitor.actor()).await;
    answered(gateway, &visitor, id, sent, Code::PayoutSigned).await
}

/// Makes a transaction with a higher fee.
pub(super) async fn bump(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let made = gateway.bump_payout(id, &visitor.actor()).await;
    answered(gateway, &visitor, id, made, Code::PayoutReplaced).await
}

/// The page again with what is wrong, or back to it with what was done.
async fn answered(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    result: gateway::Result<()>,
    code: Code,
) -> Result<Response, Refusal> {
    let code = match result {
        Ok(()) => code,
        Err(Error::Invalid(wrong)) => {
            return one(gateway, visitor, id, blame(&wrong, &LABELS)).await;
        }
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    Ok(done(&path(id), code))
}

/// Sends the stored bytes once more.
pub(super) async fn rebroadcast(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let id = number(&id)?;
    let sent = state.gateway.resend_payout(id, &visitor.actor()).await;
    let code = match sent {
        Ok(()) => Code::PayoutSentAgain,
        Err(error) => Code::of_dashboard(error, Code::NothingToSend)?,
    };
    Ok(done(&path(id), code))
}

fn path(id: i64) -> String {
    format!("/app/operate/payouts/{id}")
}

/// The transaction that waits for its signatures; `None` when none does any more.
async fn drafted(gateway: &Gateway, payout: i64) -> Result<Option<i64>, Refusal> {
    match gateway.drafted_tx(payout).await {
        Ok(tx) => Ok(Some(tx)),
        Err(Error::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.payout_view(id).await?;
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <PayoutPage frame=frame view=view/> },
    ))
}
