//! Rates, the clock, and what everything looks like now.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use gateway::Gateway;
use gateway::clock::ADVANCE_SECONDS_MAX;
use serde::Serialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Error;
use crate::http::Problems;
use crate::http::moment::rfc3339;

const CODE_CHARS_MAX: usize = 255;
const MAILS_MAX: i64 = 100;

/// `{from, to, rate}` → the same, the rate as the text that was given; sets the inverse too.
pub async fn set_rate(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let mut fields = call.fields(&mut problems);
    let from = fields.required_text("from", CODE_CHARS_MAX);
    let to = fields.required_text("to", CODE_CHARS_MAX);
    let rate = fields.required_decimal("rate");
    let rate = problems.require(rate)?;
    gateway.set_rate(&from, &to, rate).await?;
    Ok(Json(json!({ "from": from, "to": to, "rate": rate })))
}

/// `{seconds}` → `{now}`; timers that became due have fired before the answer, and what is to be sent was sent, if
/// nobody else has it under way for too long ([`Gateway::advance`]).
pub async fn advance(State(gateway): State<Gateway>, call: Call) -> Result<Json<Value>, Error> {
    let mut problems = Problems::default();
    let seconds = call
        .fields(&mut problems)
        .required_integer("seconds", 0..=ADVANCE_SECONDS_MAX);
    let seconds = problems.require(seconds)?;
    let now = gateway.advance(seconds).await?;
    Ok(Json(json!({ "now": rfc3339(now) })))
}

#[derive(Serialize)]
pub struct World {
    now: String,
    /// By coin.
    chains: BTreeMap<&'static str, Chain>,
    /// `BTC/EUR`: euro for one bitcoin.
    rates: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Chain {
    height: i64,
    /// Ids of unconfirmed transactions, oldest first.
    mempool: Vec<String>,
}

pub async fn state(State(gateway): State<Gateway>, _call: Call) -> Result<Json<World>, Error> {
    let chains = gateway.chain_states().await?.into_iter().map(|chain| {
        let mempool = chain.mempool.into_iter().map(|tx| tx.txid).collect();
        (
            chain.code,
            Chain {
                height: chain.height,
                mempool,
            },
        )
    });
    Ok(Json(World {
        now: rfc3339(gateway.clock().now()),
        chains: chains.collect(),
        rates: gateway.rate_table().await?.into_iter().collect(),
    }))
}

#[derive(Serialize)]
pub struct Mail {
    at: String,
    to: String,
    subject: String,
    text: String,
    html: String,
}

/// The last hundred mails that went out, newest first.
pub async fn mail(State(gateway): State<Gateway>, _call: Call) -> Result<Json<Vec<Mail>>, Error> {
    let mails = gateway
        .list_mail(None, MAILS_MAX)
        .await?
        .into_iter()
        .map(|mail| Mail {
            at: rfc3339(mail.at),
            to: mail.to,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
        });
    Ok(Json(mails.collect()))
}
