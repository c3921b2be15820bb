//! A token on anvil: the contract decides what moves, the node what a transaction costs.

use gateway::chain::evm::Account;
use gateway::chain::follower;
use gateway::withdrawals::ReplacedOutcome;
use serde_json::json;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::anvil::{ALICE, Anvil};
use crate::net::{ETHER, GWEI};
use crate::support::World;
use crate::till::{confirmations, settings};
use crate::token;

/// Nobody had anything there before.
const FRESH: &str = STRANGERS[1];

struct Stage {
    anvil: Anvil,
    contract: Account,
    world: World,
    pool: PgPool,
    payer: String,
}

impl Stage {
    /// The merchant has 400 tokens. Deposits move when they are worth `sweeps` times their gas.
    async fn new(pool: &PgPool, sweeps: &str) -> Option<Self> {
        let anvil = Anvil::start()?;
        let contract = token::deploy(&anvil).await;
        let name = contract.to_string();
        let more = [
            ("EXCHEQUER_CHAIN_ETH_TOKEN_USDT", name.as_str()),
            ("EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE", sweeps),
        ];
        let world = World::with(pool, settings(anvil.port, "in-process", &more)).await;
        let payer: String = sqlx::query_scalar(
            "SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 1",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        confirmations(pool).await;
        let stage = Self {
            anvil,
            contract,
            world,
            pool: pool.clone(),
            payer,
        };
        let deposit = stage.world.address("USDT", None, "rich").await;
        token::give(&stage.anvil, contract, &deposit, 400_000_000).await;
        let tx = json!({ "from": ALICE, "to": stage.payer, "value": format!("{:#x}", 5 * ETHER) });
        stage.anvil.send(tx).await;
        stage.mine(20).await;
        Some(stage)
    }

    async fn mine(&self, blocks: u32) {
        for _ in 0..blocks {
            self.anvil.mine().await;
        }
        for code in ["ETH", "USDT"] {
            let coin = self.world.currency(code);
            follower::sync(&self.world.gateway, coin).await.unwrap();
        }
    }

    /// Tokens for the account that pays.
    async fn fund(&self, units: u128) {
        token::give(&self.anvil, self.contract, &self.payer, units).await;
        self.mine(1).await;
    }

    async fn work(&self) {
        self.world.gateway.advance(3_600).await.unwrap();
    }

    async fn ask(&self, amount: &str, reference: &str) -> i64 {
        let new = gateway::withdrawals::NewWithdrawal {
            address: FRESH.to_owned(),
            ..self.world.withdrawal(amount, "USDT", reference)
        };
        self.world.withdraw(new).await.unwrap().id
    }

    async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    async fn withdrawals(&self) -> Vec<String> {
        self.texts("SELECT state FROM withdrawals ORDER BY operation_id")
            .await
    }

    async fn tokens(&self, of: &str) -> u128 {
        token::balance(&self.anvil, self.contract, of).await
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn tokens_are_paid_out_to_the_last_unit(pool: PgPool) {
    let Some(stage) = Stage::new(&pool, "0").await else {
        return;
    };
    stage.fund(300_000_000).await;
    stage.ask("25.123456", "1").await;
    stage.work().await;
    assert_eq!(stage.withdrawals().await, ["broadcast"]);
    stage.mine(20).await;
    assert_eq!(stage.withdrawals().await, ["settled"]);
    assert_eq!(stage.tokens(FRESH).await, 25_123_456);
    assert_eq!(stage.tokens(&stage.payer).await, 300_000_000 - 25_123_456);
    assert!(stage.world.account(0, "network_fees", "ETH").await < 0);
    stage.world.audit().await;
}

/// It would have gone through when it was planned.
#[sqlx::test(migrations = "../../migrations")]
async fn a_transfer_that_the_contract_refuses_pays_nobody(pool: PgPool) {
    let Some(stage) = Stage::new(&pool, "0").await else {
        return;
    };
    stage.fund(300_000_000).await;
    let id = stage.ask("25", "1").await;
    stage.work().await;
    assert_eq!(stage.withdrawals().await, ["broadcast"]);
    token::stop(&stage.anvil, stage.contract, true).await;
    stage.mine(20).await;
    assert_eq!(stage.withdrawals().await, ["broadcast"]);
    let outcome = stage.texts("SELECT outcome FROM treasury_payments").await;
    assert_eq!(outcome, ["failed"]);
    assert_eq!(stage.tokens(FRESH).await, 0);
    stage.world.audit().await;
    stage
        .world
        .gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "stopped", "admin")
        .await
        .unwrap();
    // While it is stopped, nothing is planned: the node says that it would fail.
    stage.ask("26", "2").await;
    stage.work().await;
    assert_eq!(stage.withdrawals().await, ["void", "queued"]);
    token::stop(&stage.anvil, stage.contract, false).await;
    stage.mine(1).await;
    stage.work().await;
    stage.mine(20).await;
    assert_eq!(stage.withdrawals().await, ["void", "settled"]);
    assert_eq!(stage.tokens(FRESH).await, 26_000_000);
    stage.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn gas_that_gets_dear_is_paid_by_a_replacement(pool: PgPool) {
    let Some(stage) = Stage::new(&pool, "0").await else {
        return;
    };
    stage.fund(300_000_000).await;
    let id = stage.ask("25", "1").await;
    stage.work().await;
    let base = format!("{:#x}", 40 * GWEI);
    stage
        .anvil
        .call("anvil_setNextBlockBaseFeePerGas", json!([base]))
        .await;
    stage.mine(1).await;
    assert_eq!(stage.tokens(FRESH).await, 0);
    let gateway = &stage.world.gateway;
    gateway.bump_treasury_payment(id, "admin").await.unwrap();
    stage.work().await;
    let states = stage
        .texts("SELECT state FROM treasury_txs ORDER BY id")
        .await;
    assert_eq!(states, ["replaced", "broadcast"]);
    stage.mine(20).await;
    assert_eq!(stage.withdrawals().await, ["settled"]);
    assert_eq!(stage.tokens(FRESH).await, 25_000_000);
    stage.world.audit().await;
}

/// Gas first, tokens behind it; the node checks both signatures.
#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_of_tokens_moves_to_the_account_that_pays(pool: PgPool) {
    let Some(stage) = Stage::new(&pool, "1").await else {
        return;
    };
    for _ in 0..2 {
        stage.work().await;
        stage.mine(20).await;
    }
    let moves = stage
        .texts(
            "SELECT purpose || ' ' || coalesce(outcome, 'open') FROM treasury_payments ORDER BY id",
        )
        .await;
    assert_eq!(moves, ["gas paid", "sweep paid"]);
    assert_eq!(stage.tokens(&stage.payer).await, 400_000_000);
    let deposits = stage.texts("SELECT amount::text FROM deposits").await;
    assert_eq!(deposits.len(), 1);
    stage.ask("25", "1").await;
    stage.work().await;
    stage.mine(20).await;
    assert_eq!(stage.withdrawals().await, ["settled"]);
    assert_eq!(stage.tokens(FRESH).await, 25_000_000);
    stage.world.audit().await;
}
