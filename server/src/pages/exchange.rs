//! An exchange asked for by a person: a rate, a look at it, the deal.

use app::pages::{ExchangePage, ExchangeQuotePage};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::money::{Currency, Money};
use domain::view::checkout::Notice;
use domain::view::operations::ExchangeForm;
use gateway::auth::Permission;
use gateway::exchange::{ExchangeQuote, ExchangeRequest, Given, NewExchange, Pricing};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::document::document;
use super::errors::Refusal;
use super::forms::{self, Label, blame};
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/exchange";

const LABELS: [Label; 4] = [
    ("sender_currency", "from", "What you send"),
    ("receiver_currency", "to", "What you get"),
    ("sender_amount", "give", "Amount you send"),
    ("receiver_amount", "get", "Amount you get"),
];

/// The form, empty, above the exchanges before.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadOperations)?;
    let said = notice(&query.notice);
    page(
        &state.gateway,
        &visitor,
        StatusCode::OK,
        ExchangeForm::default(),
        said,
    )
    .await
}

/// The form as it is sent; `before` names the offer that a new one replaces.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: String,
    #[serde(flatten)]
    form: ExchangeForm,
}

/// Fixes a rate and leads to it.
pub(super) async fn calculate(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(asked): Form<Asked>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    let merchant_id = visitor.merchant_id;
    let quoted = match read(gateway, merchant_id, &asked.form) {
        Ok(request) => gateway.calculate_exchange(request).await,
        Err(error) => Err(error),
    };
    match quoted {
        Ok(quote) => {
            let before = match asked.before.parse::<Uuid>() {
                Ok(before) => format!("?before={before}"),
                Err(_) => String::new(),
            };
            Ok(Redirect::to(&format!("{PATH}/{}{before}", quote.id)).into_response())
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(gateway, &visitor, status, asked.form, said).await
        }
        Err(error) => Err(error.into()),
    }
}

fn read(
    gateway: &Gateway,
    merchant_id: i64,
    form: &ExchangeForm,
) -> Result<ExchangeRequest, Error> {
    let known = |field: &str, code: &str| {
        gateway
            .currencies()
            .enabled_by_code(code.trim())
            .ok_or_else(|| Error::invalid(field, "must be one of your wallets"))
    };
    let sender = known("sender_currency", &form.from)?;
    let receiver = known("receiver_currency", &form.to)?;
    let amount = |field: &str, text: &str, currency: Currency| {
        Money::parse(text, currency)
            .map_err(|error| Error::invalid(field, error.to_string()))
            .and_then(|money| match money.is_positive() {
                true => Ok(money),
                false => Err(Error::invalid(field, "must be above zero")),
            })
    };
    let given = match (form.give.trim(), form.get.trim()) {
        ("", "") => {
            let message = "is missing; fill in this or the amount you get";
            return Err(Error::invalid("sender_amount", message));
        }
        (give, "") => Given::Sender(amount("sender_amount", give, sender)?),
        ("", get) => Given::Receiver(amount("receiver_amount", get, receiver)?),
        _ => {
            let message = "must be empty when you fill in the amount you get";
            return Err(Error::invalid("sender_amount", message));
        }
    };
    Ok(ExchangeRequest {
        merchant_id,
        sender,
        receiver,
        given,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OfferQuery {
    before: String,
    notice: String,
}

/// One offer, standing or not.
pub(super) async fn offer(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<OfferQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    let quote = find(gateway, &visitor, &id).await?;
    let before = previous_rate(gateway, &visitor, &query.before, &quote).await?;
    let view = gateway.exchange_quote_view(&quote, before);
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <ExchangeQuotePage frame=frame view=view/> },
    ))
}

async fn find(gateway: &Gateway, visitor: &Visitor, id: &str) -> Result<ExchangeQuote, Refusal> {
    let id = id.parse::<Uuid>().map_err(|_| Refusal::NotFound)?;
    let quote = gateway.find_exchange_quote(visitor.merchant_id, id).await?;
    Ok(quote)
}

/// The rate of the offer before, when it was one for the same pair.
async fn previous_rate(
    gateway: &Gateway,
    visitor: &Visitor,
    before: &str,
    quote: &ExchangeQuote,
) -> Result<Option<Decimal>, Refusal> {
    let Ok(before) = before.parse::<Uuid>() else {
        return Ok(None);
    };
    let pair = |quote: &ExchangeQuote| {
        (
            quote.sender_amount.currency().id,
            quote.receiver_amount.currency().id,
        )
    };
    match gateway
        .find_exchange_quote(visitor.merchant_id, before)
        .await
    {
        Ok(old) if pair(&old) == pair(quote) => Ok(Some(old.price)),
        Ok(_) | Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Confirmed {
    key: String,
    /// `fixed` or `now`.
    pricing: String,
}

/// Makes the deal that was looked at.
pub(super) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Confirmed>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    let quote = find(gateway, &visitor, &id).await?;
    let pricing = match sent.pricing.as_str() {
        "fixed" => Pricing::Quote { id: quote.id },
        "now" => Pricing::Now,
        _ => return Err(Refusal::NotFound),
    };
    let words = [id.as_str(), sent.pricing.as_str()];
    let once = forms::once(visitor.merchant_id, PATH, &sent.key, &words);
    let Some(once) = once else {
        return Err(Refusal::NotFound);
    };
    let new = NewExchange {
        merchant_id: visitor.merchant_id,
        sender_amount: quote.sender_amount,
        receiver: quote.receiver_amount.currency(),
        pricing,
        foreign_id: None,
        requested_by: visitor.actor(),
    };
    let code = match gateway.exchange(new, Some(once), forms::made).await {
        Ok(answer) => {
            let made = forms::made_id(&answer).ok_or(Refusal::Internal)?;
            let page = format!("/app/exchanges/{made}?notice={}", Code::Exchanged.word());
            return Ok(Redirect::to(&page).into_response());
        }
        Err(Error::Invalid(wrong)) => match wrong.first().map(|error| error.field.as_str()) {
            Some("price") => Code::RateIsOver,
            Some("sender_amount") => Code::NotEnough,
            _ => Code::NotPossible,
        },
        Err(Error::AlreadyBooked) => Code::RateIsOver,
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    let page = format!("{PATH}/{}?notice={}", quote.id, code.word());
    Ok(Redirect::to(&page).into_response())
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    form: ExchangeForm,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.exchange_form(visitor.merchant_id, form).await?;
    view.notice = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <ExchangePage frame=frame view=view/> },
    ))
}
