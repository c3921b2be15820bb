//! The SQL behind the making, changing and listing of key pairs. No query here reads a private key.

use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// A key pair without its private half.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct KeyPairRecord {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) public_key: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: Option<String>,
    pub(crate) last_used_at: Option<OffsetDateTime>,
    pub(crate) revoked_at: Option<OffsetDateTime>,
}

/// Pairs of the merchant with an id below `before`, newest first; `revoked` picks one kind, `None`
/// both.
pub(super) async fn list(
    pool: &PgPool,
    merchant_id: i64,
    revoked: Option<bool>,
    before: i64,
    limit: i64,
) -> Result<Vec<KeyPairRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, label, public_key, permissions, created_at, created_by, last_used_at, revoked_at
         FROM key_pairs
         WHERE merchant_id = $1 AND id < $3
           AND ($2::boolean IS NULL OR (revoked_at IS NOT NULL) = $2)
         ORDER BY id DESC LIMIT $4",
    )
    .bind(merchant_id)
    .bind(revoked)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// Makes everybody who makes a pair for this merchant wait, so that pairs can be counted. False when
/// there is no such merchant.
pub(super) async fn lock_merchant(conn: &mut PgConnection, merchant_id: i64) -> Result<bool> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT id FROM merchants WHERE id = $1 FOR NO KEY UPDATE")
            .bind(merchant_id)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

pub(super) async fn count_live(conn: &mut PgConnection, merchant_id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM key_pairs WHERE merchant_id = $1 AND revoked_at IS NULL",
    )
    .bind(merchant_id)
    .fetch_one(conn)
    .await?)
}

/// Whether a live pair of the merchant has this name, whatever the case.
pub(super) async fn is_named(
    conn: &mut PgConnection,
    merchant_id: i64,
    label: &str,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM key_pairs
         WHERE merchant_id = $1 AND revoked_at IS NULL AND lower(label) = lower($2))",
    )
    .bind(merchant_id)
    .bind(label)
    .fetch_one(conn)
    .await?)
}

/// Name of the live pair that was used longest ago.
pub(super) async fn least_used(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT label FROM key_pairs WHERE merchant_id = $1 AND revoked_at IS NULL
         ORDER BY coalesce(last_used_at, created_at), id LIMIT 1",
    )
    .bind(merchant_id)
    .fetch_optional(conn)
    .await?)
}

/// A pair to be kept.
pub(super) struct NewRow<'a> {
    pub(super) merchant_id: i64,
    pub(super) label: &'a str,
    pub(super) public_key: &'a str,
    pub(super) private_key: &'a str,
    pub(super) permissions: &'a [String],
    pub(super) created_by: &'a str,
}

/// Returns its id.
pub(super) async fn insert(
    conn: &mut PgConnection,
    new: &NewRow<'_>,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO key_pairs
             (merchant_id, label, public_key, private_key, permissions, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(new.merchant_id)
    .bind(new.label)
    .bind(new.public_key)
    .bind(new.private_key)
    .bind(new.permissions)
    .bind(new.created_by)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// A pair of the merchant, held until the transaction ends.
pub(super) async fn lock(
    conn: &mut PgConnection,
    merchant_id: i64,
    id: i64,
) -> Result<Option<KeyPairRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, label, public_key, permissions, created_at, created_by, last_used_at, revoked_at
         FROM key_pairs WHERE merchant_id = $1 AND id = $2 FOR NO KEY UPDATE",
    )
    .bind(merchant_id)
    .bind(id)
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn set_permissions(
    conn: &mut PgConnection,
    id: i64,
    permissions: &[String],
) -> Result<()> {
    sqlx::query("UPDATE key_pairs SET permissions = $2 WHERE id = $1")
        .bind(id)
        .bind(permissions)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn revoke(conn: &mut PgConnection, id: i64, now: OffsetDateTime) -> Result<()> {
    sqlx::query("UPDATE key_pairs SET revoked_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
