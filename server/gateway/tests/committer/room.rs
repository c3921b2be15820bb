//! Where the database has no room, or gives statements up: who asks is told to come back at once, nothing of
//! it was done, and the next one is.

use domain::ledger::JournalEntry;
use gateway::Error;
use gateway::idempotency::Once;
use gateway::ledger::Book;
use sqlx::PgPool;
use uuid::Uuid;

use super::decisions::{decline, pending, set_limit};
use super::failures::break_the_next_commit;
use super::grouped::{Exchanging, body, count, held_up, new_exchange, start, waiting};
use super::support::World;
use super::support::operations::STRANGER;
use super::{Gate, booked, fund, gathered, house};

/// Disk, memory, connections, and limits of the server's settings.
const NO_ROOM: [&str; 4] = ["53100", "53200", "53300", "53400"];

/// Serialization, deadlock, lock timeout, and a statement that was ended from outside.
const GIVEN_UP: [&str; 4] = ["40001", "40P01", "55P03", "57014"];

#[derive(Debug, Clone, Copy)]
enum Moment {
    Statement,
    Commit,
}

/// What writes to a table is refused while the trouble lasts, and counted.
struct Trouble {
    pool: PgPool,
    table: &'static str,
}

impl Trouble {
    /// Not yet: made before anybody holds a lock that it would wait for.
    async fn prepare(pool: &PgPool, table: &'static str, code: &str, moment: Moment) -> Self {
        let (what, when, until) = match moment {
            Moment::Statement => ("TRIGGER", "BEFORE", ""),
            Moment::Commit => (
                "CONSTRAINT TRIGGER",
                "AFTER",
                "DEFERRABLE INITIALLY DEFERRED",
            ),
        };
        let install = format!(
            "CREATE SEQUENCE trouble;
             CREATE SEQUENCE tries;
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF (SELECT is_called FROM trouble) THEN
                     PERFORM nextval('tries');
                     RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{code}';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE {what} refuse {when} INSERT ON {table} {until}
                 FOR EACH ROW EXECUTE FUNCTION refuse();"
        );
        run(pool, install).await;
        let pool = pool.clone();
        Self { pool, table }
    }

    async fn begin(&self) {
        run(&self.pool, "SELECT nextval('trouble')".to_owned()).await;
    }

    /// How often somebody tried to write meanwhile.
    async fn end(self) -> i64 {
        let tries = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tries";
        let tries: i64 = sqlx::query_scalar(tries)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let remove = format!(
            "DROP TRIGGER refuse ON {};
             DROP FUNCTION refuse();
             DROP SEQUENCE trouble, tries;",
            self.table
        );
        run(&self.pool, remove).await;
        tries
    }
}

/// Sequences are in no transaction, so what these statements do holds for everybody at once.
async fn run(pool: &PgPool, statements: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}

fn is_overloaded<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Overloaded { .. }))
}

/// Fails when a batch is taken apart for want of room: its twenty entries would be tried 39 times.
#[sqlx::test(migrations = "../../migrations")]
async fn a_batch_without_room_is_refused_whole_and_at_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 1)).await.unwrap();
    let rounds = NO_ROOM
        .map(|code| (code, Moment::Statement))
        .into_iter()
        .chain([("53100", Moment::Commit)]);
    for (code, moment) in rounds {
        let trouble = Trouble::prepare(&pool, "journal_entries", code, moment).await;
        trouble.begin().await;
        let entries: Vec<JournalEntry> = (0..20).map(|_| fund(1, 1)).collect();
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let gate = Gate::on(&world, &pool, house()).await;
        let (first, others) = gathered(&committer, &gate, fund(1, 1), entries.clone()).await;
        gate.open().await;
        for each in [first].into_iter().chain(others) {
            let answer = each.await.unwrap();
            assert!(is_overloaded(&answer), "{code} {moment:?}: {answer:?}");
        }
        assert_eq!(booked(&pool, &ids).await, vec![0; ids.len()], "{code}");
        // The one that stood before the gate, and the batch behind it.
        assert_eq!(trouble.end().await, 2, "{code} {moment:?}");
        for entry in entries {
            committer.submit(entry).await.unwrap();
        }
        assert_eq!(booked(&pool, &ids).await, vec![1; ids.len()], "{code}");
    }
    world.audit().await;
}

async fn post(book: &Book, entry: JournalEntry) -> Result<(), Error> {
    book.commit(move |unit| {
        Box::pin(async move {
            unit.post(entry);
            Ok(())
        })
    })
    .await
}

/// Fails when a unit alone is called a failure of ours, or is tried more than once.
#[sqlx::test(migrations = "../../migrations")]
async fn a_unit_alone_may_be_asked_for_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let book = world.gateway.book();
    post(book, fund(1, 1)).await.unwrap();
    for code in NO_ROOM.into_iter().chain(GIVEN_UP) {
        for moment in [Moment::Statement, Moment::Commit] {
            let trouble = Trouble::prepare(&pool, "journal_entries", code, moment).await;
            trouble.begin().await;
            let entry = fund(1, 1);
            let id = entry.id;
            let error = post(book, entry.clone()).await.unwrap_err();
            assert!(error.is_transient(), "{code} {moment:?}: {error:?}");
            assert_eq!(booked(&pool, &[id]).await, [0], "{code} {moment:?}");
            assert_eq!(trouble.end().await, 1, "{code} {moment:?}");
            post(book, entry).await.unwrap();
            assert_eq!(booked(&pool, &[id]).await, [1], "{code} {moment:?}");
        }
    }
    world.audit().await;
}

