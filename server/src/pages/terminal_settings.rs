//! Settings of the payment terminal: which sites may frame it, and a signed link to try.

use app::pages::TerminalSettingsPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::view::checkout::Notice;
use domain::view::terminal_settings::{TerminalExample, TerminalSettingsView};
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::visitor::Visitor;
use crate::dialects::processing::sign;
use crate::state::AppState;

const LABELS: [Label; 1] = [("frame_origins", "origins", "Allowed origins")];

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/app/terminal", get(show).post(save))
}

/// Origins, one a line; empty lines mean nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OriginsForm {
    origins: String,
}

async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let said = notice(&query.notice);
    page(&state.gateway, &visitor, StatusCode::OK, None, said).await
}

/// Stores the origins; when one is none, the form comes back as it was filled in.
async fn save(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<OriginsForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let gateway = &state.gateway;
    let origins: Vec<String> = form
        .origins
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let done = gateway
        .set_frame_origins(visitor.merchant_id, &origins, &visitor.actor())
        .await;
    match done {
        Ok(()) => {
            let page = format!("/app/terminal?notice={}", Code::TerminalSaved.word());
            Ok(Redirect::to(&page).into_response())
        }
        Err(Error::Invalid(wrong)) => {
            let (status, said) = (StatusCode::UNPROCESSABLE_ENTITY, blame(&wrong, &LABELS));
            page(gateway, &visitor, status, Some(form.origins), said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    typed: Option<String>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let origins = match typed {
        Some(typed) => typed,
        None => gateway.frame_origins(visitor.merchant_id).await?.join("\n"),
    };
    let view = TerminalSettingsView {
        origins,
        test_mode: gateway.settings().test_mode,
        example: example(gateway, visitor.merchant_id).await?,
        notice: said,
    };
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <TerminalSettingsPage frame=frame view=view/> },
    ))
}

/// A link as the merchant's own server would make it. The private key does not leave ours.
async fn example(gateway: &Gateway, merchant_id: i64) -> Result<Option<TerminalExample>, Refusal> {
    let pairs = gateway.active_key_pairs(merchant_id).await?;
    let coin = gateway.chains().codes().next();
    let (Some(pair), Some(coin)) = (pairs.first(), coin) else {
        return Ok(None);
    };
    let json = json!({
        "client_id": merchant_id,
        "currency": coin,
        "amount": "0.001",
        "foreign_id": "example",
    })
    .to_string();
    let Some(signature) = sign(&pair.private_key, json.as_bytes()) else {
        return Ok(None);
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("data", &STANDARD.encode(&json))
        .append_pair("signature", &signature)
        .finish();
    Ok(Some(TerminalExample {
        url: format!("{}/terminal?{query}", gateway.settings().public_url),
        signed_by: pair.public_key.clone(),
        json,
    }))
}
