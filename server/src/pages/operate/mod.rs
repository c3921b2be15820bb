//! The operator's pages: house accounts, suspense, payouts, EVM payments, merchants, terms, rates, chains, the
//! audit log, the system (ux §1.14).
//! For admins alone.
//!
//! A change goes the same way everywhere: a form, a review of before and after, a reason, and an audit
//! row in the transaction of the change.

mod audit;
mod chains;
mod currencies;
mod house;
mod merchants;
mod own_funds;
mod own_funds_out;
mod payouts;
mod rates;
mod signing;
mod suspense;
mod system;
mod treasury;

use app::pages::{ReviewPage, Section};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::view::checkout::Notice;
use domain::view::operate::ReviewView;
use gateway::{FieldError, Gateway};
use leptos::prelude::*;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::Code;
use super::visitor::Visitor;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/operate/house", get(house::show))
        .route("/app/operate/house.csv", get(house::export))
        .route(
            "/app/operate/house/{code}",
            get(house::form).post(house::submit),
        )
        .route("/app/operate/suspense", get(suspense::list))
        .route("/app/operate/suspense.csv", get(suspense::export))
        .route("/app/operate/suspense/{id}", get(suspense::detail))
        .route(
            "/app/operate/suspense/{id}/release",
            post(suspense::release),
        )
        .route("/app/operate/suspense/{id}/refund", post(suspense::refund))
        .route(
            "/app/operate/suspense/{id}/rebroadcast",
            post(suspense::rebroadcast),
        )
        .route(
            "/app/operate/suspense/{id}/replaced",
            get(suspense::replaced).post(suspense::end_replaced),
        )
        .route("/app/operate/payouts", get(payouts::list))
        .route("/app/operate/payouts.csv", get(payouts::export))
        .route("/app/operate/payouts/{id}", get(payouts::detail))
        .route("/app/operate/payouts/{id}/psbt", post(payouts::psbt))
        .route(
            "/app/operate/payouts/{id}/signed",
            post(payouts::signed).layer(DefaultBodyLimit::max(payouts::PSBT_FORM_BYTES_MAX)),
        )
        .route("/app/operate/payouts/{id}/bump", post(payouts::bump))
        .route(
            "/app/operate/payouts/{id}/rebroadcast",
            post(payouts::rebroadcast),
        )
        .route("/app/operate/treasury", get(treasury::list))
        .route("/app/operate/treasury.csv", get(treasury::export))
        .route("/app/operate/treasury/{id}", get(treasury::detail))
        .route(
            "/app/operate/treasury/{id}/unsigned",
            post(treasury::unsigned),
        )
        .route(
            "/app/operate/treasury/{id}/signed",
            post(treasury::signed).layer(DefaultBodyLimit::max(treasury::SIGNED_FORM_BYTES_MAX)),
        )
        .route("/app/operate/treasury/{id}/bump", post(treasury::bump))
        .route(
            "/app/operate/treasury/accounts/{id}",
            get(treasury::resume_review).post(treasury::resume),
        )
        .route("/app/operate/merchants", get(merchants::list))
        .route("/app/operate/merchants.csv", get(merchants::export))
        .route(
            "/app/operate/merchants/{id}",
            get(merchants::form).post(merchants::submit),
        )
        .route("/app/operate/currencies", get(currencies::list))
        .route("/app/operate/currencies.csv", get(currencies::export))
        .route(
            "/app/operate/currencies/{code}",
            get(currencies::form).post(currencies::submit),
        )
        .route("/app/operate/rates", get(rates::show))
        .route("/app/operate/rates.csv", get(rates::export))
        .route("/app/operate/rates/pin", post(rates::pin))
        .route("/app/operate/rates/unpin", post(rates::unpin))
        .route("/app/operate/chains", get(chains::show))
        .route("/app/operate/chains.csv", get(chains::export))
        .route(
            "/app/operate/chains/{code}",
            get(chains::detail).post(chains::compare),
        )
        .route(
            "/app/operate/chains/{code}/own-funds",
            get(own_funds::form).post(own_funds::book),
        )
        .route(
            "/app/operate/chains/{code}/own-funds-out",
            get(own_funds_out::form).post(own_funds_out::book),
        )
        .route("/app/operate/audit", get(audit::show))
        .route("/app/operate/audit.csv", get(audit::export))
        .route("/app/operate/system", get(system::show))
        .route("/app/operate/system.csv", get(system::export))
        .route("/app/operate/system.json", get(system::export_json))
        .route("/app/operate/system/audit", post(system::audit))
}

/// The field every review has.
const REASON: Label = ("reason", "reason", "Reason");

/// What a review says above itself.
enum Said {
    Nothing,
    /// The reason is missing or too long.
    Wrong(Vec<FieldError>),
    /// Somebody else was faster; what is stored now stands beside what was typed.
    Conflict,
}

impl Said {
    fn status(&self) -> StatusCode {
        match self {
            Self::Nothing => StatusCode::OK,
            Self::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict => StatusCode::CONFLICT,
        }
    }

    fn notice(self) -> Option<Notice> {
        match self {
            Self::Nothing => None,
            Self::Wrong(wrong) => blame(&wrong, &[REASON]),
            Self::Conflict => Some(Notice {
                is_error: true,
                text: "Somebody else changed this in the meantime; nothing was saved. What is \
                       stored now stands under Now, what you typed under New."
                    .to_owned(),
                field: None,
            }),
        }
    }
}

/// Whether only the reason is to blame, so that the review is shown again and not the form.
fn is_reason(wrong: &[FieldError]) -> bool {
    wrong.iter().all(|error| error.field == REASON.0)
}

/// Whether a review was made of something else than the form before it had seen.
fn is_stale(view: &ReviewView, name: &str, seen: &str) -> bool {
    let mut hidden = view.hidden.iter();
    hidden.any(|(each, value)| each == name && value != seen)
}

async fn review(
    gateway: &Gateway,
    visitor: &Visitor,
    section: Section,
    mut view: ReviewView,
    said: Said,
) -> Result<Response, Refusal> {
    let status = said.status();
    view.notice = said.notice();
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <ReviewPage frame=frame view=view section=section/> },
    ))
}

fn status_of(notice: Option<&Notice>) -> StatusCode {
    if notice.is_some_and(|notice| notice.is_error) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    }
}

/// A page of a list, 1 also for what is no number.
fn page_number(text: &str) -> usize {
    text.parse().unwrap_or(1)
}

fn done(path: &str, code: Code) -> Response {
    Redirect::to(&format!("{path}?notice={}", code.word())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(field: &str) -> FieldError {
        FieldError {
            field: field.to_owned(),
            message: "is needed".to_owned(),
        }
    }

    #[test]
    fn a_missing_reason_leads_back_to_the_review() {
        assert!(is_reason(&[wrong("reason")]));
        assert!(!is_reason(&[wrong("floor")]));
        let notice = Said::Wrong(vec![wrong("reason")]).notice();
        let notice = notice.map(|notice| (notice.text, notice.field));
        let expected = ("Reason is needed.".to_owned(), Some("reason".to_owned()));
        assert_eq!(notice, Some(expected));
    }

    #[test]
    fn a_conflict_is_an_error_of_no_field() {
        assert_eq!(Said::Conflict.status(), StatusCode::CONFLICT);
        let notice = Said::Conflict.notice();
        assert!(notice.is_some_and(|notice| notice.is_error && notice.field.is_none()));
    }
}
