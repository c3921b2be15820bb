use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gateway::Gateway;
use gateway::exchange::price_text;
use gateway::futures::{FuturesView, NewFutures};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::addresses::{Address, PERMISSION};
use super::call::Call;
use super::read::{TEXT_CHARS_MAX, answer, required_currency};
use super::{Error, read};
use crate::http::json::Fields;
use crate::http::{Problems, idempotency};

/// The price of a step that cannot be served.
const UNSERVED: &str = "0.00000000";

#[derive(Debug, Serialize)]
struct Rates {
    addresses: Vec<Address>,
    ts_fixed: i64,
    ts_release: i64,
    rates: BTreeMap<String, Tiers>,
}

/// Steps and prices in the order they were made, smallest first.
#[derive(Debug)]
struct Tiers(Vec<(String, String)>);

impl Serialize for Tiers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (tier, price) in &self.0 {
            map.serialize_entry(tier, price)?;
        }
        map.end()
    }
}

/// What a promise for this address would cost, step by step.
pub async fn rates(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let address =
        Fields::new(call.members()?, &mut problems).required_text("address", TEXT_CHARS_MAX);
    problems.require(Some(()))?;
    let found = gateway.futures_rates(call.merchant_id(), &address).await?;
    let target = found
        .address
        .convert_to
        .map_or_else(String::new, |currency| currency.code.to_string());
    let tiers = found
        .tiers
        .iter()
        .map(|(tier, price)| {
            let price = price.map_or_else(|| UNSERVED.to_owned(), price_text);
            (tier.exact(), price)
        })
        .collect();
    let pair = format!("{}{target}", found.address.coin.code);
    Ok(read::ok(Rates {
        addresses: vec![Address::of(&found.address)],
        ts_fixed: found.fixed_at.unix_timestamp(),
        ts_release: found.release_at.unix_timestamp(),
        rates: BTreeMap::from([(pair, Tiers(tiers))]),
    }))
}

#[derive(Debug, Serialize)]
struct Promise {
    futures_id: i64,
    sender_currency: String,
    receiver_currency: String,
    fee_currency: String,
    price: String,
    address: Address,
    sender_amount: String,
    receiver_amount: String,
    fee_amount: String,
    ts_fixed: i64,
    ts_release: i64,
}

impl Promise {
    fn of(view: &FuturesView) -> Self {
        Self {
            futures_id: view.id,
            sender_currency: view.sender_amount.currency().code.to_string(),
            receiver_currency: view.receiver_amount.currency().code.to_string(),
            fee_currency: view.fee.currency().code.to_string(),
            price: price_text(view.price),
            address: Address::of(&view.address),
            sender_amount: view.sender_amount.exact(),
            receiver_amount: view.receiver_amount.exact(),
            fee_amount: view.fee.exact(),
            ts_fixed: view.fixed_at.unix_timestamp(),
            ts_release: view.release_at.unix_timestamp(),
        }
    }
}

/// Promises an amount for one deposit of exactly the amount answered.
pub async fn confirm(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let address = fields.required_text("address", TEXT_CHARS_MAX);
    let sender = required_currency(&gateway, &mut fields, "sender_currency");
    let receiver = required_currency(&gateway, &mut fields, "receiver_currency");
    let amount = fields.required_exact_amount("receiver_amount", receiver);
    let once = call.once(&mut problems);
    let ((sender, receiver), receiver_amount) =
        problems.require(sender.zip(receiver).zip(amount))?;
    let new = NewFutures {
        merchant_id: call.merchant_id(),
        address,
        sender,
        receiver,
        receiver_amount,
    };
    let answer = gateway
        .confirm_futures(new, once, |view| {
            answer(StatusCode::CREATED, &Promise::of(view))
        })
        .await?;
    Ok(idempotency::respond(answer))
}
