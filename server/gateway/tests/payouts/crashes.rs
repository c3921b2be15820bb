//! A process that dies between two steps, and the one that starts again: the same plan, the same bytes.

use gateway::payouts::SignerSetting;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::support::rivals;
use crate::till::{COIN, Till, rules};

async fn asked(pool: &PgPool, signer: SignerSetting) -> Till {
    let till = Till::with(pool, signer, rules(), &[COIN / 2, COIN / 2]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.ask("0.4", "2", STRANGERS[1]).await;
    till.work().await;
    till
}

/// Another process on the same database and network.
async fn restarted(till: &Till) -> Till {
    till.crash().await;
    Till::on(
        &till.pool,
        till.net.clone(),
        SignerSetting::InProcess,
        rules(),
    )
    .await
}

async fn check_paid_once(till: &Till) {
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 30_000_000);
    assert_eq!(till.net.received(STRANGERS[1]), 40_000_000);
    assert_eq!(till.txs().await.len(), 1);
    till.audit().await;
}

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::query(sql).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_planning_the_same_plan_is_signed(pool: PgPool) {
    let till = asked(&pool, SignerSetting::ByHand).await;
    let before = till.txs().await;
    assert_eq!(till.states().await, ["drafted"]);
    let till = restarted(&till).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    let after = till.txs().await;
    assert_eq!(before.first().unwrap().txid, after.first().unwrap().txid);
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_signing_the_same_signatures_are_made_again(pool: PgPool) {
    let till = asked(&pool, SignerSetting::InProcess).await;
    let before = till.txs().await.pop().unwrap();
    // The signer has answered, and nobody has stored it. Nothing was broadcast, either.
    till.net.forget(&before.txid);
    run(
        &pool,
        "UPDATE withdrawals SET state = 'queued', txid = NULL",
    )
    .await;
    run(
        &pool,
        "UPDATE payout_txs SET state = 'drafted', raw = NULL, vsize = NULL, next_attempt_at = now()",
    )
    .await;
    let till = restarted(&till).await;
    till.work().await;
    assert_eq!(till.txs().await.pop().unwrap().raw, before.raw);
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_storing_or_sending_the_same_bytes_are_sent(pool: PgPool) {
    let mut till = asked(&pool, SignerSetting::InProcess).await;
    let before = till.txs().await.pop().unwrap();
    // The bytes are stored; the network has them, too; one withdrawal knows; both know.
    for (is_known, first, second) in [
        (false, "built", "built"),
        (true, "built", "built"),
        (true, "broadcast", "built"),
        (true, "broadcast", "broadcast"),
    ] {
        if !is_known {
            till.net.forget(&before.txid);
        }
        run(
            &pool,
            "UPDATE payout_txs SET state = 'signed', next_attempt_at = now()",
        )
        .await;
        sqlx::query(
            "UPDATE withdrawals SET state = CASE WHEN foreign_id = '1' THEN $1 ELSE $2 END
             FROM operations o WHERE o.id = operation_id",
        )
        .bind(first)
        .bind(second)
        .execute(&pool)
        .await
        .unwrap();
        till = restarted(&till).await;
        till.work().await;
        assert_eq!(till.states().await, ["broadcast"]);
        assert_eq!(till.withdrawals().await, ["broadcast", "broadcast"]);
        assert_eq!(till.txs().await.pop().unwrap().raw, before.raw);
        assert_eq!(till.net.mempool_txs().len(), 1);
    }
    check_paid_once(&till).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_somebody_plans_nobody_else_does(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    // Somebody has taken it, and died.
    let until: time::OffsetDateTime = sqlx::query_scalar(
        "UPDATE withdrawals SET locked_until = clock_timestamp() + interval '1 second'
         RETURNING locked_until",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    till.work().await;
    let is_over: bool = sqlx::query_scalar("SELECT clock_timestamp() > $1")
        .bind(until)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(is_over, "it was taken from under the lease");
    assert_eq!(till.states().await, ["broadcast"]);
    till.mine(1).await;
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_planned_too_long_leaves_what_rides_alone(pool: PgPool) {
    let till = Till::with(&pool, SignerSetting::ByHand, rules(), &[COIN]).await;
    let id = till.ask("0.3", "1", STRANGERS[0]).await;
    let other = Till::on(&pool, till.net.clone(), SignerSetting::ByHand, rules()).await;
    rivals::plan_both(&pool, id, till.work(), other.work()).await;
    assert_eq!(till.states().await, ["drafted"]);
    assert!(rivals::is_left_alone(&pool, id).await);
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_processes_make_one_payout_of_each_withdrawal(pool: PgPool) {
    let coins = [COIN / 10; 8];
    let till = Till::with(&pool, SignerSetting::InProcess, rules(), &coins).await;
    let other = Till::on(&pool, till.net.clone(), SignerSetting::InProcess, rules()).await;
    for number in 0..8 {
        till.ask("0.02", &number.to_string(), STRANGERS[0]).await;
        tokio::join!(till.work(), other.work());
    }
    till.work_later().await;
    for _ in 0..4 {
        till.mine(1).await;
        till.work_later().await;
    }
    till.mine(1).await;
    assert!(
        till.withdrawals()
            .await
            .iter()
            .all(|state| state == "settled")
    );
    assert_eq!(till.net.received(STRANGERS[0]), 8 * 2_000_000);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_block_read_twice_settles_once(pool: PgPool) {
    let till = asked(&pool, SignerSetting::InProcess).await;
    till.net.mine(1);
    let other = Till::on(&pool, till.net.clone(), SignerSetting::InProcess, rules()).await;
    tokio::join!(till.sync(), other.sync());
    check_paid_once(&till).await;
    let entries: i64 =
        sqlx::query_scalar("SELECT count(*) FROM journal_entries WHERE kind = 'network_fee'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(entries, 1);
}
