//! Deposit addresses: the list, taking one, and each one's own page.

use app::pages::{AddressPage, AddressesPage};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use gateway::addresses::NewAddress;
use gateway::auth::Permission;
use gateway::dashboard::ADDRESS_COLUMNS;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::{NoticeQuery, number, older_than};
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/addresses";
/// Characters of a reference at most, as in the API.
const REFERENCE_CHARS_MAX: usize = 255;

const LABELS: [Label; 4] = [
    ("currency", "currency", "Coin"),
    ("convert_to", "convert_to", "Exchange into"),
    ("foreign_id", "foreign_id", "Reference"),
    ("label", "label", "Label"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    before: String,
    notice: String,
}

impl ListQuery {
    /// Without what no text of ours holds.
    fn q(&self) -> String {
        domain::text::one_line(&self.q)
    }

    fn before(&self) -> Option<i64> {
        older_than(&self.before)
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let said = notice(&query.notice);
    page(&state.gateway, &visitor, StatusCode::OK, &query, said).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TakeForm {
    currency: String,
    convert_to: String,
    foreign_id: String,
}

/// Gives the address that the form names, a new one the first time.
pub(super) async fn take(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<TakeForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    match take_one(gateway, visitor.merchant_id, &form).await {
        Ok(id) => {
            let page = format!("{PATH}/{id}?notice={}", Code::AddressTaken.word());
            Ok(Redirect::to(&page).into_response())
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(gateway, &visitor, status, &ListQuery::default(), said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn take_one(gateway: &Gateway, merchant_id: i64, form: &TakeForm) -> Result<i64, Error> {
    let known = |field: &str, code: &str| {
        gateway
            .currencies()
            .enabled_by_code(code)
            .ok_or_else(|| Error::invalid(field, "must be a currency of this instance"))
    };
    let coin = known("currency", form.currency.trim())?;
    let convert_to = match form.convert_to.trim() {
        "" => None,
        code => Some(known("convert_to", code)?),
    };
    let foreign_id = domain::text::one_line(&form.foreign_id);
    if foreign_id.is_empty() || foreign_id.chars().count() > REFERENCE_CHARS_MAX {
        let message = "must have 1 to 255 characters";
        return Err(Error::invalid("foreign_id", message));
    }
    let new = NewAddress {
        merchant_id,
        coin,
        convert_to,
        foreign_id,
    };
    let number = |view: &gateway::addresses::DepositAddressView, _: bool| {
        let status = StatusCode::CREATED.as_u16();
        (status, view.id.to_string().into_bytes())
    };
    // The arguments are the key: the same form gives the same address.
    let answer = gateway.take_deposit_address(new, None, number).await?;
    super::forms::made_id(&answer).ok_or_else(|| Error::internal("no number was kept"))
}

pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant) = (state.gateway, visitor.merchant_id);
    let name = csv::file_name("addresses", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let (gateway, q) = (gateway.clone(), query.q());
        async move { gateway.export_addresses(merchant, &q, before).await }
    };
    csv::download(&name, &ADDRESS_COLUMNS, rows).await
}

pub(super) async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let id = number(&id)?;
    one(
        &state.gateway,
        &visitor,
        StatusCode::OK,
        id,
        notice(&query.notice),
    )
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelForm {
    label: String,
}

/// Names the address for people.
pub(super) async fn label(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<LabelForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let (gateway, id) = (&state.gateway, number(&id)?);
    match gateway
        .label_deposit_address(visitor.merchant_id, id, &form.label)
        .await
    {
        Ok(()) => {
            let page = format!("{PATH}/{id}?notice={}", Code::LabelSaved.word());
            Ok(Redirect::to(&page).into_response())
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            one(gateway, &visitor, status, id, said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    query: &ListQuery,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let may_act = visitor.has(Permission::MoveMoney);
    let view = gateway
        .address_list(visitor.merchant_id, &query.q(), query.before(), may_act)
        .await?;
    let frame = visitor.frame(gateway, said).await?;
    Ok(document(
        status,
        move || view! { <AddressesPage frame=frame view=view/> },
    ))
}

async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    id: i64,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let may_act = visitor.has(Permission::MoveMoney);
    let view = gateway
        .address_detail(visitor.merchant_id, id, may_act)
        .await?;
    let frame = visitor.frame(gateway, said).await?;
    Ok(document(
        status,
        move || view! { <AddressPage frame=frame view=view/> },
    ))
}
