//! A merchant of ours in front of a chain.

use std::sync::Arc;

use gateway::chain::backend::ChainBackend;
use gateway::chain::follower::{self, Progress};
use gateway::{Error, Settings};
use sqlx::PgPool;

use crate::puppet::Puppet;
use crate::simulated::SimPuppet;
use crate::support::World;

/// Passes until the node's tip is reached: more than any scenario has blocks for.
const PASSES_MAX: u32 = 20;
/// Blocks until a payment is final, on every chain here.
pub const DEPTH: u32 = 2;

pub struct Stage {
    pub world: World,
    pub puppet: Box<dyn Puppet>,
    pool: PgPool,
    settings: Settings,
}

impl Stage {
    pub async fn simulated(pool: &PgPool) -> Self {
        let settings = Settings::test("http://127.0.0.1:3000");
        let world = World::with(pool, settings.clone()).await;
        let puppet = SimPuppet::open(pool, &world).await;
        Self::new(pool, world, settings, Box::new(puppet)).await
    }

    pub async fn with(pool: &PgPool, puppet: impl Puppet + 'static) -> Self {
        let mut settings = Settings::test("http://127.0.0.1:3000");
        settings.chains = puppet.settings();
        let world = World::with(pool, settings.clone()).await;
        Self::new(pool, world, settings, Box::new(puppet)).await
    }

    async fn new(pool: &PgPool, world: World, settings: Settings, puppet: Box<dyn Puppet>) -> Self {
        set_terms(pool).await;
        Self {
            world,
            puppet,
            pool: pool.clone(),
            settings,
        }
    }

    /// Says that this chain has no such thing, so that nobody takes the scenario for played.
    pub fn left_out(&self) {
        eprintln!("left out: {} has no such thing", self.puppet.code());
    }

    pub fn backend(&self) -> Arc<dyn ChainBackend> {
        let chain = self.world.gateway.chains().get(self.puppet.code()).unwrap();
        chain.backend.clone()
    }

    /// Of the node's best block.
    pub async fn height(&self) -> i64 {
        self.backend().tip().await.unwrap().height
    }

    pub async fn try_follow(&self) -> Result<Progress, Error> {
        let coin = self.world.currency(self.puppet.code());
        follower::sync(&self.world.gateway, coin).await
    }

    /// Follows the chain to its tip. The books are in order then.
    pub async fn follow(&self) {
        for _ in 0..PASSES_MAX {
            if self.try_follow().await.unwrap().tip.is_some() {
                self.world.audit().await;
                return;
            }
        }
        panic!("the tip is not reached");
    }

    pub async fn mine(&mut self, blocks: u32) {
        self.puppet.mine(blocks).await;
        self.follow().await;
    }

    /// Sends so many units; our side has seen it.
    pub async fn pay(&mut self, address: &str, units: u32) -> String {
        let raw = self.raw(units);
        let txid = self.puppet.pay(address, raw).await;
        self.follow().await;
        txid
    }

    /// Follows the chain until what waits is seen: on some chains that takes a block.
    pub async fn until_seen(&mut self) {
        if self.puppet.shows_waiting() {
            self.follow().await;
        } else {
            self.mine(1).await;
        }
    }

    /// What the books say we hold on this chain, in ledger units: what came in is taken from it.
    pub async fn holdings(&self) -> i128 {
        -self.posted("chain_holdings").await
    }

    /// What the books say merchants have of this coin, in ledger units.
    pub async fn wallets(&self) -> i128 {
        self.posted("wallet").await
    }

    async fn posted(&self, kind: &str) -> i128 {
        let posted: String = sqlx::query_scalar(
            "SELECT coalesce(sum(a.posted), 0)::text
             FROM accounts a JOIN currencies c ON c.id = a.currency_id
             WHERE c.code = $1 AND a.kind = $2",
        )
        .bind(self.puppet.code())
        .bind(kind)
        .fetch_one(&self.pool)
        .await
        .unwrap();
        posted.parse().unwrap()
    }

    pub fn raw(&self, units: u32) -> u128 {
        self.puppet.unit() * u128::from(units)
    }

    /// A new deposit address of the merchant.
    pub async fn address(&self, name: &str) -> String {
        self.world.address(self.puppet.code(), None, name).await
    }

