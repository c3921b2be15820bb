//! Two workers at one withdrawal.

use std::future::Future;
use std::time::Duration;

use sqlx::PgPool;

/// What a statement says that looks at operations.
pub const OPERATIONS: &str = "FROM operations";

/// Lets `first` plan the withdrawal, and `second` as well, for the lease of the first runs out on the way: both
/// stand before its operation, and go on one after the other.
pub async fn plan_both(
    pool: &PgPool,
    id: i64,
    first: impl Future<Output = ()>,
    second: impl Future<Output = ()>,
) {
    let mut gate = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM operations WHERE id = $1 FOR NO KEY UPDATE")
        .bind(id)
        .execute(&mut *gate)
        .await
        .unwrap();
    let behind = async {
        until_waiting(pool, OPERATIONS, 1).await;
        sqlx::query("UPDATE withdrawals SET locked_until = NULL WHERE operation_id = $1")
            .bind(id)
            .execute(pool)
            .await
            .unwrap();
        let open = async {
            until_waiting(pool, OPERATIONS, 2).await;
            gate.rollback().await.unwrap();
        };
        tokio::join!(second, open);
    };
    tokio::join!(first, behind);
}

/// Until so many whose statement begins with this, or has it near its beginning, wait for somebody's lock.
pub async fn until_waiting(pool: &PgPool, what: &str, count: i64) {
    let met = async {
        while waiting(pool, what).await != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), met)
        .await
        .unwrap();
}

async fn waiting(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
           AND position($1 IN query) > 0",
    )
    .bind(what)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Whether the withdrawal has no attempt of its own before it, and none behind it that failed.
pub async fn is_left_alone(pool: &PgPool, id: i64) -> bool {
    sqlx::query_scalar(
        "SELECT next_attempt_at IS NULL AND attempts = 0 AND last_error IS NULL
         FROM withdrawals WHERE operation_id = $1",
    )
    .bind(id)
    .fetch_one(pool)
    .await
    .unwrap()
}
