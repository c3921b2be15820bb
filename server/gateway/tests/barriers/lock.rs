//! The lock: whoever decides reads what the one before him left.

use std::time::Duration;

use gateway::Error;
use sqlx::PgPool;

use super::spend::Spend;
use super::stand_in::Without;
use super::{Barrier, take_down, weakened};

/// Somebody has the payer's row, and two who want all of it stand before it: one gets it. Everything the other
/// one is told comes from the rule, so no other barrier had to refuse anything, and the run would have been
/// the same without it. Fails when the product does not lock what it reads: both have read by then.
async fn one_of_two_gets_it_by_rule_and_lock(pool: PgPool, without: Without) {
    assert!(!without.rule && !without.lock, "they are what is left");
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        let id = world
            .gateway
            .book()
            .account_id(spend.payer())
            .await
            .unwrap();
        let mut gate = pool.begin().await.unwrap();
        sqlx::query("SELECT FROM accounts_real WHERE id = $1 FOR NO KEY UPDATE")
            .bind(id.0)
            .execute(&mut *gate)
            .await
            .unwrap();
        let opened = async {
            until_waiting(&pool, 2).await;
            gate.rollback().await.unwrap();
        };
        let (one, other, ()) = tokio::join!(spend.run(&world), spend.run(&world), opened);
        let is_paid = |answers: &[Result<(), Error>]| answers.iter().all(Result::is_ok);
        let (paid, refused) = if is_paid(&one) {
            (one, other)
        } else {
            (other, one)
        };
        assert!(is_paid(&paid), "{spend:?}: {paid:?}, {refused:?}");
        for answer in &refused {
            assert!(Barrier::Rule.refused(answer), "{spend:?}: {answer:?}");
        }
    }
    take_down(&pool, &world, 0).await;
    world.audit().await;
}

async fn until_waiting(pool: &PgPool, count: i64) {
    let met = async {
        while waiting(pool).await != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), met)
        .await
        .unwrap();
}

/// Backends of this database that wait for a lock.
async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend'
           AND wait_event_type = 'Lock' AND state = 'active'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_stand_in_alone_changes_nothing(pool: PgPool) {
    one_of_two_gets_it_by_rule_and_lock(pool, Without::default()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_check_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        check: true,
        ..Without::default()
    };
    one_of_two_gets_it_by_rule_and_lock(pool, without).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_compare_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        compare: true,
        ..Without::default()
    };
    one_of_two_gets_it_by_rule_and_lock(pool, without).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_line_compare_and_check_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        line: true,
        compare: true,
        check: true,
        ..Without::default()
    };
    one_of_two_gets_it_by_rule_and_lock(pool, without).await;
}
