use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::Facts;
use crate::Result;
use crate::ledger::decimal;

/// Limit of the measured wallets, ledger units: more than all transfers of a run.
const LIMIT: i128 = 10i128.pow(20);

pub(super) async fn database_name(pool: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(pool)
        .await?)
}

pub(super) async fn facts(pool: &PgPool) -> Result<Facts> {
    let row = sqlx::query(
        "SELECT current_setting('server_version') AS version,
                current_setting('max_connections')::int AS max_connections,
                current_setting('fsync') AS fsync,
                current_setting('synchronous_commit') AS synchronous_commit,
                current_setting('shared_buffers') AS shared_buffers",
    )
    .fetch_one(pool)
    .await?;
    Ok(Facts {
        version: row.try_get("version")?,
        max_connections: row.try_get("max_connections")?,
        fsync: row.try_get("fsync")?,
        synchronous_commit: row.try_get("synchronous_commit")?,
        shared_buffers: row.try_get("shared_buffers")?,
    })
}

pub(super) async fn backend(pool: &PgPool) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(pool)
        .await?)
}

/// Wallets of the customers 0 to `accounts`.
pub(super) async fn insert_wallets(
    pool: &PgPool,
    merchant: i64,
    currency: i16,
    accounts: u32,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, credit_limit,
             floor, created_at)
         SELECT $1, $2, 'wallet', n, 'POSTPAID', $3::numeric, -($3::numeric), $4
         FROM generate_series(0::bigint, $5::bigint) AS n
         ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING",
    )
    .bind(merchant)
    .bind(currency)
    .bind(decimal(LIMIT))
    .bind(now)
    .bind(i64::from(accounts))
    .execute(pool)
    .await?;
    Ok(())
}

/// Merchants without people, who have the secrets of the first one.
pub(super) async fn insert_merchants(
    pool: &PgPool,
    count: i64,
    now: OffsetDateTime,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "INSERT INTO merchants (name, app_key, webhook_secret, ipn_secret, created_at)
         SELECT 'Bench ' || n, m.app_key, m.webhook_secret, m.ipn_secret, $2
         FROM generate_series(1::bigint, $1::bigint) AS n
         CROSS JOIN (SELECT * FROM merchants ORDER BY id LIMIT 1) m
         RETURNING id",
    )
    .bind(count)
    .bind(now)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn count_postings(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM postings")
        .fetch_one(pool)
        .await?)
}

/// One transaction of `count` entries. Posting `j` of it goes from wallet 0 to wallet `j % accounts + 1`
/// and is number `j / accounts + 1` there, so all lines and balances follow from those before it.
/// Ids are in the order of time, as the product's are.
pub(super) async fn load(
    pool: &PgPool,
    merchant: i64,
    currency: i16,
    accounts: u32,
    count: i64,
    now: OffsetDateTime,
) -> Result<()> {
    let accounts = i64::from(accounts);
    let mut tx = pool.begin().await?;
    sqlx::query(
        "SELECT id FROM accounts WHERE merchant_id = $1 AND currency_id = $2 AND kind = 'wallet'
         ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(merchant)
    .bind(currency)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "WITH payer AS (
             SELECT id, posted, held, version FROM accounts
             WHERE merchant_id = $1::bigint AND currency_id = $2::smallint AND kind = 'wallet'
               AND user_id = 0),
         made AS MATERIALIZED (
             SELECT j, p.version + j + 1 AS line,
                 ('01900000-0000-7000-8000-' || lpad(to_hex(p.version + j), 12, '0'))::uuid AS entry_id,
                 ('01900000-0000-7000-9000-' || lpad(to_hex(p.version + j), 12, '0'))::uuid AS id
             FROM payer p CROSS JOIN generate_series(0::bigint, $3::bigint - 1) AS j),
         entries AS (
             INSERT INTO journal_entries (id, merchant_id, kind, subject, dedupe, created_at)
             SELECT entry_id, $1::bigint, 'test_funding', 'bench', 'bench:' || line, $5::timestamptz
             FROM made ORDER BY j)
         INSERT INTO postings (id, entry_id, leg, label, movement, currency_id, amount,
             debit_account, debit_version, debit_after, debit_held_after,
             credit_account, credit_version, credit_after, hold_id, created_at)
         SELECT m.id, m.entry_id, 0, 'bench', 'post', $2::smallint, 1000,
             p.id, m.line, p.posted - 1000 * (m.j + 1), p.held,
             w.id, w.version + m.j / $4::bigint + 1, w.posted + 1000 * (m.j / $4::bigint + 1),
             NULL, $5::timestamptz
         FROM made m
         CROSS JOIN payer p
         JOIN accounts w ON w.merchant_id = $1::bigint AND w.currency_id = $2::smallint
             AND w.kind = 'wallet' AND w.user_id = m.j % $4::bigint + 1
         ORDER BY m.j",
    )
    .bind(merchant)
    .bind(currency)
    .bind(count)
    .bind(accounts)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE accounts a SET posted = a.posted + 1000 * c.gained, version = a.version + c.lines
         FROM (SELECT id, k AS lines, CASE WHEN user_id = 0 THEN -k ELSE k END AS gained
               FROM (SELECT id, user_id,
                         CASE WHEN user_id = 0 THEN $3::bigint
                              ELSE $3::bigint / $4::bigint
                                  + CASE WHEN user_id <= $3::bigint % $4::bigint THEN 1 ELSE 0 END
                         END AS k
                     FROM accounts
                     WHERE merchant_id = $1 AND currency_id = $2 AND kind = 'wallet'
                       AND user_id <= $4::bigint) t) c
         WHERE a.id = c.id AND c.lines > 0",
    )
    .bind(merchant)
    .bind(currency)
    .bind(count)
    .bind(accounts)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Fresh tables have no statistics, and plans without them are those of no real ledger.
