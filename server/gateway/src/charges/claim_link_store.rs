use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};

/// Opens a claim of a charge that has none open.
pub(super) async fn open_claim(
    conn: &mut PgConnection,
    charge_id: i64,
    amount: Option<Money>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO refund_claims (charge_id, coin_id, amount, requested_by, state, created_at)
         VALUES ($1, $2, $3, 'system', 'requested', $4)
         ON CONFLICT (charge_id) WHERE state IN ('requested', 'approved', 'sent') DO NOTHING",
    )
    .bind(charge_id)
    .bind(amount.map(|money| money.currency().id))
    .bind(amount.map(|money| decimal(money.units())))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives the open claim a new link in place of the one before; false when it has an address, so
/// that nothing is left to ask for.
pub(super) async fn replace_link(
    conn: &mut PgConnection,
    charge_id: i64,
    token_hash: &[u8; 32],
    expires_at: OffsetDateTime,
) -> Result<bool> {
    let replaced = sqlx::query(
        "UPDATE refund_claims SET token_hash = $2, token_expires_at = $3
         WHERE charge_id = $1 AND state IN ('requested', 'approved') AND address IS NULL
           AND token_used_at IS NULL AND operation_id IS NULL",
    )
    .bind(charge_id)
    .bind(token_hash.as_slice())
    .bind(expires_at)
    .execute(conn)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

/// A claim as its link sees it.
#[derive(Debug, Clone)]
pub(super) struct LinkedClaim {
    pub(super) id: i64,
    pub(super) public_id: String,
    /// Stored word.
    pub(super) state: String,
    pub(super) amount: Option<Money>,
    pub(super) address: Option<String>,
    pub(super) expires_at: OffsetDateTime,
    /// Through the link.
    pub(super) used: bool,
    pub(super) txid: Option<String>,
}

pub(super) async fn find_by_hash(
    conn: &mut PgConnection,
    currencies: &Currencies,
    token_hash: &[u8; 32],
) -> Result<Option<LinkedClaim>> {
    let row = sqlx::query(
        "SELECT r.id, c.public_id, r.state, r.coin_id, r.amount, r.address, r.token_expires_at,
             r.token_used_at IS NOT NULL AS used, w.txid
         FROM refund_claims r
         JOIN charges c ON c.id = r.charge_id
         LEFT JOIN withdrawals w ON w.operation_id = r.operation_id
         WHERE r.token_hash = $1",
    )
    .bind(token_hash.as_slice())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let coin: Option<i16> = row.try_get("coin_id")?;
        let amount: Option<Decimal> = row.try_get("amount")?;
        let amount = match coin.zip(amount) {
            Some((coin, amount)) => Some(Money::from_units(units(amount), currencies.known(coin)?)),
            None => None,
        };
        Ok(LinkedClaim {
            id: row.try_get("id")?,
            public_id: row.try_get("public_id")?,
            state: row.try_get("state")?,
            amount,
            address: row.try_get("address")?,
            expires_at: row.try_get("token_expires_at")?,
            used: row.try_get("used")?,
            txid: row.try_get("txid")?,
        })
    })
    .transpose()
}

/// What the use of a link writes.
pub(super) struct LinkUse<'a> {
    pub(super) claim_id: i64,
    /// Canonical form.
    pub(super) address: &'a str,
    /// What is final now; what was approved is left as it is.
    pub(super) amount: Option<Money>,
    pub(super) at: OffsetDateTime,
    /// Until then the link shows how far the refund has come.
    pub(super) shown_until: OffsetDateTime,
}

/// Uses a link up; false when it was used before, or the claim has an address. The caller holds the
/// charge's lock.
pub(super) async fn use_link(conn: &mut PgConnection, done: &LinkUse<'_>) -> Result<bool> {
    let used = sqlx::query(
        "UPDATE refund_claims
         SET address = $2, token_used_at = $5, token_expires_at = $6,
             requested_by = CASE WHEN state = 'requested' THEN 'customer' ELSE requested_by END,
             coin_id = CASE WHEN state = 'requested' THEN $3 ELSE coin_id END,
             amount = CASE WHEN state = 'requested' THEN $4 ELSE amount END
         WHERE id = $1 AND state IN ('requested', 'approved') AND address IS NULL
           AND token_used_at IS NULL",
    )
    .bind(done.claim_id)
    .bind(done.address)
    .bind(done.amount.map(|money| money.currency().id))
    .bind(done.amount.map(|money| decimal(money.units())))
    .bind(done.at)
    .bind(done.shown_until)
    .execute(conn)
    .await?;
    Ok(used.rows_affected() == 1)
}
