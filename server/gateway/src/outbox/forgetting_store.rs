use sqlx::PgPool;
use time::OffsetDateTime;

use crate::Result;

/// What became of a batch.
pub(super) struct Forgotten {
    pub(super) forgotten: u64,
    /// The next batch comes after this one; `None` when nothing old is left.
    pub(super) last: Option<i64>,
}

/// Looks at the first `most` deliveries after one, and forgets those that wait for nothing and were made before
/// `oldest`; events stay, the audit needs them.
///
/// They are read in the order of their ids, which is that in which they were made but for a moment: the look ends
/// where nothing is old, however much there is behind it. What is missed in that moment goes with the next pass.
pub(super) async fn forget(
    pool: &PgPool,
    oldest: OffsetDateTime,
    after: i64,
    most: i64,
) -> Result<Forgotten> {
    let mut tx = pool.begin().await?;
    let seen: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT id, created_at < $1 FROM deliveries WHERE id > $2 ORDER BY id LIMIT $3",
    )
    .bind(oldest)
    .bind(after)
    .bind(most)
    .fetch_all(&mut *tx)
    .await?;
    let old: Vec<i64> = seen
        .iter()
        .filter(|(_, is_old)| *is_old)
        .map(|(id, _)| *id)
        .collect();
    let is_end = old.is_empty() || i64::try_from(seen.len())? < most;
    let last = seen.last().map(|(id, _)| *id).filter(|_| !is_end);
    // Locked before their attempts are looked for: nobody adds another one to what goes.
    let over: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM deliveries WHERE id = ANY($1) AND state <> 'pending' ORDER BY id FOR UPDATE",
    )
    .bind(&old)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM delivery_attempts WHERE delivery_id = ANY($1)")
        .bind(&over)
        .execute(&mut *tx)
        .await?;
    let forgotten = sqlx::query("DELETE FROM deliveries WHERE id = ANY($1)")
        .bind(&over)
        .execute(&mut *tx)
        .await?
        .rows_affected();
    tx.commit().await?;
    Ok(Forgotten { forgotten, last })
}
