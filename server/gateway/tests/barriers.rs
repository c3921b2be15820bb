//! The barriers against an overdraft, taken away one after the other.
//!
//! What should stop it: the *rule* (refuses what goes below the floor), the *lock* (what the rule reads is
//! the newest), the *line* (a version of an account has one line), the *compare* (a row is written where
//! its version is still the one that was read), the *check* (the database's constraint). The product is
//! not touched: a view stands in for the table of accounts, and what it reads and writes is weakened.
//!
//! Without the lock a unit decides on a row that somebody has changed since. That is played without
//! chance: the view goes on showing the rows as they were before the first of two spends.
#![allow(clippy::unwrap_used)]

mod support;

use domain::ledger::{
    AccountKey, AccountKind, EntryKind, HOUSE, JournalEntry, LedgerError, Leg, Movement,
};
use gateway::Error;
use sqlx::PgPool;
use support::World;
use uuid::Uuid;

/// What the wallet holds, and what each spend takes: all of it.
const ALL: i128 = 100;

fn wallet() -> AccountKey {
    AccountKey {
        merchant: 1,
        currency: 145,
        kind: AccountKind::Wallet,
        user_id: 0,
    }
}

fn house() -> AccountKey {
    AccountKey {
        merchant: HOUSE,
        currency: 145,
        kind: AccountKind::Liquidity,
        user_id: 0,
    }
}

/// What is taken away.
#[derive(Debug, Clone, Copy, Default)]
struct Without {
    /// The rule sees no floor.
    rule: bool,
    /// What is read is old.
    lock: bool,
    line: bool,
    compare: bool,
    check: bool,
}

/// The table under another name, and the view in its place.
const STAND_IN: &str = "
    CREATE TABLE accounts_before AS SELECT * FROM accounts;
    ALTER TABLE accounts RENAME TO accounts_real;";

/// As the product reads: the newest rows, locked in id order.
const READ_LOCKED: &str = "
    CREATE FUNCTION read_accounts() RETURNS SETOF accounts_real LANGUAGE plpgsql VOLATILE AS $$
    BEGIN RETURN QUERY SELECT * FROM accounts_real ORDER BY id FOR NO KEY UPDATE; END $$;";

/// Rows that somebody may have changed since.
const READ_OLD: &str = "
    CREATE FUNCTION read_accounts() RETURNS SETOF accounts_real LANGUAGE plpgsql VOLATILE AS $$
    BEGIN RETURN QUERY SELECT * FROM accounts_before; END $$;";

const VIEW: &str = "CREATE VIEW accounts AS SELECT * FROM read_accounts();";

/// The floor is what the rule decides by.
const VIEW_WITHOUT_FLOOR: &str = "
    CREATE VIEW accounts AS
    SELECT id, merchant_id, currency_id, kind, user_id, posted, held, NULL::numeric(38, 0) AS floor, version
    FROM read_accounts();";

/// As the product writes: where the version is still the one that was read.
const WRITE_COMPARED: &str = "
    CREATE FUNCTION write_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE accounts_real SET posted = NEW.posted, held = NEW.held, version = NEW.version
        WHERE id = OLD.id AND version = OLD.version;
        IF FOUND THEN RETURN NEW; END IF;
        RETURN NULL;
    END $$;";

const WRITE: &str = "
    CREATE FUNCTION write_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE accounts_real SET posted = NEW.posted, held = NEW.held, version = NEW.version
        WHERE id = OLD.id;
        RETURN NEW;
    END $$;";

const WRITTEN_THROUGH_THE_VIEW: &str = "
    CREATE TRIGGER write_account INSTEAD OF UPDATE ON accounts
        FOR EACH ROW EXECUTE FUNCTION write_account();";

const NO_LINE: &str = "ALTER TABLE postings DROP CONSTRAINT postings_debit_line,
                                            DROP CONSTRAINT postings_credit_line;";

const NO_CHECK: &str = "ALTER TABLE accounts_real DROP CONSTRAINT accounts_no_overdraft;";

