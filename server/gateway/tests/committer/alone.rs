//! A unit in a transaction of its own, when the database says nothing any more.

use std::future::Future;
use std::time::Duration;

use domain::ledger::JournalEntry;
use gateway::Error;
use gateway::ledger::{Book, Patience};
use sqlx::PgPool;

use super::proxy::{Moment, Proxy};
use super::support::World;
use super::{booked, fund};

/// What asks whether an entry is durable.
const LOOK: &str = "FROM journal_entries WHERE id = ANY";

/// Of the step that is never answered, and so waited for in full: long enough for a busy machine to come to it.
const LIMIT: Duration = Duration::from_secs(10);

/// Of a step that is answered.
const LONG: Duration = Duration::from_secs(60);

const PATIENT: Patience = Patience {
    begin: LONG,
    work: LONG,
    commit: LONG,
    find: LONG,
};

async fn post(book: &Book, entry: JournalEntry) -> Result<(), Error> {
    book.commit(move |unit| {
        Box::pin(async move {
            unit.post(entry);
            Ok(())
        })
    })
    .await
}

/// Writes nothing that it could be known by.
async fn wake(book: &Book) -> Result<(), Error> {
    book.commit(|unit| {
        Box::pin(async move {
            unit.notify("nobody");
            Ok(())
        })
    })
    .await
}

/// Fails the test instead of hanging with it.
async fn answer(asked: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    tokio::time::timeout(Duration::from_secs(120), asked)
        .await
        .expect("it does not wait for ever")
}

fn patient(world: &World) -> Book {
    world.gateway.book().with_patience(PATIENT)
}

/// Waits for the limit at this moment and for no other.
fn impatient_at(world: &World, moment: Moment) -> Book {
    world.gateway.book().with_patience(match moment {
        Moment::Begin => Patience {
            begin: LIMIT,
            ..PATIENT
        },
        Moment::Work => Patience {
            work: LIMIT,
            ..PATIENT
        },
        Moment::Commit => Patience {
            commit: LIMIT,
            ..PATIENT
        },
    })
}

/// Before the commit: nothing was done, and the same may be asked again.
#[sqlx::test(migrations = "../../migrations")]
async fn silence_before_the_commit_is_an_error_and_nothing_was_done(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    post(&patient(&world), fund(1, 10)).await.unwrap();
    for (round, moment) in [Moment::Begin, Moment::Work].into_iter().enumerate() {
        let entry = fund(1, 1);
        let id = entry.id;
        proxy.fall_silent_at(moment);
        let book = impatient_at(&world, moment);
        let error = answer(post(&book, entry.clone())).await.unwrap_err();
        assert!(error.is_transient(), "{moment:?}: {error:?}");
        assert_eq!(proxy.silent(), round + 1, "{moment:?}");
        assert_eq!(booked(&pool, &[id]).await, [0], "{moment:?}");
        post(&patient(&world), entry).await.unwrap();
        assert_eq!(booked(&pool, &[id]).await, [1], "{moment:?}");
    }
    world.audit().await;
    world.gateway.close().await;
}

/// Postgres has committed, and nobody hears of it: what is found in the journal was done, of anything else
/// nobody is told that it was not.
#[sqlx::test(migrations = "../../migrations")]
async fn a_commit_nobody_answers_is_no_failure(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let book = impatient_at(&world, Moment::Commit);
    post(&patient(&world), fund(1, 10)).await.unwrap();
    for silent in [false, true] {
        let break_off = || {
            if silent {
                proxy.fall_silent_at(Moment::Commit);
            } else {
                proxy.lose_commit(1);
            }
        };
        let entry = fund(1, 1);
        let id = entry.id;
        break_off();
        answer(post(&book, entry.clone())).await.unwrap();
        assert_eq!(booked(&pool, &[id]).await, [1], "silent: {silent}");
        // Whoever asks again all the same gets it once.
        let again = post(&patient(&world), entry).await;
        assert!(matches!(again, Err(Error::AlreadyBooked)), "{again:?}");
        break_off();
        let unknown = answer(wake(&book)).await;
        assert!(matches!(unknown, Err(Error::OutcomeUnknown)), "{unknown:?}");
    }
    assert_eq!((proxy.lost(), proxy.silent()), (2, 2));
    world.audit().await;
    world.gateway.close().await;
}

/// On a full disk Postgres may write a commit and panic then. Fails when that is taken for an answer that
/// nothing was done, by a unit alone or by a committer.
#[sqlx::test(migrations = "../../migrations")]
async fn a_panic_is_no_answer_to_a_commit(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let book = patient(&world);
    let committer = world.gateway.postings().clone();
    post(&book, fund(1, 10)).await.unwrap();
    committer.submit(fund(1, 10)).await.unwrap();
    let (alone, batched) = (fund(1, 1), fund(1, 1));
    let ids = [alone.id, batched.id];
    proxy.panic_at_commit(1, "53100");
    answer(post(&book, alone)).await.unwrap();
    proxy.panic_at_commit(1, "53100");
    answer(async { committer.submit(batched).await.map(drop) })
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(booked(&pool, &ids).await, [1, 1]);
    world.audit().await;
    world.gateway.close().await;
}

/// Whatever took the answer to the commit away takes that to the first look away, too, as a crash of Postgres
/// does. Fails when nobody looks again: the entry is there, and the caller hears that nobody knows.
#[sqlx::test(migrations = "../../migrations")]
async fn whether_it_is_durable_is_asked_until_it_is_answered(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    post(&patient(&world), fund(1, 10)).await.unwrap();
    let entry = fund(1, 1);
    let id = entry.id;
    proxy.lose_commit(1);
    proxy.lose_answer_to(LOOK);
    answer(post(&patient(&world), entry)).await.unwrap();
    assert_eq!(proxy.lost(), 2, "the commit and a look");
    assert_eq!(booked(&pool, &[id]).await, [1]);
    world.audit().await;
    world.gateway.close().await;
}

/// Nobody waits for an answer to a look for longer than the patience says, and then nobody knows.
#[sqlx::test(migrations = "../../migrations")]
async fn whether_it_is_durable_is_not_asked_for_ever(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    post(&patient(&world), fund(1, 10)).await.unwrap();
    let entry = fund(1, 1);
    let id = entry.id;
    proxy.lose_commit(1);
    proxy.fall_silent_with(LOOK);
    let impatient = world.gateway.book().with_patience(Patience {
        find: LIMIT,
        ..PATIENT
    });
    let unknown = answer(post(&impatient, entry)).await;
    assert!(matches!(unknown, Err(Error::OutcomeUnknown)), "{unknown:?}");
    assert_eq!(proxy.silent(), 1);
    assert_eq!(booked(&pool, &[id]).await, [1]);
    world.audit().await;
    world.gateway.close().await;
}
