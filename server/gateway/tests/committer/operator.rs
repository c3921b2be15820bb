//! What the operator says of the house's own money, among other decisions: floors, and coins that came or went.

use domain::ledger::AccountKind;
use gateway::futures::NewFutures;
use gateway::operator::FloorChange;
use gateway::own_funds::OwnFundsBooked;
use gateway::{Error, Gateway, Settings};
use sqlx::{PgPool, Postgres, Transaction};

use super::decisions::{Deciding, held_up, promise, set_limit, spawned, stats, waiting};
use super::grouped::account;
use super::proxy::Proxy;
use super::stepping_out::cancel;
use super::support::World;
use super::support::backends::waiting_backends;
use super::support::operations::{STRANGER, blamed};
use super::{Gate, until};

const BY: &str = "operator";

/// More blocks than make any deposit final.
const DEEP: u32 = 6;

/// An address of the house that no payer is given.
const HOUSE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/// A transaction that nobody here made, with an id of its own for each coin it takes.
const TAKE: &str = "
    WITH place AS (UPDATE sim.chains SET counter = counter + 1 WHERE chain = 'BTC' RETURNING counter)
    INSERT INTO sim.txs (chain, txid, seq, inputs, outputs)
    SELECT 'BTC', encode(sha256(convert_to('taken ' || $1::text, 'UTF8')), 'hex'), counter,
        jsonb_build_array(jsonb_build_object('txid', $1::text, 'vout', 0)),
        jsonb_build_array(jsonb_build_object('vout', 0, 'address', $2::text, 'raw', '1000'))
    FROM place RETURNING txid";

/// Has the address of the house watched.
async fn watch(pool: &PgPool) {
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ('BTC', 1, 0, $1, NULL, now())",
    )
    .bind(HOUSE)
    .execute(pool)
    .await
    .unwrap();
}

/// Transactions that bring the house a bitcoin each, deep in the chain.
async fn came(world: &World, count: usize) -> Vec<String> {
    let mut txids = Vec::new();
    for _ in 0..count {
        txids.push(world.send(HOUSE, "BTC", "1").await);
    }
    world.mine("BTC", DEEP).await;
    txids
}

/// Transactions that take those coins away, deep in the chain.
async fn went(world: &World, coins: &[String]) -> Vec<String> {
    let mut txids = Vec::new();
    for coin in coins {
        let txid: String = sqlx::query_scalar(TAKE)
            .bind(coin)
            .bind(STRANGER)
            .fetch_one(world.gateway.pool())
            .await
            .unwrap();
        txids.push(txid);
    }
    world.mine("BTC", DEEP).await;
    txids
}

async fn book(gateway: &Gateway, txid: &str) -> Result<OwnFundsBooked, Error> {
    gateway.book_own_funds("BTC", txid, "for payouts", BY).await
}

async fn take_out(gateway: &Gateway, txid: &str) -> Result<OwnFundsBooked, Error> {
    gateway
        .book_own_funds_out("BTC", txid, false, "taken home", BY)
        .await
}

fn taking_out(gateway: &Gateway, txid: &str) -> Deciding {
    let (gateway, txid) = (gateway.clone(), txid.to_owned());
    spawned(async move { take_out(&gateway, &txid).await.map(drop) })
}

/// Somebody else has the address of the house.
async fn held(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM chain_addresses WHERE address = $1 FOR NO KEY UPDATE")
        .bind(HOUSE)
        .execute(&mut *other)
        .await
        .unwrap();
    other
}

fn floor(text: &str, seen: &str) -> FloorChange {
    FloorChange {
        floor: text.to_owned(),
        seen: seen.to_owned(),
        reason: "as much as the bank lends".to_owned(),
    }
}

fn set_floor(gateway: &Gateway, change: FloorChange) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move { gateway.change_floor("EUR", change, BY).await })
}

