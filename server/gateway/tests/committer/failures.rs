use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ledger::{AccountKey, JournalEntry, Movement};
use futures::future::BoxFuture;
use gateway::ledger::{Batch, Book, Committer, Limits, Patience, PostedEntry, Postings, Unit};
use gateway::{Error, Settings};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::support::World;
use super::{Gate, booked, entry, fund, gathered, house, spend, wallet};

/// Whatever the database refuses fails alone; everybody else's is done.
#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_done_fails_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    let before = fund(1, 1_000);
    committer.submit(before.clone()).await.unwrap();
    let hold = || entry(&[(Movement::Hold, wallet(1), house(), 1)]);
    let held = hold();
    let mut same_hold = hold();
    same_hold.legs[0].id = held.legs[0].id;
    committer.submit(held).await.unwrap();
    let missing = AccountKey {
        user_id: 77,
        ..wallet(1)
    };
    let same_fact = JournalEntry {
        dedupe: before.dedupe.clone(),
        ..fund(1, 1)
    };
    let mut others: Vec<JournalEntry> = (0..30).map(|_| spend(1, 1)).collect();
    let poison = [
        before,
        same_fact,
        same_hold,
        entry(&[(Movement::Post, house(), missing, 5)]),
        entry(&[(Movement::Post, house(), wallet(1), 0)]),
        spend(1, 5_000),
    ];
    for (place, each) in poison.into_iter().enumerate() {
        others.insert(place * 6, each);
    }
    let ids: Vec<Uuid> = others.iter().map(|entry| entry.id).collect();
    let gate = Gate::on(&world, &pool, house()).await;
    let (first, others) = gathered(&committer, &gate, fund(1, 1), others).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    let mut refused = Vec::new();
    for (place, other) in others.into_iter().enumerate() {
        match other.await.unwrap() {
            Ok(posted) => assert_eq!(posted.id, ids[place]),
            Err(error) => refused.push((place, error)),
        }
    }
    assert!(
        matches!(
            refused.as_slice(),
            [
                (0, Error::AlreadyBooked),
                (6, Error::AlreadyBooked),
                (12, Error::Database(_)),
                (18, Error::Internal(_)),
                (24, Error::Ledger(_)),
                (30, Error::Ledger(_)),
            ]
        ),
        "{refused:?}"
    );
    let counts = booked(&pool, &ids).await;
    for (place, count) in counts.into_iter().enumerate() {
        // The first one is the entry that was there before.
        let there = place == 0 || !refused.iter().any(|(each, _)| *each == place);
        assert_eq!(count, i64::from(there), "{place}");
    }
    world.audit().await;
}

/// The backend is shot while it waits for a lock: nothing of it was done, so all of it is done again.
#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_that_dies_in_the_middle_costs_nobody_anything(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    let gate = Gate::on(&world, &pool, house()).await;
    let entries: Vec<JournalEntry> = (0..20).map(|_| fund(1, 1)).collect();
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let begun = fund(1, 1);
    let begun_id = begun.id;
    let (first, others) = gathered(&committer, &gate, begun, entries).await;
    let backend = gate.reached().await;
    shoot(&pool, backend).await;
    gate.open().await;
    assert_eq!(first.await.unwrap().unwrap().id, begun_id);
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(booked(&pool, &[begun_id]).await, [1]);
    assert_eq!(booked(&pool, &ids).await, vec![1; ids.len()]);
    world.audit().await;
}

async fn shoot(pool: &PgPool, backend: i32) {
    let shot: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1)")
        .bind(backend)
        .fetch_one(pool)
        .await
        .unwrap();
    assert!(shot);
}

/// The backend of the next commit dies inside it, before anything is durable.
pub(super) async fn break_the_next_commit(pool: &PgPool) {
    for statement in [
        "CREATE SEQUENCE cuts",
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('cuts') = 1 THEN
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(60);
             END IF;
             RETURN NULL;
         END $$",
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON journal_entries
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_commit_that_dies_is_done_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 1)).await.unwrap();
    break_the_next_commit(&pool).await;
    let entry = fund(1, 5);
    let id = entry.id;
    committer.submit(entry).await.unwrap();
    assert_eq!(booked(&pool, &[id]).await, [1]);
    let cuts: i64 = sqlx::query_scalar("SELECT last_value FROM cuts")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(cuts, 2, "it was cut once, and committed once");
    world.audit().await;
}

static PLAIN: Postings = Postings;

