//! What several calls read alike.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::money::Currency;
use gateway::Gateway;
use serde::Serialize;

use crate::http::json::Fields;

/// Characters of a reference or a short text at most.
pub(super) const TEXT_CHARS_MAX: usize = 255;

/// An enabled currency by its exact code.
pub(super) fn required_currency(
    gateway: &Gateway,
    fields: &mut Fields<'_, '_>,
    name: &str,
) -> Option<Currency> {
    if fields.value(name).is_none() {
        fields.refuse(name, "is required");
    }
    optional_currency(gateway, fields, name)
}

/// The same for one that may be left out.
pub(super) fn optional_currency(
    gateway: &Gateway,
    fields: &mut Fields<'_, '_>,
    name: &str,
) -> Option<Currency> {
    let code = fields.optional_text(name, TEXT_CHARS_MAX)?;
    let currency = gateway.currencies().enabled_by_code(&code);
    if currency.is_none() {
        fields.refuse(name, "must be the code of a currency that is enabled here");
    }
    currency
}

/// `{"data": …}`, what every successful answer is wrapped in.
#[derive(Debug, Serialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

/// An answer to be stored with an idempotency key.
pub(super) fn answer(status: StatusCode, data: &impl Serialize) -> (u16, Vec<u8>) {
    match serde_json::to_vec(&Data { data }) {
        Ok(body) => (status.as_u16(), body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR.as_u16(), Vec::new()),
    }
}

/// An answer to a call that changes nothing.
pub(super) fn ok(data: impl Serialize) -> Response {
    axum::Json(Data { data }).into_response()
}
