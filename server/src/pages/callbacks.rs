//! Where callbacks go, and a test of it.

use app::pages::CallbacksPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::outbox::{CallbackChange, TestCallback};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/callbacks";

const LABELS: [Label; 1] = [("url", "url", "Callback URL")];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/callbacks", get(show).post(save))
        .route("/app/callbacks/test", post(test))
}

/// An empty address removes the one that is stored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallbackForm {
    url: String,
}

/// The address, how callbacks are signed, and the latest tests.
async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let said = notice(&query.notice);
    page(&state.gateway, &visitor, StatusCode::OK, None, said).await
}

/// Stores the address when the guard permits it; otherwise the form comes back as it was filled in.
async fn save(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<CallbackForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let (gateway, actor) = (&state.gateway, visitor.actor());
    let done = gateway
        .set_callback_url(visitor.merchant_id, &form.url, &actor)
        .await;
    match done {
        Ok(CallbackChange::Saved) => Ok(back(Code::CallbackSaved)),
        Ok(CallbackChange::Removed) => Ok(back(Code::CallbackRemoved)),
        Err(Error::Invalid(wrong)) => {
            let (status, said) = (StatusCode::UNPROCESSABLE_ENTITY, blame(&wrong, &LABELS));
            page(gateway, &visitor, status, Some(form.url), said).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Sends a test; the page it leads back to shows what came of it.
async fn test(State(state): State<AppState>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let sent = state
        .gateway
        .send_test_callback(visitor.merchant_id)
        .await?;
    Ok(back(match sent {
        TestCallback::Sent => Code::TestSent,
        TestCallback::NoUrl => Code::NoCallbackUrl,
        TestCallback::NoKeyPair => Code::NoKeyPair,
    }))
}

fn back(code: Code) -> Response {
    Redirect::to(&format!("{PATH}?notice={}", code.word())).into_response()
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    typed: Option<String>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let may_see_secrets = visitor.has(Permission::ManageKeys);
    let mut view = gateway
        .callbacks_view(visitor.merchant_id, typed, may_see_secrets)
        .await?;
    view.notice = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <CallbacksPage frame=frame view=view/> },
    ))
}
