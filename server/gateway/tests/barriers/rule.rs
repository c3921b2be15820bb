//! A rule that lets through what it should not.

use sqlx::PgPool;

use super::spend::{ALL, Spend};
use super::stand_in::Without;
use super::{Barrier, take_down, weakened};

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_rule_the_check_stops_it(pool: PgPool) {
    let without = Without {
        rule: true,
        ..Without::default()
    };
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        spend.pay(&world).await;
        for answer in spend.run(&world).await {
            assert!(Barrier::Check.refused(&answer), "{spend:?}: {answer:?}");
        }
    }
    take_down(&pool, &world, 0).await;
    world.audit().await;
}

/// So the test above can fail, too.
#[sqlx::test(migrations = "../../migrations")]
async fn without_rule_and_check_it_happens_and_the_audit_tells(pool: PgPool) {
    let without = Without {
        rule: true,
        check: true,
        ..Without::default()
    };
    let world = weakened(&pool, without).await;
    for spend in Spend::every() {
        spend.pay(&world).await;
        spend.pay(&world).await;
    }
    take_down(&pool, &world, -ALL).await;
    let report = world.gateway.audit().await.unwrap();
    let floors = report
        .checks
        .iter()
        .find(|check| check.name == "no account is below its floor")
        .unwrap();
    assert_eq!(floors.violations.len(), Spend::every().len(), "{floors:?}");
}
