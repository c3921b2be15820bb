//! Deposits, withdrawals and exchanges: lists, details, exports, and the decision on a withdrawal.

use app::pages::{OperationPage, OperationsPage};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::operations::{OperationFilter, OperationList};
use gateway::Error;
use gateway::auth::Permission;
use gateway::dashboard::OPERATION_COLUMNS;
use gateway::withdrawals::Decider;
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::{NoticeQuery, number};
use super::visitor::Visitor;
use crate::state::AppState;

const LABELS: [Label; 2] = [
    ("status", "status", "Status"),
    ("currency", "currency", "Currency"),
];

/// Nobody turns that many pages; what is beyond has no number.
const PAGE_MAX: i64 = 1_000_000;

/// Filters and the page, each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OperationQuery {
    reference: String,
    status: String,
    currency: String,
    page: String,
}

impl OperationQuery {
    fn filter(&self) -> OperationFilter {
        OperationFilter {
            reference: domain::text::one_line(&self.reference),
            status: self.status.trim().to_owned(),
            currency: self.currency.trim().to_owned(),
        }
    }

    fn page(&self) -> i64 {
        self.page.parse().unwrap_or(1).clamp(1, PAGE_MAX)
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    Extension(of): Extension<OperationList>,
    visitor: Visitor,
    Query(query): Query<OperationQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let (gateway, merchant) = (&state.gateway, visitor.merchant_id);
    let may_act = visitor.has(Permission::MoveMoney);
    let filter = query.filter();
    let (view, said) = match gateway
        .operation_list(merchant, of, filter.clone(), query.page(), may_act)
        .await
    {
        Err(Error::Invalid(wrong)) => {
            let rest = OperationFilter {
                reference: filter.reference.clone(),
                ..OperationFilter::default()
            };
            let mut view = gateway
                .operation_list(merchant, of, rest, 1, may_act)
                .await?;
            // What was typed stays in the form.
            view.filter = filter;
            view.never_used = false;
            (view, blame(&wrong, &LABELS))
        }
        listed => (listed?, None),
    };
    let status = if said.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = visitor.frame(gateway, said).await?;
    Ok(document(
        status,
        move || view! { <OperationsPage frame=frame view=view/> },
    ))
}

pub(super) async fn export(
    State(state): State<AppState>,
    Extension(of): Extension<OperationList>,
    visitor: Visitor,
    Query(query): Query<OperationQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant, filter) = (state.gateway, visitor.merchant_id, query.filter());
    let what = match of {
        OperationList::Deposits => "deposits",
        OperationList::Withdrawals => "withdrawals",
        OperationList::Exchanges => "exchanges",
    };
    let name = csv::file_name(what, gateway.clock().now());
    let rows = move |page: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_operations(merchant, of, filter, page).await }
    };
    csv::download(&name, &OPERATION_COLUMNS, rows).await
}

pub(super) async fn detail(
    State(state): State<AppState>,
    Extension(of): Extension<OperationList>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let id = number(&id)?;
    let may_decide = visitor.has(Permission::ApproveWithdrawals);
    let view = state
        .gateway
        .operation_detail(visitor.merchant_id, of, id, may_decide)
        .await?;
    let frame = visitor.frame(&state.gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <OperationPage frame=frame view=view/> },
    ))
}

/// Lets a withdrawal above the limit go.
pub(super) async fn approve(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ApproveWithdrawals)?;
    let id = number(&id)?;
    let done = state
        .gateway
        .approve_withdrawal(visitor.merchant_id, id, decider(&visitor))
        .await;
    decided(id, done, Code::Approved)
}

/// Calls it off.
pub(super) async fn decline(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ApproveWithdrawals)?;
    let id = number(&id)?;
    let done = state
        .gateway
        .decline_withdrawal(visitor.merchant_id, id, decider(&visitor))
        .await;
    decided(id, done, Code::Declined)
}

fn decider(visitor: &Visitor) -> Decider {
    Decider {
        name: visitor.actor(),
        user_id: Some(visitor.user_id()),
    }
}

fn decided(id: i64, done: Result<(), Error>, code: Code) -> Result<Response, Refusal> {
    let code = match done {
        Ok(()) => code,
        // Whoever asked may not decide alone.
        Err(Error::Forbidden) => Code::OtherEyes,
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    let page = format!("/app/withdrawals/{id}?notice={}", code.word());
    Ok(Redirect::to(&page).into_response())
}
