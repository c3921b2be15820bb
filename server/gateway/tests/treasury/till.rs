//! A gateway on the network in memory, with a rich merchant, and the steps of the stories.

use domain::view::reconciliation::Between;
use gateway::Settings;
use gateway::chain::{ChainSettings, follower};
use signing::ScriptKind;
use signing::evm::{Account, KEYS};
use signing::key::SigningKey;
use sqlx::PgPool;

use crate::net::{CHAIN_ID, ETHER, Net, contract};
use crate::support::World;
use crate::support::seed::seed;

/// More blocks than any deposit or withdrawal waits for, and fewer than a pass of the follower reads.
pub const DEEP: u32 = 20;

pub struct Till {
    pub world: World,
    pub net: Net,
    pub pool: PgPool,
    /// The account that pays.
    pub payer: String,
    signer: String,
    sweeps: &'static str,
}

/// One transaction as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    pub nonce: i64,
    pub state: String,
    pub txid: Option<String>,
    pub raw: Option<Vec<u8>>,
    pub succeeded: Option<bool>,
    pub last_error: Option<String>,
}

pub fn settings(port: u16, signer: &str, more: &[(&str, &str)]) -> Settings {
    let url = format!("http://127.0.0.1:{port}");
    let find = |variable: &str| {
        let given = more.iter().find(|(name, _)| *name == variable);
        if let Some((_, value)) = given {
            return Some((*value).to_owned());
        }
        match variable {
            "EXCHEQUER_CHAIN_ETH" => Some("evm".to_owned()),
            "EXCHEQUER_CHAIN_ETH_URL" => Some(url.clone()),
            "EXCHEQUER_CHAIN_ETH_NETWORK" => Some(CHAIN_ID.to_string()),
            "EXCHEQUER_CHAIN_ETH_BIRTHDAY" => Some("0".to_owned()),
            "EXCHEQUER_PAYOUT_ETH_SIGNER" => Some(signer.to_owned()),
            _ => None,
        }
    };
    Settings {
        chains: ChainSettings::read(find, true).unwrap(),
        ..Settings::test("http://127.0.0.1:3000")
    }
}

/// More than one, so that blocks can be undone before anything is settled.
pub async fn confirmations(pool: &PgPool) {
    sqlx::query(
        "UPDATE currency_terms SET confirmations = 6, confirmations_large = 8
         WHERE currency_id IN (SELECT id FROM currencies WHERE code IN ('ETH', 'USDT'))",
    )
    .execute(pool)
    .await
    .unwrap();
}

impl Till {
    /// Signs by itself; the merchant has 50 ether and 5 000 USDT, the account that pays 20 and 1 000.
    pub async fn new(pool: &PgPool) -> Self {
        Self::with(pool, "in-process").await
    }

    pub async fn with(pool: &PgPool, signer: &str) -> Self {
        let till = Self::empty(pool, signer).await;
        till.net.pay(&till.payer, 20 * ETHER);
        till.net.pay_token(&till.payer, 1_000_000_000);
        till.mine(1).await;
        till
    }

    /// The same with nothing to pay with.
    pub async fn empty(pool: &PgPool, signer: &str) -> Self {
        Self::filled(Self::on(pool, Net::start().await, signer).await).await
    }

    /// The merchant's deposits come, and are final.
    pub async fn filled(till: Self) -> Self {
        let ether = till.world.address("ETH", None, "rich").await;
        till.net.pay(&ether, 50 * ETHER);
        let token = till.world.address("USDT", None, "rich").await;
        till.net.pay_token(&token, 5_000_000_000);
        till.mine(DEEP).await;
        till
    }

    /// On a network that exists: what a process finds that starts again.
    pub async fn on(pool: &PgPool, net: Net, signer: &str) -> Self {
        Self::sweeping(pool, net, signer, "0").await
    }

    /// Deposits that are worth `sweeps` times their gas are moved to the account that pays.
    pub async fn sweeping(pool: &PgPool, net: Net, signer: &str, sweeps: &'static str) -> Self {
        let contract = contract();
        let more = [
            ("EXCHEQUER_CHAIN_ETH_TOKEN_USDT", contract.as_str()),
            ("EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE", sweeps),
        ];
        let world = World::with(pool, settings(net.port, signer, &more)).await;
        let payer: String = sqlx::query_scalar(
            "SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 1",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        net.listen_to(&payer);
        confirmations(pool).await;
        Self {
            world,
            net,
            pool: pool.clone(),
            payer,
            signer: signer.to_owned(),
            sweeps,
        }
    }

    /// Another process on the same database and network, whose leases are over.
    pub async fn restarted(self) -> Self {
        self.due().await;
        Self::sweeping(&self.pool, self.net, &self.signer, self.sweeps).await
    }

    /// Everything that waits is due now.
    pub async fn due(&self) {
        for table in ["withdrawals", "treasury_txs"] {
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

    pub async fn sync(&self) {
        for code in ["ETH", "USDT"] {
            let coin = self.world.currency(code);
            follower::sync(&self.world.gateway, coin).await.unwrap();
        }
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
    pub async fn ask(&self, amount: &str, code: &str, reference: &str, address: &str) -> i64 {
        let new = gateway::withdrawals::NewWithdrawal {
            address: address.to_owned(),
            ..self.world.withdrawal(amount, code, reference)
        };
        self.world.withdraw(new).await.unwrap().id
    }

    pub async fn txs(&self) -> Vec<Stored> {
        sqlx::query_as(
            "SELECT p.nonce, x.state, x.txid, x.raw, x.succeeded, x.last_error FROM treasury_txs x
             JOIN treasury_payments p ON p.id = x.payment_id ORDER BY x.id",
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
        self.texts("SELECT state FROM withdrawals ORDER BY operation_id")
            .await
    }

    pub async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// What merchants read of operations that wait for a person.
    pub async fn errors(&self) -> Vec<String> {
        self.texts("SELECT error FROM operations WHERE needs_attention ORDER BY id")
            .await
    }

    pub async fn mails(&self) -> Vec<String> {
        self.texts("SELECT subject FROM mails ORDER BY id").await
    }

    /// Wei the house has paid for gas.
    pub async fn gas(&self) -> i128 {
        -self.world.account(0, "network_fees", "ETH").await
    }

    /// The books are right, and the tables have what the node has.
    pub async fn audit(&self) {
        self.world.audit().await;
        for view in self.world.gateway.audit_chains().await.unwrap() {
            if !["ETH", "USDT"].contains(&view.chain.as_str()) {
                continue;
            }
            assert_eq!(view.problem, None);
            let apart: Vec<_> = view
                .differences
                .iter()
                .filter(|each| each.between == Between::NodeAndTables)
                .collect();
            assert!(apart.is_empty(), "{}: {apart:?}", view.chain);
        }
    }

    /// The key of the account that pays, which live instances do not have.
    pub async fn key(&self) -> SigningKey {
        let key = SigningKey::parse(&self.seed().await, &KEYS, ScriptKind::P2pkh, 0).unwrap();
        let payer: Account = self.payer.parse().unwrap();
        assert_eq!(signing::evm::treasury(&key).unwrap(), payer);
        key
    }

    /// Seed of the accounts, in hexadecimal.
    pub async fn seed(&self) -> String {
        seed(&self.pool).await
    }
}