/// Of our liquidity in euro, in ledger units.
async fn floor_of_euro(world: &World, pool: &PgPool) -> Option<String> {
    sqlx::query_scalar(
        "SELECT floor::text FROM accounts
         WHERE merchant_id = 0 AND kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("EUR").id)
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn recorded(pool: &PgPool, action: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM audit_log WHERE action = $1")
        .bind(action)
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn own(world: &World) -> i128 {
    world.account(0, "own_funds", "BTC").await
}

/// Through the committer of decisions, and not through the door of those who are alone.
#[sqlx::test(migrations = "../../migrations")]
async fn the_operator_decides_in_the_groups_of_all(pool: PgPool) {
    let world = World::new(&pool).await;
    watch(&pool).await;
    let coins = came(&world, 1).await;
    let (items, admitted) = (
        stats(&world.gateway).items,
        world.gateway.admission().admitted,
    );
    let gateway = &world.gateway;
    gateway
        .change_floor("EUR", floor("-100", "none"), BY)
        .await
        .unwrap();
    assert_eq!(stats(gateway).items, items + 1);
    book(gateway, &coins[0]).await.unwrap();
    assert_eq!(stats(gateway).items, items + 2);
    assert_eq!(gateway.admission().admitted, admitted);
    assert_eq!(
        floor_of_euro(&world, &pool).await.as_deref(),
        Some("-10000000000")
    );
    assert_eq!(own(&world).await, 100_000_000);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn whoever_books_coins_of_an_address_that_another_has_waits_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    watch(&pool).await;
    let coins = came(&world, 2).await;
    book(&world.gateway, &coins[0]).await.unwrap();
    let taken = went(&world, &coins[..1]).await;
    let other = held(&pool).await;
    let admitted = world.gateway.admission().admitted;
    let (gateway, coin) = (world.gateway.clone(), coins[1].clone());
    let comes = spawned(async move { book(&gateway, &coin).await.map(drop) });
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    let gateway = world.gateway.clone();
    // More than the house has beside what it owes merchants.
    let goes = spawned(async move {
        gateway
            .book_own_funds_out("BTC", &taken[0], true, "taken home", BY)
            .await
            .map(drop)
    });
    until(|| async { waiting_backends(&pool).await == 2 }).await;
    for _ in 0..3 {
        let charge = world.charge("10.00", "EUR").await;
        let done = cancel(&world.gateway, world.merchant, &charge).await;
        done.unwrap().unwrap();
    }
    assert!(!comes.is_finished() && !goes.is_finished());
    assert_eq!(world.gateway.admission().admitted, admitted + 2);
    other.rollback().await.unwrap();
    comes.await.unwrap().unwrap();
    goes.await.unwrap().unwrap();
    assert_eq!(own(&world).await, 100_000_000);
    world.audit().await;
}

/// The house has one bitcoin beside what it owes merchants. No row shows the first that takes it when the second is
/// judged.
#[sqlx::test(migrations = "../../migrations")]
async fn two_of_a_group_do_not_count_on_the_same_coins(pool: PgPool) {
    let world = World::new(&pool).await;
    set_limit(&pool, "0").await;
    watch(&pool).await;
    let coins = came(&world, 2).await;
    for coin in &coins {
        book(&world.gateway, coin).await.unwrap();
    }
    assert_eq!(world.account(0, "test_funding", "BTC").await, -100_000_000);
    let taken = went(&world, &coins).await;
    let (gate, before) = held_up(&world, &pool, 0).await;
    let batches = stats(&world.gateway).batches;
    let first = taking_out(&world.gateway, &taken[0]);
    waiting(&world, 1).await;
    let second = taking_out(&world.gateway, &taken[1]);
    waiting(&world, 2).await;
    gate.open().await;
    for call in before {
        call.await.unwrap().unwrap();
    }
    first.await.unwrap().unwrap();
    let refused = second.await.unwrap().unwrap_err();
    let (field, why) = blamed(&refused);
    assert_eq!(field, "txid");
    assert!(why.contains("the house has 0 BTC"), "{why}");
    assert_eq!(stats(&world.gateway).batches - batches, 4);
    assert_eq!(own(&world).await, 100_000_000);
    world.audit().await;
}

/// The second promise is more than the floor leaves that was set in the same group, and the database takes what the
/// old floor would have refused.
#[sqlx::test(migrations = "../../migrations")]
async fn a_floor_is_that_of_whoever_comes_after_it_in_its_group(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    set_limit(&pool, "0").await;
    let mut promises = Vec::new();
    for reference in ["one", "two"] {
        promises.push(NewFutures {
            merchant_id: world.merchant,
            address: world.address("BTC", Some("EUR"), reference).await,
            sender: world.currency("BTC"),
            receiver: world.currency("EUR"),
            receiver_amount: world.money("100", "EUR"),
        });
    }
    let gateway = &world.gateway;
    gateway
        .change_floor("EUR", floor("0", "none"), BY)
        .await
        .unwrap();
    let (gate, before) = held_up(&world, &pool, 0).await;
    let batches = stats(gateway).batches;
    // By turns: of the operator, of the merchant, of the operator, of the merchant.
    let mut calls = vec![set_floor(gateway, floor("-150", "0"))];
    waiting(&world, 1).await;
    calls.push(promise(gateway, promises.remove(0)));
    waiting(&world, 2).await;
    calls.push(set_floor(gateway, floor("-100", "-15000000000")));
    waiting(&world, 3).await;
    let refused = promise(gateway, promises.remove(0));
    waiting(&world, 4).await;
    gate.open().await;
    for call in before.into_iter().chain(calls) {
        call.await.unwrap().unwrap();
    }
    let refused = refused.await.unwrap().unwrap_err();
    assert_eq!(blamed(&refused).0, "receiver_amount");
    assert_eq!(stats(gateway).batches - batches, 4);
    assert_eq!(
        floor_of_euro(&world, &pool).await.as_deref(),
        Some("-10000000000")
    );
    assert_eq!(recorded(&pool, "floor.changed").await, 3);
    // Nobody is left to go below it.
    let above = gateway
        .change_floor("EUR", floor("-99", "-10000000000"), BY)
        .await
        .unwrap_err();
    assert_eq!(blamed(&above).0, "floor");
    world.audit().await;
}

/// Known by their entries.
#[sqlx::test(migrations = "../../migrations")]
async fn own_funds_whose_commit_was_not_answered_are_booked_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    watch(&pool).await;
    let coins = came(&world, 2).await;
    for (lost, coin) in (1..).zip(&coins) {
        proxy.lose_commit(1);
        let done = book(&world.gateway, coin).await.unwrap();
        assert_eq!(done.booked.as_deref(), Some("1 BTC"));
        assert_eq!(proxy.lost(), lost);
    }
    assert_eq!(own(&world).await, 200_000_000);
    assert_eq!(recorded(&pool, "own_funds.booked").await, 2);
    let taken = went(&world, &coins[..1]).await;
    proxy.lose_commit(1);
    let done = take_out(&world.gateway, &taken[0]).await.unwrap();
    assert_eq!(done.booked.as_deref(), Some("1 BTC"));
    assert_eq!(proxy.lost(), 3);
    assert_eq!(own(&world).await, 100_000_000);
    assert_eq!(recorded(&pool, "own_funds_out.booked").await, 1);
    world.audit().await;
    world.gateway.close().await;
}

/// It has neither an entry nor an event: it is known by its line in the audit log. Fails when it is done again
/// instead: it finds itself in its way, and nobody can say that it was done.
#[sqlx::test(migrations = "../../migrations")]
async fn a_floor_whose_commit_was_not_answered_is_set_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let gateway = &world.gateway;
    // Its account exists.
    gateway
        .change_floor("EUR", floor("-1", "none"), BY)
        .await
        .unwrap();
    proxy.lose_commit(1);
    gateway
        .change_floor("EUR", floor("-100", "-100000000"), BY)
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 1);
    assert_eq!(
        floor_of_euro(&world, &pool).await.as_deref(),
        Some("-10000000000")
    );
    assert_eq!(recorded(&pool, "floor.changed").await, 2);
    world.audit().await;
    world.gateway.close().await;
}

