//! Withdrawals that leave their payout while somebody ends them.

use gateway::Error;
use gateway::payouts::SignerSetting;
use gateway::withdrawals::ReplacedOutcome;
use sqlx::{PgPool, Postgres, Transaction};

use crate::STRANGERS;
use crate::support::rivals::{OPERATIONS, until_waiting};
use crate::till::{COIN, Till, rules};

const BY: &str = "admin@demo.example";

/// A refund rides in a draft. Answers the till, the number of the withdrawal and that of its charge.
async fn refund_in_a_draft(pool: &PgPool) -> (Till, i64, i64) {
    let till = Till::with(pool, SignerSetting::ByHand, rules(), &[COIN]).await;
    let (world, gateway) = (&till.world, &till.world.gateway);
    let charge = world.picked("60.00", "EUR", "BTC").await;
    let address = world.view(&charge).await.payment.unwrap().address;
    till.net.fund(&address, 50_000);
    till.mine(1).await;
    gateway.advance(900).await.unwrap();
    let to = Some(STRANGERS[0].to_owned());
    gateway
        .request_refund(world.merchant, &charge, to, BY.to_owned(), None, |_| {
            (200, Vec::new())
        })
        .await
        .unwrap();
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let (id, charge_id): (i64, i64) = sqlx::query_as(
        "SELECT w.operation_id, c.id FROM withdrawals w, charges c WHERE c.public_id = $1",
    )
    .bind(&charge)
    .fetch_one(pool)
    .await
    .unwrap();
    (till, id, charge_id)
}

/// What is left of a draft that was dropped: its withdrawals wait again, each by itself.
async fn drop_drafts(pool: &PgPool) {
    sqlx::raw_sql(
        "UPDATE payout_txs SET state = 'dropped', next_attempt_at = NULL, locked_until = NULL;
         DELETE FROM payout_coins;
         UPDATE withdrawals SET payout_id = NULL, locked_until = NULL, next_attempt_at = now();
         UPDATE payouts SET ended_at = now();",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// Somebody else has a row.
async fn taken(pool: &PgPool, question: &'static str, id: i64) -> Transaction<'static, Postgres> {
    let mut other = pool.begin().await.unwrap();
    sqlx::query(question)
        .bind(id)
        .execute(&mut *other)
        .await
        .unwrap();
    other
}

/// It leaves its payout while whoever ends it waits for the charge of its refund. Somebody who knew it to ride there
/// has it, and locks the payout next. Fails when the payout is locked before the withdrawal: both wait for each other.
#[sqlx::test(migrations = "../../migrations")]
async fn one_that_leaves_its_payout_is_locked_before_it(pool: PgPool) {
    let (till, id, charge) = refund_in_a_draft(&pool).await;
    let payout = till.txs().await.remove(0).payout_id;
    let charges = "SELECT FROM charges WHERE id = $1 FOR NO KEY UPDATE";
    let follower = taken(&pool, charges, charge).await;
    let gateway = till.world.gateway.clone();
    let ends = tokio::spawn(async move {
        gateway
            .end_replaced(id, ReplacedOutcome::NotPaid, "looked", BY)
            .await
    });
    until_waiting(&pool, "", 1).await;
    drop_drafts(&pool).await;
    let operations = "SELECT FROM operations WHERE id = $1 FOR NO KEY UPDATE";
    let mut rival = taken(&pool, operations, id).await;
    follower.rollback().await.unwrap();
    until_waiting(&pool, OPERATIONS, 1).await;
    sqlx::query("SELECT FROM payouts WHERE id = $1 FOR NO KEY UPDATE")
        .bind(payout)
        .execute(&mut *rival)
        .await
        .unwrap();
    rival.rollback().await.unwrap();
    let ended = ends.await.unwrap();
    assert!(matches!(ended, Err(Error::Conflict(_))), "{ended:?}");
    assert_eq!(till.withdrawals().await, ["queued"]);
    // Counts the deadlocks, too: there are none.
    till.audit_books().await;
}
