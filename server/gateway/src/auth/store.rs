use sqlx::{PgPool, Row};
use time::OffsetDateTime;

use super::KeyPairPrincipal;
use super::{Role, SessionUser};
use crate::{Error, Result};

/// What signing in reads of a user.
pub(super) struct Login {
    pub(super) user_id: i64,
    pub(super) password_hash: String,
    pub(super) active: bool,
}

pub(super) async fn find_login(pool: &PgPool, email: &str) -> Result<Option<Login>> {
    let row =
        sqlx::query("SELECT id, password_hash, status FROM users WHERE lower(email) = lower($1)")
            .bind(email)
            .fetch_optional(pool)
            .await?;
    row.map(|row| {
        let status: String = row.try_get("status")?;
        Ok(Login {
            user_id: row.try_get("id")?,
            password_hash: row.try_get("password_hash")?,
            active: status == "active",
        })
    })
    .transpose()
}

/// Not when the password was changed meanwhile.
pub(super) async fn replace_hash(pool: &PgPool, user_id: i64, old: &str, new: &str) -> Result<()> {
    sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
        .bind(user_id)
        .bind(old)
        .bind(new)
        .execute(pool)
        .await?;
    Ok(())
}

/// Forgets the user's sessions begun at or before `oldest` on the way.
pub(super) async fn insert_session(
    pool: &PgPool,
    hash: &[u8; 32],
    user_id: i64,
    user_agent: &str,
    now: OffsetDateTime,
    oldest: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "WITH ended AS (DELETE FROM sessions WHERE user_id = $2 AND created_at <= $5)
         INSERT INTO sessions (hash, user_id, user_agent, created_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(hash.as_slice())
    .bind(user_id)
    .bind(user_agent)
    .bind(now)
    .bind(oldest)
    .execute(pool)
    .await?;
    Ok(())
}

/// A session with its user as it is now.
pub(super) struct Session {
    pub(super) user: SessionUser,
    pub(super) active: bool,
    pub(super) created_at: OffsetDateTime,
    pub(super) last_seen_at: OffsetDateTime,
}

pub(super) async fn find_session(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Session>> {
    let row = sqlx::query(
        "SELECT s.created_at, s.last_seen_at, u.id, u.email, u.role, u.status, u.merchant_id, m.name
         FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN merchants m ON m.id = u.merchant_id
         WHERE s.hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let role: String = row.try_get("role")?;
        let status: String = row.try_get("status")?;
        Ok(Session {
            user: SessionUser {
                user_id: row.try_get("id")?,
                email: row.try_get("email")?,
                role: Role::from_word(&role)
                    .ok_or_else(|| Error::Internal(format!("role {role}")))?,
                merchant_id: row.try_get("merchant_id")?,
                merchant_name: row.try_get("name")?,
            },
            active: status == "active",
            created_at: row.try_get("created_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
        })
    })
    .transpose()
}

/// One of many requests at once writes; the others find it done.
pub(super) async fn note_request(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
    unless_after: OffsetDateTime,
) -> Result<()> {
    sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at <= $3")
        .bind(hash.as_slice())
        .bind(now)
        .bind(unless_after)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn delete_session(pool: &PgPool, hash: &[u8; 32]) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE hash = $1")
        .bind(hash.as_slice())
        .execute(pool)
        .await?;
    Ok(())
}

/// A key that is not revoked.
pub(super) struct Key {
    pub(super) id: i64,
    pub(super) merchant_id: i64,
    pub(super) last_used_at: Option<OffsetDateTime>,
}

pub(super) async fn find_key(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Key>> {
    let row = sqlx::query(
        "SELECT id, merchant_id, last_used_at FROM merchant_keys
         WHERE hash = $1 AND revoked_at IS NULL",
    )
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Key {
            id: row.try_get("id")?,
            merchant_id: row.try_get("merchant_id")?,
            last_used_at: row.try_get("last_used_at")?,
        })
    })
    .transpose()
}

pub(super) async fn note_key_use(
    pool: &PgPool,
    id: i64,
    now: OffsetDateTime,
    unless_after: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE merchant_keys SET last_used_at = $2
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
    )
    .bind(id)
    .bind(now)
    .bind(unless_after)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn merchant_exists(pool: &PgPool, id: i64) -> Result<bool> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM merchants WHERE id = $1)")
            .bind(id)
            .fetch_one(pool)
            .await?,
    )
}

pub(super) async fn all_merchants(pool: &PgPool) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as("SELECT id, name FROM merchants ORDER BY id")
        .fetch_all(pool)
        .await?)
}

/// Those it was given, and those of the users it made.
pub(super) async fn merchants_of_manager(
    pool: &PgPool,
    user_id: i64,
) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as(
        "SELECT id, name FROM merchants WHERE id IN (
             SELECT merchant_id FROM merchant_managers WHERE user_id = $1
             UNION ALL
             SELECT merchant_id FROM users WHERE parent_id = $1 AND role = 'merchant')
         ORDER BY id",
    )
    .bind(user_id)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn merchant_of_user(pool: &PgPool, user_id: i64) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as(
        "SELECT m.id, m.name FROM users u JOIN merchants m ON m.id = u.merchant_id WHERE u.id = $1",
    )
    .bind(user_id)
    .fetch_all(pool)
    .await?)
}

const KEY_PAIR: &str = "id, merchant_id, public_key, private_key, permissions,
    (SELECT u.id FROM users u WHERE u.email = key_pairs.created_by) AS creator_id";

fn key_pair(row: &sqlx::postgres::PgRow) -> Result<KeyPairPrincipal> {
    Ok(KeyPairPrincipal {
        creator_id: row.try_get("creator_id")?,
        id: row.try_get("id")?,
        merchant_id: row.try_get("merchant_id")?,
        public_key: row.try_get("public_key")?,
        private_key: row.try_get("private_key")?,
        permissions: row.try_get("permissions")?,
    })
}

/// A pair that is not revoked, and when it was last used.
pub(super) async fn find_key_pair(
    pool: &PgPool,
    public_key: &str,
) -> Result<Option<(KeyPairPrincipal, Option<OffsetDateTime>)>> {
    let query = format!(
        "SELECT {KEY_PAIR}, last_used_at FROM key_pairs
         WHERE public_key = $1 AND revoked_at IS NULL"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(public_key)
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok((key_pair(&row)?, row.try_get("last_used_at")?)))
        .transpose()
}

pub(super) async fn note_key_pair_use(
    pool: &PgPool,
    id: i64,
    now: OffsetDateTime,
    unless_after: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE key_pairs SET last_used_at = $2
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
    )
    .bind(id)
    .bind(now)
    .bind(unless_after)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn active_key_pairs(
    pool: &PgPool,
    merchant_id: i64,
) -> Result<Vec<KeyPairPrincipal>> {
    let query = format!(
        "SELECT {KEY_PAIR} FROM key_pairs WHERE merchant_id = $1 AND revoked_at IS NULL ORDER BY id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(merchant_id)
        .fetch_all(pool)
        .await?;
    rows.iter().map(key_pair).collect()
}