/// Somebody at another server takes it back before anybody has looked whether it was set. Fails when it is set once
/// more then: the audit log has it twice, and what the other one did is gone.
#[sqlx::test(migrations = "../../migrations")]
async fn a_floor_that_another_takes_back_is_not_set_again(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let settings = Settings::test("http://127.0.0.1:3000");
    let second = World::open(&pool, settings).await.unwrap();
    let gateway = &world.gateway;
    gateway
        .change_floor("EUR", floor("-1", "none"), BY)
        .await
        .unwrap();
    let liquidity = account(&world, domain::ledger::HOUSE, AccountKind::Liquidity, "EUR");
    let gate = Gate::on(&world, &pool, liquidity).await;
    let sets = set_floor(gateway, floor("-100", "-100000000"));
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    // Behind the first one, before whoever looks for it.
    let takes_back = set_floor(&second, floor("-1", "-10000000000"));
    until(|| async { waiting_backends(&pool).await == 2 }).await;
    proxy.lose_commit(1);
    gate.open().await;
    sets.await.unwrap().unwrap();
    takes_back.await.unwrap().unwrap();
    assert_eq!(proxy.lost(), 1);
    assert_eq!(
        floor_of_euro(&world, &pool).await.as_deref(),
        Some("-100000000")
    );
    assert_eq!(recorded(&pool, "floor.changed").await, 3);
    world.audit().await;
    world.gateway.close().await;
}
