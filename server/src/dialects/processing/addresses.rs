use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gateway::Gateway;
use gateway::addresses::{DepositAddressView, NewAddress};
use serde::Serialize;

use super::Error;
use super::call::Call;
use super::read::{TEXT_CHARS_MAX, answer, optional_currency, required_currency};
use crate::http::json::Fields;
use crate::http::{Problems, idempotency};

/// What a key pair has to be allowed for addresses and promises.
pub(super) const PERMISSION: &str = "get_deposit_address";

/// An address as this dialect writes it.
#[derive(Debug, Serialize)]
pub(super) struct Address {
    id: i64,
    currency: String,
    convert_to: Option<String>,
    address: String,
    tag: Option<String>,
    foreign_id: String,
}

impl Address {
    pub(super) fn of(view: &DepositAddressView) -> Self {
        Self {
            id: view.id,
            currency: view.coin.code.to_string(),
            convert_to: view.convert_to.map(|currency| currency.code.to_string()),
            address: view.address.clone(),
            tag: None,
            foreign_id: view.foreign_id.clone(),
        }
    }
}

/// The same arguments give the same address for ever: 201 when it was taken now, else 200.
pub async fn take(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let coin = required_currency(&gateway, &mut fields, "currency");
    let convert_to = optional_currency(&gateway, &mut fields, "convert_to");
    let reference = fields.required_reference("foreign_id", TEXT_CHARS_MAX);
    let once = call.once(&mut problems);
    let (coin, (foreign_id, _)) = problems.require(coin.zip(reference))?;
    let new = NewAddress {
        merchant_id: call.merchant_id(),
        coin,
        convert_to,
        foreign_id,
    };
    let answer = gateway
        .take_deposit_address(new, once, |view, is_new| {
            let status = if is_new {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            answer(status, &Address::of(view))
        })
        .await?;
    Ok(idempotency::respond(answer))
}
