//! Leases: what a claim leaves in `delivery_claims`, for how long, and for whom it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use futures::future::join_all;
use gateway::Error;
use gateway::outbox::{Outcome, deliver_due};
use sqlx::PgPool;
use tokio::sync::watch;

use super::support::World;
use super::{LIMIT, Receiver, claim, count, drain, end_leases, leased, queue, record};

/// Answers nobody until it is told to. The URL it answers at, and how many asked so far.
async fn start_gated(opened: watch::Receiver<bool>) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = move || {
        let mut opened = opened.clone();
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            opened.wait_for(|open| *open).await.unwrap();
            StatusCode::OK
        }
    };
    let app = Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, asked)
}

/// Fails when each process counts its own: the receiver would be asked eight times at once.
#[sqlx::test(migrations = "../../migrations")]
async fn leases_count_for_every_process(pool: PgPool) {
    let world = World::new(&pool).await;
    let other = World::open(&pool, world.gateway.settings().clone())
        .await
        .unwrap();
    let (open, opened) = watch::channel(false);
    let (url, asked) = start_gated(opened).await;
    for number in 0..12 {
        queue(&pool, world.merchant, &format!("o{number}"), &url, "1").await;
    }
    let one = deliver_due(&world.gateway);
    let beside = async {
        let four = async {
            while asked.load(Ordering::SeqCst) < 4 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, four).await.unwrap();
        assert_eq!(deliver_due(&other).await.unwrap(), Outcome::Worked);
        assert_eq!(
            asked.load(Ordering::SeqCst),
            4,
            "the URL has its places once"
        );
        assert_eq!(leased(&pool).await.len(), 4);
        open.send(true).unwrap();
    };
    let (one, ()) = tokio::join!(one, beside);
    assert_eq!(one.unwrap(), Outcome::Worked);
    drain(&World {
        gateway: other,
        merchant: world.merchant,
    })
    .await;
    assert_eq!(count(&pool, "delivered").await, 12);
    assert_eq!(asked.load(Ordering::SeqCst), 12);
    assert!(leased(&pool).await.is_empty());
}

/// Fails when a lease is given up with others of its claim, or stays, or its lists no longer belong together:
/// then the places of another URL or merchant would be free.
#[sqlx::test(migrations = "../../migrations")]
async fn a_lease_ends_when_its_attempt_is_recorded(pool: PgPool) {
    let world = World::new(&pool).await;
    let mut ids = Vec::new();
    for number in 0..9 {
        let url = format!("http://127.0.0.1:9/{}", number % 3);
        ids.push(queue(&pool, world.merchant, &format!("o{number}"), &url, "1").await);
    }
    assert_eq!(claim(&pool, 100).await, ids);
    assert_eq!(leased(&pool).await, ids);
    record(&pool, ids[4], true).await;
    record(&pool, ids[0], false).await;
    let left: Vec<i64> = ids
        .iter()
        .copied()
        .filter(|id| ![ids[0], ids[4]].contains(id))
        .collect();
    assert_eq!(leased(&pool).await, left);
    let mixed_up: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM delivery_claims c, unnest(c.deliveries, c.merchants, c.urls) AS l (id, merchant, url)
             JOIN deliveries d ON d.id = l.id
         WHERE d.merchant_id <> l.merchant OR hashtextextended(d.url, 0) <> l.url",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(mixed_up, 0);
    for id in left {
        record(&pool, id, true).await;
    }
    let claims: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery_claims")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(claims, 0, "a claim is there as long as one of its leases");
}

