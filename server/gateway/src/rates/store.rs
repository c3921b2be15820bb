use std::collections::BTreeSet;

use domain::rate::Observation;
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::{FIXED_SOURCE, Quote};
use crate::Result;
use crate::ledger::decimal;

/// Which observations `r` of a pair count at `$n`: not a pin that is over, and while one lasts nothing
/// else. A pin is alone, whatever the sources say.
macro_rules! in_force {
    ($now:literal) => {
        concat!(
            "(r.expires_at > ",
            $now,
            " OR (r.expires_at IS NULL AND NOT EXISTS (SELECT 1 FROM rate_observations pin
              WHERE pin.from_id = r.from_id AND pin.to_id = r.to_id AND pin.expires_at > ",
            $now,
            ")))"
        )
    };
}

fn observation(row: &PgRow) -> Result<Observation> {
    Ok(Observation {
        source: row.try_get("source")?,
        rate: row.try_get("rate")?,
        observed_at: row.try_get("observed_at")?,
        ages: row.try_get("ages")?,
    })
}

/// Observations of a pair, and those of the opposite one.
pub(super) async fn observations(
    conn: &mut PgConnection,
    from: i16,
    to: i16,
    now: OffsetDateTime,
) -> Result<(Vec<Observation>, Vec<Observation>)> {
    let rows = sqlx::query(concat!(
        "SELECT from_id, source, rate, observed_at, ages FROM rate_observations r
         WHERE ((from_id = $1 AND to_id = $2) OR (from_id = $2 AND to_id = $1)) AND ",
        in_force!("$3")
    ))
    .bind(from)
    .bind(to)
    .bind(now)
    .fetch_all(conn)
    .await?;
    let (mut direct, mut reverse) = (Vec::new(), Vec::new());
    for row in &rows {
        let of: i16 = row.try_get("from_id")?;
        let side = if of == from {
            &mut direct
        } else {
            &mut reverse
        };
        side.push(observation(row)?);
    }
    Ok((direct, reverse))
}

/// Observations of these pairs and no others, as (from, to, observation).
pub(super) async fn observations_of(
    conn: &mut PgConnection,
    pairs: &BTreeSet<(i16, i16)>,
    now: OffsetDateTime,
) -> Result<Vec<(i16, i16, Observation)>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (from, to): (Vec<i16>, Vec<i16>) = pairs.iter().copied().unzip();
    let rows = sqlx::query(concat!(
        "SELECT r.from_id, r.to_id, r.source, r.rate, r.observed_at, r.ages
         FROM unnest($1::smallint[], $2::smallint[]) AS p (from_id, to_id)
         JOIN rate_observations r ON r.from_id = p.from_id AND r.to_id = p.to_id
         WHERE ",
        in_force!("$3")
    ))
    .bind(from)
    .bind(to)
    .bind(now)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("from_id")?,
                row.try_get("to_id")?,
                observation(row)?,
            ))
        })
        .collect()
}

/// Observations of every pair the currency is part of, as (from, to, observation).
pub(super) async fn observations_around(
    conn: &mut PgConnection,
    currency: i16,
    now: OffsetDateTime,
) -> Result<Vec<(i16, i16, Observation)>> {
    let rows = sqlx::query(concat!(
        "SELECT from_id, to_id, source, rate, observed_at, ages FROM rate_observations r
         WHERE (to_id = $1 OR from_id = $1) AND ",
        in_force!("$2")
    ))
    .bind(currency)
    .bind(now)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("from_id")?,
                row.try_get("to_id")?,
                observation(row)?,
            ))
        })
        .collect()
}

pub(super) async fn all(
    pool: &PgPool,
    now: OffsetDateTime,
) -> Result<Vec<(String, String, Vec<Observation>)>> {
    let rows = sqlx::query(concat!(
        "SELECT f.code AS from_code, t.code AS to_code, r.source, r.rate, r.observed_at, r.ages
         FROM rate_observations r
         JOIN currencies f ON f.id = r.from_id JOIN currencies t ON t.id = r.to_id
         WHERE ",
        in_force!("$1"),
        " ORDER BY f.code, t.code, r.source"
    ))
    .bind(now)
    .fetch_all(pool)
    .await?;
    let mut pairs: Vec<(String, String, Vec<Observation>)> = Vec::new();
    for row in rows {
        let (from, to): (String, String) = (row.try_get("from_code")?, row.try_get("to_code")?);
        let seen = observation(&row)?;
        match pairs.last_mut() {
            Some((last_from, last_to, list)) if *last_from == from && *last_to == to => {
                list.push(seen);
            }
            _ => pairs.push((from, to, vec![seen])),
        }
    }
    Ok(pairs)
}

/// A fixed rate replaces whatever the pair had.
pub(super) async fn set_fixed(
    conn: &mut PgConnection,
    from: i16,
    to: i16,
    rate: Decimal,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query("DELETE FROM rate_observations WHERE from_id = $1 AND to_id = $2")
        .bind(from)
        .bind(to)
        .execute(&mut *conn)
        .await?;
    insert_fixed(conn, from, to, rate, now).await
}

pub(super) async fn insert_fixed(
    conn: &mut PgConnection,
    from: i16,
    to: i16,
    rate: Decimal,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO rate_observations (from_id, to_id, source, rate, observed_at, ages)
         SELECT $1, $2, $3, $4, $5, false
         WHERE NOT EXISTS (SELECT 1 FROM rate_observations WHERE from_id = $1 AND to_id = $2)
         ON CONFLICT DO NOTHING",
    )
    .bind(from)
    .bind(to)
    .bind(FIXED_SOURCE)
    .bind(rate)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert_quote(
    conn: &mut PgConnection,
    merchant_id: i64,
    quote: &Quote,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO quotes (id, merchant_id, coin_id, coin_amount, currency_id, amount, mid,
             spread_basis_points, price, sources, fixed_at, release_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(quote.id)
    .bind(merchant_id)
    .bind(quote.coin.id)
    .bind(decimal(quote.coin_amount.units()))
    .bind(quote.amount.currency().id)
    .bind(decimal(quote.amount.units()))
    .bind(quote.mid)
    .bind(i32::try_from(quote.spread_basis_points)?)
    .bind(quote.price)
    .bind(&quote.sources)
    .bind(quote.fixed_at)
    .bind(quote.release_at)
    .execute(conn)
    .await?;
    Ok(())
}
