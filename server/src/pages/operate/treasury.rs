use app::pages::{Section, TreasuryPage, TreasuryPaymentPage};
use axum::Form;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use domain::view::treasury::TreasuryFilter;
use gateway::auth::Permission;
use gateway::operator::TREASURY_COLUMNS;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::signing::{attachment, uploaded};
use super::{Said, done, review, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::query::{number, older_than};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

/// Bytes of an upload at most: a signed transaction twice, as a file and as text, and the form around it.
pub(super) const SIGNED_FORM_BYTES_MAX: usize = 64 * 1024;

const PATH: &str = "/app/operate/treasury";

const LABELS: [Label; 2] = [
    ("signed", "signed", "The signed transaction"),
    ("bump", "", "A higher fee"),
];

/// Filters and the page, each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TreasuryQuery {
    state: String,
    chain: String,
    kind: String,
    before: String,
    notice: String,
}

impl TreasuryQuery {
    fn filter(&self) -> TreasuryFilter {
        TreasuryFilter {
            state: self.state.trim().to_owned(),
            chain: self.chain.trim().to_owned(),
            kind: self.kind.trim().to_owned(),
        }
    }

    fn before(&self) -> Option<i64> {
        older_than(&self.before)
    }
}

/// The accounts, what waits, and every payment, the newest first.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<TreasuryQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway
        .treasury_view(query.filter(), query.before())
        .await?;
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <TreasuryPage frame=frame view=view/> },
    ))
}

/// The same payments as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<TreasuryQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, filter) = (state.gateway, query.filter());
    let name = csv::file_name("evm-payments", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_treasury(&filter, before).await }
    };
    csv::download(&name, &TREASURY_COLUMNS, rows).await
}

/// One payment with its transactions.
pub(super) async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<TreasuryQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let said = notice(&query.notice);
    one(&state.gateway, &visitor, number(&id)?, said).await
}

/// The transaction that waits for its signature, as a file.
pub(super) async fn unsigned(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let id = number(&id)?;
    let taken = state.gateway.unsigned_payment(id, &visitor.actor()).await;
    let file = match taken {
        Ok(file) => file,
        Err(error) => {
            let code = Code::of_dashboard(error, Code::NotPossible)?;
            return Ok(done(&path(id), code));
        }
    };
    Ok(attachment("application/json", &file.name, file.text))
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
    if !gateway.treasury_waits_for_signature(id).await? {
        return Ok(done(&path(id), Code::NotPossible));
    }
    let bytes = uploaded(request, &state, "signed").await?;
    // What is no text is no hexadecimal either, and is refused as such.
    let text = String::from_utf8_lossy(&bytes);
    let sent = gateway.signed_payment(id, &text, &visitor.actor()).await;
    answered(gateway, &visitor, id, sent, Code::PaymentSigned).await
}

/// Makes a transaction with a higher fee.
pub(super) async fn bump(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let made = gateway.bump_payment(id, &visitor.actor()).await;
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResumeForm {
    reason: String,
    step: String,
}

/// What going on with a paused account would mean.
pub(super) async fn resume_review(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    reviewed(&state.gateway, &visitor, &id, String::new(), Said::Nothing).await
}

/// Goes on with a paused account.
pub(super) async fn resume(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<ResumeForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, by) = (&state.gateway, visitor.actor());
    if form.step == "edit" {
        return Ok(Redirect::to(PATH).into_response());
    }
    let resumed = gateway.resume_account(&id, &form.reason, &by).await;
    let code = match resumed {
        Ok(()) => Code::PaymentsGoOn,
        Err(Error::Invalid(wrong)) => {
            return reviewed(gateway, &visitor, &id, form.reason, Said::Wrong(wrong)).await;
        }
        Err(error) => Code::of_dashboard(error, Code::StillPaused)?,
    };
    Ok(done(PATH, code))
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    address: &str,
    reason: String,
    said: Said,
) -> Result<Response, Refusal> {
    let mut view = match gateway.review_resume(address).await {
        Err(Error::Conflict(_)) => return Ok(done(PATH, Code::NotPossible)),
        view => view?,
    };
    view.reason = reason;
    review(gateway, visitor, Section::Treasury, view, said).await
}

fn path(id: i64) -> String {
    format!("{PATH}/{id}")
}

async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.treasury_payment_view(id).await?;
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <TreasuryPaymentPage frame=frame view=view/> },
    ))
}
