//! Key pairs: made, given permissions, revoked. The private key stands in one answer, the one to the
//! form that makes the pair, and in no address.

use app::pages::{KeyCreatedPage, KeysPage};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use domain::view::checkout::Notice;
use gateway::auth::{NewKeyPair, Permission};
use gateway::dashboard::{KEY_COLUMNS, key_created, key_form};
use gateway::{Error, FieldError};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::number;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/keys";

const LABELS: [Label; 2] = [("name", "name", "Name"), ("permission", "", "Permissions")];

/// A form whose boxes share a name comes as pairs.
type Pairs = Vec<(String, String)>;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/keys", get(show).post(create))
        .route("/app/keys.csv", get(export))
        .route("/app/keys/{id}/permissions", post(grant))
        .route("/app/keys/{id}/revoke", post(revoke))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeysQuery {
    before: String,
    notice: String,
}

/// All live pairs and a page of the revoked ones.
async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<KeysQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageKeys)?;
    let before = query
        .before
        .parse::<i64>()
        .ok()
        .filter(|before| *before > 0);
    let view = state.gateway.keys_view(visitor.merchant_id, before).await?;
    let frame = visitor.frame(&state.gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <KeysPage frame=frame view=view/> },
    ))
}

/// Makes a pair and shows its private key, once. A form that cannot be done comes back as it was
/// filled in.
async fn create(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageKeys)?;
    let gateway = &state.gateway;
    let (name, permissions) = read(pairs);
    let new = NewKeyPair {
        merchant_id: visitor.merchant_id,
        name: name.clone(),
        permissions: permissions.clone(),
    };
    match gateway.create_key_pair(new, &visitor.actor()).await {
        Ok(made) => {
            let view = key_created(made);
            let frame = visitor.frame(gateway, None).await?;
            let page = move || view! { <KeyCreatedPage frame=frame view=view/> };
            let mut response = document(StatusCode::OK, page);
            // Said here as well as for all pages: this one must never be kept.
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
            Ok(response)
        }
        Err(Error::Invalid(wrong)) => {
            let mut view = gateway.keys_view(visitor.merchant_id, None).await?;
            view.form = key_form(name, &permissions);
            view.notice = said(&wrong);
            let frame = visitor.frame(gateway, None).await?;
            Ok(document(
                StatusCode::UNPROCESSABLE_ENTITY,
                move || view! { <KeysPage frame=frame view=view/> },
            ))
        }
        Err(error) => Err(error.into()),
    }
}

/// Switches on exactly the commands whose boxes are checked.
async fn grant(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageKeys)?;
    let (id, (_, permissions)) = (number(&id)?, read(pairs));
    let done = state
        .gateway
        .change_key_permissions(visitor.merchant_id, id, &permissions, &visitor.actor())
        .await;
    answer(done, Code::PermissionsSaved)
}

/// Ends a pair.
async fn revoke(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageKeys)?;
    let id = number(&id)?;
    let done = state
        .gateway
        .revoke_key_pair(visitor.merchant_id, id, &visitor.actor())
        .await;
    answer(done, Code::KeyRevoked)
}

/// Every pair, revoked ones too, without its private half.
async fn export(State(state): State<AppState>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageKeys)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant) = (state.gateway, visitor.merchant_id);
    let name = csv::file_name("key-pairs", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let gateway = gateway.clone();
        async move { gateway.export_key_pairs(merchant, before).await }
    };
    csv::download(&name, &KEY_COLUMNS, rows).await
}

fn answer(done: Result<(), Error>, code: Code) -> Result<Response, Refusal> {
    let code = match done {
        Ok(()) => code,
        Err(Error::Conflict(_)) => Code::KeyRevokedBefore,
        Err(error) if error.is_transient() => Code::TryAgain,
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("{PATH}?notice={}", code.word())).into_response())
}

/// The name, and the commands whose boxes are checked.
fn read(pairs: Pairs) -> (String, Vec<String>) {
    let mut read = (String::new(), Vec::new());
    for (field, value) in pairs {
        match field.as_str() {
            "name" => read.0 = value,
            "permission" => read.1.push(value),
            _ => {}
        }
    }
    read
}

/// The limit is told as a whole sentence, because no field is to blame for it.
fn said(wrong: &[FieldError]) -> Option<Notice> {
    match wrong.iter().find(|error| error.field == "limit") {
        Some(limit) => Some(Notice {
            is_error: true,
            text: limit.message.clone(),
            field: None,
        }),
        None => blame(wrong, &LABELS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn boxes_of_one_name_are_all_read() {
        let form = pairs(&[
            ("name", "Till"),
            ("permission", "convert"),
            ("merchant_id", "1"),
            ("permission", "get_tx_ids"),
        ]);
        let (name, permissions) = read(form);
        assert_eq!(name, "Till");
        assert_eq!(permissions, ["convert", "get_tx_ids"]);
    }

    #[test]
    fn the_limit_blames_no_field() {
        let error = |field: &str, message: &str| FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let limit = said(&[error("limit", "You have 10 key pairs.")]);
        let limit = limit.map(|notice| (notice.text, notice.field));
        assert_eq!(limit, Some(("You have 10 key pairs.".to_owned(), None)));
        let name = said(&[error("name", "is needed")]);
        let name = name.map(|notice| (notice.text, notice.field));
        assert_eq!(
            name,
            Some(("Name is needed.".to_owned(), Some("name".to_owned())))
        );
    }
}