/// The table is itself again, so that it can be audited.
const RESTORED: &str = "
    DROP VIEW accounts;
    DROP FUNCTION read_accounts();
    ALTER TABLE accounts_real RENAME TO accounts;";

async fn run(pool: &PgPool, statements: &'static str) {
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
}

/// A wallet with [`ALL`] in it, and then some barriers less.
async fn weakened(pool: &PgPool, without: Without) -> World {
    let world = World::new(pool).await;
    // Both accounts are known from now on: nothing looks for them through the view.
    book(&world, house(), wallet()).await.unwrap();
    run(pool, STAND_IN).await;
    run(pool, if without.lock { READ_OLD } else { READ_LOCKED }).await;
    run(
        pool,
        if without.rule {
            VIEW_WITHOUT_FLOOR
        } else {
            VIEW
        },
    )
    .await;
    run(
        pool,
        if without.compare {
            WRITE
        } else {
            WRITE_COMPARED
        },
    )
    .await;
    run(pool, WRITTEN_THROUGH_THE_VIEW).await;
    if without.line {
        run(pool, NO_LINE).await;
    }
    if without.check {
        run(pool, NO_CHECK).await;
    }
    world
}

async fn book(world: &World, debit: AccountKey, credit: AccountKey) -> Result<(), Error> {
    let id = Uuid::now_v7();
    let entry = JournalEntry {
        id,
        merchant: HOUSE,
        kind: EntryKind::TestFunding,
        subject: "test".into(),
        dedupe: id.to_string(),
        legs: vec![Leg {
            id: Uuid::now_v7(),
            movement: Movement::Post,
            debit,
            credit,
            amount: ALL,
            label: "test",
        }],
    };
    let committed = world.gateway.book().commit(move |unit| {
        Box::pin(async move {
            unit.post(entry);
            Ok(())
        })
    });
    committed.await
}

async fn spend(world: &World) -> Result<(), Error> {
    book(world, wallet(), house()).await
}

