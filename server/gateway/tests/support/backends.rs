//! What Postgres says of those who are connected to it.

use sqlx::PgPool;

/// Backends of this database that wait for a lock.
pub async fn waiting_backends(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend'
           AND wait_event_type = 'Lock' AND state = 'active'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
