//! Payments of an EVM chain that people sign: the operator takes a transaction from its page, signs it where the
//! key is, and brings it back through the page's form. Bad ones are told why they are bad, and change nothing.
//!
//! Always played on a network in memory, and on anvil where `EXCHEQUER_REAL_NODES` names it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../gateway/tests/evm_node/anvil.rs"]
#[allow(dead_code)]
mod anvil;
mod desk;
#[path = "../../gateway/tests/treasury/net/mod.rs"]
#[allow(dead_code)]
mod net;
mod network;
#[path = "../../gateway/tests/real_nodes/required.rs"]
mod required;

use serde_json::json;
use signing::ScriptKind;
use signing::evm::signer::sign_anything;
use signing::evm::{Account, KEYS, Transaction};
use signing::key::SigningKey;
use sqlx::PgPool;

use self::anvil::Anvil;
use self::desk::{Desk, Upload};
use self::net::{CHAIN_ID, ETHER, Net};
use self::network::Network;

/// Nobody had anything there before.
const FRESH: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
/// More blocks than a withdrawal waits for.
const DEEP: u32 = 20;

#[sqlx::test(migrations = "../migrations")]
async fn on_a_network_in_memory(pool: PgPool) {
    let network = Network::Memory(Net::start().await);
    story(Desk::open(&pool, network).await, Upload::Text).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn on_an_evm_node(pool: PgPool) {
    if let Some(anvil) = Anvil::start() {
        let network = Network::Anvil(Box::new(anvil));
        story(Desk::open(&pool, network).await, Upload::File).await;
    }
}

async fn story(desk: Desk, way: Upload) {
    desk.withdraw("1", FRESH).await;
    let payment = desk.only_payment().await;
    let page = format!("/app/operate/treasury/{payment}");
    desk.see(&page, "Download the transaction").await;
    let plan = desk.download(payment).await;
    let expected = (CHAIN_ID, 0, FRESH.parse::<Account>().unwrap(), ETHER);
    let planned = (plan.chain_id, plan.nonce, plan.to, plan.value);
    assert_eq!(planned, expected);

    let key = desk.key().await;
    let before = desk.state().await;
    for (upload, why) in wrong(&plan, &key) {
        for way in [Upload::File, Upload::Text] {
            let refused = desk.upload(payment, way, &upload).await;
            let text = refused.text();
            assert_eq!(refused.status, 422, "{why}: {text}");
            assert!(text.contains(why), "no {why:?} in {text}");
            // It is said beside the field, and the form is still there.
            assert!(text.contains("id=\"file-error\""), "{text}");
            assert!(text.contains("Upload and send"), "{text}");
        }
        assert_eq!(desk.state().await, before, "{why}");
    }
    desk.work().await;
    assert_eq!(desk.state().await, before);
    assert_eq!(desk.network.sent(&desk.payer).await, 0);

    let signed = format!("0x{}\n", signed(&plan, &key));
    let taken = desk.upload(payment, way, &signed).await;
    assert_eq!(taken.status, 303, "{}", taken.text());
    let back = format!("{page}?notice=payment-signed");
    assert_eq!(taken.header("location"), back);
    desk.see(&back, "The signature is right").await;
    assert_eq!(desk.txs().await, ["signed"]);
    // Sending the form twice does nothing more.
    let before = desk.state().await;
    let again = desk.upload(payment, way, &signed).await;
    let back = format!("{page}?notice=not-possible");
    assert_eq!(
        (again.status, again.header("location")),
        (303, back.as_str())
    );
    assert_eq!(desk.state().await, before);

    desk.work().await;
    assert_eq!(desk.txs().await, ["broadcast"]);
    assert_eq!(desk.network.sent(&desk.payer).await, 1);
    desk.mine(DEEP).await;
    assert_eq!(desk.withdrawals().await, ["settled confirmed"]);
    assert_eq!(desk.network.has(FRESH).await, ETHER);
    desk.audit().await;
}

/// What may come back instead, in hexadecimal, and what the operator reads of it.
fn wrong(plan: &Transaction, key: &SigningKey) -> Vec<(String, &'static str)> {
    let changed = |change: fn(&mut Transaction)| {
        let mut other = plan.clone();
        change(&mut other);
        signed(&other, key)
    };
    let seed = "07".repeat(64);
    let stranger = SigningKey::parse(&seed, &KEYS, ScriptKind::P2pkh, 0).unwrap();
    let long = "0".repeat(16 * 1024 + 1);
    vec![
        (
            changed(|tx| tx.nonce += 1),
            "its nonce is another one than planned",
        ),
        (
            changed(|tx| tx.value += 1),
            "its value is another one than planned",
        ),
        (
            changed(|tx| tx.chain_id = 1),
            "its chain id is another one than planned",
        ),
        (
            changed(|tx| tx.to = Account([9; 20])),
            "its receiver is another one than planned",
        ),
        (
            changed(|tx| tx.max_fee_per_gas *= 2),
            "its largest fee is another one than planned",
        ),
        (
            changed(|tx| tx.data = vec![1]),
            "its data is another one than planned",
        ),
        (signed(plan, &stranger), "not by the account that pays"),
        (
            hex::encode(plan.unsigned()),
            "this is no signed transaction of the kind that was planned",
        ),
        (
            json!({ "raw": "0x02" }).to_string(),
            "it is not hexadecimal",
        ),
        ("no transaction".to_owned(), "it is not hexadecimal"),
        ("\u{0}\u{1}\u{2}".to_owned(), "it is not hexadecimal"),
        (String::new(), "it must have 1 to 16384 characters"),
        (long, "it must have 1 to 16384 characters"),
    ]
}

fn signed(plan: &Transaction, key: &SigningKey) -> String {
    hex::encode(sign_anything(plan, key).unwrap().0)
}
