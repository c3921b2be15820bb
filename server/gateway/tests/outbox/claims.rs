//! Who is claimed: order, places, turns, one process beside the other.

use std::collections::BTreeSet;

use futures::future::join_all;
use sqlx::PgPool;
use tokio::sync::watch;

use super::support::World;
use super::{LIMIT, Receiver, claim, count, drain, end_leases, leased, merchants, queue, record};

/// Fails with a queue that is looked at once a second: with four places at a time it would need 75 looks,
/// and there is time for 60.
#[sqlx::test(migrations = "../../migrations")]
async fn places_are_filled_when_they_get_free(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    for number in 0..300 {
        let object = format!("o{number}");
        queue(&pool, world.merchant, &object, &url, "one").await;
    }
    let (stop, asked) = watch::channel(false);
    let workers = world.gateway.spawn_workers(asked);
    let all = async {
        while count(&pool, "delivered").await < 300 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, all).await.unwrap();
    stop.send(true).unwrap();
    tokio::time::timeout(LIMIT, join_all(workers))
        .await
        .unwrap();
    assert_eq!(receiver.bodies().len(), 300);
    world.audit().await;
}

/// Fails without the check for an earlier one of the object, and when what is blocked takes a place.
#[sqlx::test(migrations = "../../migrations")]
async fn an_object_waits_for_its_own_and_blocks_no_other(pool: PgPool) {
    let world = World::new(&pool).await;
    let url = "http://127.0.0.1:9/200";
    let mut firsts = Vec::new();
    for object in ["a", "b", "c"] {
        for body in ["1", "2", "3"] {
            let id = queue(&pool, world.merchant, object, url, body).await;
            if body == "1" {
                firsts.push(id);
            }
        }
    }
    assert_eq!(claim(&pool, 100).await, firsts);
    assert_eq!(claim(&pool, 100).await, Vec::<i64>::new());
    // The first one of "a" waits for its next attempt: all about "a" waits behind it.
    record(&pool, firsts[0], false).await;
    record(&pool, firsts[1], true).await;
    assert_eq!(claim(&pool, 100).await, [firsts[1] + 1]);
}

/// Fails without the places of URLs and merchants, and when a claim takes merchants one after the other.
#[sqlx::test(migrations = "../../migrations")]
async fn places_are_given_out_by_turns(pool: PgPool) {
    let world = World::new(&pool).await;
    let (many, few) = merchants(&world).await;
    let mut of_many = Vec::new();
    for number in 0..60 {
        let url = format!("http://127.0.0.1:9/{}", number % 10);
        of_many.push(queue(&pool, many, &format!("m{number}"), &url, "1").await);
    }
    let mut of_few = Vec::new();
    for number in 0..6 {
        let url = "http://127.0.0.1:9/few";
        of_few.push(queue(&pool, few, &format!("f{number}"), url, "1").await);
    }
    // By turns: four each, although the others are due for longer.
    let first = claim(&pool, 8).await;
    let theirs: Vec<i64> = first
        .iter()
        .copied()
        .filter(|id| of_few.contains(id))
        .collect();
    assert_eq!(theirs, of_few[..4]);
    assert_eq!(first.len(), 8);
    // What is left of the places of the other: sixteen in all; the one URL has its four.
    let second = claim(&pool, 100).await;
    assert!(second.iter().all(|id| of_many.contains(id)), "{second:?}");
    assert_eq!(second.len(), 12);
    let most: i64 = sqlx::query_scalar(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM delivery_claims c, unnest(c.deliveries) AS l (id)
                             JOIN deliveries d ON d.id = l.id GROUP BY d.url) of_url",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(most <= 4, "{most} of one URL");
    assert_eq!(claim(&pool, 100).await, Vec::<i64>::new());
    end_leases(&pool).await;
    assert_eq!(claim(&pool, 100).await.len(), 20, "leases run out");
}

/// Fails when a claim does not go on with the merchants behind those of the one before.
#[sqlx::test(migrations = "../../migrations")]
async fn merchants_take_turns_over_claims(pool: PgPool) {
    let ids: Vec<i64> = sqlx::query_scalar(
        "INSERT INTO merchants (name, app_key, webhook_secret, ipn_secret, created_at)
         SELECT 'many', 'many' || n, 'whsec_many', 'many', now() FROM generate_series(1, 40) n RETURNING id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for merchant in &ids {
        for number in 0..3 {
            let object = format!("{merchant}/{number}");
            let url = format!("http://127.0.0.1:9/{merchant}");
            queue(&pool, *merchant, &object, &url, "1").await;
        }
    }
    let mut served = BTreeSet::new();
    for _ in 0..3 {
        let taken = claim(&pool, 16).await;
        assert_eq!(taken.len(), 16);
        let theirs: Vec<i64> =
            sqlx::query_scalar("SELECT merchant_id FROM deliveries WHERE id = ANY($1)")
                .bind(taken)
                .fetch_all(&pool)
                .await
                .unwrap();
        served.extend(theirs);
    }
    assert_eq!(served, ids.into_iter().collect::<BTreeSet<i64>>());
}

/// The places of a URL are those of everybody who sends there.
#[sqlx::test(migrations = "../../migrations")]
async fn a_url_of_two_merchants_has_its_places_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let (one, other) = merchants(&world).await;
    for number in 0..5 {
        let url = "http://127.0.0.1:9/shared";
        queue(&pool, one, &format!("a{number}"), url, "1").await;
        queue(&pool, other, &format!("b{number}"), url, "1").await;
    }
    assert_eq!(claim(&pool, 3).await.len(), 3);
    assert_eq!(claim(&pool, 100).await.len(), 1);
}

/// Fails when claims do not skip what another one has locked or taken.
#[sqlx::test(migrations = "../../migrations")]
async fn many_processes_send_each_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let base = receiver.start().await;
    let (one, other) = merchants(&world).await;
    for number in 0..120 {
        let merchant = if number % 2 == 0 { one } else { other };
        let url = format!("{base}/{}", 200 + number % 7);
        let object = format!("o{number}");
        queue(&pool, merchant, &object, &url, &number.to_string()).await;
    }
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(World {
            gateway: World::open(&pool, world.gateway.settings().clone())
                .await
                .unwrap(),
            merchant: world.merchant,
        });
    }
    join_all(processes.iter().map(drain)).await;
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 120);
    assert_eq!(bodies.iter().collect::<BTreeSet<_>>().len(), 120);
    assert_eq!(count(&pool, "delivered").await, 120);
    assert_eq!(count(&pool, "attempts").await, 120);
    assert!(leased(&pool).await.is_empty(), "leases of what is over");
    world.audit().await;
}
