//! Exchanges and withdrawals of the Processing API, signed like a merchant's own.
//!
//! Invariant: each has a reference of its own, so that every answer is a new operation; a round of
//! withdrawals is over when all of them have left, so that none is sent in another measurement's
//! time.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::http::HeaderName;
use gateway::demo::KeyPair;
use serde_json::json;
use tokio::time::sleep;

use super::Site;
use super::connection::{Call, Connection};
use super::load::{Crowd, closed};
use super::report::Report;
use super::subject::{Subject, Unit};
use crate::dialects::processing::sign;

const EXCHANGES: Subject = Subject {
    key: "exchanges",
    label: "exchanges",
    unit: Unit::PerSecond,
};

const WITHDRAWALS: Subject = Subject {
    key: "withdrawals_requested",
    label: "withdrawals requested",
    unit: Unit::PerSecond,
};

/// Reaches for every round that can be asked for.
const FUNDS: &str = "100000";

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

/// Withdrawals of a round at most: each has to be sent before the next measurement begins.
const WITHDRAWALS_MAX: u64 = 2_000;

/// Longest wait for the withdrawals of a round to be sent and confirmed.
const SENT_WAIT_MAX: Duration = Duration::from_secs(300);

/// Between two looks at what is still to be sent.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Gives the demo merchant coins to spend, the way a customer would.
pub(super) async fn fund(site: &Site) -> anyhow::Result<()> {
    let mut connection = Connection::open(site.address).await?;
    let address = take_address(site, &mut connection, "bench funds").await?;
    pay(&mut connection, &address, FUNDS).await?;
    // Deposits as large as this one need two blocks.
    let mine = json!({ "currency": "BTC", "blocks": 2 }).to_string();
    let mine = Call::json("/sandbox/mine", mine);
    connection.send(mine).await?.expect(200)?;
    Ok(())
}

/// One round of exchanges at the price of the moment, in both directions in turn, so that neither
/// wallet runs dry.
pub(super) async fn exchange(site: &Site, round: u32, report: &mut Report) -> anyhow::Result<()> {
    let pair = site.demo.merchant.key_pair.clone();
    let lap = report.meter.start().await;
    let seen = closed(site.crowd(), 201, move |_, number| {
        let (from, to, amount) = match number % 2 {
            0 => ("BTC", "EUR", "0.0002"),
            _ => ("EUR", "BTC", "5.00"),
        };
        let body = json!({
            "sender_currency": from,
            "receiver_currency": to,
            "sender_amount": amount,
            "foreign_id": format!("exchange-{round}-{number}"),
        });
        signed(&pair, "/api/v2/exchange/now", body.to_string())
    })
    .await?;
    report.add_rate(EXCHANGES, seen.rate(), lap.stop().await.each(seen.count()));
    Ok(())
}

/// One round of withdrawals to an address outside, then the wait until all of them have left.
pub(super) async fn withdraw(site: &Site, round: u32, report: &mut Report) -> anyhow::Result<()> {
    let pair = site.demo.merchant.key_pair.clone();
    let crowd = Crowd {
        calls_max: WITHDRAWALS_MAX,
        ..site.crowd()
    };
    let lap = report.meter.start().await;
    let seen = closed(crowd, 201, move |_, number| {
        let body = json!({
            "foreign_id": format!("withdrawal-{round}-{number}"),
            "amount": "0.0002",
            "currency": "BTC",
            "address": STRANGER,
        });
        signed(&pair, "/api/v2/withdrawal/crypto", body.to_string())
    })
    .await?;
    report.add_rate(
        WITHDRAWALS,
        seen.rate(),
        lap.stop().await.each(seen.count()),
    );
    wait_until_sent(site).await
}

/// Mines until no withdrawal is under way.
async fn wait_until_sent(site: &Site) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut connection = Connection::open(site.address).await?;
    loop {
        let mine = Call::json("/sandbox/mine", json!({ "currency": "BTC" }).to_string());
        // Answered only when what is due has been sent. Whether that went well is asked next.
        connection.send_within(mine, SENT_WAIT_MAX).await?;
        let filter = json!({ "type": "withdrawal", "status": "processing", "per_page": 1 });
        let list = signed(
            &site.demo.merchant.key_pair,
            "/api/v2/transactions/list",
            filter.to_string(),
        );
        let listed = connection.send(list).await?.expect(200)?.json()?;
        let left = listed["meta"]["total"]
            .as_u64()
            .context("a list without its total")?;
        if left == 0 {
            return Ok(());
        }
        ensure!(
            started.elapsed() < SENT_WAIT_MAX,
            "{left} withdrawals were not sent within {} s",
            SENT_WAIT_MAX.as_secs()
        );
        sleep(LOOK_EVERY).await;
    }
}

/// The demo merchant's Bitcoin address for `foreign_id`.
pub(super) async fn take_address(
    site: &Site,
    connection: &mut Connection,
    foreign_id: &str,
) -> anyhow::Result<String> {
    let body = json!({ "foreign_id": foreign_id, "currency": "BTC" });
    let take = signed(
        &site.demo.merchant.key_pair,
        "/api/v2/addresses/take",
        body.to_string(),
    );
    let taken = connection.send(take).await?.expect(201)?.json()?;
    let address = taken["data"]["address"].as_str();
    Ok(address.context("no address was given out")?.to_owned())
}

/// Pays `amount` bitcoins on the simulated chain; answers the transaction's id.
pub(super) async fn pay(
    connection: &mut Connection,
    address: &str,
    amount: &str,
) -> anyhow::Result<String> {
    let body = json!({ "address": address, "amount": amount, "currency": "BTC" });
    let call = Call::json("/sandbox/pay", body.to_string());
    let paid = connection.send(call).await?.expect(200)?.json()?;
    let txid = paid["txid"].as_str();
    Ok(txid.context("a payment has no transaction id")?.to_owned())
}

fn signed(pair: &KeyPair, path: &str, body: String) -> Call {
    // Without a signature the server refuses, which ends the bench with its reason.
    let signature = sign(&pair.private, body.as_bytes()).unwrap_or_default();
    Call::json(path, body)
        .with(HeaderName::from_static("x-processing-key"), &pair.public)
        .with(HeaderName::from_static("x-processing-signature"), signature)
}
