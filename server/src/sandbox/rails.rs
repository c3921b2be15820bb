//! Bank transfers and payouts. Nothing of this instance waits for either yet, so every reference
//! and every payout is unknown, and is answered as an unknown one always will be.

use axum::Json;
use serde_json::Value;

use super::call::Call;
use super::error::Error;
use crate::http::Problems;

const TEXT_CHARS_MAX: usize = 255;

/// `{reference, amount, currency}`.
pub async fn bank(call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    fields.required_text("reference", TEXT_CHARS_MAX);
    fields.required_decimal("amount");
    fields.required_text("currency", TEXT_CHARS_MAX);
    problems.require(Some(()))?;
    Err(Error::wrong(
        "No payment with this reference is waiting for a bank transfer.",
    ))
}

/// `{payout_id, status}`.
pub async fn payout(call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    fields.required_text("payout_id", TEXT_CHARS_MAX);
    let status = fields.required_text("status", TEXT_CHARS_MAX);
    if !status.is_empty() && !["processing", "processed", "rejected"].contains(&status.as_str()) {
        fields.refuse("status", "must be processing, processed or rejected");
    }
    problems.require(Some(()))?;
    Err(Error::wrong("There is no payout with this payout_id."))
}
