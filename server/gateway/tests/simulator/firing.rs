//! What a fault excuses, and what it does not: whatever would have gone wrong without it is a finding.

use sqlx::{AssertSqlSafe, PgPool};

use crate::commands::{Command, Step};
use crate::database::Database;
use crate::faults::{self, Cut, Fault, Place, Row};
use crate::wired::Wired;
use crate::world::Run;

/// One of each kind, so late that no step gets there.
pub const NEVER: [Fault; 3] = [
    Fault::Row(Row {
        write: 1_000_000,
        kills: false,
    }),
    Fault::Cut(Cut {
        place: Place::Commit,
        number: 1_000_000,
        heard: false,
    }),
    Fault::Cut(Cut {
        place: Place::Question,
        number: 1_000_000,
        heard: false,
    }),
];

/// What an error that a test planted says.
pub const PLANTED: &str = "planted by a test";

/// From now on no row gets into the table, with a fault or without. Where one fires at the same row, it fires first:
/// triggers go by their names.
pub async fn plant(pool: &PgPool, table: &str) {
    let statements = format!(
        "CREATE FUNCTION simulator_planted() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             RAISE EXCEPTION '{PLANTED}';
         END $$;
         CREATE TRIGGER simulator_planted BEFORE INSERT ON {table}
             FOR EACH ROW EXECUTE FUNCTION simulator_planted();"
    );
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}

/// Fails when whatever a step with a fault answers is taken for the fault's doing.
#[tokio::test]
async fn a_fault_that_never_comes_excuses_nothing() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    plant(&run.pool, "rate_observations").await;
    let step = |fault| Step {
        command: Command::Rate {
            coin: "BTC",
            euros: 50_000,
        },
        fault,
        again: false,
        behind: false,
    };
    for fault in [None].into_iter().chain(NEVER.map(Some)) {
        let found = run.step(run.step + 1, &step(fault)).await;
        let found = found.expect_err("nothing else broke it");
        assert!(found.contains(PLANTED), "{found}");
    }
    // Of the same step, and the first row that it writes: this one did break it.
    let first = Fault::Row(Row {
        write: 1,
        kills: false,
    });
    run.step(run.step + 1, &step(Some(first))).await.unwrap();
    database.remove().await;
}

/// Fails when an order has no key, or one that does not hold what it made; and when two of one key are not found.
#[tokio::test]
async fn an_order_is_made_once_however_often_it_is_asked_for() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    let unanswered = Fault::Cut(Cut {
        place: Place::Commit,
        number: 1,
        heard: true,
    });
    for fault in [None, Some(unanswered)] {
        let step = Step {
            command: Command::Order {
                merchant: 0,
                cents: 5_000,
                told: false,
            },
            fault,
            again: true,
            behind: false,
        };
        run.step(run.step + 1, &step).await.unwrap();
        run.check_step().await.unwrap();
        assert_eq!(run.charges.len(), run.step);
    }
    sqlx::query("UPDATE charges SET metadata = '{\"reference\": \"step-1\"}'")
        .execute(&run.pool)
        .await
        .unwrap();
    let found = run.check_step().await.expect_err("two orders of one key");
    assert!(found.contains("step-1 ordered 2 charges"), "{found}");
    database.remove().await;
}

/// Tables whose rows no fault counts.
const UNCOUNTED: [&str; 17] = [
    // Of the tests.
    "_sqlx_migrations",
    "simulator_fault",
    // No step writes them.
    "book_audits",
    "chain_audits",
    "currencies",
    "merchant_keys",
    "merchant_logos",
    "merchant_managers",
    "payout_other_ids",
    "sessions",
    "users",
    // The clock, which the simulator moves by itself where something breaks.
    "instance",
    // Neither money nor keys: what they say is said again, or stands beside a row that counts.
    "rate_hours",
    "sim.chains",
    "sweep_looks",
    "sweep_passes",
    "webhook_endpoints",
];

const WITHOUT_COUNTER: &str = "
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'sim') AND NOT EXISTS (
        SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'simulator_count')";

/// A new table is counted, or it is said why not.
#[tokio::test]
async fn every_table_that_money_passes_has_writes_that_break() {
    let database = Database::new().await;
    faults::install(&database.pool).await;
    let mut found: Vec<String> = sqlx::query_scalar(WITHOUT_COUNTER)
        .fetch_all(&database.pool)
        .await
        .unwrap();
    found.sort();
    let mut expected = UNCOUNTED;
    expected.sort_unstable();
    assert_eq!(found, expected);
    database.remove().await;
}
