//! Deliveries to real receivers on loopback: signed, in order, retried, and nobody waits for others.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gateway::Settings;
use gateway::outbox::signature::{WebhookSecret, sign};
use gateway::outbox::{Outcome, Timeouts, deliver_due};
use sqlx::PgPool;
use support::World;
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// Answers, first to last; 200 when used up.
    answers: Arc<Mutex<Vec<u16>>>,
    /// Set: no answer before this is notified.
    gate: Option<Arc<Notify>>,
}

impl Receiver {
    async fn start(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().route("/hook", post(take)).with_state(self);
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.seen.lock().unwrap().push((headers, body));
    if let Some(gate) = &receiver.gate {
        gate.notified().await;
    }
    let mut answers = receiver.answers.lock().unwrap();
    let status = if answers.is_empty() {
        200
    } else {
        answers.remove(0)
    };
    StatusCode::from_u16(status).unwrap()
}

async fn paid_charge(world: &World, url: &str) -> String {
    let id = world
        .charge_with(world.new_charge("10.00", "EUR", Some(url)))
        .await;
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    id
}

async fn drain(world: &World) {
    while deliver_due(&world.gateway).await.unwrap() == Outcome::Worked {}
}

async fn states(pool: &PgPool) -> Vec<(String, i32)> {
    sqlx::query_as("SELECT state, attempts FROM deliveries ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}

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

/// The slow ones never give their places back while a test runs.
fn with_slow_receivers() -> Settings {
    Settings {
        webhook_timeouts: Timeouts {
            connect: Duration::from_secs(600),
            total: Duration::from_secs(600),
            ..Timeouts::default()
        },
        ..Settings::test("http://127.0.0.1:3000")
    }
}

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
async fn failures_are_retried_on_schedule_and_given_up_after_ten(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500; 20]);
    let url = receiver.clone().start().await;
    paid_charge(&world, &url).await;
    drain(&world).await;
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

#[sqlx::test(migrations = "../../migrations")]
async fn a_slow_receiver_delays_nobody_else(pool: PgPool) {
    let world = World::with(&pool, with_slow_receivers()).await;
    let gate = Arc::new(Notify::new());
    let slow = Receiver {
        gate: Some(gate.clone()),
        ..Receiver::default()
    };
    let slow_url = slow.clone().start().await;
    let quick = Receiver::default();
    let quick_url = quick.clone().start().await;
    for _ in 0..6 {
        paid_charge(&world, &slow_url).await;
    }
    paid_charge(&world, &quick_url).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let workers = world.gateway.spawn_workers(shutdown);
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while quick.count() == 0 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
    // No more than four attempts are under way at the slow one.
    assert!(slow.count() <= 4, "{}", slow.count());
    stop.send(true).unwrap();
    gate.notify_waiters();
    for worker in workers {
        worker.abort();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_slow_receivers_of_one_merchant_delay_no_other_merchant(pool: PgPool) {
    let world = World::with(&pool, with_slow_receivers()).await;
    let gate = Arc::new(Notify::new());
    let slow = Receiver {
        gate: Some(gate.clone()),
        ..Receiver::default()
    };
    let slow_url = slow.clone().start().await;
    let quick = Receiver::default();
    let quick_url = quick.clone().start().await;
    let other: i64 = sqlx::query_scalar("SELECT max(id) FROM merchants")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_ne!(other, world.merchant);
    // 90 deliveries, each to a URL of its own on the slow host, before the other merchant's one.
    let id = paid_charge(&world, &format!("{slow_url}?order=0")).await;
    sqlx::query(
        "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type, body,
             next_attempt_at, created_at)
         SELECT d.event_id, d.merchant_id, 'copy:' || n, d.url || n, d.format, d.schedule, d.content_type,
             d.body, d.next_attempt_at - interval '1 minute', d.created_at
         FROM deliveries d, generate_series(1, 90) n",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut new = world.new_charge("10.00", "EUR", Some(&quick_url));
    new.merchant_id = other;
    let theirs = world.charge_with(new).await;
    world.gateway.choose_method(&theirs, "BTC").await.unwrap();
    let payment = world
        .gateway
        .find_charge(other, &theirs)
        .await
        .unwrap()
        .payment
        .unwrap();
    let due = payment.due.shortest();
    world
        .gateway
        .sandbox_pay(&payment.address, &due, Some("BTC"), None)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let workers = world.gateway.spawn_workers(shutdown);
    // Only says how long to wait before giving up; the runner has a limit of its own.
    let arrived = tokio::time::timeout(Duration::from_secs(60), async {
        while quick.count() == 0 {
            tokio::task::yield_now().await;
        }
    });
    arrived.await.unwrap();
    let answered: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
         WHERE d.merchant_id = $1",
    )
    .bind(world.merchant)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(answered, 0, "a slow one had made room");
    assert!(slow.count() <= 16, "{} for {id}", slow.count());
    stop.send(true).unwrap();
    gate.notify_waiters();
    for worker in workers {
        worker.abort();
    }
}

/// A managed endpoint that gets every event.
async fn endpoint(world: &World, url: &str) {
    sqlx::query(
        "INSERT INTO webhook_endpoints (merchant_id, url, format, secret, created_at)
         SELECT id, $2, 'standard', webhook_secret, now() FROM merchants WHERE id = $1",
    )
    .bind(world.merchant)
    .bind(url)
    .execute(world.gateway.pool())
    .await
    .unwrap();
}

/// Whether the one endpoint is active, and who was told that it is not.
async fn endpoint_state(world: &World) -> (String, Vec<String>) {
    let status: String = sqlx::query_scalar("SELECT status FROM webhook_endpoints")
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    let mails = world.gateway.list_mail(None, 50).await.unwrap();
    let told = mails
        .into_iter()
        .filter(|mail| mail.subject == "A webhook endpoint was switched off")
        .map(|mail| mail.to)
        .collect();
    (status, told)
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_endpoint_that_only_fails_is_switched_off_and_its_merchant_told_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500; 20]);
    endpoint(&world, &receiver.clone().start().await).await;
    world.charge("10.00", "EUR").await;
    drain(&world).await;
    assert_eq!(
        endpoint_state(&world).await,
        ("active".to_owned(), Vec::new())
    );
    sqlx::query("UPDATE webhook_endpoints SET failing_since = failing_since - interval '5 days'")
        .execute(&pool)
        .await
        .unwrap();
    world.gateway.advance(6).await.unwrap();
    world.gateway.advance(300).await.unwrap();
    let merchant = world.gateway.demo().await.unwrap().merchant.email;
    assert_eq!(
        endpoint_state(&world).await,
        ("disabled".to_owned(), vec![merchant])
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_endpoint_that_is_gone_is_switched_off_and_its_merchant_told(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([410]);
    endpoint(&world, &receiver.clone().start().await).await;
    world.charge("10.00", "EUR").await;
    drain(&world).await;
    let merchant = world.gateway.demo().await.unwrap().merchant.email;
    assert_eq!(
        endpoint_state(&world).await,
        ("disabled".to_owned(), vec![merchant])
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn events_of_one_object_come_in_order(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500]);
    let url = receiver.clone().start().await;
    endpoint(&world, &url).await;
    let id = world.picked("10.00", "EUR", "BTC").await;
    drain(&world).await;
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
