//! Many entries of one unit are written by `COPY`, few by an `INSERT`: what is in the books is the same.

use domain::ledger::{AccountId, JournalEntry, Movement};
use gateway::Error;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use time::OffsetDateTime;
use uuid::Uuid;

use super::support::World;
use super::{booked, entry, figures, fund, house, until, waiting_backend, wallet};

/// Every character that means something to `COPY`, and some that do not.
const STRANGE: &str = "a\tb\nc\rd\\N\\.\"'ä\u{1}";

/// Well below and well above where copying begins.
const SIZES: [usize; 2] = [3, 120];

/// Id, place, label, movement, amount, hold that it ends, whether it moves money, when.
type StoredLeg = (
    Uuid,
    i16,
    String,
    String,
    String,
    Option<Uuid>,
    bool,
    OffsetDateTime,
);

async fn book(world: &World, entries: Vec<JournalEntry>) -> Result<OffsetDateTime, Error> {
    world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                for entry in entries {
                    unit.post(entry);
                }
                Ok(unit.now())
            })
        })
        .await
}

/// Money comes, some of it is held, and every second hold is paid out.
fn entries(merchant: i64, count: usize) -> Vec<JournalEntry> {
    let mut made = vec![entry(&[(
        Movement::Post,
        house(),
        wallet(merchant),
        1_000_000,
    )])];
    while made.len() < count {
        let held = entry(&[(Movement::Hold, wallet(merchant), house(), 7)]);
        let hold = held.legs.first().map(|leg| leg.id).unwrap();
        made.push(held);
        if made.len().is_multiple_of(2) {
            let settled = Movement::Settle { hold, held: 7 };
            made.push(entry(&[
                (settled, wallet(merchant), house(), 5),
                (Movement::Post, wallet(merchant), house(), 1),
            ]));
        }
    }
    for entry in &mut made {
        entry.subject = format!("{STRANGE} {}", entry.id);
        entry.dedupe = format!("{STRANGE} {}", entry.id);
    }
    made
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_copied_is_what_is_inserted(pool: PgPool) {
    let world = World::new(&pool).await;
    for count in SIZES {
        let made = entries(world.merchant, count);
        let now = book(&world, made.clone()).await.unwrap();
        for entry in &made {
            let stored: (i64, String, String, String, OffsetDateTime) = sqlx::query_as(
                "SELECT merchant_id, kind, subject, dedupe, created_at FROM journal_entries WHERE id = $1",
            )
            .bind(entry.id)
            .fetch_one(&pool)
            .await
            .unwrap();
            let expected = (
                entry.merchant,
                entry.kind.word().to_owned(),
                entry.subject.clone(),
                entry.dedupe.clone(),
                now,
            );
            assert_eq!(stored, expected, "{count} entries");
            let legs: Vec<StoredLeg> =
                sqlx::query_as(
                    "SELECT id, leg, label, movement, amount::text, hold_id, credit_version IS NOT NULL,
                         created_at
                     FROM postings WHERE entry_id = $1 ORDER BY leg",
                )
                .bind(entry.id)
                .fetch_all(&pool)
                .await
                .unwrap();
            let expected: Vec<_> = (0i16..)
                .zip(&entry.legs)
                .map(|(place, leg)| {
                    let moves = matches!(leg.movement, Movement::Post | Movement::Settle { .. });
                    (
                        leg.id,
                        place,
                        leg.label.to_owned(),
                        leg.movement.word().to_owned(),
                        leg.amount.to_string(),
                        leg.movement.resolves(),
                        moves,
                        now,
                    )
                })
                .collect();
            assert_eq!(legs, expected, "{count} entries");
        }
    }
    world.audit().await;
}

/// One fact that is in the journal already takes all of the unit back, however it is written.
#[sqlx::test(migrations = "../../migrations")]
async fn a_fact_that_is_booked_refuses_the_whole_unit(pool: PgPool) {
    let world = World::new(&pool).await;
    for count in SIZES {
        let known = entries(world.merchant, count);
        book(&world, known.clone()).await.unwrap();
        let before = counted(&pool).await;
        let mut again = entries(world.merchant, count);
        again[0].dedupe.clone_from(&known[0].dedupe);
        let refused = book(&world, again).await;
        assert!(matches!(refused, Err(Error::AlreadyBooked)), "{refused:?}");
        let mut same_id = entries(world.merchant, count);
        same_id[0].id = known[0].id;
        let refused = book(&world, same_id).await;
        assert!(matches!(refused, Err(Error::AlreadyBooked)), "{refused:?}");
        assert_eq!(counted(&pool).await, before, "{count} entries");
    }
    // The connections are in order.
    book(&world, entries(world.merchant, 120)).await.unwrap();
    world.audit().await;
}

/// Fails when it goes back to the pool with an answer that nobody has read: whoever has it next takes that for
/// his own.
#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_that_is_given_up_within_a_copy_is_not_used_again(pool: PgPool) {
    let own = PgPoolOptions::new()
        .max_connections(6)
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap();
    let world = World::new(&own).await;
    let made = entries(world.merchant, 120);
    // Whether one of them is in the journal already shows only when this ends.
    let mut other = pool.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO journal_entries (id, merchant_id, kind, subject, dedupe, created_at)
         VALUES ($1, 0, 'test', 'test', 'test', now())",
    )
    .bind(made[0].id)
    .execute(&mut *other)
    .await
    .unwrap();
    tokio::select! {
        done = book(&world, made.clone()) => panic!("it was to wait: {done:?}"),
        () = until(|| async { waiting_backend(&pool).await.is_some() }) => {}
    }
    other.rollback().await.unwrap();
    // Each has come back, or is closed.
    until(|| async { usize::try_from(own.size()).unwrap() == own.num_idle() }).await;
    let mut held = Vec::new();
    for number in 0..i64::from(own.size()) {
        let mut conn = own.acquire().await.unwrap();
        let answer: i64 = sqlx::query_scalar("SELECT $1::bigint")
            .bind(number)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(answer, number);
        held.push(conn);
    }
    drop(held);
    book(&world, made).await.unwrap();
    world.audit().await;
}

