//! A person signs with Electrum, and Bitcoin Core takes what comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::base58;
use bitcoin::bip32::{ChildNumber, Xpriv};
use bitcoin::secp256k1::Secp256k1;
use gateway::chain::address::{Network, params_on};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgPool;

use crate::electrum;
use crate::node::Kind;
use crate::purse::miner;
use crate::real::Counter;
use crate::till::seed;

const BY: &str = "admin@demo.example";
/// SLIP 132: an account of native segwit addresses on a network without value, private half.
const VPRV: u32 = 0x045f_18bc;

#[derive(Debug, Deserialize)]
struct Trial {
    allowed: bool,
}

/// The account's private key as its owner's wallet has it.
async fn vprv(pool: &PgPool) -> String {
    let coin = params_on("BTC", Network::Regtest).unwrap();
    let secp = Secp256k1::new();
    let path = [coin.purpose, coin.coin_type, coin.account]
        .map(|level| ChildNumber::from_hardened_idx(level).unwrap());
    let seed = hex::decode(seed(pool).await).unwrap();
    let master = Xpriv::new_master(coin.network, &seed).unwrap();
    let mut bytes = master.derive_priv(&secp, &path).unwrap().encode();
    bytes[..4].copy_from_slice(&VPRV.to_be_bytes());
    base58::encode_check(&bytes)
}

#[sqlx::test(migrations = "../../migrations")]
async fn electrum_signs_what_bitcoin_core_takes(pool: PgPool) {
    let Some(counter) = Counter::open(&pool, Kind::Bitcoin, "by-hand").await else {
        return;
    };
    counter.follow().await;
    counter.deposit("one", 300_000_000).await;
    counter.deposit("two", 200_000_000).await;
    counter.mine(3).await;
    // More than either coin: both are spent, and change is left.
    let receiver = miner(Kind::Bitcoin, 20);
    counter.ask("3.2", "1", receiver.clone()).await;
    let gateway = &counter.world.gateway;
    gateway.advance(0).await.unwrap();
    assert_eq!(counter.states().await, ["drafted"]);
    let draft: i64 = sqlx::query_scalar("SELECT id FROM payout_txs")
        .fetch_one(&pool)
        .await
        .unwrap();
    let file = gateway.download_psbt(draft, BY).await.unwrap();
    let questions = json!({
        "network": "regtest",
        "sign": { "key": vprv(&pool).await, "psbt": STANDARD.encode(&file.bytes) },
    });
    let Some(answers) = electrum::ask(&questions) else {
        return;
    };
    let signed = answers.sign.unwrap();
    assert!(signed.is_complete);
    let raw = signed.raw.unwrap();
    let trials: Vec<Trial> = counter.node.call("testmempoolaccept", json!([[raw]])).await;
    assert!(trials[0].allowed, "{raw}");

    gateway
        .upload_psbt(draft, signed.psbt.as_bytes(), BY)
        .await
        .unwrap();
    gateway.advance(0).await.unwrap();
    assert_eq!(counter.states().await, ["broadcast"]);
    let stored: Vec<u8> = sqlx::query_scalar("SELECT raw FROM payout_txs")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(hex::encode(stored), raw);
    counter.mine(1).await;
    assert_eq!(counter.states().await, ["confirmed"]);
    assert_eq!(counter.has(&receiver).await, "3.20000000");
    counter.world.audit().await;
}
