//! What a fault excuses, and what it does not: whatever would have gone wrong without it is a finding.

use sqlx::{AssertSqlSafe, PgPool};

use crate::commands::{Command, Step};
use crate::faults::{Cut, Fault, Place, Row};
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
