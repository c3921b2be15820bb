use app::pages::MailboxPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use gateway::auth::Permission;
use leptos::prelude::*;

use super::document::document;
use super::errors::Refusal;
use super::query::BeforeQuery;
use super::visitor::Visitor;
use crate::state::AppState;

/// Outgoing mail of a test instance; there is no such page on a live one.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<BeforeQuery>,
) -> Result<Response, Refusal> {
    if !state.gateway.settings().test_mode {
        return Err(Refusal::NotFound);
    }
    visitor.may(Permission::UseTestTools)?;
    let view = state.gateway.mailbox(query.before()).await?;
    let frame = visitor.frame(&state.gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <MailboxPage frame=frame view=view/> },
    ))
}
