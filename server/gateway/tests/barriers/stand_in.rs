//! The view that stands in for the table of accounts.

use sqlx::{AssertSqlSafe, PgPool};

/// What is taken away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Without {
    /// The rule sees no floor.
    pub rule: bool,
    /// Whoever reads in order to decide reads what is old, and locks nothing.
    pub lock: bool,
    pub line: bool,
    /// To a statement that writes, every row has the version that was read.
    pub compare: bool,
    pub check: bool,
}

/// The table under another name, and its rows as they are now. Which statement looks at the view is told by its
/// text: one that locks has no `UPDATE` of accounts in it.
const SET_ASIDE: &str = "
    CREATE TABLE accounts_before AS SELECT * FROM accounts;
    ALTER TABLE accounts RENAME TO accounts_real;
    CREATE FUNCTION is_writing() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN current_query() LIKE '%UPDATE accounts%'; END $$;";

/// Without the lock a unit decides on rows that somebody has changed since. That is played without chance: who
/// reads goes on seeing them as they were before the first of two spends, who writes meets them as they are.
const OLD_TO_WHO_READS: &str = "
    CREATE FUNCTION old_to_who_reads() RETURNS SETOF accounts_real LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        IF is_writing() THEN
            RETURN QUERY SELECT * FROM accounts_real;
        ELSE
            RETURN QUERY SELECT * FROM accounts_before;
        END IF;
    END $$;";

/// A view of more than the table alone is not written through by Postgres itself. Here nothing is compared: what
/// the statement found in the view is written.
const WRITTEN_THROUGH: &str = "
    CREATE FUNCTION write_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE accounts_real SET posted = NEW.posted, held = NEW.held, version = NEW.version
        WHERE id = OLD.id;
        RETURN NEW;
    END $$;
    CREATE TRIGGER write_account INSTEAD OF UPDATE ON accounts
        FOR EACH ROW EXECUTE FUNCTION write_account();";

const NO_LINE: &str = "ALTER TABLE postings DROP CONSTRAINT postings_debit_line,
                                            DROP CONSTRAINT postings_credit_line;";

const NO_CHECK: &str = "ALTER TABLE accounts_real DROP CONSTRAINT accounts_no_overdraft;";

const TAKEN_DOWN: &str = "
    DROP VIEW accounts;
    ALTER TABLE accounts_real RENAME TO accounts;";

impl Without {
    pub async fn put_up(self, pool: &PgPool) {
        run(pool, SET_ASIDE).await;
        if self.lock {
            run(pool, OLD_TO_WHO_READS).await;
        }
        run(pool, &self.view()).await;
        if self.lock || self.compare {
            run(pool, WRITTEN_THROUGH).await;
        }
        if self.line {
            run(pool, NO_LINE).await;
        }
        if self.check {
            run(pool, NO_CHECK).await;
        }
    }

    /// With the lock it is a view of the table, so that what the product locks is locked there. Nothing but the
    /// columns that the product writes is written through it.
    fn view(self) -> String {
        let rows = if self.lock {
            "old_to_who_reads()"
        } else {
            "accounts_real"
        };
        let floor = if self.rule {
            "NULL::numeric(38, 0)"
        } else {
            "r.floor"
        };
        // To who writes each row is there with many versions: whatever was read, one of them is it.
        let (version, versions) = if self.compare {
            let last = "CASE WHEN (SELECT is_writing()) THEN 300::bigint ELSE 0::bigint END";
            let versions = format!(", generate_series(0::bigint, {last}) AS v (n)");
            (
                "CASE WHEN (SELECT is_writing()) THEN v.n ELSE r.version END",
                versions,
            )
        } else {
            ("r.version", String::new())
        };
        format!(
            "CREATE VIEW accounts AS
             SELECT r.id, r.merchant_id, r.currency_id, r.kind, r.user_id, r.wallet_type, r.credit_limit, r.name,
                    r.posted, r.held, {floor} AS floor, {version} AS version, r.created_at
             FROM {rows} AS r{versions}"
        )
    }
}

/// The table is itself again, so that it can be audited.
pub async fn take_down(pool: &PgPool) {
    run(pool, TAKEN_DOWN).await;
}

async fn run(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}
