//! Settings of a merchant: its name, where payers ask for help, its colour and its logo.

use app::pages::SettingsPage;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use domain::view::checkout::Notice;
use domain::view::settings::SettingsForm;
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::visitor::Visitor;
use crate::http::formats::is_email;
use crate::state::AppState;

/// The one form of the pages that may be larger than the others.
pub(super) const LOGO_PATH: &str = "/app/settings/logo";

/// Its largest body, bytes. Four times what a logo may have, so that somebody whose file is too
/// large is told so by the form.
pub(super) const LOGO_FORM_BYTES_MAX: usize = 1024 * 1024;

/// Button of the form that stores nothing.
const PREVIEW: &str = "preview";

const LABELS: [Label; 4] = [
    ("name", "name", "Merchant name"),
    ("support_email", "support_email", "Support e-mail"),
    ("accent", "accent", "Accent colour"),
    ("logo", "logo", "Logo"),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/settings", get(show).post(save))
        .route(
            "/app/settings/logo",
            post(upload).layer(DefaultBodyLimit::max(LOGO_FORM_BYTES_MAX)),
        )
        .route("/app/settings/logo/remove", post(remove))
}

/// Name, address and colour as typed; `action` says which button was pressed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    action: String,
    name: String,
    support_email: String,
    accent: String,
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

/// Stores the fields, or shows the page in their colour. A form that cannot be stored comes back as
/// it was filled in.
async fn save(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let gateway = &state.gateway;
    let preview = typed.action == PREVIEW;
    let form = SettingsForm {
        name: typed.name,
        support_email: typed.support_email,
        accent: typed.accent,
    };
    if preview {
        return page(gateway, &visitor, StatusCode::OK, Some(form), None).await;
    }
    match store(gateway, &visitor, &form).await {
        Ok(()) => Ok(back(Code::SettingsSaved)),
        Err(Error::Invalid(wrong)) => {
            let (status, said) = (StatusCode::UNPROCESSABLE_ENTITY, blame(&wrong, &LABELS));
            page(gateway, &visitor, status, Some(form), said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn store(gateway: &Gateway, visitor: &Visitor, form: &SettingsForm) -> Result<(), Error> {
    let address = form.support_email.trim();
    if !address.is_empty() && !is_email(address) {
        let message = "must be an e-mail address, such as help@shop.example";
        return Err(Error::invalid("support_email", message));
    }
    gateway
        .change_merchant_settings(visitor.merchant_id, form, &visitor.actor())
        .await
}

/// Stores a logo. The body is read only when the visitor may store one.
async fn upload(
    State(state): State<AppState>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let gateway = &state.gateway;
    let file = uploaded(request, &state).await?;
    let done = gateway
        .set_merchant_logo(visitor.merchant_id, file, &visitor.actor())
        .await;
    match done {
        Ok(()) => Ok(back(Code::LogoSaved)),
        Err(Error::Invalid(wrong)) => {
            let (status, said) = (StatusCode::UNPROCESSABLE_ENTITY, blame(&wrong, &LABELS));
            page(gateway, &visitor, status, None, said).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The bytes of the field `logo`; none when no file was chosen.
async fn uploaded(request: Request, state: &AppState) -> Result<Vec<u8>, Refusal> {
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| Refusal::Meaningless)?;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(|error| refusal(&error))? {
        if field.name() == Some("logo") {
            let bytes = field.bytes().await.map_err(|error| refusal(&error))?;
            if file.replace(bytes.to_vec()).is_some() {
                return Err(Refusal::Meaningless);
            }
        }
    }
    Ok(file.unwrap_or_default())
}

fn refusal(error: &MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::Other(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Refusal::Meaningless,
    }
}

async fn remove(State(state): State<AppState>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageSettings)?;
    let removed = state
        .gateway
        .remove_merchant_logo(visitor.merchant_id, &visitor.actor())
        .await?;
    Ok(back(if removed {
        Code::LogoRemoved
    } else {
        Code::NoLogo
    }))
}

fn back(code: Code) -> Response {
    Redirect::to(&format!("/app/settings?notice={}", code.word())).into_response()
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    typed: Option<SettingsForm>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway
        .merchant_settings(visitor.merchant_id, typed)
        .await?;
    view.notice = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <SettingsPage frame=frame view=view/> },
    ))
}
