use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::{Answer, Once};
use crate::Result;

pub(super) struct Stored {
    pub(super) body_hash: Vec<u8>,
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Held to the end of the transaction; the lock's number is a hash of the key's scope.
pub(super) async fn try_lock(conn: &mut PgConnection, once: &Once) -> Result<bool> {
    let scope = format!(
        "{}\n{}\n{}\n{}",
        once.merchant_id, once.method, once.path, once.key
    );
    Ok(
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(scope)
            .fetch_one(conn)
            .await?,
    )
}

pub(super) async fn find(
    conn: &mut PgConnection,
    once: &Once,
    oldest: OffsetDateTime,
) -> Result<Option<Stored>> {
    let row = sqlx::query(
        "SELECT body_hash, status, body FROM idempotency_keys
         WHERE merchant_id = $1 AND method = $2 AND path = $3 AND key = $4 AND created_at > $5",
    )
    .bind(once.merchant_id)
    .bind(once.method)
    .bind(&once.path)
    .bind(&once.key)
    .bind(oldest)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let status: i16 = row.try_get("status")?;
        Ok(Stored {
            body_hash: row.try_get("body_hash")?,
            status: u16::try_from(status)?,
            body: row.try_get("body")?,
        })
    })
    .transpose()
}

/// Replaces an answer that is too old to be repeated.
pub(super) async fn insert(
    conn: &mut PgConnection,
    once: &Once,
    answer: &Answer,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO idempotency_keys (merchant_id, method, path, key, body_hash, status, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (merchant_id, method, path, key) DO UPDATE
         SET body_hash = excluded.body_hash, status = excluded.status, body = excluded.body,
             created_at = excluded.created_at",
    )
    .bind(once.merchant_id)
    .bind(once.method)
    .bind(&once.path)
    .bind(&once.key)
    .bind(once.body_hash.as_slice())
    .bind(i16::try_from(answer.status)?)
    .bind(&answer.body)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete_older(pool: &PgPool, oldest: OffsetDateTime) -> Result<u64> {
    Ok(
        sqlx::query("DELETE FROM idempotency_keys WHERE created_at <= $1")
            .bind(oldest)
            .execute(pool)
            .await?
            .rows_affected(),
    )
}

/// Keeps the first answer about an operation or an invoice; false when there is one.
pub(super) async fn insert_first(
    conn: &mut PgConnection,
    id: i64,
    answer: &Answer,
) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO first_answers (id, status, body) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(i16::try_from(answer.status)?)
    .bind(&answer.body)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}

pub(super) async fn find_first(conn: &mut PgConnection, id: i64) -> Result<Answer> {
    let (status, body): (i16, Vec<u8>) =
        sqlx::query_as("SELECT status, body FROM first_answers WHERE id = $1")
            .bind(id)
            .fetch_one(conn)
            .await?;
    Ok(Answer::fresh((u16::try_from(status)?, body)))
}
