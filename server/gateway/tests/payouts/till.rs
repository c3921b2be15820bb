//! A gateway on the network in memory, with coins, and the steps of the stories.

use std::sync::Arc;

use bitcoin::{Psbt, Transaction, Txid, consensus};
use gateway::Settings;
use gateway::chain::address::params;
use gateway::chain::{ChainSettings, GivenNode, follower};
use gateway::payouts::{PayoutSettings, Rules, SignerSetting};
use gateway::withdrawals::ReplacedOutcome;
use signing::key::SigningKey;
use signing::policy::Policy;
use signing::spent::Spent;
use signing::{Account, FeeCaps, ScriptKind};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::net::Net;
use crate::support::World;
pub use crate::support::seed::seed;

/// Satoshi of a whole coin.
pub const COIN: u64 = 100_000_000;

/// A policy that lets everything a test pays leave.
pub const GENEROUS: &str = r#"{"chain": "bitcoin", "payment_max_sat": 1000000000,
    "daily_max_sat": 10000000000, "fee_max_sat": 1000000, "fee_max_ppm": 500000}"#;

const BY: &str = "admin@demo.example";

pub struct Till {
    pub world: World,
    pub net: Arc<Net>,
    pub pool: PgPool,
}

/// One transaction of a payout as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    pub id: i64,
    pub payout_id: i64,
    pub state: String,
    pub txid: String,
    pub raw: Option<Vec<u8>>,
    pub fee: i64,
    pub last_error: Option<String>,
}

pub fn rules() -> Rules {
    Rules {
        caps: FeeCaps {
            absolute: 1_000_000,
            relative_ppm: 500_000,
        },
        ..Rules::default()
    }
}

impl Till {
    /// Signs by itself, has one coin of each of `coins` satoshi.
    pub async fn new(pool: &PgPool, coins: &[u64]) -> Self {
        Self::with(pool, SignerSetting::InProcess, rules(), coins).await
    }

    pub async fn with(pool: &PgPool, signer: SignerSetting, rules: Rules, coins: &[u64]) -> Self {
        let net = Arc::new(Net::new());
        let till = Self::on(pool, net, signer, rules).await;
        till.fill(coins).await;
        till
    }

    async fn fill(&self, coins: &[u64]) {
        for (number, satoshi) in coins.iter().enumerate() {
            self.fund(&format!("coin {number}"), *satoshi).await;
        }
        // Deposits of some worth need more than one.
        self.mine(3).await;
    }

    /// With addresses of an account of a wallet elsewhere.
    pub async fn of(
        pool: &PgPool,
        signer: SignerSetting,
        account: &Account,
        coins: &[u64],
    ) -> Self {
        let net = Arc::new(Net::new());
        let till = Self::open(pool, net, signer, rules(), Some(account)).await;
        till.fill(coins).await;
        till
    }

    /// On a network that exists: what a process finds that starts again.
    pub async fn on(pool: &PgPool, net: Arc<Net>, signer: SignerSetting, rules: Rules) -> Self {
        Self::open(pool, net, signer, rules, None).await
    }

    async fn open(
        pool: &PgPool,
        net: Arc<Net>,
        signer: SignerSetting,
        rules: Rules,
        account: Option<&Account>,
    ) -> Self {
        let node = GivenNode {
            backend: net.clone(),
            coins: net.clone(),
        };
        let payouts = PayoutSettings { signer, rules };
        let mut chains = ChainSettings::default().with_given(params("BTC").unwrap(), node, payouts);
        if let Some(account) = account {
            chains = chains.with_account("BTC", account);
        }
        let settings = Settings {
            chains,
            ..Settings::test("http://127.0.0.1:3000")
        };
        Self {
            world: World::with(pool, settings).await,
            net,
            pool: pool.clone(),
        }
    }

    /// A deposit of the merchant that waits for its block.
    pub async fn fund(&self, reference: &str, satoshi: u64) -> Txid {
        let address = self.world.address("BTC", None, reference).await;
        self.net.fund(&address, satoshi)
    }

    pub async fn sync(&self) {
        let coin = self.world.currency("BTC");
        follower::sync(&self.world.gateway, coin).await.unwrap();
    }

    pub async fn mine(&self, blocks: u32) {
        self.net.mine(blocks);
        self.sync().await;
    }

