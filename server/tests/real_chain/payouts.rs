//! Killed with a signed transaction in the hand.

use serde::Deserialize;
use serde_json::{json, value::RawValue};
use sqlx::PgPool;

use crate::gate::Passage;
use crate::purse::miner;
use crate::stage::{DEPTH, Stage};
use crate::until;

const NEWEST: &str = "SELECT state FROM payout_txs ORDER BY id DESC LIMIT 1";

#[derive(Deserialize)]
struct Found {
    total_amount: Box<RawValue>,
}

#[sqlx::test(migrations = "../migrations")]
async fn a_signed_payout_is_sent_with_the_same_bytes_by_the_next_server(pool: PgPool) {
    let Some((stage, gate)) = Stage::open_gated(&pool, 1).await else {
        return;
    };
    let mut server = stage.serve().await;
    let deposit = stage.shop.address(&server, "funds").await;
    stage.purse.pay(&stage.node, &deposit, 300_000_000).await;
    stage.mine(DEPTH).await;
    until("the deposit is credited", || async {
        stage.texts("SELECT disposition FROM deposits").await == ["credited"]
    })
    .await;

    // The network never got them, or got them and could not say so.
    for (round, passage) in (1_u8..).zip([Passage::Shut, Passage::OneWay]) {
        let receiver = miner(stage.node.kind, 20 + round);
        let before = gate.sent().len();
        gate.set(passage);
        let asked = json!({
            "currency": "BTC", "amount": "0.5", "address": receiver, "foreign_id": round.to_string(),
        });
        stage.shop.call(&server, "withdrawal/crypto", asked).await;
        until("the bytes are on their way", || async {
            let is_there = passage == Passage::Shut || !stage.mempool().await.is_empty();
            gate.sent().len() > before && is_there
        })
        .await;
        server.kill();
        assert_eq!(stage.texts(NEWEST).await, ["signed"]);
        assert_eq!(stage.mempool().await.is_empty(), passage == Passage::Shut);
        let signed = gate.sent().pop().unwrap();
        let stored = stage
            .texts("SELECT encode(raw, 'hex') FROM payout_txs ORDER BY id DESC LIMIT 1")
            .await;
        assert_eq!(stored, [signed.as_str()]);
        stage.audit().await;

        gate.set(Passage::Open);
        stage.end_leases().await;
        server = stage.serve().await;
        until("the next server has sent them", || async {
            stage.texts(NEWEST).await == ["broadcast"]
        })
        .await;
        let sent = gate.sent().split_off(before);
        assert!(sent.len() > 1, "nothing was sent again");
        assert!(sent.iter().all(|raw| *raw == signed), "{sent:?}");
        assert_eq!(stage.mempool().await.len(), 1);

        stage.mine(DEPTH).await;
        until("it is settled", || async {
            stage.texts(NEWEST).await == ["confirmed"]
        })
        .await;
        let wanted = json!(["start", [format!("addr({receiver})")]]);
        let found: Found = stage.node.call("scantxoutset", wanted).await;
        assert_eq!(found.total_amount.get(), "0.50000000");
        let txs = stage.texts("SELECT state FROM payout_txs").await;
        assert_eq!(txs.len(), usize::from(round));
        assert_eq!(stage.entries("withdrawal_settled").await, i64::from(round));
        assert_eq!(stage.entries("network_fee").await, i64::from(round));
        stage.audit().await;
    }
    server.kill();
    let states = stage
        .texts("SELECT state FROM withdrawals ORDER BY operation_id")
        .await;
    assert_eq!(states, ["settled", "settled"]);
}
