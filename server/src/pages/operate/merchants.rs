use app::pages::{MerchantTermsPage, MerchantsPage, Section};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::operator::{MERCHANT_COLUMNS, MerchantTerms};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Said, done, is_reason, is_stale, page_number, review, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::query::number;
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/operate/merchants";

const LABELS: [Label; 4] = [
    ("fee", "fee", "Payment fee"),
    (
        "withdrawal_limit",
        "withdrawal_limit",
        "The limit of one withdrawal",
    ),
    ("daily_limit", "daily_limit", "The limit of a day"),
    ("terms", "", "The terms"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MerchantsQuery {
    q: String,
    page: String,
    notice: String,
}

/// Every merchant.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<MerchantsQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway
        .merchants_view(&query.q, page_number(&query.page))
        .await?;
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <MerchantsPage frame=frame view=view/> },
    ))
}

/// The same as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<MerchantsQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let name = csv::file_name("merchants", gateway.clock().now());
    let rows = move |from: Option<i64>| {
        let (gateway, q) = (gateway.clone(), query.q.clone());
        async move { gateway.export_merchants(&q, from).await }
    };
    csv::download(&name, &MERCHANT_COLUMNS, rows).await
}

/// The form that edits one merchant's terms.
pub(super) async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    terms(&state.gateway, &visitor, number(&id)?, None, None).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TermsForm {
    /// `save`, `edit`, or anything else to look at it first.
    step: String,
    fee: String,
    withdrawal_limit: String,
    daily_limit: String,
    seen: String,
    reason: String,
}

/// Shows what would change, or changes it.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<TermsForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    let typed = MerchantTerms {
        fee: sent.fee,
        withdrawal_limit: sent.withdrawal_limit,
        daily_limit: sent.daily_limit,
        seen: sent.seen,
        reason: sent.reason,
    };
    match sent.step.as_str() {
        "edit" => terms(gateway, &visitor, id, Some(&typed), None).await,
        "save" => save(gateway, &visitor, id, typed).await,
        _ => reviewed(gateway, &visitor, id, &typed, Said::Nothing).await,
    }
}

async fn save(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    typed: MerchantTerms,
) -> Result<Response, Refusal> {
    let by = visitor.actor();
    match gateway.change_merchant_terms(id, typed.clone(), &by).await {
        Ok(()) => Ok(done(PATH, Code::TermsSaved)),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => {
            reviewed(gateway, visitor, id, &typed, Said::Wrong(wrong)).await
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            terms(gateway, visitor, id, Some(&typed), said).await
        }
        Err(Error::Conflict(_)) => reviewed(gateway, visitor, id, &typed, Said::Conflict).await,
        Err(error) => Err(error.into()),
    }
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    typed: &MerchantTerms,
    said: Said,
) -> Result<Response, Refusal> {
    match gateway.review_merchant_terms(id, typed).await {
        Ok(view) => {
            let said = if is_stale(&view, "seen", &typed.seen) {
                Said::Conflict
            } else {
                said
            };
            review(gateway, visitor, Section::Merchants, view, said).await
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            terms(gateway, visitor, id, Some(typed), said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn terms(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    typed: Option<&MerchantTerms>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.merchant_terms_form(id).await?;
    if let Some(typed) = typed {
        view.fee.clone_from(&typed.fee);
        view.withdrawal_limit.clone_from(&typed.withdrawal_limit);
        view.daily_limit.clone_from(&typed.daily_limit);
    }
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <MerchantTermsPage frame=frame view=view/> },
    ))
}