/// Plain entries that panic when they are looked for the first time.
#[derive(Default)]
struct Fragile(AtomicBool);

impl Batch for Fragile {
    type Item = JournalEntry;
    type Done = PostedEntry;

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [JournalEntry],
    ) -> BoxFuture<'u, Result<Vec<Result<PostedEntry, Error>>, Error>> {
        PLAIN.run(unit, items)
    }

    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Vec<Option<PostedEntry>>, Error>> {
        Box::pin(async move {
            assert!(self.0.swap(true, Ordering::SeqCst), "the first look panics");
            PLAIN.find(book, items).await
        })
    }
}

/// Fails when the task ends with it: nobody would ever do anything that comes later.
#[sqlx::test(migrations = "../../migrations")]
async fn a_look_that_panics_ends_no_committer(pool: PgPool) {
    let world = World::new(&pool).await;
    let book = world.gateway.book().clone();
    let committer = Committer::start(book, Fragile::default(), Limits::default());
    committer.submit(fund(1, 1)).await.unwrap();
    break_the_next_commit(&pool).await;
    let entry = fund(1, 5);
    let id = entry.id;
    committer.submit(entry).await.unwrap();
    assert_eq!(booked(&pool, &[id]).await, [1]);
    committer.submit(fund(1, 1)).await.unwrap();
    world.audit().await;
}

/// Fails when a task that ends by itself is not told from one that was asked to end.
#[sqlx::test(migrations = "../../migrations")]
async fn a_task_that_ends_by_itself_is_counted(pool: PgPool) {
    let world = World::new(&pool).await;
    let book = world.gateway.book().clone();
    let asked = Committer::start(book.clone(), Postings, Limits::default());
    asked.shut_down().await;
    assert_eq!(asked.stats().ended, 0);
    let begun_elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        // Its tasks end with the runtime.
        runtime.block_on(async { Committer::start(book, Postings, Limits::default()) })
    });
    let broken = begun_elsewhere.join().unwrap();
    assert_eq!(broken.stats().ended, 1);
    let refused = broken.submit(fund(1, 1)).await;
    assert!(
        matches!(refused, Err(Error::Overloaded { .. })),
        "{refused:?}"
    );
}

/// A commit is not answered, and every other try loses against a lock. That may be the lock of the commit
/// itself, so nobody may say that nothing was done.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_contended_after_an_unanswered_commit_is_not_called_undone(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 1)).await.unwrap();
    break_the_next_commit(&pool).await;
    // From then on it is as if somebody had the lock for longer than anybody waits.
    for statement in [
        "CREATE FUNCTION contend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT is_called FROM cuts) THEN
                 RAISE EXCEPTION 'somebody has the lock' USING ERRCODE = 'lock_not_available';
             END IF;
             RETURN NEW;
         END $$",
        "CREATE TRIGGER contend BEFORE INSERT ON journal_entries
             FOR EACH ROW EXECUTE FUNCTION contend()",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let entry = fund(1, 5);
    let id = entry.id;
    let unknown = committer.submit(entry.clone()).await;
    assert!(matches!(unknown, Err(Error::OutcomeUnknown)), "{unknown:?}");
    sqlx::query("DROP TRIGGER contend ON journal_entries")
        .execute(&pool)
        .await
        .unwrap();
    committer.submit(entry).await.unwrap();
    assert_eq!(booked(&pool, &[id]).await, [1]);
    world.audit().await;
}

/// The commit is durable, but its answer is lost on the way.
#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn an_answer_lost_on_the_way_doubles_nothing(pool: PgPool) {
    let proxy = super::proxy::Proxy::before(&pool);
    let cut_off = proxy.pool().await;
    let world = World::new(&cut_off).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 10)).await.unwrap();
    let gate = Gate::on(&world, &pool, house()).await;
    let mut entries: Vec<JournalEntry> = (0..20).map(|_| spend(1, 1)).collect();
    let refused = spend(1, 1_000);
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let refused_id = refused.id;
    entries.push(refused);
    let (first, mut others) = gathered(&committer, &gate, fund(1, 10), entries).await;
    // The first commit is that of the one before the gate, the second that of the others.
    proxy.lose_commit(2);
    gate.open().await;
    first.await.unwrap().unwrap();
    let last = others.pop().unwrap().await.unwrap();
    assert!(matches!(last, Err(Error::Ledger(_))), "{last:?}");
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(proxy.lost(), 1);
    assert_eq!(booked(&pool, &ids).await, vec![1; ids.len()]);
    assert_eq!(booked(&pool, &[refused_id]).await, [0]);
    world.audit().await;
    world.gateway.close().await;
}

