//! Blocks that are undone after what was in them had decided.

use gateway::Error;
use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::GWEI;
use crate::till::{DEEP, Till};

const BY: &str = "admin";

/// It failed as deep as a payment has to be, and less deep than an end has to be.
#[sqlx::test(migrations = "../../migrations")]
async fn what_failed_in_a_block_that_is_undone_pays_in_another(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("25", "USDT", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.fail(true);
    till.mine(6).await;
    assert_eq!(
        till.errors().await,
        ["its transaction failed on the chain: the receiver has nothing"]
    );
    let gas = i128::try_from(50_000 * 2 * GWEI).unwrap();
    assert_eq!(till.gas().await, gas);
    let gateway = &till.world.gateway;
    let early = gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "it failed", BY)
        .await;
    assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    till.net.fail(false);
    till.net.reorg(6, true);
    till.mine(1).await;
    assert!(till.errors().await.is_empty());
    assert_eq!(till.gas().await, 0, "the block that cost it is gone");
    till.world.audit().await;
    let open = gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "it failed", BY)
        .await;
    assert!(matches!(open, Err(Error::Conflict(_))), "{open:?}");
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [25_000_000]);
    assert_eq!(till.gas().await, gas);
    assert_eq!(till.txs().await.len(), 1);
    till.world.audit().await;
}

/// The number is used elsewhere as deep as a payment has to be, which is not for good.
#[sqlx::test(migrations = "../../migrations")]
async fn a_number_that_may_come_back_ends_nothing(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.use_elsewhere(0);
    till.mine(6).await;
    assert_eq!(till.errors().await.len(), 1);
    let gateway = &till.world.gateway;
    let early = gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", BY)
        .await;
    assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    till.mine(2).await;
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", BY)
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["void"]);
}

/// A reorganisation deeper than anybody reckoned with brings an earlier transaction than the last one.
#[sqlx::test(migrations = "../../migrations")]
async fn people_hear_of_a_payment_after_its_end_whichever_transaction_made_it(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let first = till.txs().await.remove(0).raw.unwrap();
    let gateway = &till.world.gateway;
    gateway.bump_treasury_payment(id, BY).await.unwrap();
    till.work().await;
    assert_eq!(till.states().await, ["replaced", "broadcast"]);
    till.net.use_elsewhere(0);
    till.mine(10).await;
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", BY)
        .await
        .unwrap();
    till.net.reorg(10, false);
    till.net.send(&first);
    till.mine(1).await;
    till.mine(DEEP).await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["void"]);
    let subject = format!("Withdrawal {id} was paid although it had ended");
    let told = till.mails().await;
    assert_eq!(told.iter().filter(|each| **each == subject).count(), 1);
}
