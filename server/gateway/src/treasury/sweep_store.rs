use domain::money::Currency;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::store::Place;
use crate::{Error, Result};

/// An address with deposits that were not moved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) address: String,
    /// Base units that are final and still there, as the tables know.
    pub(super) raw: u128,
}

/// Whoever is first looks through the deposits of a chain; nobody else does until `next`.
pub(super) async fn begin_pass(
    pool: &PgPool,
    chain: &str,
    now: OffsetDateTime,
    next: OffsetDateTime,
) -> Result<bool> {
    let begun = sqlx::query(
        "INSERT INTO sweep_passes AS s (chain, next_at) VALUES ($1, $3)
         ON CONFLICT (chain) DO UPDATE SET next_at = $3 WHERE s.next_at <= $2",
    )
    .bind(chain)
    .bind(now)
    .bind(next)
    .execute(pool)
    .await?;
    Ok(begun.rows_affected() > 0)
}

/// Whether nobody has looked through the deposits of a chain lately.
pub(super) async fn is_pass_due(pool: &PgPool, chain: &str, now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT FROM sweep_passes WHERE chain = $1 AND next_at > $2)",
    )
    .bind(chain)
    .bind(now)
    .fetch_one(pool)
    .await?)
}

/// Addresses of which nothing is on its way and nothing failed since `failed_before`: by turns, those never looked
/// at in front, and of these those with most. Only what is final in the books counts: what may vanish is not moved.
pub(super) async fn sources(
    pool: &PgPool,
    coin: Currency,
    chain_id: i64,
    failed_before: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Source>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "WITH final AS (
             SELECT txid, vout FROM receipts WHERE coin_id = $1 AND state = 'final'
             UNION
             SELECT txid, vout FROM deposits
             WHERE coin_id = $1 AND state = 'final' AND internal_from IS NULL),
         came AS (
             SELECT a.address, sum(o.raw) AS raw FROM final f
             JOIN chain_outputs o ON o.chain = $2 AND o.txid = f.txid AND o.vout = f.vout
             JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid AND t.status = 'confirmed'
             JOIN chain_addresses a ON a.id = o.address_id AND a.branch = 0
             GROUP BY a.address)
         SELECT c.address, (c.raw - s.raw)::text FROM came c
         CROSS JOIN LATERAL (
             SELECT coalesce(sum(p.raw_amount) FILTER (WHERE p.outcome IN ('paid', 'unclear')), 0) AS raw,
                 coalesce(bool_or(p.outcome IS NULL
                                  OR (p.outcome IN ('failed', 'released') AND p.created_at >= $4)), false)
                     AS is_busy
             FROM treasury_payments p
             WHERE p.chain_id = $3 AND p.address = c.address AND p.purpose = 'sweep' AND p.coin_id = $1) s
         LEFT JOIN sweep_looks l ON l.chain = $2 AND l.address = c.address
         WHERE c.raw > s.raw AND NOT s.is_busy
           -- What lost its number is tried again once a person has said that the key is safe.
           AND NOT EXISTS (SELECT FROM treasuries t WHERE t.chain_id = $3 AND t.address = c.address
                           AND t.paused_at IS NOT NULL)
         ORDER BY l.looked_at NULLS FIRST, c.raw - s.raw DESC, c.address LIMIT $5",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(chain_id)
    .bind(failed_before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(address, raw)| {
            let raw = raw.parse().map_err(Error::internal)?;
            Ok(Source { address, raw })
        })
        .collect()
}

/// These were looked at; the others come first next time.
pub(super) async fn looked_at(
    pool: &PgPool,
    chain: &str,
    sources: &[Source],
    now: OffsetDateTime,
) -> Result<()> {
    let addresses: Vec<&str> = sources
        .iter()
        .map(|source| source.address.as_str())
        .collect();
    sqlx::query(
        "INSERT INTO sweep_looks (chain, address, looked_at)
         SELECT $1, address, $3 FROM unnest($2::text[]) AS t (address)
         ON CONFLICT (chain, address) DO UPDATE SET looked_at = EXCLUDED.looked_at",
    )
    .bind(chain)
    .bind(addresses)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// Whether gas for an address is on its way, or could not be sent since `failed_before`.
pub(super) async fn has_gas_coming(
    conn: &mut PgConnection,
    to: &Place,
    failed_before: OffsetDateTime,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM treasury_payments
                        WHERE purpose = 'gas' AND chain_id = $1 AND to_address = $2
                          AND (outcome IS NULL
                               OR (outcome IN ('failed', 'released') AND created_at >= $3)))",
    )
    .bind(to.chain_id)
    .bind(&to.address)
    .bind(failed_before)
    .fetch_one(conn)
    .await?)
}
