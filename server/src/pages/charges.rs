use app::pages::ChargesPage;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::dashboard::ChargeFilter;
use gateway::auth::Permission;
use gateway::dashboard::{CHARGE_COLUMNS, Cursor};
use gateway::{Error, FieldError};
use leptos::prelude::*;

use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::query::ListQuery;
use super::visitor::Visitor;
use crate::state::AppState;

const LABELS: [Label; 4] = [
    ("status", "status", "Status"),
    ("currency", "currency", "Currency"),
    ("from", "from", "From day"),
    ("to", "to", "To day"),
];

/// The list, filtered as the URL says. A filter that means nothing is named above it and left out.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadCharges)?;
    let (gateway, merchant) = (&state.gateway, visitor.merchant_id);
    let filter = query.filter();
    let (view, notice) = match gateway
        .charge_list(merchant, filter.clone(), &query.cursor())
        .await
    {
        Err(Error::Invalid(wrong)) => {
            let rest = without(filter.clone(), &wrong);
            let mut view = gateway.charge_list(merchant, rest, &Cursor::Newest).await?;
            // What was typed stays in the form.
            view.filter = filter;
            (view, blame(&wrong, &LABELS))
        }
        listed => (listed?, None),
    };
    let status = if notice.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = visitor.frame(gateway, notice).await?;
    Ok(document(
        status,
        move || view! { <ChargesPage frame=frame view=view/> },
    ))
}

/// Exactly what the filter lists, as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant, filter) = (state.gateway, visitor.merchant_id, query.filter());
    let name = csv::file_name("charges", gateway.clock().now());
    let rows = move |cursor: Option<Cursor>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move {
            let cursor = cursor.unwrap_or(Cursor::Newest);
            gateway.export_charges(merchant, &filter, &cursor).await
        }
    };
    csv::download(&name, &CHARGE_COLUMNS, rows).await
}

fn without(mut filter: ChargeFilter, wrong: &[FieldError]) -> ChargeFilter {
    for error in wrong {
        match error.field.as_str() {
            "status" => filter.status.clear(),
            "currency" => filter.currency.clear(),
            "from" => filter.from.clear(),
            "to" => filter.to.clear(),
            _ => {}
        }
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wrong_part_of_a_filter_is_left_out() {
        let filter = ChargeFilter {
            q: "anna".to_owned(),
            from: "yesterday".to_owned(),
            ..ChargeFilter::default()
        };
        let message = "must be a date such as 2026-11-21".to_owned();
        let wrong = [FieldError {
            field: "from".to_owned(),
            message,
        }];
        let rest = without(filter, &wrong);
        assert_eq!((rest.q.as_str(), rest.from.as_str()), ("anna", ""));
        let text = blame(&wrong, &LABELS).map(|notice| notice.text);
        assert_eq!(
            text.as_deref(),
            Some("From day must be a date such as 2026-11-21.")
        );
    }
}
