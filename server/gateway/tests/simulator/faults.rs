//! Errors at the edge to Postgres, without a line of the product knowing: triggers count the rows that
//! a step writes, and at one of them the statement fails or its connection is cut. Since the simulated
//! chains live in the same database, a payment that the network does not take, and one that it takes
//! without our hearing so, are two of those rows. What is not a row (a commit, a question) is cut on the
//! wire.

use std::fmt;

use gateway::Error;
use sqlx::PgPool;

use crate::wire::Wire;

/// What breaks in a step, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Row(Row),
    Cut(Cut),
}

/// The row of a step at which something breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Rows written in the step until then, this one included; from 1.
    pub write: u32,
    /// The connection is cut instead of the statement refused.
    pub kills: bool,
}

/// The connection that ends with what is said on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub place: Place,
    /// Of this kind in the step, this one included; from 1.
    pub number: u32,
    /// Postgres gets it, and its answer gets nowhere.
    pub heard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Commit,
    /// Whatever is asked of Postgres or of a node.
    Question,
}

/// Whether an error is a finding: something went wrong inside, or Postgres refused. That a connection is gone
/// is none. A deadlock is one, though whoever meets it may try again: nobody waits in a circle here.
pub fn is_finding(error: &Error) -> bool {
    match error {
        Error::Internal(_) => true,
        Error::Database(sqlx::Error::Database(answer)) => {
            let is_gone = answer.code().is_some_and(|code| {
                let is_ended = matches!(&*code, "25P03" | "25P04");
                is_ended || code.starts_with("08") || code.starts_with("57P")
            });
            !is_gone
        }
        Error::Database(_) => !error.is_transient(),
        _ => false,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => {
                let what = if row.kills { "cut off" } else { "refused" };
                write!(f, "{what} at row {}", row.write)
            }
            Self::Cut(cut) => {
                let place = match cut.place {
                    Place::Commit => "commit",
                    Place::Question => "question",
                };
                let heard = if cut.heard { "heard" } else { "not heard" };
                write!(f, "cut off at {place} {}, which is {heard}", cut.number)
            }
        }
    }
}

/// The counter is a sequence, because what a transaction counts must not be undone with it.
const INSTALL: &str = "
CREATE TABLE simulator_fault (write bigint NOT NULL, kills boolean NOT NULL);
INSERT INTO simulator_fault VALUES (0, false);
CREATE SEQUENCE simulator_writes;
CREATE FUNCTION simulator_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fault simulator_fault;
BEGIN
    SELECT * INTO fault FROM simulator_fault;
    IF fault.write > 0 AND nextval('simulator_writes') = fault.write THEN
        IF fault.kills THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
            -- Where the signal is heard.
            PERFORM pg_sleep(1);
        END IF;
        RAISE EXCEPTION 'injected by the simulator';
    END IF;
    RETURN NEW;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['journal_entries', 'postings', 'accounts', 'events', 'deliveries',
        'delivery_attempts', 'delivery_claims', 'charges', 'charge_timeline', 'charge_methods', 'invoices',
        'receipts', 'operations', 'operation_fees', 'deposits', 'deposit_addresses', 'withdrawals', 'futures',
        'quotes', 'quote_uses', 'first_answers', 'idempotency_keys', 'rate_observations', 'chain_accounts',
        'chain_addresses', 'chain_txs', 'chain_blocks', 'chain_outputs', 'chain_spends', 'own_funds',
        'own_funds_out', 'refund_claims', 'mails', 'merchants', 'key_pairs', 'currency_terms', 'audit_log',
        'payouts', 'payout_txs', 'payout_coins', 'payout_free_change', 'treasuries', 'treasury_payments',
        'treasury_txs', 'sim.txs', 'sim.blocks'] LOOP
        EXECUTE format('CREATE TRIGGER simulator_count BEFORE INSERT OR UPDATE ON %s
            FOR EACH ROW EXECUTE FUNCTION simulator_count()', name);
    END LOOP;
END $$;";

pub async fn install(pool: &PgPool) {
    sqlx::raw_sql(INSTALL).execute(pool).await.unwrap();
}

/// From now on, counted anew; `None`: nothing breaks.
pub async fn arm(pool: &PgPool, wire: &Wire, fault: Option<Fault>) {
    let (row, cut) = match fault {
        None => (None, None),
        Some(Fault::Row(row)) => (Some(row), None),
        Some(Fault::Cut(cut)) => (None, Some(cut)),
    };
    arm_rows(pool, row).await;
    wire.arm(cut);
}

async fn arm_rows(pool: &PgPool, row: Option<Row>) {
    let (write, kills) = row.map_or((0, false), |row| (row.write, row.kills));
    sqlx::query("SELECT setval('simulator_writes', 1, false)")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("UPDATE simulator_fault SET write = $1, kills = $2")
        .bind(i64::from(write))
        .bind(kills)
        .execute(pool)
        .await
        .unwrap();
}

/// Whether what was armed has broken something; nothing else may have been armed since.
pub async fn has_fired(pool: &PgPool, wire: &Wire, fault: Option<Fault>) -> bool {
    match fault {
        None => false,
        Some(Fault::Row(row)) => is_reached(pool, row).await,
        Some(Fault::Cut(_)) => !wire.is_armed(),
    }
}

/// What a transaction counts is known before it ends, and stays known when it is undone.
async fn is_reached(pool: &PgPool, row: Row) -> bool {
    sqlx::query_scalar("SELECT is_called AND last_value >= $1 FROM simulator_writes")
        .bind(i64::from(row.write))
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A lease runs by the wall clock; what died with one is taken over at once here.
pub async fn end_leases(pool: &PgPool) {
    for statement in [
        "DELETE FROM delivery_claims",
        "UPDATE withdrawals SET locked_until = NULL WHERE locked_until IS NOT NULL",
        "UPDATE payout_txs SET locked_until = NULL WHERE locked_until IS NOT NULL",
        "UPDATE treasury_txs SET locked_until = NULL WHERE locked_until IS NOT NULL",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}
