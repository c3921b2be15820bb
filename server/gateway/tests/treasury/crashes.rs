//! A process that dies between two steps, and the one that starts again: the same number, the same bytes.

use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::ETHER;
use crate::support::rivals;
use crate::till::{DEEP, Till};

async fn check_paid_once(till: &Till) {
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.txs().await.len(), 1);
    till.audit().await;
}

/// Planned by a process that asks people, which is as if it had died before it asked its signer.
#[sqlx::test(migrations = "../../migrations")]
async fn after_planning_the_same_plan_is_signed(pool: PgPool) {
    let till = Till::with(&pool, "by-hand").await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    till.due().await;
    let till = Till::on(&pool, till.net, "in-process").await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn between_storing_and_sending_the_same_bytes_are_sent(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.net.deaf(true);
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let before = till.txs().await;
    assert_eq!(before[0].state, "signed");
    assert_eq!(till.withdrawals().await, ["built"]);
    assert_eq!(till.net.waiting(), 0);
    till.net.deaf(false);
    let till = till.restarted().await;
    till.work().await;
    let after = till.txs().await;
    assert_eq!(after[0].state, "broadcast");
    assert_eq!(
        (&before[0].raw, &before[0].txid),
        (&after[0].raw, &after[0].txid)
    );
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_sending_the_answer_may_be_lost(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    for query in [
        "UPDATE treasury_txs SET state = 'signed', next_attempt_at = created_at",
        "UPDATE withdrawals SET state = 'built'",
    ] {
        sqlx::query(query).execute(&pool).await.unwrap();
    }
    let till = till.restarted().await;
    till.work().await;
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_planned_too_long_leaves_what_has_a_number_alone(pool: PgPool) {
    let till = Till::with(&pool, "by-hand").await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    let other = Till::on(&pool, till.net.clone(), "by-hand").await;
    rivals::plan_both(&pool, id, till.work(), other.work()).await;
    assert_eq!(till.states().await, ["drafted"]);
    assert!(rivals::is_left_alone(&pool, id).await);
    till.world.audit().await;
}

/// Two processes plan at once: each number is given out once.
#[sqlx::test(migrations = "../../migrations")]
async fn two_workers_give_out_each_number_once(pool: PgPool) {
    let till = Till::new(&pool).await;
    for number in 0..6 {
        let reference = number.to_string();
        till.ask("0.1", "ETH", &reference, STRANGERS[0]).await;
    }
    let other = Till::on(&pool, till.net.clone(), "in-process").await;
    for _ in 0..6 {
        tokio::join!(till.work(), other.work());
        till.due().await;
    }
    till.mine(DEEP).await;
    let mut nonces: Vec<i64> = till.txs().await.iter().map(|tx| tx.nonce).collect();
    nonces.sort_unstable();
    assert_eq!(nonces, [0, 1, 2, 3, 4, 5]);
    assert_eq!(till.net.received(STRANGERS[0]).len(), 6);
    assert!(
        till.withdrawals()
            .await
            .iter()
            .all(|state| state == "settled")
    );
    till.audit().await;
}
