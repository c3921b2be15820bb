use app::pages::{ChainAuditPage, ChainsPage};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::checkout::Notice;
use gateway::Gateway;
use gateway::auth::Permission;
use gateway::chain::CHAIN_COLUMNS;
use leptos::prelude::*;
use serde::Deserialize;

use super::{done, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::notices::{Code, notice};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChainQuery {
    notice: String,
}

/// Every chain with its node.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway.chains_view().await?;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <ChainsPage frame=frame view=view/> },
    ))
}

/// The same chains as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let name = csv::file_name("chains", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let gateway = gateway.clone();
        async move { gateway.export_chains().await }
    };
    csv::download(&name, &CHAIN_COLUMNS, rows).await
}

/// One chain's coins by the books, by the chain tables and by the node, as they were compared last.
pub(super) async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(query): Query<ChainQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    one(&state.gateway, &visitor, &code, notice(&query.notice)).await
}

/// The page of one chain, with what was said about a form of it.
pub(super) async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.chain_audit_page(code).await?;
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <ChainAuditPage frame=frame view=view/> },
    ))
}

/// Compares them again.
pub(super) async fn compare(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    state.gateway.begin_chain_audit(&code).await?;
    // Only a code that is connected comes here, so it is nothing that needs escaping.
    let path = format!("/app/operate/chains/{code}");
    Ok(done(&path, Code::ChainCompared))
}