pub(super) async fn analyze(pool: &PgPool) -> Result<()> {
    sqlx::query("ANALYZE accounts, journal_entries, postings")
        .execute(pool)
        .await?;
    Ok(())
}

/// What was loaded is written out, and its files of the log are free for use again: both would fall into
/// whichever row is measured then. Only some users may ask for it.
pub(super) async fn checkpoint(pool: &PgPool) {
    if let Err(error) = sqlx::query("CHECKPOINT").execute(pool).await {
        tracing::debug!(%error, "no checkpoint after the load");
    }
}

pub(super) async fn make_floor(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("CREATE TABLE IF NOT EXISTS bench_entries (LIKE journal_entries INCLUDING ALL)")
        .execute(&mut *conn)
        .await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS bench_postings (LIKE postings INCLUDING ALL)")
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn floor_rows(conn: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM bench_postings")
        .fetch_one(conn)
        .await?)
}

/// Entries and postings number `from` and on. No row is looked at and no balance kept; the accounts
/// are spread as those of uniform transfers.
pub(super) async fn insert_floor(
    conn: &mut PgConnection,
    from: i64,
    count: i64,
    (currency, accounts): (i16, u32),
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "WITH made AS MATERIALIZED (
             SELECT n, n * 7919 % $4::bigint + 1 AS account,
                 ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS entry_id,
                 ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
             FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n),
         entries AS (
             INSERT INTO bench_entries (id, merchant_id, kind, subject, dedupe, created_at)
             SELECT entry_id, 0, 'test_funding', 'bench', entry_id::text, $5::timestamptz FROM made)
         INSERT INTO bench_postings (id, entry_id, leg, label, movement, currency_id, amount,
             debit_account, debit_version, debit_after, debit_held_after,
             credit_account, credit_version, credit_after, hold_id, created_at)
         SELECT id, entry_id, 0, 'bench', 'post', $3::smallint, 1000, account, n, 1000, 0,
             $4::bigint + account, n, 1000, NULL, $5::timestamptz
         FROM made",
    )
    .bind(from)
    .bind(count)
    .bind(currency)
    .bind(i64::from(accounts))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deliveries to be made, each of an event of its own about an object of its own.
pub(super) struct Jobs<'a> {
    /// Told apart from those before by this.
    pub(super) batch: &'a str,
    pub(super) merchants: &'a [i64],
    pub(super) count: i64,
    /// With a path that numbers can be appended to.
    pub(super) url: &'a str,
    pub(super) due: OffsetDateTime,
    pub(super) now: OffsetDateTime,
}

pub(super) async fn enqueue(pool: &PgPool, jobs: &Jobs<'_>) -> Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "WITH made AS MATERIALIZED (
             SELECT n, 'evt_' || $1::text || '_' || n AS id, 'bench:' || $1::text || '/' || n AS object,
                 ($2::bigint[])[n % cardinality($2::bigint[]) + 1] AS merchant_id
             FROM generate_series(0, $3::bigint::int - 1) AS n),
         facts AS (
             INSERT INTO events (id, merchant_id, type, object, sequence, payload, created_at)
             SELECT id, merchant_id, 'bench.job', object, 1, '{}'::jsonb, $6::timestamptz FROM made)
         INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type,
             body, next_attempt_at, created_at)
         SELECT id, merchant_id, object, $4::text || n % 64, 'standard', 'standard',
             'application/json', convert_to('{}', 'UTF8'), $5::timestamptz, $6::timestamptz
         FROM made ORDER BY n",
    )
    .bind(jobs.batch)
    .bind(jobs.merchants)
    .bind(jobs.count)
    .bind(jobs.url)
    .bind(jobs.due)
    .bind(jobs.now)
    .execute(&mut *tx)
    .await?;
    sqlx::query("SELECT pg_notify('exchequer_delivery', '')")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
