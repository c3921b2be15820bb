use std::time::Duration;

use gateway::ledger::{Committer, Limits, Postings};
use gateway::{Error, Settings};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::support::World;
use super::{Gate, booked, fund, gathered, house, spend};

const ONE_BY_ONE: Limits = Limits {
    queue: 3,
    batch: 1,
    committers: 1,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_full_queue_turns_away_and_recovers(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = Committer::start(world.gateway.book().clone(), Postings, ONE_BY_ONE);
    let before = world.gateway.book().commits();
    // Turned away, and refused by a rule, since then.
    let counted = || {
        let now = world.gateway.book().commits();
        (
            now.overloaded - before.overloaded,
            now.refused - before.refused,
        )
    };
    let gate = Gate::on(&world, &pool, house()).await;
    let waiting = (0..3).map(|_| fund(1, 1)).collect();
    let (first, waiting) = gathered(&committer, &gate, fund(1, 1), waiting).await;
    let one_too_many = fund(1, 1);
    let id = one_too_many.id;
    match committer.submit(one_too_many.clone()).await {
        Err(Error::Overloaded { retry_after }) => assert!(retry_after >= Duration::from_secs(1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(committer.depth(), 3);
    assert_eq!(counted(), (1, 0));
    gate.open().await;
    first.await.unwrap().unwrap();
    for each in waiting {
        each.await.unwrap().unwrap();
    }
    assert_eq!(booked(&pool, &[id]).await, [0], "nothing of it was done");
    committer.submit(one_too_many).await.unwrap();
    assert_eq!(booked(&pool, &[id]).await, [1]);
    assert_eq!(committer.stats().batches, 5, "a batch of one is one");
    let refused = committer.submit(spend(1, 1_000)).await;
    assert!(matches!(refused, Err(Error::Ledger(_))), "{refused:?}");
    assert_eq!(counted(), (1, 1));
    world.audit().await;
}

/// A caller who gives up hurts nobody, and what he asked for is done at most once.
#[sqlx::test(migrations = "../../migrations")]
async fn callers_may_go_away(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    let gate = Gate::on(&world, &pool, house()).await;
    let entries: Vec<_> = (0..20).map(|_| fund(1, 1)).collect();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let begun = fund(1, 1);
    let begun_id = begun.id;
    let (first, others) = gathered(&committer, &gate, begun, entries).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let mut staying = Vec::new();
    for (place, other) in others.into_iter().enumerate() {
        if place % 2 == 0 {
            other.abort();
            assert!(other.await.unwrap_err().is_cancelled());
        } else {
            staying.push(other);
        }
    }
    gate.open().await;
    for each in staying {
        each.await.unwrap().unwrap();
    }
    committer.submit(fund(1, 1)).await.unwrap();
    assert_eq!(
        booked(&pool, &[begun_id]).await,
        [1],
        "what had begun is done whole"
    );
    for (place, count) in booked(&pool, &ids).await.into_iter().enumerate() {
        let expected = i64::from(place % 2 == 1);
        assert_eq!(count, expected, "{place}: what had not begun is left out");
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn shutting_down_does_what_waits_and_takes_nothing_more(pool: PgPool) {
    let world = World::new(&pool).await;
    let limits = Limits {
        queue: 100,
        batch: 5,
        committers: 1,
    };
    let committer = Committer::start(world.gateway.book().clone(), Postings, limits);
    let gate = Gate::on(&world, &pool, house()).await;
    let waiting = (0..40).map(|_| fund(1, 1)).collect();
    let (first, waiting) = gathered(&committer, &gate, fund(1, 1), waiting).await;
    let closing = tokio::spawn({
        let committer = committer.clone();
        async move { committer.shut_down().await }
    });
    gate.open().await;
    closing.await.unwrap();
    first.await.unwrap().unwrap();
    for each in waiting {
        each.await.unwrap().unwrap();
    }
    let late = committer.submit(fund(1, 1)).await;
    assert!(matches!(late, Err(Error::Overloaded { .. })), "{late:?}");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn several_tasks_end_together(pool: PgPool) {
    let world = World::new(&pool).await;
    let limits = Limits {
        queue: 100,
        batch: 1,
        committers: 3,
    };
    let committer = Committer::start(world.gateway.book().clone(), Postings, limits);
    let posted = (0..30).map(|_| committer.submit(fund(1, 1)));
    for result in futures::future::join_all(posted).await {
        result.unwrap();
    }
    committer.shut_down().await;
    // Asking again is no harm.
    committer.shut_down().await;
    let late = committer.submit(fund(1, 1)).await;
    assert!(matches!(late, Err(Error::Overloaded { .. })), "{late:?}");
    world.audit().await;
}

/// Whoever drops the last handle has what waits done nevertheless.
#[sqlx::test(migrations = "../../migrations")]
async fn a_committer_without_owner_ends_its_work(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = Committer::start(world.gateway.book().clone(), Postings, ONE_BY_ONE);
    let gate = Gate::on(&world, &pool, house()).await;
    let waiting = (0..3).map(|_| fund(1, 1)).collect();
    let (first, waiting) = gathered(&committer, &gate, fund(1, 1), waiting).await;
    drop(committer);
    gate.open().await;
    first.await.unwrap().unwrap();
    for each in waiting {
        each.await.unwrap().unwrap();
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_gateway_that_is_closed_has_done_what_was_asked(pool: PgPool) {
    let world = World::new(&pool).await;
    let own = PgPoolOptions::new()
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap();
    let settings = Settings::test("http://127.0.0.1:3000");
    let other = World::open(&own, settings).await.unwrap();
    let gate = Gate::on(&world, &pool, house()).await;
    let committer = other.postings().clone();
    let entries: Vec<_> = (0..10).map(|_| fund(1, 1)).collect();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let (first, others) = gathered(&committer, &gate, fund(1, 1), entries).await;
    assert_eq!(other.committers()[0].0, "postings");
    gate.open().await;
    first.await.unwrap().unwrap();
    for each in others {
        each.await.unwrap().unwrap();
    }
    assert_eq!(booked(&pool, &ids).await, [1; 10]);
    world.audit().await;
    other.close().await;
    let late = committer.submit(fund(1, 1)).await;
    assert!(matches!(late, Err(Error::Overloaded { .. })), "{late:?}");
}

/// What cannot end does not keep the instance from ending, and nobody is left without an answer: what has
/// not begun is refused, of what has nobody can say what became of it.
#[sqlx::test(migrations = "../../migrations")]
async fn whoever_waits_at_the_end_is_answered(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = Committer::start(world.gateway.book().clone(), Postings, ONE_BY_ONE);
    let gate = Gate::on(&world, &pool, house()).await;
    let waiting: Vec<_> = (0..3).map(|_| fund(1, 1)).collect();
    let ids: Vec<_> = waiting.iter().map(|entry| entry.id).collect();
    let (first, waiting) = gathered(&committer, &gate, fund(1, 1), waiting).await;
    assert!(!committer.end_within(Duration::from_millis(1)).await);
    for each in waiting {
        let refused = each.await.unwrap();
        assert!(
            matches!(refused, Err(Error::Overloaded { .. })),
            "{refused:?}"
        );
    }
    let unknown = first.await.unwrap().unwrap_err();
    assert!(matches!(unknown, Error::OutcomeUnknown), "{unknown:?}");
    gate.open().await;
    assert_eq!(booked(&pool, &ids).await, [0; 3]);
    world.audit().await;
}