/// The other end of a connection is gone without a word: nobody waits for it for ever, and what was asked
/// for is done once.
#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_that_falls_silent_stops_nobody(pool: PgPool) {
    use super::proxy::{Moment, Proxy};

    let proxy = Proxy::before(&pool);
    let cut_off = proxy.pool().await;
    let world = World::new(&cut_off).await;
    let limit = Duration::from_secs(1);
    let patience = Patience {
        begin: limit,
        work: limit,
        commit: limit,
        // This one is never silent here, and may take its time.
        find: Duration::from_secs(60),
    };
    let book = world.gateway.book().clone();
    let committer = Committer::start_with(book, Postings, Limits::default(), patience);
    committer.submit(fund(1, 10)).await.unwrap();
    for (round, moment) in [Moment::Begin, Moment::Work, Moment::Commit]
        .into_iter()
        .enumerate()
    {
        proxy.fall_silent_at(moment);
        let entry = fund(1, 1);
        let id = entry.id;
        let answered = tokio::time::timeout(Duration::from_secs(120), committer.submit(entry));
        assert_eq!(answered.await.unwrap().unwrap().id, id, "{moment:?}");
        assert_eq!(proxy.silent(), round + 1, "{moment:?}");
        assert_eq!(booked(&pool, &[id]).await, [1], "{moment:?}");
    }
    world.audit().await;
    world.gateway.close().await;
}

/// Whoever waits for somebody else's locks waits alone, and not for ever.
#[sqlx::test(migrations = "../../migrations")]
async fn an_item_that_is_contended_keeps_nobody_waiting(pool: PgPool) {
    let world = World::new(&pool).await;
    let options = pool.connect_options().as_ref().clone();
    let own = PgPoolOptions::new()
        .connect_with(options.options([("lock_timeout", "50ms")]))
        .await
        .unwrap();
    let settings = Settings::test("http://127.0.0.1:3000");
    let impatient = World::open(&own, settings).await.unwrap();
    let committer = impatient.postings().clone();
    for merchant in 1..=3 {
        committer.submit(fund(merchant, 100)).await.unwrap();
    }
    let gate = Gate::on(&world, &pool, wallet(2)).await;
    let between = |from, to| entry(&[(Movement::Post, wallet(from), wallet(to), 1)]);
    let answered = Arc::new(Mutex::new(Vec::new()));
    let ask = |name: &'static str, entry: JournalEntry| {
        let (committer, answered) = (committer.clone(), answered.clone());
        tokio::spawn(async move {
            let result = committer.submit(entry).await;
            answered.lock().unwrap().push(name);
            result
        })
    };
    let contended = ask("contended", between(2, 1));
    let free = ask("free", between(1, 3));
    free.await.unwrap().unwrap();
    let refused = contended.await.unwrap();
    assert!(
        matches!(refused, Err(Error::Overloaded { .. })),
        "{refused:?}"
    );
    assert_eq!(*answered.lock().unwrap(), ["free", "contended"]);
    gate.open().await;
    committer.submit(between(2, 1)).await.unwrap();
    world.audit().await;
    impatient.close().await;
}

/// The same for charges, with and without a key.
#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_whose_commit_was_not_answered_is_made_once(pool: PgPool) {
    let proxy = super::proxy::Proxy::before(&pool);
    let cut_off = proxy.pool().await;
    let world = World::new(&cut_off).await;
    let once = gateway::idempotency::Once {
        merchant_id: world.merchant,
        method: "POST",
        path: "/api/orders".into(),
        key: "order-1".into(),
        body_hash: [1; 32],
    };
    for (round, once) in [None, Some(once)].into_iter().enumerate() {
        proxy.lose_commit(1);
        let answer = world
            .gateway
            .create_charge(world.new_charge("10.00", "EUR", None), once, |view| {
                (201, view.public_id.clone().into_bytes())
            })
            .await
            .unwrap();
        assert_eq!(proxy.lost(), round + 1);
        let public_id = String::from_utf8(answer.body).unwrap();
        let made: Vec<String> = sqlx::query_scalar("SELECT public_id FROM charges ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
        assert_eq!(made.len(), round + 1);
        assert_eq!(made.last(), Some(&public_id));
    }
    world.audit().await;
    world.gateway.close().await;
}
