use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gateway::Gateway;
use gateway::charges::ChargeQuery;

use super::auth::Caller;
use super::call::Call;
use super::convert::{self, StatusFilter};
use super::read::{Rules, read_order, read_wallet};
use super::{Error, dto};
use crate::http::json::Fields;
use crate::http::pagination::Page;
use crate::http::{Problems, idempotency};

/// Characters of a refund address at most; the coin's own form is judged by the gateway.
const ADDRESS_CHARS_MAX: usize = 255;

pub async fn create_wallet(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let body = call.required_members()?;
    let wallet = with_rules(&gateway, |rules| read_wallet(body, rules, &mut problems));
    let once = call.once(merchant, &mut problems);
    let (merchant_id, wallet) = problems.require(merchant.zip(wallet))?;
    let answer = gateway
        .create_wallet(
            merchant_id,
            wallet.user_id,
            &wallet.currency,
            once,
            convert::wallet_answer,
        )
        .await?;
    Ok(idempotency::respond(answer))
}

pub async fn create_order(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let body = call.required_members()?;
    let order = with_rules(&gateway, |rules| read_order(body, rules, &mut problems));
    let once = call.once(merchant, &mut problems);
    let (merchant_id, order) = problems.require(merchant.zip(order))?;
    let links = gateway.clone();
    let answer = gateway
        .create_charge(order.into_charge(merchant_id), once, move |charge| {
            convert::created_answer(&links, charge)
        })
        .await?;
    Ok(idempotency::respond(answer))
}

pub async fn list_orders(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let page = Page::read(call.query(), &mut problems);
    let StatusFilter {
        statuses,
        resolution,
    } = StatusFilter::read(call.query(), &mut problems);
    let merchant_id = problems.require(merchant)?;
    let (number, limit) = (page.number, page.limit);
    let query = ChargeQuery {
        merchant_id,
        statuses,
        resolution,
        page: number,
        limit,
    };
    let (charges, total) = gateway.list_charges(query).await?;
    let orders: Vec<dto::Order> = charges
        .iter()
        .map(|charge| convert::order(&gateway, charge))
        .collect();
    Ok((page.headers(total, orders.len()), Json(orders)).into_response())
}

pub async fn get_order(
    State(gateway): State<Gateway>,
    call: Call,
) -> Result<Json<dto::Order>, Error> {
    let merchant_id = merchant_of(&gateway, &call).await?;
    let charge = gateway.find_charge(merchant_id, call.order_id()?).await?;
    Ok(Json(convert::order(&gateway, &charge)))
}

pub async fn get_timeline(
    State(gateway): State<Gateway>,
    call: Call,
) -> Result<Json<Vec<dto::TimelineEntry>>, Error> {
    let merchant_id = merchant_of(&gateway, &call).await?;
    let entries = gateway
        .charge_timeline(merchant_id, call.order_id()?)
        .await?;
    Ok(Json(
        entries.into_iter().map(convert::timeline_entry).collect(),
    ))
}

pub async fn cancel_order(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let once = call.once(merchant, &mut problems);
    let merchant_id = problems.require(merchant)?;
    let links = gateway.clone();
    let answer = gateway
        .cancel_charge(
            merchant_id,
            call.order_id()?,
            call.actor(),
            once,
            move |charge| convert::order_answer(&links, charge),
        )
        .await?;
    Ok(idempotency::respond(answer))
}

pub async fn accept_order(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let once = call.once(merchant, &mut problems);
    let merchant_id = problems.require(merchant)?;
    let links = gateway.clone();
    let answer = gateway
        .accept_charge(
            merchant_id,
            call.order_id()?,
            call.actor(),
            once,
            move |charge| convert::order_answer(&links, charge),
        )
        .await?;
    Ok(idempotency::respond(answer))
}

pub async fn refund_order(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(&gateway, &mut problems).await?;
    let address = call.members()?.and_then(|body| {
        Fields::new(body, &mut problems).optional_line("address", ADDRESS_CHARS_MAX)
    });
    let once = call.once(merchant, &mut problems);
    let merchant_id = problems.require(merchant)?;
    let links = gateway.clone();
    let answer = gateway
        .request_refund(
            merchant_id,
            call.order_id()?,
            address,
            call.actor(),
            once,
            move |charge| convert::order_answer(&links, charge),
        )
        .await?;
    Ok(idempotency::respond(answer))
}

/// A path of ours that does not exist: said only to those with a key.
pub async fn refuse_path(_caller: Caller) -> Error {
    Error::not_found()
}

/// A path that exists, with another method.
pub async fn refuse_method(_caller: Caller) -> Error {
    Error::method_not_allowed()
}

/// For calls that take nothing but the order's id.
pub(super) async fn merchant_of(gateway: &Gateway, call: &Call) -> Result<i64, Error> {
    let mut problems = Problems::default();
    let merchant = call.merchant(gateway, &mut problems).await?;
    Ok(problems.require(merchant)?)
}

fn with_rules<T>(gateway: &Gateway, read: impl FnOnce(&Rules<'_>) -> T) -> T {
    let currency = |code: &str| gateway.currencies().enabled_by_code(code);
    read(&Rules {
        currency: &currency,
        guard: gateway.guard(),
    })
}