    /// Lets the workers do what is due by now.
    pub async fn work(&self) {
        self.world.gateway.advance(0).await.unwrap();
    }

    /// The same an hour later: whatever waited to be tried again is due.
    pub async fn work_later(&self) {
        self.world.gateway.advance(3_600).await.unwrap();
    }

    /// Asks for a withdrawal to `address`; answers its number.
    pub async fn ask(&self, amount: &str, reference: &str, address: &str) -> i64 {
        let new = gateway::withdrawals::NewWithdrawal {
            address: address.to_owned(),
            ..self.world.withdrawal(amount, "BTC", reference)
        };
        self.world.withdraw(new).await.unwrap().id
    }

    pub async fn txs(&self) -> Vec<Stored> {
        sqlx::query_as(
            "SELECT id, payout_id, state, txid, raw, fee, last_error FROM payout_txs ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    pub async fn states(&self) -> Vec<String> {
        self.txs().await.into_iter().map(|tx| tx.state).collect()
    }

    /// States of the withdrawals, in the order they were asked for.
    pub async fn withdrawals(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM withdrawals ORDER BY operation_id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// How many coins are kept for payouts.
    pub async fn locked(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM payout_coins")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// An operator ends a withdrawal that paid nobody.
    pub async fn call_off(&self, id: i64) -> Result<(), gateway::Error> {
        self.world
            .gateway
            .end_replaced(id, ReplacedOutcome::NotPaid, "looked at the chain", BY)
            .await
    }

    pub async fn mails(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT subject FROM mails ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Satoshi that the house has paid to miners.
    pub async fn miners(&self) -> i128 {
        -self.world.account(0, "network_fees", "BTC").await
    }

    /// Satoshi of ours on the chain that nothing has spent: what the books must say, too.
    pub async fn on_chain(&self) -> i128 {
        let sum: rust_decimal::Decimal = sqlx::query_scalar(
            "SELECT coalesce(sum(o.raw), 0) FROM chain_outputs o
             JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid AND t.status = 'confirmed'
             WHERE o.chain = 'BTC' AND NOT EXISTS (
                 SELECT FROM chain_spends s JOIN chain_txs b ON b.chain = s.chain AND b.txid = s.txid
                 WHERE s.chain = o.chain AND s.prev_txid = o.txid AND s.prev_vout = o.vout
                   AND b.status = 'confirmed')",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        gateway::ledger::units(sum)
    }

    /// The books are right, whatever is on its way.
    pub async fn audit_books(&self) {
        self.world.audit().await;
    }

    /// The books are right, and hold exactly the coins that are on the chain.
    pub async fn audit(&self) {
        self.world.audit().await;
        let holdings = -self.world.account(0, "chain_holdings", "BTC").await;
        assert_eq!(holdings, self.on_chain().await);
    }

    /// The key of the instance's own account, which live instances do not have.
    pub async fn key(&self) -> SigningKey {
        SigningKey::parse(
            &self.seed().await,
            signing::chain("bitcoin").unwrap(),
            ScriptKind::P2wpkh,
            0,
        )
        .unwrap()
    }

    /// Seed of the accounts, in hexadecimal.
    pub async fn seed(&self) -> String {
        seed(&self.pool).await
    }

    /// What a person with the key makes of a downloaded file.
    pub async fn sign(&self, file: &[u8]) -> Vec<u8> {
        let psbt = Psbt::deserialize(file).unwrap();
        let policy = Policy::parse(GENEROUS).unwrap();
        let now = OffsetDateTime::now_utc();
        let signed =
            signing::signer::sign(psbt, &self.key().await, &policy, &Spent::default(), now);
        signed.unwrap().psbt.serialize()
    }

    /// Puts the process back to just before a step: leases are over, everything is due.
    pub async fn crash(&self) {
        for table in ["withdrawals", "payout_txs"] {
            let query = format!(
                "UPDATE {table} SET locked_until = NULL,
                     next_attempt_at = CASE WHEN next_attempt_at IS NULL THEN NULL
                                            ELSE now() - interval '1 day' END"
            );
            sqlx::query(sqlx::AssertSqlSafe(query))
                .execute(&self.pool)
                .await
                .unwrap();
        }
    }
}

pub fn read(raw: &[u8]) -> Transaction {
    consensus::deserialize(raw).unwrap()
}
