//! The door of units that are committed alone.

use std::time::{Duration, Instant};

use domain::ledger::JournalEntry;
use gateway::Error;
use gateway::ledger::{Book, Room};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::support::World;
use super::{Gate, booked, fund, house, until};

fn post(book: &Book, entry: JournalEntry) -> JoinHandle<Result<(), Error>> {
    let book = book.clone();
    tokio::spawn(async move {
        book.commit(move |unit| {
            Box::pin(async move {
                unit.post(entry);
                Ok(())
            })
        })
        .await
    })
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_full_door_turns_away_with_nothing_done(pool: PgPool) {
    let world = World::new(&pool).await;
    let book = world.gateway.book().with_room(Room {
        running: 1,
        waiting: 1,
    });
    post(&book, fund(1, 1)).await.unwrap().unwrap();
    let gate = Gate::on(&world, &pool, house()).await;
    let inside = post(&book, fund(1, 1));
    gate.reached().await;
    let waits = post(&book, fund(1, 1));
    until(|| async { book.admission().waiting == 1 }).await;
    let one_more = fund(1, 1);
    let id = one_more.id;
    let refused = post(&book, one_more.clone()).await.unwrap();
    assert!(
        matches!(refused, Err(Error::Overloaded { .. })),
        "{refused:?}"
    );
    let figures = book.admission();
    assert_eq!((figures.running, figures.refused), (1, 1), "{figures:?}");
    gate.open().await;
    inside.await.unwrap().unwrap();
    waits.await.unwrap().unwrap();
    assert_eq!(booked(&pool, &[id]).await, [0], "nothing of it was done");
    post(&book, one_more).await.unwrap().unwrap();
    assert_eq!(booked(&pool, &[id]).await, [1]);
    assert_eq!(book.admission().admitted, 4);
    world.audit().await;
}

/// Fails when a wait at the door counts as time of a commit: each of those who wait would bring the whole of it
/// along, and behind a door for one all commits together last no longer than it takes until the last is done.
#[sqlx::test(migrations = "../../migrations")]
async fn a_wait_at_the_door_is_no_time_of_a_commit(pool: PgPool) {
    let world = World::new(&pool).await;
    let book = world.gateway.book().with_room(Room {
        running: 1,
        waiting: 5,
    });
    let (release, released) = oneshot::channel::<()>();
    let held = book.clone();
    // It comes to nothing, so it has no duration of its own.
    let inside = tokio::spawn(async move {
        held.commit::<(), _>(move |_unit| {
            Box::pin(async move {
                let _ = released.await;
                Err(Error::NotFound)
            })
        })
        .await
    });
    until(|| async { book.admission().running == 1 }).await;
    let before = book.commits();
    let waiting: Vec<_> = (0..5).map(|_| post(&book, fund(1, 1))).collect();
    until(|| async { book.admission().waiting == 5 }).await;
    let opened_at = Instant::now();
    release.send(()).unwrap();
    assert!(matches!(inside.await.unwrap(), Err(Error::NotFound)));
    for each in waiting {
        each.await.unwrap().unwrap();
    }
    let took = opened_at.elapsed();
    let after = book.commits();
    assert_eq!(after.committed - before.committed, 5);
    let summed = after.durations.sum_micros - before.durations.sum_micros;
    let summed = Duration::from_micros(summed);
    assert!(summed <= took, "{summed:?} of commits within {took:?}");
    world.audit().await;
}

/// Callers fill the door: the chain is followed nevertheless. At the end whoever waits is answered.
#[sqlx::test(migrations = "../../migrations")]
async fn the_instance_passes_no_door_and_its_end_is_an_answer(pool: PgPool) {
    let own = PgPoolOptions::new()
        .max_connections(10)
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap();
    let world = World::new(&own).await;
    let charge = world.picked("10.00", "EUR", "BTC").await;
    let book = world.gateway.book().clone();
    let gate = Gate::on(&world, &pool, super::wallet(7)).await;
    let inside: Vec<_> = (0..5).map(|_| post(&book, fund(7, 1))).collect();
    until(|| async { book.admission().running == 5 }).await;
    assert_eq!(book.admission().most, 5, "half of the pool");
    let last = fund(7, 1);
    let id = last.id;
    let waits = post(&book, last);
    until(|| async { book.admission().waiting == 1 }).await;
    let paying = async {
        world.pay(&charge, "0.00005").await;
        world.mine("BTC", 1).await;
    };
    tokio::time::timeout(Duration::from_secs(60), paying)
        .await
        .expect("nobody waits at a door");
    assert_eq!(book.admission().running, 5);
    assert!(!book.end_within(Duration::from_millis(1)).await);
    let turned_away = waits.await.unwrap();
    assert!(
        matches!(turned_away, Err(Error::Overloaded { .. })),
        "{turned_away:?}"
    );
    gate.open().await;
    for each in inside {
        each.await.unwrap().unwrap();
    }
    assert_eq!(booked(&pool, &[id]).await, [0]);
    let late = post(&book, fund(7, 1)).await.unwrap();
    assert!(matches!(late, Err(Error::Overloaded { .. })), "{late:?}");
    world.audit().await;
}
