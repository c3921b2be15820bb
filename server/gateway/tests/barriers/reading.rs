//! Two spends that both read the full balance, as they can without the lock.

use sqlx::PgPool;

use super::spend::{ALL, Spend};
use super::stand_in::Without;
use super::{Barrier, broken, take_down, weakened};

/// Of two on the same reading the second one is refused, by this barrier.
async fn the_second_is_stopped(pool: PgPool, without: Without, by: Barrier) {
    assert!(without.lock, "with the lock nobody reads the same");
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        spend.pay(&world).await;
        for answer in spend.run(&world).await {
            assert!(by.refused(&answer), "{spend:?}: {answer:?}");
        }
    }
    take_down(&pool, &world, 0).await;
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_lock_the_line_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        ..Without::default()
    };
    the_second_is_stopped(pool, without, Barrier::Line).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_compare_and_check_the_line_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        compare: true,
        check: true,
        ..Without::default()
    };
    the_second_is_stopped(pool, without, Barrier::Line).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_and_line_the_compare_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        line: true,
        ..Without::default()
    };
    the_second_is_stopped(pool, without, Barrier::Compare).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_line_and_check_the_compare_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        line: true,
        check: true,
        ..Without::default()
    };
    the_second_is_stopped(pool, without, Barrier::Compare).await;
}

/// So the tests above can fail. The check cannot see this one: the second spend writes the same row over
/// again, and only the lines tell that twice as much has left. The audit does.
#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_line_and_compare_it_happens_and_the_audit_tells(pool: PgPool) {
    let without = Without {
        lock: true,
        line: true,
        compare: true,
        ..Without::default()
    };
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        spend.pay(&world).await;
        spend.pay(&world).await;
    }
    take_down(&pool, &world, -ALL).await;
    let broken = broken(&world).await;
    assert!(
        broken.contains(&"each balance is the sum of its lines"),
        "{broken:?}"
    );
    assert!(
        broken.contains(&"lines are numbered without gaps up to the version"),
        "{broken:?}"
    );
}

/// None at all.
#[sqlx::test(migrations = "../../migrations")]
async fn without_any_of_them_it_happens(pool: PgPool) {
    let without = Without {
        rule: true,
        lock: true,
        line: true,
        compare: true,
        check: true,
    };
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        for _ in 0..3 {
            spend.pay(&world).await;
        }
    }
    take_down(&pool, &world, -2 * ALL).await;
    assert!(!world.gateway.audit().await.unwrap().is_clean());
}
