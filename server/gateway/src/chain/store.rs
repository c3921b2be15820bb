use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// The account key recorded for a chain; `xpub` when there was none.
pub(super) async fn find_or_insert_account(
    pool: &PgPool,
    chain: &str,
    xpub: &str,
) -> Result<String> {
    sqlx::query("INSERT INTO chain_accounts (chain, xpub) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(chain)
        .bind(xpub)
        .execute(pool)
        .await?;
    Ok(
        sqlx::query_scalar("SELECT xpub FROM chain_accounts WHERE chain = $1")
            .bind(chain)
            .fetch_one(pool)
            .await?,
    )
}

pub(super) async fn take_index(conn: &mut PgConnection, chain: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE chain_accounts SET next_index = next_index + 1 WHERE chain = $1
         RETURNING next_index - 1",
    )
    .bind(chain)
    .fetch_one(conn)
    .await?)
}

pub(super) async fn insert_address(
    conn: &mut PgConnection,
    chain: &str,
    index: i64,
    address: &str,
    merchant_id: i64,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO chain_addresses (chain, idx, address, merchant_id, created_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(chain)
    .bind(index)
    .bind(address)
    .bind(merchant_id)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// The chain that one of these spellings of an address was given out for.
pub(super) async fn chain_of_address(
    pool: &PgPool,
    spellings: &[String],
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT chain FROM chain_addresses WHERE address = ANY($1) ORDER BY id LIMIT 1",
    )
    .bind(spellings)
    .fetch_optional(pool)
    .await?)
}
