//! Invoices: the list here, one of them and the form that makes them below.

mod builder;
mod detail;
mod form;

use app::pages::InvoicesPage;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use domain::view::invoices::InvoiceFilter;
use gateway::Error;
use gateway::auth::Permission;
use gateway::dashboard::{Cursor, INVOICE_COLUMNS};
use leptos::prelude::*;
use serde::Deserialize;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/invoices";

const LABELS: [Label; 3] = [
    ("status", "status", "Status"),
    ("from", "from", "From day"),
    ("to", "to", "To day"),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/invoices", get(list))
        .route("/app/invoices.csv", get(export))
        .route(
            "/app/invoices/new",
            get(builder::show).post(builder::submit),
        )
        .route("/app/invoices/{code}", get(detail::show))
        .route("/app/invoices/{code}/document", get(detail::pdf))
        .route("/app/invoices/{code}/send", post(detail::send))
        .route("/app/invoices/{code}/void", post(detail::void))
}

/// Filters and the place in the list, each as text: a link that somebody edited by hand still gives
/// a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    status: String,
    from: String,
    to: String,
    before: String,
    after: String,
}

impl ListQuery {
    fn filter(&self) -> InvoiceFilter {
        InvoiceFilter {
            q: self.q.trim().to_owned(),
            status: self.status.trim().to_owned(),
            from: self.from.trim().to_owned(),
            to: self.to.trim().to_owned(),
        }
    }
}

/// The list, filtered as the URL says. A filter that means nothing is named above it and left out.
async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let (gateway, merchant, filter) = (&state.gateway, visitor.merchant_id, query.filter());
    let cursor = Cursor::from_query(&query.before, &query.after);
    let (view, said) = match gateway
        .invoice_list(merchant, filter.clone(), &cursor)
        .await
    {
        Err(Error::Invalid(wrong)) => {
            let rest = InvoiceFilter {
                q: filter.q.clone(),
                ..InvoiceFilter::default()
            };
            let mut view = gateway
                .invoice_list(merchant, rest, &Cursor::Newest)
                .await?;
            // What was typed stays in the form.
            view.filter = filter;
            (view, blame(&wrong, &LABELS))
        }
        listed => (listed?, None),
    };
    let status = if said.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = visitor.frame(gateway, said).await?;
    Ok(document(
        status,
        move || view! { <InvoicesPage frame=frame view=view/> },
    ))
}

/// Exactly what the filter lists, as CSV.
async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant, filter) = (state.gateway, visitor.merchant_id, query.filter());
    let name = csv::file_name("invoices", gateway.clock().now());
    let rows = move |cursor: Option<Cursor>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move {
            let cursor = cursor.unwrap_or(Cursor::Newest);
            gateway.export_invoices(merchant, &filter, &cursor).await
        }
    };
    csv::download(&name, &INVOICE_COLUMNS, rows).await
}
