//! Reorganisations deeper than anybody reckoned with, and nodes on another branch.

use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::{ETHER, GWEI, Net};
use crate::till::{DEEP, Till};

async fn outcomes(till: &Till) -> Vec<String> {
    till.texts(
        "SELECT coalesce(outcome, 'open') || CASE WHEN lost THEN ' lost' ELSE '' END
         FROM treasury_payments ORDER BY id",
    )
    .await
}

async fn paused(till: &Till) -> Vec<String> {
    till.texts("SELECT address FROM treasuries WHERE paused_at IS NOT NULL ORDER BY address")
        .await
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_paid_and_comes_back_elsewhere_costs_what_it_costs_there(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(6).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    let before = till.gas().await;
    assert_eq!(before, i128::try_from(21_000 * 2 * GWEI).unwrap());
    till.net.reorg(6, false);
    till.mine(1).await;
    // It may still come back by itself for a while.
    till.work_later().await;
    till.sync().await;
    let subject = format!("Withdrawal {id} has left the chain");
    assert!(till.mails().await.contains(&subject));
    // Settled stays settled; the bytes went out once more.
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(outcomes(&till).await, ["paid lost"]);
    till.world.audit().await;
    assert_eq!(till.net.waiting(), 1);
    till.net.base(2 * GWEI);
    till.mine(DEEP).await;
    till.mine(1).await;
    assert_eq!(outcomes(&till).await, ["paid"]);
    let gas = i128::try_from(21_000 * 3 * GWEI).unwrap();
    assert_eq!(till.gas().await, gas);
    assert!(till.errors().await.is_empty());
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.txs().await.len(), 1);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_paid_and_fails_in_its_new_block_is_booked_and_told(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("25", "USDT", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(6).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.net.fail(true);
    till.net.reorg(6, true);
    till.mine(DEEP).await;
    till.mine(1).await;
    assert_eq!(outcomes(&till).await, ["failed"]);
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(
        till.errors().await,
        ["its transaction had paid, left the chain, and came back without paying what was planned"]
    );
    let gas = i128::try_from(50_000 * 2 * GWEI).unwrap();
    assert_eq!(till.gas().await, gas);
    assert!(till.net.received(STRANGERS[0]).is_empty());
    till.world.audit().await;
}

/// Undone and mined anew before anybody looked: the tables never say that it was gone, and it cost more there.
#[sqlx::test(migrations = "../../migrations")]
async fn what_was_mined_anew_between_two_looks_costs_what_it_costs_there(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(6).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.gas().await, i128::try_from(21_000 * 2 * GWEI).unwrap());
    till.net.base(2 * GWEI);
    till.net.reorg(6, true);
    till.net.mine(DEEP);
    till.sync().await;
    till.mine(1).await;
    assert_eq!(outcomes(&till).await, ["paid"]);
    assert_eq!(till.gas().await, i128::try_from(21_000 * 3 * GWEI).unwrap());
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    till.audit().await;
}

/// Nothing was settled with a sweep, so it is simply open again, and sent again.
#[sqlx::test(migrations = "../../migrations")]
async fn a_sweep_that_leaves_the_chain_is_sent_again(pool: PgPool) {
    let till = Till::sweeping(&pool, Net::start().await, "in-process", "10").await;
    let till = Till::filled(till).await;
    till.work_later().await;
    till.mine(6).await;
    assert_eq!(outcomes(&till).await, ["paid"]);
    till.net.reorg(6, false);
    till.mine(1).await;
    assert_eq!(outcomes(&till).await, ["open"]);
    assert_eq!(till.gas().await, 0);
    till.world.audit().await;
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(outcomes(&till).await[0], "paid");
    assert_eq!(till.net.received(&till.payer).len(), 1);
}

/// The node has a receipt in a block that the tables do not have: what the tables say of numbers is of another
/// branch, and decides nothing.
#[sqlx::test(migrations = "../../migrations")]
async fn a_receipt_on_another_branch_decides_nothing(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.astray(true);
    till.mine(DEEP).await;
    assert_eq!(outcomes(&till).await, ["open"]);
    assert!(paused(&till).await.is_empty());
    assert!(till.errors().await.is_empty());
    till.net.astray(false);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_transaction_of_somebody_that_waits_keeps_the_account_paused_and_leaves_no_gap(
    pool: PgPool,
) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(DEEP).await;
    till.net.use_elsewhere(1);
    till.ask("2", "ETH", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(paused(&till).await, std::slice::from_ref(&till.payer));
    let gateway = &till.world.gateway;
    let early = gateway.resume_treasury("ETH", "looked", "admin").await;
    assert!(
        matches!(early, Err(gateway::Error::Conflict(_))),
        "{early:?}"
    );
    assert_eq!(paused(&till).await.len(), 1);
    // It is never mined.
    till.net.forget();
    gateway
        .resume_treasury("ETH", "it is gone", "admin")
        .await
        .unwrap();
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    let nonces: Vec<i64> = till.txs().await.iter().map(|tx| tx.nonce).collect();
    assert_eq!(nonces, [0, 1]);
    till.audit().await;
}

/// The first time here, and somebody's transaction waits already.
#[sqlx::test(migrations = "../../migrations")]
async fn numbers_begin_behind_what_is_mined_and_not_behind_what_waits(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.net.use_elsewhere(0);
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(paused(&till).await, std::slice::from_ref(&till.payer));
    till.net.forget();
    let gateway = &till.world.gateway;
    let address = till.payer.as_str();
    gateway
        .resume_account(address, "it is gone", "admin")
        .await
        .unwrap();
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.txs().await[0].nonce, 0);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_address_of_a_deposit_is_swept_again_once_a_person_says_so(pool: PgPool) {
    let till = Till::sweeping(&pool, Net::start().await, "in-process", "10").await;
    let till = Till::filled(till).await;
    till.work_later().await;
    till.mine(DEEP).await;
    let swept = "SELECT coalesce(outcome, 'open') FROM treasury_payments p
         JOIN chain_addresses a ON a.address = p.address AND a.chain = 'ETH' AND a.branch = 0
         WHERE p.purpose = 'sweep' ORDER BY p.id";
    assert_eq!(till.texts(swept).await, ["paid"]);
    let address = till
        .texts("SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 0")
        .await
        .remove(0);
    till.net.pay(&address, 7 * ETHER);
    till.net.use_key_of(&address, 1);
    till.mine(DEEP).await;
    till.work_later().await;
    assert_eq!(till.texts(swept).await, ["paid"]);
    assert_eq!(paused(&till).await, std::slice::from_ref(&address));
    let gateway = &till.world.gateway;
    let unknown = gateway
        .resume_account(STRANGERS[0], "looked", "admin")
        .await;
    assert!(
        matches!(unknown, Err(gateway::Error::NotFound)),
        "{unknown:?}"
    );
    gateway.review_resume(&address).await.unwrap();
    gateway
        .resume_account(&address, "a test of the wallet", "admin")
        .await
        .unwrap();
    let again = gateway.resume_account(&address, "again", "admin").await;
    assert!(
        matches!(again, Err(gateway::Error::Conflict(_))),
        "{again:?}"
    );
    till.work_later().await;
    till.mine(DEEP).await;
    assert_eq!(till.texts(swept).await, ["paid", "paid"]);
    till.world.audit().await;
}
