//! A withdrawal asked for by a person: filled in, looked at, made.

use app::pages::{WithdrawPage, WithdrawReviewPage};
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::money::Money;
use domain::view::checkout::Notice;
use domain::view::operations::WithdrawForm;
use gateway::auth::Permission;
use gateway::withdrawals::{NewWithdrawal, WithdrawalReview};
use gateway::{Error, FieldError, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::forms::{self, Label, blame};
use super::notices::Code;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/withdrawals/new";
/// Characters of a reference at most, as in the API.
const REFERENCE_CHARS_MAX: usize = 255;

const LABELS: [Label; 6] = [
    ("currency", "currency", "The wallet"),
    ("amount", "amount", "Amount"),
    ("convert_to", "convert_to", "What the receiver gets"),
    ("address", "address", "Receiver's address"),
    ("foreign_id", "reference", "Reference"),
    ("key", "", "This form"),
];

/// The fields of the form and of its review.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Submitted {
    /// `confirm`, `edit`, or anything else to look at it first.
    step: String,
    key: String,
    /// What the review promised the receiver.
    expected: String,
    #[serde(flatten)]
    form: WithdrawForm,
}

/// The empty form, or one that a link fills in.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(form): Query<WithdrawForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    page(&state.gateway, &visitor, form, None).await
}

/// Works it out and shows it, or makes what was shown.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(sent): Form<Submitted>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::MoveMoney)?;
    let gateway = &state.gateway;
    if sent.step == "edit" {
        return page(gateway, &visitor, sent.form, None).await;
    }
    match act(gateway, &visitor, &sent).await {
        Ok(Step::Made(id)) => {
            let page = format!("/app/withdrawals/{id}?notice={}", Code::Withdrawn.word());
            Ok(Redirect::to(&page).into_response())
        }
        Ok(Step::Review(review)) => {
            // The same key again, so that what this review confirms is still made once.
            let key = Some(sent.key).filter(|key| !key.is_empty());
            let view = gateway.withdraw_review(sent.form, *review, key, &sent.expected);
            let frame = visitor.frame(gateway, None).await?;
            Ok(document(
                StatusCode::OK,
                move || view! { <WithdrawReviewPage frame=frame view=view/> },
            ))
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            page(gateway, &visitor, sent.form, said).await
        }
        Err(Error::IdempotencyMismatch) => {
            let said = used_up();
            page(gateway, &visitor, sent.form, Some(said)).await
        }
        Err(error) => Err(error.into()),
    }
}

enum Step {
    Review(Box<WithdrawalReview>),
    Made(i64),
}

async fn act(gateway: &Gateway, visitor: &Visitor, sent: &Submitted) -> Result<Step, Error> {
    let new = read(gateway, visitor, &sent.form)?;
    if sent.step != "confirm" {
        let review = gateway.review_withdrawal(&new).await?;
        return Ok(Step::Review(Box::new(review)));
    }
    let form = &sent.form;
    let words = [
        form.currency.as_str(),
        &form.amount,
        &form.convert_to,
        &form.address,
        &form.reference,
    ];
    let once = forms::once(visitor.merchant_id, PATH, &sent.key, &words)
        .ok_or_else(|| Error::invalid("key", "is not whole; look at it once more"))?;
    if new.convert_to.is_some() {
        // Another rate than the one that was shown is shown first. What was made with this key
        // already is answered again, whatever the rate is by now.
        let review = gateway.review_withdrawal(&new).await;
        let same = |review: &WithdrawalReview| review.receiver_amount.shown() == sent.expected;
        match review {
            Ok(review) if !same(&review) => return Ok(Step::Review(Box::new(review))),
            _ => {}
        }
    }
    let answer = gateway
        .request_withdrawal(new, Some(once), forms::made)
        .await?;
    let id = forms::made_id(&answer).ok_or_else(|| Error::internal("no number was kept"))?;
    Ok(Step::Made(id))
}

fn read(gateway: &Gateway, visitor: &Visitor, form: &WithdrawForm) -> Result<NewWithdrawal, Error> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let mut refuse = |field: &str, message: String| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message,
        });
    };
    let known = |code: &str| gateway.currencies().enabled_by_code(code.trim());
    let currency = known(&form.currency);
    let amount = match currency {
        None => {
            refuse("currency", "must be one of yours".to_owned());
            None
        }
        Some(currency) => match Money::parse(form.amount.trim(), currency) {
            Ok(amount) if amount.is_positive() => Some(amount),
            Ok(_) => {
                refuse("amount", "must be above zero".to_owned());
                None
            }
            Err(error) => {
                refuse("amount", error.to_string());
                None
            }
        },
    };
    let convert_to = match form.convert_to.trim() {
        "" => None,
        code => {
            let target = known(code);
            if target.is_none() {
                refuse("convert_to", "must be a coin of this instance".to_owned());
            }
            // The wallet's own coin is no exchange.
            target.filter(|target| currency.is_none_or(|from| from.id != target.id))
        }
    };
    if form.address.trim().is_empty() {
        refuse("address", "is required".to_owned());
    }
    let reference = domain::text::one_line(&form.reference);
    if reference.chars().count() > REFERENCE_CHARS_MAX {
        refuse("foreign_id", "must be at most 255 characters".to_owned());
    }
    match amount {
        Some(amount) if wrong.is_empty() => Ok(NewWithdrawal {
            merchant_id: visitor.merchant_id,
            foreign_id: Some(reference).filter(|reference| !reference.is_empty()),
            amount,
            convert_to,
            address: form.address.trim().to_owned(),
            tag: None,
            requested_by: visitor.actor(),
            requested_user_id: Some(visitor.user_id()),
        }),
        _ => Err(Error::Invalid(wrong)),
    }
}

fn used_up() -> Notice {
    Notice {
        is_error: true,
        text: "This form has made a withdrawal already; this one was not made. Look at your \
               withdrawals, and review this again if you want both."
            .to_owned(),
        field: None,
    }
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    form: WithdrawForm,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let status = if said.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut view = gateway.withdraw_form(visitor.merchant_id, form).await?;
    view.notice = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <WithdrawPage frame=frame view=view/> },
    ))
}
