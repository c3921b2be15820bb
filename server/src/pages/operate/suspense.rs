use app::pages::{Section, SuspendedDepositPage, SuspensePage};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use domain::view::operate::SuspenseFilter;
use gateway::auth::Permission;
use gateway::operator::SUSPENSE_COLUMNS;
use gateway::withdrawals::ReplacedOutcome;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Said, done, page_number, review, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::query::number;
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/operate/suspense";

const LABELS: [Label; 3] = [
    ("currency", "currency", "Coin"),
    ("q", "q", "Search"),
    ("address", "address", "Address"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SuspenseQuery {
    q: String,
    currency: String,
    page: String,
    notice: String,
}

impl SuspenseQuery {
    fn filter(&self) -> SuspenseFilter {
        SuspenseFilter {
            q: self.q.trim().to_owned(),
            currency: self.currency.trim().to_owned(),
        }
    }
}

/// What is in suspense, and withdrawals that are stuck.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<SuspenseQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let asked = gateway.suspense_view(query.filter(), page_number(&query.page));
    let view = match asked.await {
        Err(Error::Invalid(wrong)) => {
            let rest = SuspenseFilter::default();
            let mut view = gateway.suspense_view(rest, 1).await?;
            view.notice = blame(&wrong, &LABELS);
            view
        }
        listed => listed?,
    };
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        status,
        move || view! { <SuspensePage frame=frame view=view/> },
    ))
}

/// The same items as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<SuspenseQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, filter) = (state.gateway, query.filter());
    let name = csv::file_name("suspense", gateway.clock().now());
    let rows = move |from: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_suspense(&filter, from).await }
    };
    csv::download(&name, &SUSPENSE_COLUMNS, rows).await
}

/// One deposit in suspense, of whatever merchant.
pub(super) async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let id = number(&id)?;
    one(&state.gateway, &visitor, id, String::new(), None).await
}

/// Credits a deposit after all.
pub(super) async fn release(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let id = number(&id)?;
    let released = state.gateway.release_deposit(id, &visitor.actor()).await;
    let code = match released {
        Ok(()) => Code::DepositReleased,
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    Ok(done(PATH, code))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RefundForm {
    address: String,
}

/// Sends a deposit back.
pub(super) async fn refund(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<RefundForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let by = visitor.actor();
    let code = match gateway.refund_deposit(id, &form.address, &by).await {
        Ok(()) => Code::DepositRefunded,
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            return one(gateway, &visitor, id, form.address, said).await;
        }
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    Ok(done(PATH, code))
}

/// Sends the stored bytes of a withdrawal to the network once more.
pub(super) async fn rebroadcast(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let id = number(&id)?;
    let by = visitor.actor();
    let code = match state.gateway.rebroadcast_withdrawal(id, &by).await {
        Ok(()) => Code::WithdrawalSentAgain,
        Err(error) => Code::of_dashboard(error, Code::NothingToSend)?,
    };
    Ok(done(PATH, code))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OutcomeForm {
    outcome: String,
    reason: String,
    step: String,
}

/// What a decision on a withdrawal whose coins another transaction took would change.
pub(super) async fn replaced(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(form): Query<OutcomeForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    outcome_review(&state.gateway, &visitor, number(&id)?, form, Said::Nothing).await
}

/// Ends such a withdrawal.
pub(super) async fn end_replaced(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<OutcomeForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id, by) = (&state.gateway, number(&id)?, visitor.actor());
    if form.step == "edit" {
        return Ok(Redirect::to(PATH).into_response());
    }
    let outcome = outcome_of(&form)?;
    let ended = gateway.end_replaced(id, outcome, &form.reason, &by).await;
    let code = match ended {
        Ok(()) => Code::WithdrawalEnded,
        Err(Error::Invalid(wrong)) => {
            return outcome_review(gateway, &visitor, id, form, Said::Wrong(wrong)).await;
        }
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    Ok(done(PATH, code))
}

fn outcome_of(form: &OutcomeForm) -> Result<ReplacedOutcome, Refusal> {
    ReplacedOutcome::from_word(&form.outcome).ok_or_else(|| Error::NotFound.into())
}

async fn outcome_review(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    form: OutcomeForm,
    said: Said,
) -> Result<Response, Refusal> {
    let mut view = match gateway.review_replaced(id, outcome_of(&form)?).await {
        Err(Error::Conflict(_)) => return Ok(done(PATH, Code::NotPossible)),
        view => view?,
    };
    view.reason = form.reason;
    review(gateway, visitor, Section::Suspense, view, said).await
}

async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    address: String,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.suspended_deposit(id).await?;
    view.address = address;
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <SuspendedDepositPage frame=frame view=view/> },
    ))
}
