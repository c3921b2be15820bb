use app::pages::AuditPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::operate::AuditFilter;
use gateway::auth::Permission;
use gateway::operator::AUDIT_COLUMNS;
use leptos::prelude::*;
use serde::Deserialize;

use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::query::older_than;
use crate::pages::visitor::Visitor;
use crate::state::AppState;

/// Filters and the page, each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuditQuery {
    actor: String,
    action: String,
    subject: String,
    before: String,
}

impl AuditQuery {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            actor: self.actor.trim().to_owned(),
            action: self.action.trim().to_owned(),
            subject: self.subject.trim().to_owned(),
        }
    }

    fn before(&self) -> Option<i64> {
        older_than(&self.before)
    }
}

/// Who did what to what, newest first.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway.audit_view(query.filter(), query.before()).await?;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <AuditPage frame=frame view=view/> },
    ))
}

/// The same entries as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let (gateway, filter) = (state.gateway, query.filter());
    let name = csv::file_name("audit-log", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_audit(&filter, before).await }
    };
    csv::download(&name, &AUDIT_COLUMNS, rows).await
}
