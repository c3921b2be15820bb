//! A node with coins, a shop, and what the database says.

use gateway::chain::backend::OutPoint;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::gate::Gate;
use crate::node::{Kind, Node};
use crate::program::{Program, Server};
use crate::purse::{Draft, Purse, elsewhere, send};
use crate::receiver::Receiver;
use crate::shop::{Sale, Shop};
use crate::until;

/// Blocks until a payment is final.
pub const DEPTH: u32 = 2;
pub const FEE: u128 = 10_000;

pub struct Stage {
    pub pool: PgPool,
    pub node: Node,
    pub purse: Purse,
    pub receiver: Receiver,
    pub shop: Shop,
    pub program: Program,
}

impl Stage {
    /// With so many coins to pay with; `None` when no node of Bitcoin is required.
    pub async fn open(pool: &PgPool, coins: u32) -> Option<Self> {
        let node = Node::start(Kind::Bitcoin).await?;
        let url = node.url();
        Some(Self::with(pool, node, url, coins).await)
    }

    /// The same with something between the server and the node.
    pub async fn open_gated(pool: &PgPool, coins: u32) -> Option<(Self, Gate)> {
        let node = Node::start(Kind::Bitcoin).await?;
        let gate = Gate::before(node.url()).await;
        let url = gate.url.clone();
        Some((Self::with(pool, node, url, coins).await, gate))
    }

    async fn with(pool: &PgPool, node: Node, url: String, coins: u32) -> Self {
        let purse = Purse::filled(&node, coins).await;
        let receiver = Receiver::start().await;
        let cookie = node.cookie_path().display().to_string();
        let settings = vec![
            ("EXCHEQUER_CHAIN_BTC", "bitcoin-core".to_owned()),
            ("EXCHEQUER_CHAIN_BTC_URL", url),
            ("EXCHEQUER_CHAIN_BTC_COOKIE", cookie),
            ("EXCHEQUER_CHAIN_BTC_NETWORK", "regtest".to_owned()),
            ("EXCHEQUER_PAYOUT_BTC_SIGNER", "in-process".to_owned()),
            ("EXCHEQUER_PAYOUT_BTC_RATE_FALLBACK", "20000".to_owned()),
        ];
        let program = Program::new(pool, settings);
        let set: Value = serde_json::from_str(&program.run(&["demo", "--json"]).await).unwrap();
        let depth = i32::try_from(DEPTH).unwrap();
        sqlx::query("UPDATE currency_terms SET confirmations = $1, confirmations_large = $1")
            .bind(depth)
            .execute(pool)
            .await
            .unwrap();
        Self {
            pool: pool.clone(),
            shop: Shop::new(&set, receiver.url.clone()),
            node,
            purse,
            receiver,
            program,
        }
    }

    /// A server that has read all there is, with the price of a coin.
    pub async fn serve(&self) -> Server {
        let server = self.program.serve().await;
        let rate = json!({ "from": "BTC", "to": "EUR", "rate": "50000" });
        self.shop.sandbox(&server, "rates", rate).await;
        self.follow().await;
        server
    }

    /// Waits until the server's last block is the node's.
    pub async fn follow(&self) {
        let best: String = self.node.call("getbestblockhash", json!([])).await;
        until("the server has the node's best block", || async {
            let ours = self
                .texts(
                    "SELECT hash FROM chain_blocks WHERE chain = 'BTC' AND active
                     ORDER BY height DESC LIMIT 1",
                )
                .await;
            ours == [best.as_str()]
        })
        .await;
    }

    /// Hashes of the new blocks, oldest first; the server has read them.
    pub async fn mine(&self, blocks: u32) -> Vec<String> {
        let hashes = self.node.mine(blocks, &elsewhere(self.node.kind)).await;
        self.follow().await;
        hashes
    }

    /// Pays an order in full; answers the coin that was spent, too.
    pub async fn pay(&self, sale: &Sale) -> (OutPoint, Draft) {
        let coin = self.purse.coin();
        let draft = self
            .purse
            .draft(&self.node, &coin, &sale.address, sale.satoshi, FEE)
            .await;
        send(&self.node, &draft).await;
        (coin, draft)
    }

    /// Status and flags of a charge.
    pub async fn charge(&self, sale: &Sale) -> String {
        sqlx::query_scalar(
            "SELECT array_to_string(status || flags, ' ') FROM charges WHERE public_id = $1",
        )
        .bind(&sale.id)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    pub async fn until_charge(&self, sale: &Sale, expected: &str) {
        let what = format!("{} is {expected}", sale.id);
        until(&what, || async { self.charge(sale).await == expected }).await;
    }

    pub async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Journal entries of one kind.
    pub async fn entries(&self, kind: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM journal_entries WHERE kind = $1")
            .bind(kind)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// What is on every account that has something.
    pub async fn accounts(&self) -> Vec<String> {
        self.texts(
            "SELECT format('account %s %s', id, posted) FROM accounts WHERE posted <> 0 ORDER BY id",
        )
        .await
    }

    /// How far each webhook of the shop is, oldest first.
    pub async fn deliveries(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM deliveries WHERE url = $1 ORDER BY id")
            .bind(&self.receiver.url)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// What a process had taken when it was killed is free for the next one. By themselves leases end after one
    /// or two minutes.
    pub async fn end_leases(&self) {
        sqlx::query("DELETE FROM delivery_claims")
            .execute(&self.pool)
            .await
            .unwrap();
        for table in ["withdrawals", "payout_txs"] {
            let query = format!("UPDATE {table} SET locked_until = NULL");
            sqlx::query(AssertSqlSafe(query))
                .execute(&self.pool)
                .await
                .unwrap();
        }
    }

    pub async fn mempool(&self) -> Vec<String> {
        self.node.call("getrawmempool", json!([])).await
    }

    pub async fn audit(&self) {
        self.program.run(&["audit"]).await;
    }
}
