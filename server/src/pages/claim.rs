//! A refund claimed through a mailed link, `/refund/{token}`: plain forms, no session, no scripts.

use app::pages::{ClaimOverPage, ClaimPage, ClaimUnknownPage};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use domain::view::checkout::Notice;
use domain::view::claim::{ClaimOver, ClaimStage, ClaimView};
use gateway::charges::{ClaimLink, ClaimUse};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use crate::state::AppState;

const LABELS: [Label; 1] = [("address", "address", "Your address")];

/// The fields of the form and of its review.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClaimForm {
    /// `confirm`, `edit`, or anything else to look at it first.
    step: String,
    address: String,
}

/// The page's routes. Nobody is signed in here, so they are counted by address like the other pages
/// of customers.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/refund/{token}", get(show).post(submit))
}

/// Opening it changes nothing: mail programs open links by themselves.
async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let gateway = &state.gateway;
    answer(gateway, gateway.claim(&token).await)
}

/// Checks an address and shows it, or leaves it and uses the link up.
async fn submit(
    State(state): State<AppState>,
    Path(token): Path<String>,
    Form(form): Form<ClaimForm>,
) -> Result<Response, Refusal> {
    let gateway = &state.gateway;
    match form.step.as_str() {
        "edit" => again(gateway, &token, form.address, None).await,
        "confirm" => match gateway.use_claim(&token, &form.address).await {
            Ok(ClaimUse::Taken | ClaimUse::Again) => {
                // The token has the shape of one, so it needs no encoding.
                Ok(Redirect::to(&format!("/refund/{token}")).into_response())
            }
            Ok(ClaimUse::UsedUp) => used_up(gateway, &token).await,
            Ok(ClaimUse::Over) => answer(gateway, gateway.claim(&token).await),
            Err(error) => refused(gateway, &token, form.address, error).await,
        },
        _ => match gateway.review_claim(&token, &form.address).await {
            Ok(link) => answer(gateway, Ok(link)),
            Err(error) => refused(gateway, &token, form.address, error).await,
        },
    }
}

/// The form again with what was typed, when it is the address that is to blame.
async fn refused(
    gateway: &Gateway,
    token: &str,
    typed: String,
    error: Error,
) -> Result<Response, Refusal> {
    match error {
        Error::Invalid(wrong) => again(gateway, token, typed, blame(&wrong, &LABELS)).await,
        error => answer(gateway, Err(error)),
    }
}

async fn again(
    gateway: &Gateway,
    token: &str,
    typed: String,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let status = if said.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    match gateway.claim(token).await {
        Ok(ClaimLink::Open(view)) => {
            let view = match view.stage {
                ClaimStage::Ask { .. } => ClaimView {
                    stage: ClaimStage::Ask { typed },
                    notice: said,
                    ..*view
                },
                // Used meanwhile: what was typed does not matter any more.
                _ => *view,
            };
            Ok(open(status, view))
        }
        other => answer(gateway, other),
    }
}

/// Where the claim stands, and that nothing of the form was done.
async fn used_up(gateway: &Gateway, token: &str) -> Result<Response, Refusal> {
    match gateway.claim(token).await {
        Ok(ClaimLink::Open(view)) => {
            let notice = Some(Notice {
                is_error: true,
                text:
                    "This link was used before, with another address. Nothing was changed; if it \
                       was not you, ask the shop at once."
                        .to_owned(),
                field: None,
            });
            Ok(open(StatusCode::CONFLICT, ClaimView { notice, ..*view }))
        }
        other => answer(gateway, other),
    }
}

fn answer(gateway: &Gateway, link: Result<ClaimLink, Error>) -> Result<Response, Refusal> {
    match link {
        Ok(ClaimLink::Open(view)) => Ok(open(StatusCode::OK, *view)),
        Ok(ClaimLink::Over(view)) => Ok(over(*view)),
        Err(Error::NotFound) => {
            let test_mode = gateway.settings().test_mode;
            Ok(document(
                StatusCode::NOT_FOUND,
                move || view! { <ClaimUnknownPage test_mode=test_mode/> },
            ))
        }
        Err(error) => Err(error.into()),
    }
}

fn open(status: StatusCode, view: ClaimView) -> Response {
    document(status, move || view! { <ClaimPage view=view/> })
}

fn over(view: ClaimOver) -> Response {
    let status = if view.reason.is_gone() {
        StatusCode::GONE
    } else {
        StatusCode::OK
    };
    document(status, move || view! { <ClaimOverPage view=view/> })
}
