use app::pages::InboxPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use gateway::auth::Permission;
use gateway::dashboard::{Cursor, inbox_columns};
use leptos::prelude::*;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::query::ListQuery;
use super::visitor::Visitor;
use crate::state::AppState;

/// Charges with money that nothing explains yet.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadInbox)?;
    let view = state
        .gateway
        .inbox(visitor.merchant_id, &query.cursor())
        .await?;
    let frame = visitor.frame(&state.gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <InboxPage frame=frame view=view/> },
    ))
}

/// The whole inbox as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadInbox)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant) = (state.gateway, visitor.merchant_id);
    let name = csv::file_name("inbox", gateway.clock().now());
    let rows = move |cursor: Option<Cursor>| {
        let gateway = gateway.clone();
        async move {
            gateway
                .export_inbox(merchant, &cursor.unwrap_or(Cursor::Newest))
                .await
        }
    };
    csv::download(&name, &inbox_columns(), rows).await
}
