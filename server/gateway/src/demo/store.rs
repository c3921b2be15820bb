use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::DemoUser;
use crate::auth::{Role, digest};
use crate::{Error, Result};

/// A demo merchant before it is a row.
pub(super) struct NewMerchant {
    pub(super) name: &'static str,
    pub(super) accent: Option<&'static str>,
    pub(super) support_email: String,
    pub(super) user: DemoUser,
    pub(super) ex_pk: String,
    pub(super) app_key: String,
    pub(super) ipn_secret: String,
    pub(super) webhook_secret: String,
    pub(super) key_pair: NewKeyPair,
    pub(super) key_pair_limited: NewKeyPair,
    pub(super) key_pair_nonce: NewKeyPair,
}

pub(super) struct NewKeyPair {
    pub(super) label: &'static str,
    pub(super) public: String,
    pub(super) private: String,
    pub(super) permissions: &'static [&'static str],
}

/// Held to the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('exchequer demo', 0))")
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn find_user(conn: &mut PgConnection, email: &str) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT id FROM users WHERE lower(email) = lower($1)")
            .bind(email)
            .fetch_optional(conn)
            .await?,
    )
}

/// Address and role word of those users that exist.
pub(super) async fn roles(pool: &PgPool, emails: &[String]) -> Result<Vec<(String, String)>> {
    Ok(
        sqlx::query_as("SELECT email, role FROM users WHERE lower(email) = ANY($1)")
            .bind(emails)
            .fetch_all(pool)
            .await?,
    )
}

pub(super) async fn insert_user(
    conn: &mut PgConnection,
    user: &DemoUser,
    password_hash: &str,
    role: Role,
    merchant_id: Option<i64>,
    parent_id: Option<i64>,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO users (email, password_hash, role, merchant_id, parent_id, api_key_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(&user.email)
    .bind(password_hash)
    .bind(role.word())
    .bind(merchant_id)
    .bind(parent_id)
    .bind(digest(&user.api_key).as_slice())
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// Merchant of the user with this address; `None` when there is no such user.
pub(super) async fn merchant_of(conn: &mut PgConnection, email: &str) -> Result<Option<i64>> {
    let found: Option<Option<i64>> =
        sqlx::query_scalar("SELECT merchant_id FROM users WHERE lower(email) = lower($1)")
            .bind(email)
            .fetch_optional(conn)
            .await?;
    match found {
        Some(None) => Err(Error::Conflict("a demo merchant's e-mail address is taken")),
        found => Ok(found.flatten()),
    }
}

pub(super) async fn insert_merchant(
    conn: &mut PgConnection,
    new: &NewMerchant,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO merchants (name, accent, support_email, app_key, webhook_secret, ipn_secret,
             fee_basis_points, verification, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 100, 'verified', $7) RETURNING id",
    )
    .bind(new.name)
    .bind(new.accent)
    .bind(&new.support_email)
    .bind(&new.app_key)
    .bind(&new.webhook_secret)
    .bind(&new.ipn_secret)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

pub(super) async fn give_to_manager(
    conn: &mut PgConnection,
    merchant_id: i64,
    user_id: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO merchant_managers (merchant_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(merchant_id)
    .bind(user_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// A key that exists stays as it is, revoked or not.
pub(super) async fn insert_keys(
    conn: &mut PgConnection,
    merchant_id: i64,
    new: &NewMerchant,
    now: OffsetDateTime,
) -> Result<()> {
    let prefix: String = new.ex_pk.chars().take(12).collect();
    sqlx::query(
        "INSERT INTO merchant_keys (merchant_id, hash, prefix, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(merchant_id)
    .bind(digest(&new.ex_pk).as_slice())
    .bind(prefix)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    for pair in [&new.key_pair, &new.key_pair_limited, &new.key_pair_nonce] {
        sqlx::query(
            "INSERT INTO key_pairs (merchant_id, label, public_key, private_key, permissions, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(merchant_id)
        .bind(pair.label)
        .bind(&pair.public)
        .bind(&pair.private)
        .bind(pair.permissions)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
