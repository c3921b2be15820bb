//! A promise asked for by a person: looked at, then made at the terms that were shown, or shown
//! again (ux §1.8).

use app::pages::FuturesReviewPage;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::money::{Currency, Money};
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::futures::{FuturesReview, FuturesView, NewFutures, PromiseTerms};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::super::document::document;
use super::super::errors::Refusal;
use super::super::forms::{self, blame};
use super::super::notices::Code;
use super::super::query::number;
use super::super::visitor::Visitor;
use super::prices::{choose, prices};
use super::{LABELS, PATH};
use crate::state::AppState;

/// Where the key of a form counts.
const CONFIRM: &str = "/app/futures/confirm";

/// The fields of a promise, and of its review the terms that were shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PromiseForm {
    /// Number of a deposit address.
    address: String,
    receiver_amount: String,
    key: String,
    sender_amount: String,
    fee_amount: String,
    price: String,
}

impl PromiseForm {
    /// What was shown before; `None` when nothing was.
    fn shown(&self, coin: Currency, target: Currency) -> Option<PromiseTerms> {
        let (sender, fee, price) = (&self.sender_amount, &self.fee_amount, &self.price);
        PromiseTerms::read(sender, fee, price, coin, target)
    }
}

/// Works it out and shows it; nothing is held.
pub(super) async fn review(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<PromiseForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    let id = match form.address.trim() {
        "" => return choose(gateway, &visitor).await,
        id => number(id)?,
    };
    // What comes from the prices was not looked at yet.
    let form = PromiseForm {
        address: form.address,
        receiver_amount: form.receiver_amount,
        ..PromiseForm::default()
    };
    look(gateway, &visitor, id, form).await
}

/// Makes the promise that was looked at.
pub(super) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<PromiseForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    let id = match form.address.trim() {
        "" => return choose(gateway, &visitor).await,
        id => number(id)?,
    };
    match make(gateway, &visitor, id, &form).await {
        Ok(made) => {
            let page = format!("{PATH}/{made}?notice={}", Code::Promised.word());
            Ok(Redirect::to(&page).into_response())
        }
        // Other terms than the ones that were shown are shown first.
        Err(Error::Invalid(wrong)) if wrong.iter().any(|error| error.field == "price") => {
            look(gateway, &visitor, id, form).await
        }
        Err(error) => refused(gateway, &visitor, id, form, error).await,
    }
}

async fn make(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    form: &PromiseForm,
) -> Result<i64, Error> {
    let (address, target) = gateway.futures_address(visitor.merchant_id, id).await?;
    let receiver_amount = amount(&form.receiver_amount, target)?;
    let words = [
        form.address.trim(),
        form.receiver_amount.trim(),
        &form.sender_amount,
        &form.fee_amount,
        &form.price,
    ];
    let once = forms::once(visitor.merchant_id, CONFIRM, &form.key, &words)
        .ok_or_else(|| Error::invalid("key", "is not whole; look at the prices once more"))?;
    let shown = form
        .shown(address.coin, target)
        .ok_or_else(|| Error::invalid("price", "was not shown yet"))?;
    let new = NewFutures {
        merchant_id: visitor.merchant_id,
        sender: address.coin,
        receiver: target,
        address: address.address,
        receiver_amount,
    };
    let answer = gateway
        .confirm_futures_at(new, Some(shown), Some(once), made)
        .await?;
    forms::made_id(&answer).ok_or_else(|| Error::internal("no number was kept"))
}

/// What is kept with the key of the form: the promise's number. Only what succeeded is kept.
fn made(view: &FuturesView) -> (u16, Vec<u8>) {
    let status = StatusCode::CREATED.as_u16();
    (status, view.id.to_string().into_bytes())
}

fn amount(text: &str, currency: Currency) -> Result<Money, Error> {
    Money::parse(text.trim(), currency)
        .map_err(|error| Error::invalid("receiver_amount", error.to_string()))
}

async fn look(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    form: PromiseForm,
) -> Result<Response, Refusal> {
    let (review, shown) = match work_out(gateway, visitor, id, &form).await {
        Ok(found) => found,
        Err(error) => return refused(gateway, visitor, id, form, error).await,
    };
    // The same key again, so that what this review confirms is still made once.
    let key = Some(form.key).filter(|key| !key.is_empty());
    let view = gateway.futures_review_view(review, key, shown);
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <FuturesReviewPage frame=frame view=view/> },
    ))
}

/// What it would be now, and what was shown before.
async fn work_out(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    form: &PromiseForm,
) -> Result<(FuturesReview, Option<PromiseTerms>), Error> {
    let (address, target) = gateway.futures_address(visitor.merchant_id, id).await?;
    let wanted = amount(&form.receiver_amount, target)?;
    let shown = form.shown(address.coin, target);
    let review = gateway.review_futures(address, wanted).await?;
    Ok((review, shown))
}

/// The prices again, with why nothing was promised.
async fn refused(
    gateway: &Gateway,
    visitor: &Visitor,
    id: i64,
    form: PromiseForm,
    error: Error,
) -> Result<Response, Refusal> {
    let problem = |text: &str| {
        Some(Notice {
            is_error: true,
            text: text.to_owned(),
            field: None,
        })
    };
    let said = match error {
        Error::Invalid(wrong) => blame(&wrong, &LABELS),
        Error::IdempotencyMismatch => problem(
            "This form has made a promise already; this one was not made. Look at your futures, \
             and review this again if you want another.",
        ),
        error => return Err(error.into()),
    };
    prices(gateway, visitor, id, form.receiver_amount, said).await
}
