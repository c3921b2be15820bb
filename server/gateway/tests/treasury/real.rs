//! Ether on anvil: the node judges bytes, numbers, fees and replacements itself.

use gateway::chain::follower;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::anvil::{ALICE, Anvil};
use crate::net::ETHER;
use crate::support::World;
use crate::till::{confirmations, settings};

struct Stage {
    anvil: Anvil,
    world: World,
    pool: PgPool,
    payer: String,
}

impl Stage {
    async fn new(pool: &PgPool) -> Option<Self> {
        let anvil = Anvil::start()?;
        let world = World::with(pool, settings(anvil.port, "in-process", &[])).await;
        let payer: String = sqlx::query_scalar(
            "SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 1",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        confirmations(pool).await;
        let stage = Self {
            anvil,
            world,
            pool: pool.clone(),
            payer,
        };
        let deposit = stage.world.address("ETH", None, "rich").await;
        stage.give(&deposit, 9 * ETHER).await;
        stage.give(&stage.payer, 5 * ETHER).await;
        stage.mine(20).await;
        Some(stage)
    }

    async fn give(&self, to: &str, wei: u128) {
        let tx = json!({ "from": ALICE, "to": to, "value": format!("{wei:#x}") });
        self.anvil.send(tx).await;
    }

    async fn mine(&self, blocks: u32) {
        for _ in 0..blocks {
            self.anvil.mine().await;
        }
        let coin = self.world.currency("ETH");
        follower::sync(&self.world.gateway, coin).await.unwrap();
    }

    async fn work(&self) {
        self.world.gateway.advance(3_600).await.unwrap();
    }

    async fn ask(&self, amount: &str, reference: &str, address: &str) -> i64 {
        let new = gateway::withdrawals::NewWithdrawal {
            address: address.to_owned(),
            ..self.world.withdrawal(amount, "ETH", reference)
        };
        self.world.withdraw(new).await.unwrap().id
    }

    async fn states(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM withdrawals ORDER BY operation_id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    async fn balance(&self, account: &str) -> u128 {
        let wei: Value = self
            .anvil
            .call("eth_getBalance", json!([account, "latest"]))
            .await;
        let digits = wei.as_str().unwrap().strip_prefix("0x").unwrap().to_owned();
        u128::from_str_radix(&digits, 16).unwrap()
    }
}

/// Nobody had anything there before but those anvil gives money to, of whom the first stranger is one.
const FRESH: &str = STRANGERS[1];

#[sqlx::test(migrations = "../../migrations")]
async fn a_node_takes_our_payment_and_the_books_say_what_it_cost(pool: PgPool) {
    let Some(stage) = Stage::new(&pool).await else {
        return;
    };
    stage.ask("1", "1", FRESH).await;
    stage.work().await;
    assert_eq!(stage.states().await, ["broadcast"]);
    stage.mine(20).await;
    assert_eq!(stage.states().await, ["settled"]);
    assert_eq!(stage.balance(FRESH).await, ETHER);
    let gas = -stage.world.account(0, "network_fees", "ETH").await;
    let left = 4 * ETHER - u128::try_from(gas).unwrap();
    assert_eq!(stage.balance(&stage.payer).await, left);
    stage.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_node_takes_our_replacement_when_gas_gets_dear(pool: PgPool) {
    let Some(stage) = Stage::new(&pool).await else {
        return;
    };
    let id = stage.ask("1", "1", FRESH).await;
    stage.work().await;
    stage.ask("2", "2", FRESH).await;
    stage.work().await;
    let gateway = &stage.world.gateway;
    gateway.bump_treasury_payment(id, "admin").await.unwrap();
    stage.work().await;
    let states: Vec<String> = sqlx::query_scalar("SELECT state FROM treasury_txs ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(states, ["replaced", "broadcast", "broadcast"]);
    stage.mine(20).await;
    assert_eq!(stage.states().await, ["settled", "settled"]);
    assert_eq!(stage.balance(FRESH).await, 3 * ETHER);
    stage.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_block_that_a_node_takes_back_is_paid_again_with_the_same_bytes(pool: PgPool) {
    let Some(stage) = Stage::new(&pool).await else {
        return;
    };
    stage.ask("1", "1", FRESH).await;
    stage.work().await;
    stage.anvil.mine().await;
    stage.anvil.reorg(1).await;
    stage.mine(1).await;
    stage.work().await;
    stage.mine(1).await;
    stage.work().await;
    stage.mine(20).await;
    assert_eq!(stage.states().await, ["settled"]);
    assert_eq!(stage.balance(FRESH).await, ETHER);
    stage.world.audit().await;
}
