//! Nodes that have deleted the blocks we would have to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use gateway::Settings;
use gateway::chain::{ChainSettings, follower};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::bitcoin_family::CorePuppet;
use crate::node::{Extras, Kind};
use crate::puppet::Puppet as _;
use crate::stage::{DEPTH, Stage};
use crate::support::World;

/// Blocks of at least one more file than the 288 blocks that a node keeps.
const MANY: u32 = 700;
/// Of the chain that the played node says it has.
const BIRTHDAY: i64 = 400;

/// A node that keeps what is needed is as good as any; one that does not stops its chain, and nothing is
/// skipped or undone. With a node that kept it, the chain goes on where it stopped.
#[sqlx::test(migrations = "../../migrations")]
async fn a_real_node_that_is_pruned(pool: PgPool) {
    let extras = Extras {
        arguments: ["-prune=1", "-fastprune"].map(str::to_owned).to_vec(),
        ..Extras::default()
    };
    let Some(mut puppet) = CorePuppet::start_with(Kind::Bitcoin, extras, 3).await else {
        return;
    };
    puppet.mine(MANY).await;
    puppet.copy().await;
    assert!(puppet.prune(MANY / 2).await > 0);
    let mut stage = Stage::with(&pool, puppet).await;
    stage.follow().await;
    let address = stage.address("pruned, kept").await;
    stage.pay(&address, 1).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);

    let late = stage.address("pruned, lost").await;
    stage.pay(&late, 1).await;
    let before = stage.state().await;
    let next = stage.height().await + 1;
    stage.puppet.mine(2 * MANY).await;
    stage.puppet.copy().await;
    let kept = stage.puppet.prune(u32::MAX).await;
    assert!(kept > next, "{kept} {next}");
    for _ in 0..2 {
        let error = stage.try_follow().await.unwrap_err().to_string();
        let expected = format!(
            "has deleted the blocks below {kept} (it is pruned), and block {next} is the next to read"
        );
        assert!(error.contains(&expected), "{error}");
        assert_eq!(stage.state().await, before);
        // Another process finds the same.
        stage.restart_server().await;
    }
    assert!(stage.try_follow().await.is_err());
    let view = stage.world.gateway.chains_view().await.unwrap();
    assert_eq!(view.stopped(), ["BTC"]);
    assert_eq!(stage.deposits(&late).await, ["seen open 0"]);
    // The other chains go on.
    let other = stage.world.address("LTC", None, "pruned, meanwhile").await;
    stage.world.send(&other, "LTC", "1").await;
    stage.world.mine("LTC", DEPTH).await;
    assert_eq!(stage.deposits(&other).await, ["final credited 1"]);
    stage.world.audit().await;

    // The way out that the message names, and README: another node, at least for a while.
    stage.puppet.swap();
    stage.reconnect().await;
    while stage.try_follow().await.unwrap().tip.is_none() {}
    assert_eq!(stage.deposits(&late).await, ["final credited 1"]);
    let view = stage.world.gateway.chains_view().await.unwrap();
    assert!(view.stopped().is_empty());
    stage.puppet.swap();
    stage.reconnect().await;
    let back = stage.address("pruned, again").await;
    stage.pay(&back, 1).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&back).await, ["final credited 1"]);
    for address in [&address, &late] {
        assert_eq!(stage.deposits(address).await, ["final credited 1"]);
    }
}

/// A node of 1 000 blocks that has deleted those below `kept`; what else it is asked, it answers with
/// nothing that fits.
async fn played(kept: Arc<AtomicI64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let genesis = bitcoin::blockdata::constants::genesis_block(bitcoin::Network::Regtest);
    let genesis = genesis.block_hash().to_string();
    let router = Router::new().fallback(move |body: String| {
        let call: Value = serde_json::from_str(&body).unwrap();
        let result = match call["method"].as_str().unwrap() {
            "getblockchaininfo" => json!({
                "chain": "regtest", "blocks": 1_000, "headers": 1_000, "bestblockhash": "b",
                "pruned": true, "pruneheight": kept.load(Ordering::Relaxed),
            }),
            "getblockhash" if call["params"] == json!([0]) => json!(genesis),
            "getblockhash" => json!("b"),
            "getnetworkinfo" => json!({"version": 300_000}),
            "getblockheader" => json!({"height": 1_000, "previousblockhash": "a"}),
            _ => Value::Null,
        };
        let answer = json!({"result": result, "error": null, "id": 0}).to_string();
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn refusal(world: &World) -> String {
    let coin = world.currency("BTC");
    let error = follower::sync(&world.gateway, coin).await.unwrap_err();
    error.to_string()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_node_that_says_it_is_pruned_is_believed_to_the_block(pool: PgPool) {
    let kept = Arc::new(AtomicI64::new(BIRTHDAY + 1));
    let url = played(kept.clone()).await;
    let find = |variable: &str| match variable.strip_prefix("EXCHEQUER_CHAIN_BTC")? {
        "" => Some("bitcoin-core".to_owned()),
        "_URL" => Some(url.clone()),
        "_USER" | "_PASSWORD" => Some("shop".to_owned()),
        "_NETWORK" => Some("regtest".to_owned()),
        "_BIRTHDAY" => Some(BIRTHDAY.to_string()),
        _ => None,
    };
    let settings = Settings {
        chains: ChainSettings::read(find, true).unwrap(),
        ..Settings::test("http://127.0.0.1:3000")
    };
    let world = World::with(&pool, settings).await;
    for kept_from in [BIRTHDAY + 1, 999] {
        kept.store(kept_from, Ordering::Relaxed);
        let error = refusal(&world).await;
        assert!(
            error.contains(&format!("deleted the blocks below {kept_from} ")),
            "{error}"
        );
        assert!(error.contains("block 400 is the next"), "{error}");
    }
    // What it still has, it is asked for.
    kept.store(BIRTHDAY, Ordering::Relaxed);
    let error = refusal(&world).await;
    assert!(!error.contains("deleted"), "{error}");
    let blocks: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_blocks WHERE chain = 'BTC'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(blocks, 0);
}
