//! What a receiver gets, in which order, and where nothing is sent.

use gateway::Settings;
use gateway::outbox::signature::{WebhookSecret, sign};
use sqlx::PgPool;

use crate::endpoints::endpoint;
use crate::support::World;
use crate::{Receiver, drain, paid_charge, states};

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_is_reported_once_and_signed(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = receiver.clone().start().await;
    paid_charge(&world, &url).await;
    drain(&world).await;
    drain(&world).await;
    assert_eq!(receiver.count(), 1);
    let (headers, body) = receiver.seen.lock().unwrap()[0].clone();
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let secret: String = sqlx::query_scalar("SELECT webhook_secret FROM merchants WHERE id = $1")
        .bind(world.merchant)
        .fetch_one(&pool)
        .await
        .unwrap();
    let secret = WebhookSecret::parse(&secret).unwrap();
    let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
    let expected = sign(&[secret], &header("webhook-id"), timestamp, &body);
    assert_eq!(header("webhook-signature"), expected);
    assert_eq!(states(&pool).await, [("delivered".to_owned(), 1)]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn events_of_one_object_come_in_order(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500]);
    let url = receiver.clone().start().await;
    endpoint(&world, &url).await;
    let id = world.picked("10.00", "EUR", "BTC").await;
    // Not what is due again before this is over.
    world.gateway.advance(0).await.unwrap();
    assert_eq!(receiver.count(), 1, "the first failed");
    // It is tried again after some seconds, which may pass before the others are there.
    sqlx::query(
        "UPDATE deliveries SET next_attempt_at = next_attempt_at + interval '1 hour' WHERE attempts = 1",
    )
    .execute(&pool)
    .await
    .unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    drain(&world).await;
    assert_eq!(receiver.count(), 1, "later ones wait for it");
    world.gateway.advance(3_606).await.unwrap();
    let kinds: Vec<String> = receiver
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(_, body)| {
            serde_json::from_slice::<serde_json::Value>(body).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "charge.created",
            "charge.created",
            "charge.pending",
            "charge.processing",
            "charge.paid"
        ]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn redelivery_sends_the_same_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = receiver.clone().start().await;
    paid_charge(&world, &url).await;
    drain(&world).await;
    let id: i64 = sqlx::query_scalar("SELECT id FROM deliveries")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(
        world
            .gateway
            .redeliver(world.merchant + 1, id)
            .await
            .is_err()
    );
    world.gateway.redeliver(world.merchant, id).await.unwrap();
    drain(&world).await;
    let seen = receiver.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].1, seen[1].1);
    assert_eq!(seen[0].0.get("webhook-id"), seen[1].0.get("webhook-id"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn private_addresses_are_refused_when_the_guard_is_on(pool: PgPool) {
    let settings = Settings {
        webhook_allow_private: false,
        ..Settings::test("http://127.0.0.1:3000")
    };
    let world = World::with(&pool, settings).await;
    for url in [
        "http://127.0.0.1:9/x",
        "http://169.254.169.254/",
        "http://[::1]/",
        "ftp://x.example/",
    ] {
        let new = world.new_charge("10.00", "EUR", Some(url));
        let refused = world
            .gateway
            .create_charge(new, None, |_| (201, vec![]))
            .await;
        assert!(matches!(refused, Err(gateway::Error::Invalid(_))), "{url}");
    }
}
