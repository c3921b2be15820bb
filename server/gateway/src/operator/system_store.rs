//! The SQL behind the figures of the system. Every question is answered from a partial index, however
//! long the history is.

use sqlx::{FromRow, PgPool};
use time::{Duration, OffsetDateTime};

use crate::Result;

/// Deliveries that wait.
#[derive(Debug, FromRow)]
pub(super) struct Waiting {
    pub(super) pending: i64,
    pub(super) retrying: i64,
    pub(super) oldest: Option<OffsetDateTime>,
    /// When the one that is due longest was to be tried.
    pub(super) due_since: Option<OffsetDateTime>,
    pub(super) attempts_most: i32,
    pub(super) given_up_today: i64,
}

pub(super) async fn outbox(pool: &PgPool, now: OffsetDateTime) -> Result<Waiting> {
    Ok(sqlx::query_as(
        "SELECT count(*) AS pending, count(*) FILTER (WHERE attempts > 0) AS retrying,
                min(created_at) AS oldest,
                min(next_attempt_at) FILTER (WHERE next_attempt_at <= $1) AS due_since,
                coalesce(max(attempts), 0) AS attempts_most,
                (SELECT count(*) FROM deliveries WHERE state = 'failed' AND given_up_at >= $2)
                    AS given_up_today
         FROM deliveries WHERE state = 'pending'",
    )
    .bind(now)
    .bind(now - Duration::days(1))
    .fetch_one(pool)
    .await?)
}

/// Withdrawals that are not over, by the word of their state.
pub(super) async fn open_withdrawals(pool: &PgPool) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT state, count(*) FROM withdrawals WHERE state = 'pending' GROUP BY state
         UNION ALL
         SELECT state, count(*) FROM withdrawals WHERE state IN ('queued', 'built') GROUP BY state
         UNION ALL
         SELECT state, count(*) FROM withdrawals
         WHERE state IN ('built', 'broadcast') AND state <> 'built' GROUP BY state",
    )
    .fetch_all(pool)
    .await?)
}
