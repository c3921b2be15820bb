//! What a merchant decides about its charges, set by hand.

use axum::Json;
use axum::extract::State;
use gateway::Gateway;
use gateway::merchants::MerchantPolicy;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Error;
use crate::http::Problems;

const TEXT_CHARS_MAX: usize = 255;

/// `{merchant_id, tolerance?, expiry_minutes?, late_policy?, withdrawal_limit?, payout_limit?}` →
/// what was set; `null` stands for what was left as it is.
pub async fn change(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let merchant_id = fields.required_integer("merchant_id", 1..=i64::MAX);
    let mut decimal = |name: &str| fields.optional_decimal(name).map(str::to_owned);
    let tolerance = decimal("tolerance");
    let withdrawal_limit = decimal("withdrawal_limit");
    let payout_limit = decimal("payout_limit");
    let expiry_minutes = fields.optional_integer("expiry_minutes", 5..=60);
    let late_policy = fields.optional_line("late_policy", TEXT_CHARS_MAX);
    let merchant_id = problems.require(merchant_id)?;
    let policy = MerchantPolicy {
        merchant_id,
        tolerance,
        expiry_minutes,
        late_policy,
        withdrawal_limit,
        payout_limit,
    };
    let answer = answer(&policy);
    gateway
        .sandbox_merchant(policy)
        .await
        .map_err(|error| match error {
            gateway::Error::NotFound => Error::wrong("There is no merchant with this merchant_id."),
            other => other.into(),
        })?;
    Ok(Json(answer))
}

fn answer(policy: &MerchantPolicy) -> Value {
    json!({
        "merchant_id": policy.merchant_id,
        "tolerance": policy.tolerance,
        "expiry_minutes": policy.expiry_minutes,
        "late_policy": policy.late_policy,
        "withdrawal_limit": policy.withdrawal_limit,
        "payout_limit": policy.payout_limit,
    })
}
