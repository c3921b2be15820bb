//! A server that starts today with the same keys: what it finds on the chain is what the first one has in
//! its books, however much the first one has seen come and go.
//!
//! Its database is its own and new. It gets the seed, the addresses in their order and the birthday;
//! on the simulated chain, whose network is in the database, also that.

use gateway::chain::follower;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{DEPTH, Stage};
use crate::support::World;

/// Longer than any chain lets a waiting transaction be missing.
const HOURS: i64 = 4 * 3_600;
const CONNECTIONS: u32 = 12;
/// Passes until the node's tip is reached.
const PASSES_MAX: u32 = 20;

/// What both have to agree on, without a number that a database drew itself. A deposit that is lost for
/// good is known to the first one alone.
const AGREED: [&str; 6] = [
    "SELECT format('block %s %s', height, hash) FROM chain_blocks
     WHERE chain = $1 AND active ORDER BY height",
    "SELECT format('tx %s %s %s %s', txid, status, height, block_hash) FROM chain_txs
     WHERE chain = $1 AND status IN ('mempool', 'confirmed') ORDER BY txid",
    "SELECT format('output %s %s %s %s', o.txid, o.vout, k.address, o.raw)
     FROM chain_outputs o
     JOIN chain_txs t USING (chain, txid) JOIN chain_addresses k ON k.id = o.address_id
     WHERE o.chain = $1 AND t.status IN ('mempool', 'confirmed') ORDER BY o.txid, o.vout",
    "SELECT format('spend %s %s %s', s.txid, s.prev_txid, s.prev_vout)
     FROM chain_spends s JOIN chain_txs t USING (chain, txid)
     WHERE s.chain = $1 AND t.status IN ('mempool', 'confirmed')
     ORDER BY s.txid, s.prev_txid, s.prev_vout",
    "SELECT format('deposit %s %s %s %s %s %s', k.address, d.txid, d.vout, d.amount, d.state,
         d.disposition)
     FROM deposits d JOIN currencies c ON c.id = d.coin_id
     JOIN deposit_addresses a ON a.id = d.deposit_address_id
     JOIN chain_addresses k ON k.id = a.address_id
     WHERE c.code = $1 AND d.state IN ('seen', 'final') ORDER BY k.address, d.txid, d.vout",
    // Of every currency: one that nobody used has no account, or nothing on it.
    "SELECT format('holdings %s %s %s', c.code, a.kind, a.posted)
     FROM accounts a JOIN currencies c ON c.id = a.currency_id
     WHERE a.kind IN ('chain_holdings', 'liquidity', 'bank_holdings') AND a.posted <> 0
       AND $1 <> '' ORDER BY c.code, a.kind",
];

/// What merchants have, less what was credited and then lost: the first server has it in suspense, with
/// the other sign, until a person has looked.
const WALLETS: &str = "SELECT (
        (SELECT coalesce(sum(a.posted), 0) FROM accounts a
         JOIN currencies c ON c.id = a.currency_id WHERE c.code = $1 AND a.kind = 'wallet')
        - (SELECT coalesce(sum(o.received_net), 0) FROM deposits d
           JOIN operations o ON o.id = d.operation_id JOIN currencies c ON c.id = d.coin_id
           WHERE c.code = $1 AND d.state = 'reversed' AND d.disposition = 'credited')
    )::text";

/// Compares the stage with such a server. Only its deposit addresses may have been paid.
pub async fn compare(stage: &mut Stage, waiting_at: &str) {
    // What is deep enough for the one has to be so for the other, and what is gone has to be gone.
    stage.mine(DEPTH).await;
    stage.world.gateway.advance(HOURS).await.unwrap();
    stage.follow().await;
    let raw = stage.raw(1);
    stage.puppet.pay(waiting_at, raw).await;
    stage.follow().await;

    let pool = stage.world.gateway.pool().clone();
    let (name, second) = database(&pool).await;
    for table in ["instance", "sim.chains", "sim.blocks", "sim.txs"] {
        copy(&pool, &second, table).await;
    }
    let world = stage.another_world(&second).await;
    let code = stage.puppet.code();
    let birthday: i64 = sqlx::query_scalar("SELECT birthday FROM chain_accounts WHERE chain = $1")
        .bind(code)
        .fetch_one(&pool)
        .await
        .unwrap();
    sqlx::query("UPDATE chain_accounts SET birthday = $2 WHERE chain = $1")
        .bind(code)
        .bind(birthday)
        .execute(&second)
        .await
        .unwrap();
    take_the_same_addresses(&pool, &world, code).await;
    follow(&world, code).await;
    assert_eq!(agreed(&second, code).await, agreed(&pool, code).await);
    assert_eq!(wallets(&second, code).await, wallets(&pool, code).await);
    world.audit().await;

    drop(world);
    second.close().await;
    let drop_it = format!("DROP DATABASE {name} WITH (FORCE)");
    sqlx::query(AssertSqlSafe(drop_it))
        .execute(&pool)
        .await
        .unwrap();
}

/// Makes a database beside this one. One that a failed run left is made anew.
async fn database(pool: &PgPool) -> (String, PgPool) {
    let name: String = sqlx::query_scalar("SELECT 'second_' || md5(current_database())")
        .fetch_one(pool)
        .await
        .unwrap();
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        sqlx::query(AssertSqlSafe(format!("{statement} {name}")))
            .execute(pool)
            .await
            .unwrap();
    }
    let options = pool.connect_options().as_ref().clone().database(&name);
    let second = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await
        .unwrap();
    sqlx::migrate!("../../migrations")
        .run(&second)
        .await
        .unwrap();
    (name, second)
}

async fn copy(from: &PgPool, to: &PgPool, table: &str) {
    let read = format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text FROM {table} t");
    let rows: String = sqlx::query_scalar(AssertSqlSafe(read))
        .fetch_one(from)
        .await
        .unwrap();
    let write = format!(
        "INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
    );
    sqlx::query(AssertSqlSafe(write))
        .bind(rows)
        .execute(to)
        .await
        .unwrap();
}

async fn take_the_same_addresses(pool: &PgPool, world: &World, code: &str) {
    let taken: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT k.idx, a.foreign_id, k.address FROM chain_addresses k
         JOIN deposit_addresses a ON a.address_id = k.id
         WHERE k.chain = $1 ORDER BY k.idx",
    )
    .bind(code)
    .fetch_all(pool)
    .await
    .unwrap();
    for (index, foreign_id, address) in taken {
        assert_eq!(
            world.address(code, None, &foreign_id).await,
            address,
            "{index}"
        );
    }
}

async fn follow(world: &World, code: &str) {
    let coin = world.currency(code);
    for _ in 0..PASSES_MAX {
        let progress = follower::sync(&world.gateway, coin).await.unwrap();
        if progress.tip.is_some() {
            return;
        }
    }
    panic!("the tip is not reached");
}

async fn agreed(pool: &PgPool, code: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for query in AGREED {
        let found: Vec<String> = sqlx::query_scalar(query)
            .bind(code)
            .fetch_all(pool)
            .await
            .unwrap();
        lines.extend(found);
    }
    lines
}

async fn wallets(pool: &PgPool, code: &str) -> String {
    sqlx::query_scalar(WALLETS)
        .bind(code)
        .fetch_one(pool)
        .await
        .unwrap()
}
