use sqlx::{PgConnection, PgPool};

use super::row::ChargeRow;
use super::store::{read_charge, select_charge};
use crate::Result;
use crate::currencies::Currencies;

pub(super) async fn list(
    pool: &PgPool,
    currencies: &Currencies,
    merchant_id: i64,
    statuses: &[String],
    resolution: Option<&str>,
    offset: i64,
    limit: i64,
) -> Result<Vec<ChargeRow>> {
    let rows = sqlx::query(select_charge!(
        "WHERE c.merchant_id = $1 AND (cardinality($2::text[]) = 0 OR c.status = ANY($2))
           AND CASE WHEN $3::text IS NOT NULL THEN c.resolution = $3
                    WHEN cardinality($2::text[]) > 0 THEN c.resolution <> 'refunded' ELSE true END
         ORDER BY c.id DESC OFFSET $4 LIMIT $5"
    ))
    .bind(merchant_id)
    .bind(statuses)
    .bind(resolution)
    .bind(offset)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| read_charge(row, currencies))
        .collect()
}

pub(super) async fn count(
    pool: &PgPool,
    merchant_id: i64,
    statuses: &[String],
    resolution: Option<&str>,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM charges WHERE merchant_id = $1
           AND (cardinality($2::text[]) = 0 OR status = ANY($2))
           AND CASE WHEN $3::text IS NOT NULL THEN resolution = $3
                    WHEN cardinality($2::text[]) > 0 THEN resolution <> 'refunded' ELSE true END",
    )
    .bind(merchant_id)
    .bind(statuses)
    .bind(resolution)
    .fetch_one(pool)
    .await?)
}

/// The charges of these invoices, in no order.
pub(super) async fn of_invoices(
    conn: &mut PgConnection,
    currencies: &Currencies,
    invoices: &[i64],
) -> Result<Vec<ChargeRow>> {
    let rows = sqlx::query(select_charge!("WHERE i.id = ANY($1)"))
        .bind(invoices)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| read_charge(row, currencies))
        .collect()
}
