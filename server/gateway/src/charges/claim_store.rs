use std::collections::HashSet;

use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};

pub(super) async fn set_refund_address(
    conn: &mut PgConnection,
    charge_id: i64,
    address: &str,
) -> Result<()> {
    sqlx::query("UPDATE charges SET refund_address = $2 WHERE id = $1")
        .bind(charge_id)
        .bind(address)
        .execute(conn)
        .await?;
    Ok(())
}

/// Those of the charges of which a person has decided to send money back.
pub(super) async fn refunds_decided(
    conn: &mut PgConnection,
    charge_ids: &[i64],
) -> Result<HashSet<i64>> {
    if charge_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT t.id FROM unnest($1::bigint[]) AS t (id)
         WHERE EXISTS (SELECT 1 FROM refund_claims
                       WHERE charge_id = t.id AND state IN ('approved', 'sent'))",
    )
    .bind(charge_ids)
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

/// Opens a refund claim, or completes the open one. Once it is approved nobody changes where the
/// money goes or how much it is; an address is taken only while there is none.
pub(super) async fn upsert_claim(
    conn: &mut PgConnection,
    charge_id: i64,
    address: Option<&str>,
    amount: Option<Money>,
    requested_by: &str,
    state: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO refund_claims (charge_id, coin_id, amount, address, requested_by, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (charge_id) WHERE state IN ('requested', 'approved', 'sent') DO UPDATE
         SET address = CASE WHEN refund_claims.state = 'requested'
                            THEN coalesce(excluded.address, refund_claims.address)
                            ELSE coalesce(refund_claims.address, excluded.address) END,
             coin_id = CASE WHEN refund_claims.state = 'requested' THEN excluded.coin_id
                            ELSE refund_claims.coin_id END,
             amount = CASE WHEN refund_claims.state = 'requested' THEN excluded.amount
                           ELSE refund_claims.amount END,
             state = CASE WHEN refund_claims.state = 'requested' THEN excluded.state
                          ELSE refund_claims.state END",
    )
    .bind(charge_id)
    .bind(amount.map(|money| money.currency().id))
    .bind(amount.map(|money| decimal(money.units())))
    .bind(address)
    .bind(requested_by)
    .bind(state)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The open claim of a charge.
pub(super) struct OpenClaim {
    pub(super) id: i64,
    pub(super) approved: bool,
    pub(super) amount: Option<Money>,
    pub(super) address: Option<String>,
    pub(super) operation_id: Option<i64>,
}

pub(super) async fn find_open(
    conn: &mut PgConnection,
    currencies: &Currencies,
    charge_id: i64,
) -> Result<Option<OpenClaim>> {
    let row = sqlx::query(
        "SELECT id, state, coin_id, amount, address, operation_id FROM refund_claims
         WHERE charge_id = $1 AND state IN ('requested', 'approved', 'sent')",
    )
    .bind(charge_id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let state: String = row.try_get("state")?;
        let coin: Option<i16> = row.try_get("coin_id")?;
        let amount: Option<Decimal> = row.try_get("amount")?;
        let amount = coin
            .zip(amount)
            .map(|(coin, amount)| Ok(Money::from_units(units(amount), currencies.known(coin)?)))
            .transpose();
        Ok(OpenClaim {
            id: row.try_get("id")?,
            approved: state == "approved",
            amount: amount.map_err(|error: crate::Error| error)?,
            address: row.try_get("address")?,
            operation_id: row.try_get("operation_id")?,
        })
    })
    .transpose()
}

/// The withdrawal that fulfils a claim is queued.
pub(super) async fn set_operation(
    conn: &mut PgConnection,
    claim_id: i64,
    operation_id: i64,
) -> Result<()> {
    sqlx::query("UPDATE refund_claims SET operation_id = $2 WHERE id = $1")
        .bind(claim_id)
        .bind(operation_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves a claim on; answers its amount and where it goes. One that is only requested (again) has no
/// withdrawal.
pub(super) async fn set_state(
    conn: &mut PgConnection,
    currencies: &Currencies,
    claim_id: i64,
    state: &str,
) -> Result<(Money, String)> {
    let row = sqlx::query(
        "UPDATE refund_claims SET state = $2,
             operation_id = CASE WHEN $2 <> 'requested' THEN operation_id END
         WHERE id = $1 RETURNING coin_id, amount, address",
    )
    .bind(claim_id)
    .bind(state)
    .fetch_one(conn)
    .await?;
    let amount: Decimal = row.try_get("amount")?;
    let coin = currencies.known(row.try_get("coin_id")?)?;
    Ok((
        Money::from_units(units(amount), coin),
        row.try_get("address")?,
    ))
}

/// Whether it was told that the network has the refund of this claim.
pub(super) async fn is_sent(conn: &mut PgConnection, claim_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM refund_claims
                        WHERE id = $1 AND state IN ('sent', 'confirmed'))",
    )
    .bind(claim_id)
    .fetch_one(conn)
    .await?)
}

/// A refund that the network has, or that is deep enough.
pub(super) struct SentRefund {
    /// When it was sent.
    pub(super) at: OffsetDateTime,
    pub(super) amount: Money,
    pub(super) address: Option<String>,
    /// `None` for one that never left this instance.
    pub(super) txid: Option<String>,
}

/// What went back for a charge, oldest first.
pub(super) async fn sent_refunds(
    conn: &mut PgConnection,
    currencies: &Currencies,
    charge_id: i64,
) -> Result<Vec<SentRefund>> {
    let rows = sqlx::query(
        "SELECT r.coin_id, r.amount, r.address, w.txid,
             coalesce((SELECT max(t.at) FROM charge_timeline t
                       WHERE t.charge_id = r.charge_id AND t.kind = 'refund.sent'
                         AND t.data->>'txid' = w.txid), r.created_at) AS sent_at
         FROM refund_claims r
         LEFT JOIN withdrawals w ON w.operation_id = r.operation_id
         WHERE r.charge_id = $1 AND r.state IN ('sent', 'confirmed') AND r.coin_id IS NOT NULL
           AND r.amount IS NOT NULL
         ORDER BY r.id",
    )
    .bind(charge_id)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let coin = currencies.known(row.try_get("coin_id")?)?;
            let amount: Decimal = row.try_get("amount")?;
            Ok(SentRefund {
                at: row.try_get("sent_at")?,
                amount: Money::from_units(units(amount), coin),
                address: row.try_get("address")?,
                txid: row.try_get("txid")?,
            })
        })
        .collect()
}

/// Whether coins of this currency are on their way back, or went back, for the charge.
pub(super) async fn refund_started(
    conn: &mut PgConnection,
    charge_id: i64,
    coin_id: i16,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM refund_claims
                        WHERE charge_id = $1 AND coin_id = $2 AND operation_id IS NOT NULL
                          AND state IN ('approved', 'sent', 'confirmed'))",
    )
    .bind(charge_id)
    .bind(coin_id)
    .fetch_one(conn)
    .await?)
}
