use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::money::Currency;
use gateway::Gateway;
use gateway::exchange::{
    ExchangeQuote, ExchangeRequest, FIX_PERIOD, Given, NewExchange, Pricing, price_text,
};
use gateway::operations::OperationView;
use rust_decimal::Decimal;
use serde::Serialize;

use super::call::Call;
use super::read::{TEXT_CHARS_MAX, answer, required_currency};
use super::{Error, read};
use crate::http::json::Fields;
use crate::http::{Problems, idempotency};
use crate::state::AppState;

const PERMISSION: &str = "convert";

/// The status of an exchange that was just accepted; its callback tells how it ended (`30`).
const ACCEPTED: &str = "processing";

#[derive(Debug, Serialize)]
struct Calculated {
    sender_amount: String,
    sender_currency: String,
    receiver_amount: String,
    receiver_currency: String,
    fee_amount: String,
    fee_currency: String,
    price: String,
    ts_fixed: i64,
    ts_release: i64,
    fix_period: i64,
}

impl Calculated {
    fn of(quote: &ExchangeQuote) -> Self {
        let code = |currency: Currency| currency.code.to_string();
        Self {
            sender_amount: quote.sender_amount.exact(),
            sender_currency: code(quote.sender_amount.currency()),
            receiver_amount: quote.receiver_amount.exact(),
            receiver_currency: code(quote.receiver_amount.currency()),
            fee_amount: quote.fee.exact(),
            fee_currency: code(quote.fee.currency()),
            price: price_text(quote.price),
            ts_fixed: quote.fixed_at.unix_timestamp(),
            ts_release: quote.release_at.unix_timestamp(),
            fix_period: FIX_PERIOD.whole_seconds(),
        }
    }
}

/// Works out an exchange; the price stands for a minute.
pub async fn calculate(State(state): State<AppState>, call: Call) -> Result<Response, Error> {
    state.limits.check_calculation(call.address)?;
    let gateway = &state.gateway;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let sender = required_currency(gateway, &mut fields, "sender_currency");
    let receiver = required_currency(gateway, &mut fields, "receiver_currency");
    let given = match (
        fields.value("sender_amount").is_some(),
        fields.value("receiver_amount").is_some(),
    ) {
        (true, false) => fields
            .required_exact_amount("sender_amount", sender)
            .map(Given::Sender),
        (false, true) => fields
            .required_exact_amount("receiver_amount", receiver)
            .map(Given::Receiver),
        (both, _) => {
            let message = if both {
                "must be left out when receiver_amount is given"
            } else {
                "is required, or receiver_amount instead"
            };
            fields.refuse("sender_amount", message);
            None
        }
    };
    let (currencies, given) = problems.require(sender.zip(receiver).zip(given))?;
    let request = ExchangeRequest {
        merchant_id: call.merchant_id(),
        sender: currencies.0,
        receiver: currencies.1,
        given,
    };
    let quote = gateway.calculate_exchange(request).await?;
    Ok(read::ok(Calculated::of(&quote)))
}

#[derive(Debug, Serialize)]
struct Exchanged {
    id: i64,
    foreign_id: Option<String>,
    r#type: &'static str,
    sender_amount: String,
    sender_currency: String,
    receiver_amount: String,
    receiver_currency: String,
    fee_amount: String,
    fee_currency: String,
    price: Option<String>,
    status: &'static str,
}

impl Exchanged {
    fn of(view: &OperationView) -> Self {
        let received = view.received.as_ref();
        let fee = view.fees.first();
        let currency = received.map_or_else(String::new, |money| money.currency.clone());
        Self {
            id: view.id,
            foreign_id: view.foreign_id.clone(),
            r#type: view.kind.word(),
            sender_amount: view.sent.amount.clone(),
            sender_currency: view.sent.currency.clone(),
            receiver_amount: received.map_or_else(String::new, |money| money.amount.clone()),
            receiver_currency: currency.clone(),
            fee_amount: fee.map_or_else(|| "0.00000000".to_owned(), |fee| fee.amount.clone()),
            fee_currency: fee.map_or(currency, |fee| fee.currency.clone()),
            price: view.price.clone(),
            status: ACCEPTED,
        }
    }
}

/// At a price that was calculated for this amount.
pub async fn fixed(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    exchange(gateway, call, true).await
}

/// At the price of the moment.
pub async fn now(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    exchange(gateway, call, false).await
}

async fn exchange(gateway: Gateway, call: Call, at_price: bool) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let sender = required_currency(&gateway, &mut fields, "sender_currency");
    let receiver = required_currency(&gateway, &mut fields, "receiver_currency");
    let amount = fields.required_exact_amount("sender_amount", sender);
    let reference = fields.required_reference("foreign_id", TEXT_CHARS_MAX);
    let pricing = if at_price {
        required_price(&mut fields).map(|price| Pricing::Fixed { price })
    } else {
        Some(Pricing::Now)
    };
    let once = call.once(&mut problems);
    let ((amount, receiver), ((foreign_id, _), pricing)) =
        problems.require(amount.zip(receiver).zip(reference.zip(pricing)))?;
    let new = NewExchange {
        merchant_id: call.merchant_id(),
        sender_amount: amount,
        receiver,
        pricing,
        foreign_id: Some(foreign_id),
        requested_by: call.actor(),
    };
    let answer = gateway
        .exchange(new, once, |view| {
            answer(StatusCode::CREATED, &Exchanged::of(view))
        })
        .await?;
    Ok(idempotency::respond(answer))
}

/// Compared as a number, so any number of zeros at its end is the same price (`80`, Processing).
fn required_price(fields: &mut Fields<'_, '_>) -> Option<Decimal> {
    let text = fields.required_decimal("price")?;
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let price = text
        .parse::<Decimal>()
        .ok()
        .filter(|price| plain && *price > Decimal::ZERO);
    if price.is_none() {
        fields.refuse("price", "must be a plain decimal number above zero");
    }
    price
}
