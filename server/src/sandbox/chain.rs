//! Payments and blocks of the simulated chains.

use axum::Json;
use axum::extract::State;
use gateway::Gateway;
use gateway::chain::simulated::{MINE_BLOCKS_MAX, REORG_DEPTH_MAX};
use serde_json::{Value, json};

use super::call::Call;
use super::error::Error;
use crate::http::Problems;

/// Characters of a code, an id or an address at most.
const TEXT_CHARS_MAX: usize = 255;
const DROPPED_MAX: usize = 1_000;

/// `{address, amount, currency?}`, or `{txid}` to announce one again → `{txid}`.
pub async fn pay(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let txid = fields.optional_line("txid", TEXT_CHARS_MAX);
    let currency = fields.optional_line("currency", TEXT_CHARS_MAX);
    let (address, amount) = match &txid {
        Some(_) => (String::new(), Some("")),
        None => (
            fields.required_text("address", TEXT_CHARS_MAX),
            fields.required_decimal("amount"),
        ),
    };
    let amount = problems.require(amount)?;
    let txid = gateway
        .sandbox_pay(&address, amount, currency.as_deref(), txid.as_deref())
        .await?;
    Ok(Json(json!({ "txid": txid })))
}

/// `{currency?, blocks?}` → `{currency, height, blocks}`.
pub async fn mine(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let currency = fields.optional_line("currency", TEXT_CHARS_MAX);
    let blocks = fields.optional_integer("blocks", 1..=i64::from(MINE_BLOCKS_MAX));
    problems.require(Some(()))?;
    let blocks = blocks.and_then(|blocks| u32::try_from(blocks).ok());
    let mined = gateway.sandbox_mine(currency.as_deref(), blocks).await?;
    Ok(Json(json!({
        "currency": mined.currency,
        "height": mined.height,
        "blocks": mined.blocks,
    })))
}

/// `{txid, address?, amount?}` → `{txid}` of the replacement.
pub async fn replace(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let txid = fields.required_text("txid", TEXT_CHARS_MAX);
    let address = fields.optional_line("address", TEXT_CHARS_MAX);
    let amount = fields.optional_decimal("amount");
    problems.require(Some(()))?;
    let txid = gateway
        .sandbox_replace(&txid, address.as_deref(), amount)
        .await?;
    Ok(Json(json!({ "txid": txid })))
}

/// `{currency?, depth, drop?}` → `{height}`.
pub async fn reorg(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let currency = fields.optional_line("currency", TEXT_CHARS_MAX);
    let depth = fields.required_integer("depth", 1..=i64::from(REORG_DEPTH_MAX));
    let dropped = fields.each_text("drop", DROPPED_MAX);
    let depth = problems.require(depth.and_then(|depth| u32::try_from(depth).ok()))?;
    let height = gateway
        .sandbox_reorg(currency.as_deref(), depth, &dropped)
        .await?;
    Ok(Json(json!({ "height": height })))
}
