use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// What is stored of a chain's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredAccount {
    /// Extended public key or descriptor.
    pub(super) xpub: String,
    /// `simulated`, or the network's name.
    pub(super) network: String,
    pub(super) birthday: Option<i64>,
}

/// The account recorded for a chain; `new` when there was none.
pub(super) async fn find_or_insert_account(
    pool: &PgPool,
    chain: &str,
    new: &StoredAccount,
) -> Result<StoredAccount> {
    sqlx::query(
        "INSERT INTO chain_accounts (chain, xpub, network, birthday) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(chain)
    .bind(&new.xpub)
    .bind(&new.network)
    .bind(new.birthday)
    .execute(pool)
    .await?;
    let (xpub, network, birthday): (String, String, Option<i64>) =
        sqlx::query_as("SELECT xpub, network, birthday FROM chain_accounts WHERE chain = $1")
            .bind(chain)
            .fetch_one(pool)
            .await?;
    Ok(StoredAccount {
        xpub,
        network,
        birthday,
    })
}

/// The height a chain begins at; `first` when nothing is stored, which is then stored.
pub(super) async fn birthday(pool: &PgPool, chain: &str, first: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE chain_accounts SET birthday = coalesce(birthday, $2) WHERE chain = $1
         RETURNING birthday",
    )
    .bind(chain)
    .bind(first)
    .fetch_one(pool)
    .await?)
}

/// Sets the birthday of a chain of which no block is known; changes nothing otherwise.
pub(super) async fn set_birthday(pool: &PgPool, chain: &str, birthday: i64) -> Result<bool> {
    let changed = sqlx::query(
        "UPDATE chain_accounts SET birthday = $2
         WHERE chain = $1 AND NOT EXISTS (SELECT FROM chain_blocks b WHERE b.chain = $1)",
    )
    .bind(chain)
    .bind(birthday)
    .execute(pool)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// Height of our best block.
pub(super) async fn height(pool: &PgPool, chain: &str) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active")
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
