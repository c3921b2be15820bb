//! Records whose commit nobody answers: they are tried again, and there once.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use gateway::Settings;
use gateway::outbox::{Outcome, Timeouts, deliver_due};
use sqlx::PgPool;

use super::proxy::{Moment, Proxy};
use super::support::World;
use super::{LIMIT, Receiver, claim, count, end_leases, leased, queue, record};

/// Of each delivery, by id: its state and attempts, and the numbers of those that are recorded.
async fn recorded(pool: &PgPool) -> Vec<(String, i32, Vec<i32>)> {
    sqlx::query_as(
        "SELECT d.state, d.attempts, array_agg(a.number ORDER BY a.id)
         FROM deliveries d JOIN delivery_attempts a ON a.delivery_id = d.id GROUP BY d.id ORDER BY d.id",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Makes these deliveries those of a managed endpoint, so that recording is a transaction of several
/// statements.
async fn manage(pool: &PgPool, merchant: i64, deliveries: &[i64]) {
    sqlx::query(
        "WITH made AS (
             INSERT INTO webhook_endpoints (merchant_id, url, format, secret, created_at)
             SELECT id, 'http://127.0.0.1:9/', 'standard', webhook_secret, now() FROM merchants WHERE id = $1
             RETURNING id)
         UPDATE deliveries d SET endpoint_id = made.id FROM made WHERE d.id = ANY($2)",
    )
    .bind(merchant)
    .bind(deliveries)
    .execute(pool)
    .await
    .unwrap();
}

/// Fails when the repetition counts and records each attempt once more.
#[sqlx::test(migrations = "../../migrations")]
async fn attempts_whose_commit_was_not_answered_are_recorded_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let receiver = Receiver::default();
    let base = receiver.start().await;
    let mut ids = Vec::new();
    for status in [200, 500, 202] {
        let url = format!("{base}/{status}");
        ids.push(queue(&pool, world.merchant, &format!("o{status}"), &url, "1").await);
    }
    manage(&pool, world.merchant, &ids).await;
    proxy.lose_commit(1);
    assert_eq!(deliver_due(&world.gateway).await.unwrap(), Outcome::Worked);
    assert_eq!(proxy.lost(), 1);
    let once = |state: &str| (state.to_owned(), 1, vec![1]);
    assert_eq!(
        recorded(&pool).await,
        [once("delivered"), once("pending"), once("delivered")]
    );
    assert!(leased(&pool).await.is_empty());
    assert_eq!(receiver.bodies().len(), 3, "nothing is sent because of it");
    world.gateway.close().await;
}

/// The same where one statement is the transaction. Its answer is lost once it has been prepared.
#[sqlx::test(migrations = "../../migrations")]
async fn a_statement_that_was_not_answered_records_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = || async { (StatusCode::INTERNAL_SERVER_ERROR, "said by the receiver") };
    let app = Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    for object in ["one", "two"] {
        queue(&pool, world.merchant, object, &url, "1").await;
    }
    proxy.lose_answer_to("said by the receiver");
    assert_eq!(deliver_due(&world.gateway).await.unwrap(), Outcome::Worked);
    assert_eq!(proxy.lost(), 1);
    let once = ("pending".to_owned(), 1, vec![1]);
    assert_eq!(recorded(&pool).await, [once.clone(), once]);
    // What comes after is another attempt, and told as such.
    world.gateway.advance(6).await.unwrap();
    let twice = ("pending".to_owned(), 2, vec![1, 2]);
    assert_eq!(recorded(&pool).await, [twice.clone(), twice]);
    world.gateway.close().await;
}

/// A connection on which nothing is said for this long counts as dead, which is waited for twice; long enough for a
/// busy machine.
const DATABASE_LIMIT: Duration = Duration::from_secs(10);

/// The other end of a connection is gone without a word, first when deliveries are claimed and then when an
/// attempt is recorded. Fails when either waits for ever: that would have been this process's last webhook.
#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_that_falls_silent_ends_no_deliveries(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let settings = Settings {
        webhook_timeouts: Timeouts {
            database: DATABASE_LIMIT,
            ..Timeouts::default()
        },
        ..Settings::test("http://127.0.0.1:3000")
    };
    let world = World::with(&proxy.pool().await, settings).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    let id = queue(&pool, world.merchant, "o", &url, "1").await;
    manage(&pool, world.merchant, &[id]).await;
    let deliver = async || {
        tokio::time::timeout(LIMIT, deliver_due(&world.gateway))
            .await
            .unwrap()
    };

    proxy.fall_silent_with("FROM claim_deliveries");
    let silent = deliver().await.unwrap_err();
    assert!(silent.is_transient(), "{silent:?}");
    assert_eq!(proxy.silent(), 1);
    assert!(receiver.bodies().is_empty());

    proxy.fall_silent_at(Moment::Commit);
    assert_eq!(deliver().await.unwrap(), Outcome::Worked);
    assert_eq!(proxy.silent(), 2);
    assert_eq!(
        recorded(&pool).await,
        [("delivered".to_owned(), 1, vec![1])]
    );
    assert_eq!(receiver.bodies(), ["1"]);
    world.gateway.close().await;
}

/// The barrier for a first commit that happens after the second try has looked. Fails when a record is told by
/// anything that two attempts of one claim need not share.
#[sqlx::test(migrations = "../../migrations")]
async fn the_database_refuses_a_second_record_with_all_beside_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let url = "http://127.0.0.1:9/200";
    let mut ids = Vec::new();
    for object in ["a", "b"] {
        ids.push(queue(&pool, world.merchant, object, url, "1").await);
    }
    assert_eq!(claim(&pool, 100).await, ids);
    let held: i64 = sqlx::query_scalar("SELECT id FROM delivery_claims")
        .fetch_one(&pool)
        .await
        .unwrap();
    record(&pool, ids[0], false).await;
    let refused = sqlx::query(
        "SELECT record_deliveries(ARRAY[$1::bigint, $1], ARRAY[$2::bigint, $3], ARRAY['delivered', 'delivered'],
             ARRAY[NULL, NULL]::timestamptz[], ARRAY[now(), now()], ARRAY[200, 200], ARRAY[0, 0]::bigint[],
             ARRAY[NULL, NULL]::text[], ARRAY['', ''])",
    )
    .bind(held)
    .bind(ids[0])
    .bind(ids[1])
    .execute(&pool)
    .await
    .unwrap_err();
    let constraint = refused
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(constraint, Some("delivery_attempts_once"));
    assert_eq!(recorded(&pool).await, [("pending".to_owned(), 1, vec![1])]);
    assert_eq!(leased(&pool).await, [ids[1]]);
    // A late attempt of a lease that ran out and one under the next lease are two.
    end_leases(&pool).await;
    assert_eq!(claim(&pool, 100).await, [ids[1]]);
    record(&pool, ids[1], false).await;
    sqlx::query(
        "SELECT record_deliveries(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY['delivered'],
             ARRAY[NULL]::timestamptz[], ARRAY[now()], ARRAY[200], ARRAY[0]::bigint[], ARRAY[NULL]::text[], ARRAY[''])",
    )
    .bind(held)
    .bind(ids[1])
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(
        recorded(&pool).await[1],
        ("delivered".to_owned(), 2, vec![1, 2])
    );
    assert_eq!(count(&pool, "attempts").await, 3);
}
