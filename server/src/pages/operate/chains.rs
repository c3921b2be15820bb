use app::pages::ChainsPage;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gateway::auth::Permission;
use gateway::chain::CHAIN_COLUMNS;
use leptos::prelude::*;

use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::visitor::Visitor;
use crate::state::AppState;

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
