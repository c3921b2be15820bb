//! The simulated chain as a puppet: its controls, and its tables where it has no control.

use async_trait::async_trait;
use gateway::chain::ChainSettings;
use gateway::chain::address::params;
use gateway::chain::backend::{ChainBackend, OutPoint};
use gateway::chain::simulated::SimChain;
use serde_json::json;
use sqlx::PgPool;
use sqlx::types::Json;

use crate::puppet::Puppet;
use crate::support::World;

const CODE: &str = "BTC";
/// 0.01 BTC.
const UNIT: u128 = 1_000_000;
/// Blocks that are there before anything happens.
const FIRST_BLOCKS: u32 = 3;

pub struct SimPuppet {
    chain: SimChain,
    pool: PgPool,
    /// Makes ids of transactions that the controls cannot make.
    made: u32,
}

impl SimPuppet {
    /// Another hand on the chain that the gateway opened.
    pub async fn open(pool: &PgPool, world: &World) -> Self {
        let secret = world
            .gateway
            .instance()
            .derive(&format!("simulated chain {CODE}"));
        let chain = SimChain::open(pool.clone(), params(CODE).unwrap(), secret)
            .await
            .unwrap();
        chain.mine(FIRST_BLOCKS).await.unwrap();
        Self {
            chain,
            pool: pool.clone(),
            made: 0,
        }
    }

    async fn inputs(&self, txid: &str) -> Vec<OutPoint> {
        let (Json(inputs),): (Json<Vec<OutPoint>>,) =
            sqlx::query_as("SELECT inputs FROM sim.txs WHERE chain = $1 AND txid = $2")
                .bind(CODE)
                .bind(txid)
                .fetch_one(&self.pool)
                .await
                .unwrap();
        inputs
    }

    async fn paid(&self, txid: &str) -> (String, String) {
        sqlx::query_as(
            "SELECT outputs->0->>'address', outputs->0->>'raw' FROM sim.txs
             WHERE chain = $1 AND txid = $2",
        )
        .bind(CODE)
        .bind(txid)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    async fn broadcast(&self, txid: &str, inputs: &[OutPoint], address: &str, raw: &str) {
        let bytes = json!({ "txid": txid, "inputs": inputs, "address": address, "raw": raw });
        self.chain
            .broadcast(bytes.to_string().as_bytes())
            .await
            .unwrap();
    }

    fn make_id(&mut self) -> String {
        self.made += 1;
        format!("{:064x}", self.made)
    }

    /// Whether the blocks above `height` are part of the chain.
    async fn show_above(&self, height: i64, shown: &[String]) {
        sqlx::query(
            "UPDATE sim.blocks SET active = hash = ANY($3) WHERE chain = $1 AND height > $2",
        )
        .bind(CODE)
        .bind(height)
        .bind(shown)
        .execute(&self.pool)
        .await
        .unwrap();
    }
}

/// The blocks hidden by [`Puppet::fall_behind`] are the newest of their height.
async fn newest_above(pool: &PgPool, height: i64) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT hash FROM chain_blocks WHERE chain = $1 AND active AND height > $2 ORDER BY height",
    )
    .bind(CODE)
    .bind(height)
    .fetch_all(pool)
    .await
    .unwrap()
}

#[async_trait]
impl Puppet for SimPuppet {
    fn code(&self) -> &'static str {
        CODE
    }

    fn unit(&self) -> u128 {
        UNIT
    }

    fn forgets_freely(&self) -> bool {
        true
    }

    fn settings(&self) -> ChainSettings {
        ChainSettings::default()
    }

    async fn pay(&mut self, address: &str, raw: u128) -> String {
        self.chain.pay(address, raw).await.unwrap()
    }

    async fn mine(&mut self, blocks: u32) {
        self.chain.mine(blocks).await.unwrap();
    }

    async fn replace(&mut self, txid: &str, address: Option<&str>, raw: u128) -> String {
        self.chain.replace(txid, address, Some(raw)).await.unwrap()
    }

    async fn mine_double_spend(&mut self, txid: &str) {
        self.chain.replace(txid, None, None).await.unwrap();
        self.mine(1).await;
    }

    async fn reorg(&mut self, depth: u32) {
        self.chain.reorg(depth, &[]).await.unwrap();
    }

    async fn reorg_without(&mut self, depth: u32, txid: &str) {
        self.chain.reorg(depth, &[txid.to_owned()]).await.unwrap();
    }

    async fn reorg_against(&mut self, depth: u32, txid: &str) {
        let inputs = self.inputs(txid).await;
        self.reorg_without(depth, txid).await;
        let rival = self.make_id();
        self.broadcast(&rival, &inputs, "elsewhere", "1").await;
        self.mine(1).await;
    }

    async fn bring_back(&mut self, txid: &str) {
        let inputs = self.inputs(txid).await;
        let (address, raw) = self.paid(txid).await;
        self.broadcast(txid, &inputs, &address, &raw).await;
        self.mine(1).await;
    }

    async fn forget(&mut self, txid: &str) {
        self.chain.drop_tx(txid).await.unwrap();
    }

    async fn pay_nothing(&mut self, address: &str) {
        self.pay(address, 0).await;
        self.mine(1).await;
    }

    async fn pay_both(&mut self, one: &str, other: &str, raw: u128) -> Option<String> {
        let txid = self.pay(one, raw).await;
        sqlx::query(
            "UPDATE sim.txs SET outputs = outputs || jsonb_build_array(
                 outputs->0 || jsonb_build_object('vout', 1, 'address', $3::text))
             WHERE chain = $1 AND txid = $2",
        )
        .bind(CODE)
        .bind(&txid)
        .bind(other)
        .execute(&self.pool)
        .await
        .unwrap();
        Some(txid)
    }

    /// Nothing on this chain depends on another transaction.
    async fn pay_child(&mut self, _address: &str, _raw: u128) -> Option<(String, String)> {
        None
    }

    async fn fall_behind(&mut self, blocks: u32) -> bool {
        let tip = self.chain.tip().await.unwrap();
        self.show_above(tip.height - i64::from(blocks), &[]).await;
        true
    }

    async fn catch_up(&mut self) {
        let tip = self.chain.tip().await.unwrap();
        let hidden = newest_above(&self.pool, tip.height).await;
        self.show_above(tip.height, &hidden).await;
    }
}
