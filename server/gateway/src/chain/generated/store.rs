use domain::money::Currency;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::Result;

pub(super) async fn database(pool: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(pool)
        .await?)
}

/// Takes an index for each address, as if it had been derived.
pub(super) async fn watch(
    pool: &PgPool,
    coin: Currency,
    merchant_id: i64,
    addresses: &[String],
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "WITH account AS (
             UPDATE chain_accounts SET next_index = next_index + cardinality($2::text[])
             WHERE chain = $1 RETURNING next_index - cardinality($2::text[]) AS first
         ), taken AS (
             INSERT INTO chain_addresses (chain, idx, address, merchant_id, created_at)
             SELECT $1, account.first + t.place - 1, t.address, $3, $4
             FROM account CROSS JOIN unnest($2::text[]) WITH ORDINALITY AS t (address, place)
             RETURNING id, idx
         )
         INSERT INTO deposit_addresses (merchant_id, coin_id, foreign_id, address_id, created_at)
         SELECT $3, $5, 'made up ' || idx, id, $4 FROM taken",
    )
    .bind(coin.code.as_str())
    .bind(addresses)
    .bind(merchant_id)
    .bind(now)
    .bind(coin.id)
    .execute(pool)
    .await?;
    Ok(())
}

/// As the database does by itself some time after so much was stored.
pub(super) async fn analyze(pool: &PgPool) -> Result<()> {
    sqlx::query("ANALYZE chain_addresses, deposit_addresses")
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn is_seen(pool: &PgPool, coin: Currency, txid: &str) -> Result<bool> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM deposits WHERE coin_id = $1 AND txid = $2)")
            .bind(coin.id)
            .bind(txid)
            .fetch_one(pool)
            .await?,
    )
}
