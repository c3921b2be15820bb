//! The same on real nodes on private networks: what we sign is what they take. Left
//! out where `EXCHEQUER_REAL_NODES` does not name the node, as all tests with nodes.

use gateway::Settings;
use gateway::chain::{ChainSettings, follower};
use gateway::withdrawals::NewWithdrawal;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
#[cfg(unix)]
use signing::ScriptKind;
#[cfg(unix)]
use signing::key::SigningKey;
use sqlx::PgPool;

use crate::node::{Kind, Node};
use crate::purse::{Purse, elsewhere, miner};
use crate::support::World;

#[derive(Deserialize)]
struct Found {
    total_amount: Box<RawValue>,
}

pub struct Counter {
    pub node: Node,
    pub purse: Purse,
    pub world: World,
    pub pool: PgPool,
}

impl Counter {
    /// `None` when this node is not required.
    pub async fn open(pool: &PgPool, kind: Kind, signer: &str) -> Option<Self> {
        Self::open_with(pool, kind, signer, None).await
    }

    async fn open_with(
        pool: &PgPool,
        kind: Kind,
        signer: &str,
        account: Option<String>,
    ) -> Option<Self> {
        let node = Node::start(kind).await?;
        let purse = Purse::filled(&node, 4).await;
        let code = kind.code();
        let find = |variable: &str| {
            if let Some(suffix) = variable.strip_prefix(&format!("EXCHEQUER_PAYOUT_{code}_")) {
                return match suffix {
                    "SIGNER" => Some(signer.to_owned()),
                    "RATE_FALLBACK" => Some("20000".to_owned()),
                    _ => None,
                };
            }
            match variable.strip_prefix(&format!("EXCHEQUER_CHAIN_{code}"))? {
                "" => Some("bitcoin-core".to_owned()),
                "_URL" => Some(node.url()),
                "_COOKIE" => Some(node.cookie_path().display().to_string()),
                "_NETWORK" => Some("regtest".to_owned()),
                "_ACCOUNT" => account.clone(),
                _ => None,
            }
        };
        let chains = ChainSettings::read(find, true);
        let settings = Settings {
            chains: chains.unwrap(),
            ..Settings::test("http://127.0.0.1:3000")
        };
        Some(Self {
            world: World::with(pool, settings).await,
            node,
            purse,
            pool: pool.clone(),
        })
    }

    pub async fn follow(&self) {
        let coin = self.world.currency(self.node.kind.code());
        while follower::sync(&self.world.gateway, coin)
            .await
            .unwrap()
            .tip
            .is_none()
        {}
    }

    pub async fn mine(&self, blocks: u32) {
        self.node.mine(blocks, &elsewhere(self.node.kind)).await;
        self.follow().await;
    }

    pub async fn deposit(&self, name: &str, satoshi: u128) {
        let code = self.node.kind.code();
        let address = self.world.address(code, None, name).await;
        self.purse.pay(&self.node, &address, satoshi).await;
    }

    pub async fn ask(&self, amount: &str, reference: &str, address: String) {
        let new = NewWithdrawal {
            address,
            ..self
                .world
                .withdrawal(amount, self.node.kind.code(), reference)
        };
        self.world.withdraw(new).await.unwrap();
    }

    pub async fn states(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM payout_txs ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// What the node says an address has.
    pub async fn has(&self, address: &str) -> String {
        let wanted = json!(["start", [format!("addr({address})")]]);
        let found: Found = self.node.call("scantxoutset", wanted).await;
        found.total_amount.get().to_owned()
    }
}

async fn two_share_a_transaction(counter: Counter) {
    counter.follow().await;
    counter.deposit("one", 300_000_000).await;
    counter.deposit("two", 200_000_000).await;
    counter.mine(3).await;
    let kind = counter.node.kind;
    let receivers = [miner(kind, 20), miner(kind, 21)];
    counter.ask("3", "1", receivers[0].clone()).await;
    counter.ask("1.5", "2", receivers[1].clone()).await;
    counter.world.gateway.advance(0).await.unwrap();
    assert_eq!(counter.states().await, ["broadcast"]);
    let payout: i64 = sqlx::query_scalar("SELECT id FROM payouts")
        .fetch_one(&counter.pool)
        .await
        .unwrap();
    counter
        .world
        .gateway
        .bump_payout(payout, "admin")
        .await
        .unwrap();
    counter.world.gateway.advance(0).await.unwrap();
    assert_eq!(counter.states().await, ["replaced", "broadcast"]);
    let waiting: Vec<String> = counter.node.call("getrawmempool", json!([])).await;
    let sent: Vec<String> =
        sqlx::query_scalar("SELECT txid FROM payout_txs WHERE state = 'broadcast'")
            .fetch_all(&counter.pool)
            .await
            .unwrap();
    assert_eq!(waiting, sent);
    counter.mine(1).await;
    assert_eq!(counter.states().await.last().unwrap(), "confirmed");
    assert_eq!(counter.has(&receivers[0]).await, "3.00000000");
    assert_eq!(counter.has(&receivers[1]).await, "1.50000000");
    // Change of the first pays the next one.
    counter.ask("0.2", "3", receivers[0].clone()).await;
    counter.world.gateway.advance(0).await.unwrap();
    counter.mine(1).await;
    assert_eq!(counter.has(&receivers[0]).await, "3.20000000");
    counter.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn bitcoin_core_takes_what_we_sign(pool: PgPool) {
    if let Some(counter) = Counter::open(&pool, Kind::Bitcoin, "in-process").await {
        two_share_a_transaction(counter).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn litecoin_core_takes_what_we_sign(pool: PgPool) {
    if let Some(counter) = Counter::open(&pool, Kind::Litecoin, "in-process").await {
        two_share_a_transaction(counter).await;
    }
}

/// An account whose key is in a signer of its own, of addresses that are not native segwit.
#[cfg(unix)]
async fn of_kind(pool: PgPool, script: ScriptKind) {
    let place = crate::signer::Place::new();
    let chain = signing::chain("litecoin-regtest").unwrap();
    let seed = "0f".repeat(64);
    let key = SigningKey::parse(&seed, chain, script, 0).unwrap();
    let gateway::payouts::SignerSetting::Socket(socket) = place.setting() else {
        panic!("a signer has a socket");
    };
    let account = Some(key.account().descriptor());
    let socket = socket.display().to_string();
    let Some(counter) = Counter::open_with(&pool, Kind::Litecoin, &socket, account).await else {
        return;
    };
    let policy = crate::till::GENEROUS.replace("\"bitcoin\"", "\"litecoin-regtest\"");
    let running = place.start_for(script, &seed, &policy).await;
    two_share_a_transaction(counter).await;
    running.abort();
}

#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn litecoin_core_takes_what_a_nested_account_signs(pool: PgPool) {
    of_kind(pool, ScriptKind::P2shP2wpkh).await;
}

#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn litecoin_core_takes_what_a_legacy_account_signs(pool: PgPool) {
    of_kind(pool, ScriptKind::P2pkh).await;
}