/// What the lines of the wallet sum to, whatever its row says; the table is itself again.
async fn by_its_lines(pool: &PgPool) -> i64 {
    run(pool, RESTORED).await;
    sqlx::query_scalar(
        "SELECT sum(l.amount)::bigint FROM lines l JOIN accounts a ON a.id = l.account_id
         WHERE a.merchant_id = 1 AND a.kind = 'wallet' AND a.currency_id = 145",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// The constraint that refused, if one did.
fn constraint(refused: &Result<(), Error>) -> Option<&str> {
    match refused {
        Err(Error::Database(sqlx::Error::Database(error))) => error.constraint(),
        _ => None,
    }
}

#[track_caller]
fn refused_by_the_rule(refused: &Result<(), Error>) {
    assert!(
        matches!(
            refused,
            Err(Error::Ledger(LedgerError::InsufficientFunds { .. }))
        ),
        "{refused:?}"
    );
}

/// Many at once, all for the whole balance: one gets it. Everybody else is refused by the rule, so no
/// other barrier had to refuse anybody, and the run would have been the same without it.
async fn one_of_many_gets_it_by_rule_and_lock(pool: PgPool, without: Without) {
    let world = weakened(&pool, without).await;
    let results = futures::future::join_all((0..30).map(|_| spend(&world))).await;
    let (paid, refused): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.is_ok());
    assert_eq!(paid.len(), 1, "{results:?}");
    for refused in refused {
        refused_by_the_rule(refused);
    }
    assert_eq!(by_its_lines(&pool).await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_stand_in_alone_changes_nothing(pool: PgPool) {
    one_of_many_gets_it_by_rule_and_lock(pool, Without::default()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_check_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        check: true,
        ..Without::default()
    };
    one_of_many_gets_it_by_rule_and_lock(pool, without).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_compare_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        compare: true,
        ..Without::default()
    };
    one_of_many_gets_it_by_rule_and_lock(pool, without).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_line_compare_and_check_rule_and_lock_stop_it(pool: PgPool) {
    let without = Without {
        line: true,
        compare: true,
        check: true,
        ..Without::default()
    };
    one_of_many_gets_it_by_rule_and_lock(pool, without).await;
}

/// Two spends that both read the full balance.
async fn two_on_the_same_reading(pool: &PgPool, without: Without) -> (World, Result<(), Error>) {
    assert!(without.lock, "with the lock nobody reads the same");
    let world = weakened(pool, without).await;
    spend(&world).await.unwrap();
    let second = spend(&world).await;
    (world, second)
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_lock_the_line_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        ..Without::default()
    };
    let (world, second) = two_on_the_same_reading(&pool, without).await;
    assert_eq!(
        constraint(&second),
        Some("postings_debit_line"),
        "{second:?}"
    );
    assert_eq!(by_its_lines(&pool).await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_and_line_the_compare_stops_it(pool: PgPool) {
    let without = Without {
        lock: true,
        line: true,
        ..Without::default()
    };
    let (world, second) = two_on_the_same_reading(&pool, without).await;
    let Err(Error::Internal(why)) = &second else {
        panic!("{second:?}")
    };
    assert!(why.contains("changed under its lock"), "{why}");
    assert_eq!(by_its_lines(&pool).await, 0);
    world.audit().await;
}

/// So the tests above can fail. The check cannot see this one: the second spend writes the same row over
/// again, zero, and only the lines tell that twice as much has left. The audit does.
#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_line_and_compare_it_happens_and_the_audit_tells(pool: PgPool) {
    let without = Without {
        lock: true,
        line: true,
        compare: true,
        ..Without::default()
    };
    let (world, second) = two_on_the_same_reading(&pool, without).await;
    second.unwrap();
    assert_eq!(by_its_lines(&pool).await, -100);
    let report = world.gateway.audit().await.unwrap();
    let broken: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| !check.violations.is_empty())
        .map(|check| check.name)
        .collect();
    assert!(
        broken.contains(&"each balance is the sum of its lines"),
        "{broken:?}"
    );
    assert!(
        broken.contains(&"lines are numbered without gaps up to the version"),
        "{broken:?}"
    );
}

/// A rule that lets through what it should not.
#[sqlx::test(migrations = "../../migrations")]
async fn without_the_rule_the_check_stops_it(pool: PgPool) {
    let without = Without {
        rule: true,
        ..Without::default()
    };
    let world = weakened(&pool, without).await;
    spend(&world).await.unwrap();
    let second = spend(&world).await;
    assert_eq!(
        constraint(&second),
        Some("accounts_no_overdraft"),
        "{second:?}"
    );
    assert_eq!(by_its_lines(&pool).await, 0);
    world.audit().await;
}

/// So the test above can fail, too.
#[sqlx::test(migrations = "../../migrations")]
async fn without_rule_and_check_it_happens_and_the_audit_tells(pool: PgPool) {
    let without = Without {
        rule: true,
        check: true,
        ..Without::default()
    };
    let world = weakened(&pool, without).await;
    spend(&world).await.unwrap();
    spend(&world).await.unwrap();
    assert_eq!(by_its_lines(&pool).await, -100);
    let report = world.gateway.audit().await.unwrap();
    let floors = report
        .checks
        .iter()
        .find(|check| check.name == "no account is below its floor")
        .unwrap();
    assert_eq!(floors.violations.len(), 1, "{floors:?}");
}

/// None at all.
#[sqlx::test(migrations = "../../migrations")]
async fn without_any_of_them_it_happens(pool: PgPool) {
    let without = Without {
        rule: true,
        lock: true,
        line: true,
        compare: true,
        check: true,
    };
    let (world, second) = two_on_the_same_reading(&pool, without).await;
    second.unwrap();
    spend(&world).await.unwrap();
    assert_eq!(by_its_lines(&pool).await, -200);
    assert!(!world.gateway.audit().await.unwrap().is_clean());
}