/// Fails when each of a group finds out by itself that there is no room.
#[sqlx::test(migrations = "../../migrations")]
async fn a_group_without_room_is_refused_whole_and_at_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let trouble = Trouble::prepare(&pool, "operations", "53100", Moment::Statement).await;
    let (gate, first) = held_up(&world, &pool).await;
    let exchange = |n: i32| {
        let wish = ["0.01", "BTC", "EUR"];
        new_exchange(&world, world.merchant, wish, Some(n.to_string()))
    };
    let others: Vec<Exchanging> = (0..20).map(|n| start(&world, exchange(n), None)).collect();
    waiting(&world, 20).await;
    trouble.begin().await;
    gate.open().await;
    // Its operation was written before it came to the gate.
    first.await.unwrap().unwrap();
    for other in others {
        let answer = other.await.unwrap().map(|answer| answer.status);
        assert!(is_overloaded(&answer), "{answer:?}");
    }
    assert_eq!(trouble.end().await, 1);
    for table in ["operations", "quotes", "first_answers"] {
        let expected = i64::from(table != "first_answers");
        assert_eq!(count(&pool, table).await, expected, "{table}");
    }
    for n in 0..20 {
        world
            .gateway
            .exchange(exchange(n), None, body)
            .await
            .unwrap();
    }
    assert_eq!(count(&pool, "operations").await, 21);
    world.audit().await;
}

/// A decision that found no room is still to be made.
#[sqlx::test(migrations = "../../migrations")]
async fn a_decision_without_room_is_not_made(pool: PgPool) {
    let world = World::new(&pool).await;
    set_limit(&pool, "0").await;
    let before = world.balance("BTC").await;
    let id = pending(&world, "0.001", STRANGER, "1").await;
    let trouble = Trouble::prepare(&pool, "journal_entries", "53100", Moment::Statement).await;
    trouble.begin().await;
    let answer = decline(&world.gateway, world.merchant, id).await.unwrap();
    assert!(is_overloaded(&answer), "{answer:?}");
    assert_ne!(world.balance("BTC").await, before);
    assert_eq!(trouble.end().await, 1);
    decline(&world.gateway, world.merchant, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.balance("BTC").await, before);
    world.audit().await;
}

/// A key whose charge found no room is free, and then has one charge.
#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_without_room_leaves_its_key_free(pool: PgPool) {
    let world = World::new(&pool).await;
    let charges = count(&pool, "charges").await;
    let create = async || {
        let once = Once {
            merchant_id: world.merchant,
            method: "POST",
            path: "/api/orders".into(),
            key: "order-1".into(),
            body_hash: [1; 32],
        };
        let new = world.new_charge("10.00", "EUR", None);
        let render =
            |view: &gateway::charges::ChargeView| (201, view.public_id.clone().into_bytes());
        world.gateway.create_charge(new, Some(once), render).await
    };
    for moment in [Moment::Statement, Moment::Commit] {
        let trouble = Trouble::prepare(&pool, "charges", "53100", moment).await;
        trouble.begin().await;
        let answer = create().await.map(|answer| answer.status);
        assert!(is_overloaded(&answer), "{moment:?}: {answer:?}");
        assert_eq!(trouble.end().await, 1, "{moment:?}");
        assert_eq!(count(&pool, "charges").await, charges, "{moment:?}");
        assert_eq!(count(&pool, "idempotency_keys").await, 0, "{moment:?}");
    }
    let made = create().await.unwrap();
    assert!(!made.replayed);
    let again = create().await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.body, made.body);
    assert_eq!(count(&pool, "charges").await, charges + 1);
    world.audit().await;
}

/// A commit is not answered, and then it is this code that comes back: the first try may still be done, so
/// nobody may say that nothing was.
async fn is_not_called_undone(pool: &PgPool, code: &str) {
    let world = World::new(pool).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 1)).await.unwrap();
    break_the_next_commit(pool).await;
    let contend = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT is_called FROM cuts) THEN
                 RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{code}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON journal_entries
             FOR EACH ROW EXECUTE FUNCTION refuse();"
    );
    run(pool, contend).await;
    let entry = fund(1, 5);
    let id = entry.id;
    let unknown = committer.submit(entry.clone()).await;
    assert!(matches!(unknown, Err(Error::OutcomeUnknown)), "{unknown:?}");
    run(pool, "DROP TRIGGER refuse ON journal_entries".to_owned()).await;
    committer.submit(entry).await.unwrap();
    assert_eq!(booked(pool, &[id]).await, [1]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_room_after_an_unanswered_commit_is_not_called_undone(pool: PgPool) {
    is_not_called_undone(&pool, "53100").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_given_up_after_an_unanswered_commit_is_not_called_undone(pool: PgPool) {
    is_not_called_undone(&pool, "57014").await;
}
