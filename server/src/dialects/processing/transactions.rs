use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gateway::Gateway;
use gateway::operations::{OperationKind, Record, RecordKind, RecordQuery, RecordStatus};
use serde::Serialize;

use super::call::Call;
use super::read::{TEXT_CHARS_MAX, optional_currency};
use super::webhook::{Callback, callback_of, callback_of_report};
use super::{Error, read};
use crate::http::Problems;
use crate::http::json::Fields;

/// What a key pair has to be allowed for the list.
const LIST_PERMISSION: &str = "get_tx_ids";
/// What it has to be allowed for one operation or invoice.
pub(super) const LOOK_UP_PERMISSION: &str = "get_tx_info";

const PER_PAGE_MAX: i64 = 100;
const PER_PAGE: i64 = 50;
const PAGE_MAX: i64 = 1_000_000;

#[derive(Debug, Serialize)]
struct Listed {
    data: Vec<Callback>,
    meta: Meta,
}

#[derive(Debug, Serialize)]
struct Meta {
    page: i64,
    per_page: i64,
    total: i64,
    pages: i64,
}

/// The merchant's operations and invoices, newest first; each is what its callback says.
pub async fn list(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(LIST_PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let kind = fields
        .optional_line("type", TEXT_CHARS_MAX)
        .map(|word| RecordKind::from_word(&word));
    if kind == Some(None) {
        fields.refuse(
            "type",
            "must be deposit, deposit_exchange, withdrawal, withdrawal_exchange, exchange or invoice",
        );
    }
    let status = fields
        .optional_line("status", TEXT_CHARS_MAX)
        .map(|word| RecordStatus::from_word(&word));
    if status == Some(None) {
        fields.refuse(
            "status",
            "must be created, not_confirmed, processing, pending, confirmed, cancelled or failed",
        );
    }
    let currency = optional_currency(&gateway, &mut fields, "currency");
    let reference = fields.optional_reference("foreign_id", TEXT_CHARS_MAX);
    let page = whole(&mut fields, "page", PAGE_MAX).unwrap_or(1);
    let per_page = whole(&mut fields, "per_page", PER_PAGE_MAX).unwrap_or(PER_PAGE);
    problems.require(Some(()))?;
    let query = RecordQuery {
        merchant_id: call.merchant_id(),
        kind: kind.flatten(),
        status: status.flatten(),
        currency,
        foreign_id: reference.map(|(text, _)| text),
        page,
        limit: per_page,
    };
    let (records, total) = gateway.list_records(&query).await?;
    let mut data = Vec::with_capacity(records.len());
    for record in &records {
        data.push(match record {
            Record::Operation(view) => callback_of(view),
            Record::Invoice(report) => {
                callback_of_report(report).map_err(gateway::Error::internal)?
            }
        });
    }
    let answer = Listed {
        data,
        meta: Meta {
            page,
            per_page,
            total,
            pages: (total + per_page - 1) / per_page,
        },
    };
    Ok(Json(answer).into_response())
}

fn whole(fields: &mut Fields<'_, '_>, name: &str, max: i64) -> Option<i64> {
    fields.optional_integer(name, 1..=max)
}

/// One operation.
pub async fn get(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(LOOK_UP_PERMISSION)?;
    let mut problems = Problems::default();
    let id = Fields::new(call.members()?, &mut problems).required_integer("id", 1..=i64::MAX);
    let id = problems.require(id)?;
    let view = gateway.find_operation(call.merchant_id(), id).await?;
    if view.kind == OperationKind::Refund {
        return Err(Error::not_found());
    }
    Ok(read::ok(callback_of(&view)))
}
