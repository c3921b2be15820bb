//! Coins that have a node: what holds while the node does not answer, and between two starts.
#![allow(clippy::unwrap_used)]

mod support;

use domain::view::chains::ChainState;
use gateway::chain::{ChainSettings, follower};
use gateway::{Error, Settings};
use sqlx::PgPool;
use support::World;

/// The address of BIP 173's first key, on the private network.
const STRANGER: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
/// The account of BIP 84's seed at m/84'/1'/0', as a wallet for test networks writes it.
const ACCOUNT: &str = "tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M";

/// Bitcoin behind a node that nobody runs, and more.
fn settings(more: &[(&str, &str)]) -> Settings {
    let given = [
        ("EXCHEQUER_CHAIN_BTC", "bitcoin-core"),
        ("EXCHEQUER_CHAIN_BTC_URL", "http://127.0.0.1:1"),
        ("EXCHEQUER_CHAIN_BTC_USER", "user"),
        ("EXCHEQUER_CHAIN_BTC_PASSWORD", "hunter2"),
        ("EXCHEQUER_CHAIN_BTC_NETWORK", "regtest"),
    ];
    let find = |name: &str| {
        more.iter()
            .chain(&given)
            .find(|(variable, _)| *variable == name)
            .map(|(_, text)| (*text).to_owned())
    };
    Settings {
        chains: ChainSettings::read(find, true).unwrap(),
        ..Settings::test("http://127.0.0.1:3000")
    }
}

async fn birthday(pool: &PgPool) -> Option<i64> {
    sqlx::query_scalar("SELECT birthday FROM chain_accounts WHERE chain = 'BTC'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_server_starts_without_its_node_and_everything_else_goes_on(pool: PgPool) {
    let world = World::with(&pool, settings(&[])).await;
    let address = world.address("BTC", None, "a").await;
    assert!(address.starts_with("bcrt1q"), "{address}");
    let coin = world.currency("BTC");
    for _ in 0..2 {
        let error = follower::sync(&world.gateway, coin).await.unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let view = world.gateway.chains_view().await.unwrap();
    assert_eq!(view.stopped(), ["BTC"]);
    let row = view.rows.iter().find(|row| row.code == "BTC").unwrap();
    assert_eq!(
        (row.kind.as_str(), row.network.as_str()),
        ("bitcoin-core", "regtest")
    );
    assert_eq!((row.height, row.node_height), (None, None));
    assert!(row.first_addresses.contains(&address), "{row:?}");
    assert!(row.error.is_some() && row.since.is_some());
    let litecoin = view.rows.iter().find(|row| row.code == "LTC").unwrap();
    assert_eq!(litecoin.kind, "simulated");
    // Nothing was decided about where Bitcoin begins.
    assert_eq!(birthday(&pool).await, None);
    let address = world.address("LTC", None, "a").await;
    world.deposit(&address, "LTC", "1").await;
    assert_eq!(world.told().await, ["deposit confirmed"]);
    let statuses = world.gateway.chain_statuses().await.unwrap();
    let state = |code: &str| {
        statuses
            .iter()
            .find(|status| status.code == code)
            .unwrap()
            .state
    };
    assert_eq!(state("BTC"), ChainState::Stopped);
    assert_eq!(state("LTC"), ChainState::AtTip);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_its_node_a_withdrawal_waits_and_nothing_is_lost(pool: PgPool) {
    let world = World::with(&pool, settings(&[])).await;
    let mut new = world.withdrawal("0.1", "BTC", "1");
    let refused = world.withdraw(new.clone()).await.unwrap_err();
    assert_eq!(support::operations::blamed(&refused).0, "address");
    STRANGER.clone_into(&mut new.address);
    let view = world.withdraw(new).await.unwrap();
    let held = world.wallet("BTC").await;
    // At once, and an hour later again.
    for seconds in [0, 3_600] {
        world.gateway.advance(seconds).await.unwrap();
        let (state, raw): (String, Option<Vec<u8>>) =
            sqlx::query_as("SELECT state, raw FROM withdrawals WHERE operation_id = $1")
                .bind(view.id)
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!((state.as_str(), raw), ("queued", None));
        assert_eq!(world.wallet("BTC").await, held);
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_database_belongs_to_one_network_and_one_account(pool: PgPool) {
    World::with(&pool, settings(&[])).await;
    let simulated = World::open(&pool, Settings::test("http://127.0.0.1:3000")).await;
    assert!(is_refused(
        simulated.err(),
        "another database for another network"
    ));
    let account = [("EXCHEQUER_CHAIN_BTC_ACCOUNT", ACCOUNT)];
    let other = World::open(&pool, settings(&account)).await;
    assert!(is_refused(
        other.err(),
        "derived from another account or seed"
    ));
    assert!(World::open(&pool, settings(&[])).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_birthday_may_be_set_until_the_first_block(pool: PgPool) {
    let account = ("EXCHEQUER_CHAIN_BTC_ACCOUNT", ACCOUNT);
    let born = |height| settings(&[account, ("EXCHEQUER_CHAIN_BTC_BIRTHDAY", height)]);
    World::open(&pool, settings(&[account])).await.unwrap();
    assert_eq!(birthday(&pool).await, None);
    World::open(&pool, born("700")).await.unwrap();
    assert_eq!(birthday(&pool).await, Some(700));
    sqlx::query("INSERT INTO chain_blocks VALUES ('BTC', 'hash', 700, 'before', true)")
        .execute(&pool)
        .await
        .unwrap();
    World::open(&pool, born("600")).await.unwrap();
    assert_eq!(birthday(&pool).await, Some(700));
}

fn is_refused(error: Option<Error>, because: &str) -> bool {
    error.is_some_and(|error| error.to_string().contains(because))
}