    /// `state disposition bookings` of each deposit at an address, oldest first.
    pub async fn deposits(&self, address: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT d.state || ' ' || d.disposition || ' ' || d.bookings FROM deposits d
             JOIN deposit_addresses a ON a.id = d.deposit_address_id
             JOIN chain_addresses k ON k.id = a.address_id
             WHERE k.address = $1 ORDER BY d.operation_id",
        )
        .bind(address)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// `status` of each operation at an address, oldest first.
    pub async fn told(&self, address: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT o.status FROM operations o
             JOIN deposits d ON d.operation_id = o.id
             JOIN deposit_addresses a ON a.id = d.deposit_address_id
             JOIN chain_addresses k ON k.id = a.address_id
             WHERE k.address = $1 ORDER BY o.id",
        )
        .bind(address)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Address and number of each output of a transaction to us.
    pub async fn outputs(&self, txid: &str) -> Vec<(String, i32)> {
        sqlx::query_as(
            "SELECT k.address, o.vout FROM chain_outputs o
             JOIN chain_addresses k ON k.id = o.address_id
             WHERE o.chain = $1 AND o.txid = $2 ORDER BY o.vout",
        )
        .bind(self.puppet.code())
        .bind(txid)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// `status` of a transaction in the chain tables, with the one that replaced it.
    pub async fn fate(&self, txid: &str) -> (String, Option<String>) {
        sqlx::query_as("SELECT status, replaced_by FROM chain_txs WHERE chain = $1 AND txid = $2")
            .bind(self.puppet.code())
            .bind(txid)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Payments of ours that wait, or those in so many of the last blocks.
    pub async fn txids(&self, blocks: Option<u32>) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT t.txid FROM chain_txs t
             WHERE t.chain = $1
               AND CASE WHEN $2::int IS NULL THEN t.status = 'mempool'
                   ELSE t.status = 'confirmed' AND t.height > $2 * -1 + (
                       SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active) END
             ORDER BY t.txid",
        )
        .bind(self.puppet.code())
        .bind(blocks.map(|blocks| i32::try_from(blocks).unwrap()))
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Another process: it remembers nothing of the chain.
    pub async fn restart_server(&mut self) {
        self.world = World::with(&self.pool, self.settings.clone()).await;
    }

    /// Another process, whose settings name the node that the puppet has now.
    pub async fn reconnect(&mut self) {
        self.settings.chains = self.puppet.settings();
        self.restart_server().await;
    }

    /// Another server in front of the same chain, with another database.
    pub async fn another_world(&self, pool: &PgPool) -> World {
        let world = World::with(pool, self.settings.clone()).await;
        set_terms(pool).await;
        world
    }

    /// Forgets all the chain ever told, reads it again from the birthday, and finds the same.
    pub async fn compare_with_a_rescan(&mut self) {
        self.follow().await;
        let before = self.state().await;
        for table in ["chain_spends", "chain_outputs", "chain_txs", "chain_blocks"] {
            let forget = format!("DELETE FROM {table} WHERE chain = $1");
            sqlx::query(sqlx::AssertSqlSafe(forget))
                .bind(self.puppet.code())
                .execute(&self.pool)
                .await
                .unwrap();
        }
        self.restart_server().await;
        self.follow().await;
        assert_eq!(self.state().await, before);
    }

    /// What is in the chain or waits for it, and what follows from it.
    pub async fn state(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for query in [
            "SELECT format('tx %s %s %s', txid, height, block_hash) FROM chain_txs
             WHERE chain = $1 AND status IN ('mempool', 'confirmed') ORDER BY txid",
            "SELECT format('output %s %s %s %s', o.txid, o.vout, o.address_id, o.raw)
             FROM chain_outputs o JOIN chain_txs t USING (chain, txid)
             WHERE o.chain = $1 AND t.status IN ('mempool', 'confirmed') ORDER BY o.txid, o.vout",
            "SELECT format('spend %s %s %s', s.txid, s.prev_txid, s.prev_vout)
             FROM chain_spends s JOIN chain_txs t USING (chain, txid)
             WHERE s.chain = $1 AND t.status IN ('mempool', 'confirmed')
             ORDER BY s.txid, s.prev_txid, s.prev_vout",
            "SELECT format('deposit %s %s %s %s %s', d.operation_id, d.amount, d.state,
                 d.disposition, d.bookings)
             FROM deposits d JOIN currencies c ON c.id = d.coin_id
             WHERE c.code = $1 ORDER BY d.operation_id",
            "SELECT format('receipt %s %s %s %s', r.id, r.amount, r.state, r.bookings)
             FROM receipts r JOIN currencies c ON c.id = r.coin_id WHERE c.code = $1 ORDER BY r.id",
            "SELECT format('account %s %s', a.id, a.posted)
             FROM accounts a JOIN currencies c ON c.id = a.currency_id
             WHERE c.code = $1 ORDER BY a.id",
        ] {
            let found: Vec<String> = sqlx::query_scalar(query)
                .bind(self.puppet.code())
                .fetch_all(&self.pool)
                .await
                .unwrap();
            lines.extend(found);
        }
        lines
    }
}

async fn set_terms(pool: &PgPool) {
    sqlx::query("UPDATE currency_terms SET confirmations = $1, confirmations_large = $1")
        .bind(i32::try_from(DEPTH).unwrap())
        .execute(pool)
        .await
        .unwrap();
}
