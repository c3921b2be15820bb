use app::pages::{StatementPage, WalletsPage};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use gateway::auth::Permission;
use gateway::dashboard::STATEMENT_COLUMNS;
use leptos::prelude::*;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::query::BeforeQuery;
use super::visitor::Visitor;
use crate::state::AppState;

/// All wallets of the merchant.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadBalances)?;
    let wallets = state.gateway.wallet_rows(visitor.merchant_id).await?;
    let frame = visitor.frame(&state.gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <WalletsPage frame=frame wallets=wallets/> },
    ))
}

/// A page of one wallet's statement.
pub(super) async fn statement(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<BeforeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadWallets)?;
    let id = wallet_id(&id)?;
    let view = state
        .gateway
        .statement_view(visitor.merchant_id, id, query.before())
        .await?;
    let frame = visitor.frame(&state.gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <StatementPage frame=frame view=view/> },
    ))
}

/// The whole statement as CSV, newest line first.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ExportData)?;
    let id = wallet_id(&id)?;
    let (gateway, merchant) = (state.gateway, visitor.merchant_id);
    let name = csv::file_name(&format!("wallet-{id}"), gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let gateway = gateway.clone();
        async move { gateway.export_statement(merchant, id, before).await }
    };
    csv::download(&name, &STATEMENT_COLUMNS, rows).await
}

fn wallet_id(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}
