use futures::FutureExt as _;
use sqlx::{Executor as _, PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

pub(crate) async fn find_or_insert(
    pool: &PgPool,
    seed: &[u8],
    test_mode: bool,
) -> Result<(Vec<u8>, bool)> {
    sqlx::query(
        "INSERT INTO instance (seed, test_mode, created_at) VALUES ($1, $2, clock_timestamp())
         ON CONFLICT DO NOTHING",
    )
    .bind(seed)
    .bind(test_mode)
    .execute(pool)
    .await?;
    Ok(sqlx::query_as("SELECT seed, test_mode FROM instance")
        .fetch_one(pool)
        .await?)
}

/// Where the server of this instance was reached last; `None` when none ever ran.
pub(super) async fn public_url(pool: &PgPool) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT public_url FROM instance")
        .fetch_one(pool)
        .await?)
}

pub(super) async fn set_public_url(pool: &PgPool, url: &str) -> Result<()> {
    sqlx::query("UPDATE instance SET public_url = $1 WHERE public_url IS DISTINCT FROM $1")
        .bind(url)
        .execute(pool)
        .await?;
    Ok(())
}

/// How far the instance's clock was moved, seconds, and the database's own time.
pub(crate) async fn clock(conn: &mut PgConnection) -> Result<(i64, OffsetDateTime)> {
    Ok(
        sqlx::query_as("SELECT clock_offset_seconds, clock_timestamp() FROM instance")
            .fetch_one(conn)
            .await?,
    )
}

/// Now by the database's clock, on the time of the instance. For what one process fixes and another one
/// judges: their own clocks may differ.
pub(crate) async fn now(conn: &mut PgConnection) -> Result<OffsetDateTime> {
    Ok(sqlx::query_scalar(
        "SELECT clock_timestamp() + clock_offset_seconds * interval '1 second' FROM instance",
    )
    .fetch_one(conn)
    .await?)
}

/// From now on this session ends when it does nothing for a minute within a transaction, unless the operator
/// of the database has set a time of his own. A process that is gone without a word would else leave locks
/// for hours that everybody waits for.
pub(crate) async fn end_when_idle(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "SELECT set_config('idle_in_transaction_session_timeout', '60s', false)
         WHERE current_setting('idle_in_transaction_session_timeout') = '0'",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Has this session end once it is done with what it was told before; waits for nothing. Whoever gets the
/// connection back, the pool, finds that it is gone.
pub(crate) fn end_session(conn: &mut PgConnection) {
    // With the first look at it, it is sent; the answer is for nobody.
    let _ = conn
        .execute("SELECT pg_terminate_backend(pg_backend_pid())")
        .now_or_never();
}

pub(crate) async fn move_clock(pool: &PgPool, seconds: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE instance SET clock_offset_seconds = clock_offset_seconds + $1
         RETURNING clock_offset_seconds",
    )
    .bind(seconds)
    .fetch_one(pool)
    .await?)
}

/// Versions of the migrations that this database has had.
pub(crate) async fn applied_migrations(pool: &PgPool) -> Result<Vec<i64>> {
    Ok(
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(pool)
            .await?,
    )
}