/// Should the lock ever be missing, the compare-and-set on the version notices the stale read, however the entries
/// are written. Nothing else does here: no line has a number that is taken, and no balance goes below its floor.
#[sqlx::test(migrations = "../../migrations")]
async fn a_version_that_moved_under_a_unit_rolls_it_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.gateway.book().account_id(wallet(1)).await.unwrap();
    book(&world, vec![fund(1, 1_000)]).await.unwrap();
    let before = figures(&pool, id).await;
    for movement in [Movement::Post, Movement::Hold] {
        for count in SIZES {
            let spends: Vec<JournalEntry> = (0..count)
                .map(|_| entry(&[(movement, wallet(1), house(), 1)]))
                .collect();
            let ids: Vec<Uuid> = spends.iter().map(|spend| spend.id).collect();
            let spent = stale(&world, id, spends).await;
            let Err(Error::Internal(why)) = &spent else {
                panic!("{count} of {movement:?}: {spent:?}")
            };
            assert!(why.contains("changed under its lock"), "{why}");
            assert_eq!(booked(&pool, &ids).await, vec![0; count], "{movement:?}");
            assert_eq!(figures(&pool, id).await, before, "{count} of {movement:?}");
        }
    }
    // The connections are in order.
    book(&world, entries(1, 120)).await.unwrap();
    world.audit().await;
}

/// Books these while somebody who got past the lock moves the account between the read and the write.
async fn stale(world: &World, moved: AccountId, spends: Vec<JournalEntry>) -> Result<(), Error> {
    world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.lock_accounts(&[wallet(1), house()]).await?;
                for spend in &spends {
                    unit.try_post(spend)?;
                }
                sqlx::query("UPDATE accounts SET version = version + 1 WHERE id = $1")
                    .bind(moved.0)
                    .execute(unit.conn())
                    .await?;
                Ok(())
            })
        })
        .await
}

async fn counted(pool: &PgPool) -> (i64, i64, i64) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM journal_entries), (SELECT count(*) FROM postings),
             (SELECT sum(version)::bigint FROM accounts)",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Ids of holds are unique, for they are looked for by them. Of other postings the audit tells when two have one.
#[sqlx::test(migrations = "../../migrations")]
async fn no_two_holds_have_one_id_and_of_other_postings_the_audit_tells(pool: PgPool) {
    let world = World::new(&pool).await;
    let fact = entry(&[(Movement::Post, house(), wallet(1), 5)]);
    let id = fact.id;
    book(&world, vec![fact]).await.unwrap();
    let again = |movement: &str| {
        format!(
            "INSERT INTO postings (id, entry_id, leg, label, movement, currency_id, amount, debit_account,
                 debit_version, debit_after, debit_held_after, credit_account, credit_version, credit_after,
                 created_at)
             SELECT p.id, gen_random_uuid(), 0, p.label, t.movement, p.currency_id, p.amount, p.debit_account,
                 p.debit_version + t.n, p.debit_after, 0, p.credit_account,
                 CASE t.movement WHEN 'post' THEN p.credit_version + t.n END,
                 CASE t.movement WHEN 'post' THEN p.credit_after END, p.created_at
             FROM postings p,
                  (SELECT '{movement}' AS movement, count(*) AS n FROM postings) t
             WHERE p.entry_id = '{id}'"
        )
    };
    let insert = async |movement: &str| {
        sqlx::query(sqlx::AssertSqlSafe(again(movement)))
            .execute(&pool)
            .await
    };
    insert("hold").await.unwrap();
    let second = insert("hold").await.unwrap_err();
    let constraint = second
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(constraint, Some("postings_hold"), "{second}");
    let report = world.gateway.audit().await.unwrap();
    let told = report
        .checks
        .iter()
        .find(|check| check.name == "each posting has an id of its own")
        .unwrap();
    assert_eq!(told.violations.len(), 1, "{told:?}");
}
