use std::collections::HashMap;

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
    Ok(
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(once.scope())
            .fetch_one(conn)
            .await?,
    )
}

/// The same for many; one answer per key, in their order.
pub(super) async fn try_lock_each(conn: &mut PgConnection, onces: &[&Once]) -> Result<Vec<bool>> {
    let scopes: Vec<String> = onces.iter().map(|once| once.scope()).collect();
    Ok(sqlx::query_scalar(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(t.scope, 0))
         FROM unnest($1::text[]) WITH ORDINALITY AS t (scope, n) ORDER BY t.n",
    )
    .bind(scopes)
    .fetch_all(conn)
    .await?)
}

/// Stored answers by the place of their key.
pub(super) async fn find_each(
    conn: &mut PgConnection,
    onces: &[&Once],
    oldest: OffsetDateTime,
) -> Result<HashMap<usize, Stored>> {
    let rows = sqlx::query(
        "SELECT t.n, k.body_hash, k.status, k.body
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
              AS t (merchant_id, method, path, key, n)
         JOIN idempotency_keys k ON k.merchant_id = t.merchant_id AND k.method = t.method
                                AND k.path = t.path AND k.key = t.key
         WHERE k.created_at > $5",
    )
    .bind(
        onces
            .iter()
            .map(|once| once.merchant_id)
            .collect::<Vec<i64>>(),
    )
    .bind(
        onces
            .iter()
            .map(|once| once.method.to_owned())
            .collect::<Vec<String>>(),
    )
    .bind(
        onces
            .iter()
            .map(|once| once.path.clone())
            .collect::<Vec<String>>(),
    )
    .bind(
        onces
            .iter()
            .map(|once| once.key.clone())
            .collect::<Vec<String>>(),
    )
    .bind(oldest)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let number: i64 = row.try_get("n")?;
            let status: i16 = row.try_get("status")?;
            let stored = Stored {
                body_hash: row.try_get("body_hash")?,
                status: u16::try_from(status)?,
                body: row.try_get("body")?,
            };
            Ok((usize::try_from(number - 1)?, stored))
        })
        .collect()
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

/// The same for many. Their keys are claimed, so nobody else writes them now.
pub(super) async fn insert_each(
    conn: &mut PgConnection,
    answers: &[(&Once, &Answer)],
    now: OffsetDateTime,
) -> Result<()> {
    let text = |pick: fn(&Once) -> String| -> Vec<String> {
        answers.iter().map(|(once, _)| pick(once)).collect()
    };
    let statuses = answers
        .iter()
        .map(|(_, answer)| Ok(i16::try_from(answer.status)?))
        .collect::<Result<Vec<i16>>>()?;
    sqlx::query(
        "INSERT INTO idempotency_keys (merchant_id, method, path, key, body_hash, status, body, created_at)
         SELECT t.merchant_id, t.method, t.path, t.key, t.body_hash, t.status, t.body, $8
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::smallint[],
                     $7::bytea[]) AS t (merchant_id, method, path, key, body_hash, status, body)
         ORDER BY t.merchant_id, t.method, t.path, t.key
         ON CONFLICT (merchant_id, method, path, key) DO UPDATE
         SET body_hash = excluded.body_hash, status = excluded.status, body = excluded.body,
             created_at = excluded.created_at",
    )
    .bind(
        answers
            .iter()
            .map(|(once, _)| once.merchant_id)
            .collect::<Vec<i64>>(),
    )
    .bind(text(|once| once.method.to_owned()))
    .bind(text(|once| once.path.clone()))
    .bind(text(|once| once.key.clone()))
    .bind(
        answers
            .iter()
            .map(|(once, _)| once.body_hash.to_vec())
            .collect::<Vec<Vec<u8>>>(),
    )
    .bind(statuses)
    .bind(
        answers
            .iter()
            .map(|(_, answer)| answer.body.clone())
            .collect::<Vec<Vec<u8>>>(),
    )
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
