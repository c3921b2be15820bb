//! The key is used by somebody else: payments stop, and nothing is lost.

use domain::view::operate::{ChainFinding, SuspenseFilter};
use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::ETHER;
use crate::till::{DEEP, Till};

#[sqlx::test(migrations = "../../migrations")]
async fn a_number_used_elsewhere_stops_new_payments_until_a_person_resumes(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.net.use_elsewhere(1);
    till.mine(1).await;
    till.ask("2", "ETH", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["settled", "queued"]);
    let paused = format!("Payments from {} are paused", till.payer);
    assert!(till.mails().await.contains(&paused));
    till.due().await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["settled", "queued"]);
    let gateway = &till.world.gateway;
    gateway
        .resume_treasury("ETH", "a test of the wallet", "admin")
        .await
        .unwrap();
    let again = gateway.resume_treasury("ETH", "again", "admin").await;
    assert!(
        matches!(again, Err(gateway::Error::Conflict(_))),
        "{again:?}"
    );
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[1]), [2 * ETHER]);
    let nonces: Vec<i64> = till.txs().await.iter().map(|tx| tx.nonce).collect();
    assert_eq!(nonces, [0, 2]);
    till.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_that_loses_its_number_keeps_its_money_held(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    till.net.use_elsewhere(0);
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    assert_eq!(
        till.errors().await,
        ["another transaction of the account that pays has taken its number"]
    );
    // Not by itself, however often; and new ones wait.
    till.ask("1", "ETH", "2", STRANGERS[0]).await;
    till.work_later().await;
    till.work_later().await;
    till.sync().await;
    assert!(till.net.received(STRANGERS[0]).is_empty());
    let gateway = &till.world.gateway;
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", "admin")
        .await
        .unwrap();
    gateway
        .resume_treasury("ETH", "looked", "admin")
        .await
        .unwrap();
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["void", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    till.world.audit().await;
}

/// Whoever took the file away may have used another wallet: what came of it is not known here.
#[sqlx::test(migrations = "../../migrations")]
async fn an_unsigned_payment_that_loses_its_number_can_be_called_off_from_its_page(pool: PgPool) {
    let till = Till::with(&pool, "by-hand").await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    gateway.unsigned_transaction(id, "admin").await.unwrap();
    till.net.use_elsewhere(0);
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["queued"]);
    assert_eq!(
        till.errors().await,
        ["another transaction of the account that pays has taken its number"]
    );
    let page = gateway.suspense_view(SuspenseFilter::default(), 1).await;
    let stuck = page.unwrap().stuck.pop().unwrap();
    assert_eq!(stuck.finding, Some(ChainFinding::Taken));
    assert!(stuck.replaced.is_some(), "{stuck:?}");
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", "admin")
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["void"]);
    till.world.audit().await;
}
