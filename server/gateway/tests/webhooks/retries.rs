//! What a receiver did not take is sent again, later and later, and given up in the end.

use sqlx::PgPool;

use crate::support::World;
use crate::{Receiver, drain, paid_charge, states};

/// Milliseconds from the last attempt to the next one, of the only delivery.
async fn pause(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT floor(extract(epoch FROM d.next_attempt_at - max(a.at)) * 1000)::bigint
         FROM deliveries d JOIN delivery_attempts a ON a.delivery_id = d.id GROUP BY d.id",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn failures_are_retried_on_schedule_and_given_up_after_ten(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500; 20]);
    let url = receiver.clone().start().await;
    paid_charge(&world, &url).await;
    // Not what is due again before this is over.
    world.gateway.advance(0).await.unwrap();
    assert_eq!(receiver.count(), 1);
    let waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (made, wait) in waits.into_iter().enumerate() {
        // The least of it after jitter, and all of it.
        let planned = pause(&pool).await;
        assert!(
            (wait * 800..=wait * 1_000).contains(&planned),
            "{planned} ms of {wait} s"
        );
        // The instance's clock does not stand still, so the shortest one may be over any moment.
        if wait > 60 {
            world.gateway.advance(1).await.unwrap();
            assert_eq!(receiver.count(), made + 1, "not before {wait} s are over");
        }
        world.gateway.advance(wait).await.unwrap();
        assert_eq!(receiver.count(), made + 2, "after {wait} s");
    }
    assert_eq!(states(&pool).await, [("failed".to_owned(), 10)]);
    let given_up_today = async || {
        let figures = world.gateway.system_figures().await.unwrap();
        figures.outbox.given_up_today
    };
    assert_eq!(given_up_today().await, 1, "it was made three days ago");
    world.gateway.advance(86_400).await.unwrap();
    assert_eq!(given_up_today().await, 0);
    let ids: std::collections::BTreeSet<_> = receiver
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, body)| {
            (
                headers
                    .get("webhook-id")
                    .unwrap()
                    .clone()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                body.clone(),
            )
        })
        .collect();
    assert_eq!(ids.len(), 1, "every attempt has the same id and body");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_receiver_that_recovers_gets_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500, 302]);
    let url = receiver.clone().start().await;
    paid_charge(&world, &url).await;
    drain(&world).await;
    world.gateway.advance(6).await.unwrap();
    world.gateway.advance(301).await.unwrap();
    assert_eq!(receiver.count(), 3);
    assert_eq!(states(&pool).await, [("delivered".to_owned(), 3)]);
}