/// Fails when a lease that ran out holds its delivery or its places, or stays in the table for ever.
#[sqlx::test(migrations = "../../migrations")]
async fn a_lease_that_ran_out_is_taken_over_and_goes(pool: PgPool) {
    let world = World::new(&pool).await;
    let url = "http://127.0.0.1:9/200";
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(queue(&pool, world.merchant, &format!("o{number}"), url, "1").await);
    }
    assert_eq!(claim(&pool, 100).await, ids);
    assert_eq!(claim(&pool, 100).await, Vec::<i64>::new());
    end_leases(&pool).await;
    assert_eq!(claim(&pool, 100).await, ids);
    // Nothing is left to take: now there is time for those of the dead.
    assert_eq!(claim(&pool, 100).await, Vec::<i64>::new());
    assert_eq!(leased(&pool).await, ids);
}

/// Fails when the late attempt ends the lease of the one that was made in its stead.
#[sqlx::test(migrations = "../../migrations")]
async fn a_late_attempt_is_recorded_and_leaves_the_lease_of_another(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = queue(&pool, world.merchant, "o", "http://127.0.0.1:9/200", "1").await;
    let mut claims = Vec::new();
    for _ in 0..2 {
        end_leases(&pool).await;
        let claim: i64 = sqlx::query_scalar(
            "SELECT claim_id FROM claim_deliveries(clock_timestamp(), 600, 100, 4, 16)",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        claims.push(claim);
    }
    for (claim, left) in claims.into_iter().zip([vec![id], Vec::new()]) {
        sqlx::query(
            "SELECT record_deliveries(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY['delivered'],
                 ARRAY[NULL::timestamptz], ARRAY[clock_timestamp()], ARRAY[200], ARRAY[0::bigint],
                 ARRAY[NULL::text], ARRAY[''])",
        )
        .bind(claim)
        .bind(id)
        .execute(&pool)
        .await
        .unwrap();
        assert_eq!(leased(&pool).await, left);
    }
    assert_eq!(count(&pool, "delivered").await, 1);
    assert_eq!(count(&pool, "attempts").await, 2);
}

/// Claims that Postgres is at; of these, those that wait for their turn.
async fn under_way(pool: &PgPool) -> (i64, i64) {
    sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
           AND query LIKE '%FROM claim_deliveries(%'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Fails when what is claimed after the worker was told to end is attempted all the same, or waits until its
/// lease is over, whether the worker is still there or not.
#[sqlx::test(migrations = "../../migrations")]
async fn a_claim_under_way_is_given_back_at_the_end(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    queue(&pool, world.merchant, "o", &url, "1").await;
    for is_late in [false, true] {
        let mut held = pool.begin().await.unwrap();
        sqlx::query(
            "SELECT pg_advisory_xact_lock(hashtextextended('exchequer claims of deliveries', 0))",
        )
        .execute(&mut *held)
        .await
        .unwrap();
        let (stop, asked) = watch::channel(false);
        let workers = world.gateway.spawn_workers(asked);
        let waits = async {
            while under_way(&pool).await != (1, 1) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, waits).await.unwrap();
        stop.send(true).unwrap();
        let end = async {
            tokio::time::timeout(LIMIT, join_all(workers))
                .await
                .unwrap()
        };
        if is_late {
            end.await;
            held.rollback().await.unwrap();
        } else {
            held.rollback().await.unwrap();
            end.await;
        }
        let given_back = async {
            // What it takes is there before it is over.
            while under_way(&pool).await.0 > 0 || !leased(&pool).await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, given_back).await.unwrap();
        assert!(receiver.bodies().is_empty(), "late: {is_late}");
    }
    drain(&world).await;
    assert_eq!(receiver.bodies(), ["1"]);
}

/// Fails when sending again by hand does not see that somebody is at it.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_under_way_is_not_sent_again_by_hand(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    let id = queue(&pool, world.merchant, "o", &url, "1").await;
    assert_eq!(claim(&pool, 100).await, [id]);
    let refused = world.gateway.redeliver(world.merchant, id).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    end_leases(&pool).await;
    world.gateway.redeliver(world.merchant, id).await.unwrap();
    drain(&world).await;
    assert_eq!(receiver.bodies(), ["1"]);
}
