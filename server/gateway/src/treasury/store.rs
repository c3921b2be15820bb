use domain::money::Currency;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::row::Purpose;
use crate::ledger::decimal;
use crate::{Error, Result};

/// An account that pays, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) next_nonce: i64,
    pub(super) paused_why: Option<String>,
}

/// Whose numbers they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chain_id: i64,
    pub(super) address: String,
}

pub(super) async fn watch(pool: &PgPool, chain: &str, address: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ($1, 1, 0, $2, NULL, now()) ON CONFLICT (address) DO NOTHING",
    )
    .bind(chain)
    .bind(address)
    .execute(pool)
    .await?;
    Ok(())
}

/// Nobody else gets a number of the account until the transaction ends. One that never paid here begins
/// with `first`.
pub(super) async fn lock(
    conn: &mut PgConnection,
    place: &Place,
    first: i64,
    now: OffsetDateTime,
) -> Result<Book> {
    sqlx::query(
        "INSERT INTO treasuries (chain_id, address, first_nonce, next_nonce, created_at)
         VALUES ($1, $2, $3, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .bind(first)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let (next_nonce, paused_why): (i64, Option<String>) = sqlx::query_as(
        "SELECT next_nonce, paused_why FROM treasuries WHERE chain_id = $1 AND address = $2
         FOR NO KEY UPDATE",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .fetch_one(conn)
    .await?;
    Ok(Book {
        next_nonce,
        paused_why,
    })
}

/// Why the account pays nothing new; `None` when it does.
pub(super) async fn paused(conn: &mut PgConnection, place: &Place) -> Result<Option<String>> {
    let why: Option<Option<String>> = sqlx::query_scalar(
        "SELECT paused_why FROM treasuries WHERE chain_id = $1 AND address = $2",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .fetch_optional(conn)
    .await?;
    Ok(why.flatten())
}

/// Whether numbers of the account were given out, or somebody tried to.
pub(super) async fn is_known(conn: &mut PgConnection, place: &Place) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM treasuries WHERE chain_id = $1 AND address = $2)",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .fetch_one(conn)
    .await?)
}

/// False when it was paused before.
pub(super) async fn pause(
    conn: &mut PgConnection,
    place: &Place,
    why: &str,
    now: OffsetDateTime,
) -> Result<bool> {
    let paused = sqlx::query(
        "UPDATE treasuries SET paused_at = $3, paused_why = $4
         WHERE chain_id = $1 AND address = $2 AND paused_at IS NULL",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .bind(now)
    .bind(why)
    .execute(conn)
    .await?;
    Ok(paused.rows_affected() > 0)
}

/// Goes on with `next`; numbers up to there that were not given out are somebody else's.
pub(super) async fn resume(
    conn: &mut PgConnection,
    place: &Place,
    next: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO treasury_payments (chain_id, address, nonce, purpose, outcome, created_at)
         SELECT t.chain_id, t.address, n, 'gap', 'taken', $4
         FROM treasuries t, generate_series(t.next_nonce, $3 - 1) n
         WHERE t.chain_id = $1 AND t.address = $2",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .bind(next)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE treasuries SET next_nonce = greatest(next_nonce, $3), paused_at = NULL, paused_why = NULL
         WHERE chain_id = $1 AND address = $2",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .bind(next)
    .execute(conn)
    .await?;
    Ok(())
}

/// What payments take that are not in the first `mined` transactions of the account: wei of value and
/// dearest gas, and base units of the coin.
pub(super) async fn committed(
    conn: &mut PgConnection,
    place: &Place,
    mined: i64,
    coin: Currency,
) -> Result<(u128, u128)> {
    let (ether, asset): (String, String) = sqlx::query_as(
        "WITH waiting AS (
             SELECT p.coin_id, p.raw_amount, x.plan FROM treasury_payments p
             CROSS JOIN LATERAL (SELECT plan FROM treasury_txs
                                 WHERE payment_id = p.id AND state <> 'dropped'
                                 ORDER BY id DESC LIMIT 1) x
             WHERE p.chain_id = $1 AND p.address = $2 AND p.nonce >= $3
               AND p.outcome IS DISTINCT FROM 'released')
         SELECT coalesce(sum((plan->>'value')::numeric
                             + (plan->>'gas_limit')::numeric * (plan->>'max_fee_per_gas')::numeric), 0)::text,
             coalesce(sum(raw_amount) FILTER (WHERE coin_id = $4), 0)::text
         FROM waiting",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .bind(mined)
    .bind(coin.id)
    .fetch_one(conn)
    .await?;
    let read = |text: &str| text.parse::<u128>().map_err(Error::internal);
    Ok((read(&ether)?, read(&asset)?))
}

/// Whether a transaction of the account waits for its signature.
pub(super) async fn any_draft(conn: &mut PgConnection, place: &Place) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM treasury_txs x JOIN treasury_payments p ON p.id = x.payment_id
                        WHERE x.state = 'drafted' AND p.chain_id = $1 AND p.address = $2)",
    )
    .bind(place.chain_id)
    .bind(&place.address)
    .fetch_one(conn)
    .await?)
}

/// A payment to be written.
pub(super) struct NewPayment<'a> {
    pub(super) place: &'a Place,
    pub(super) nonce: i64,
    pub(super) purpose: Purpose,
    /// Of a withdrawal, and of nothing else.
    pub(super) operation_id: Option<i64>,
    pub(super) coin: Currency,
    pub(super) to: &'a str,
    /// Base units.
    pub(super) raw: i128,
    pub(super) confirmations: u32,
}

/// Gives the account's next number to a payment; its withdrawal waits for nothing else from here on.
pub(super) async fn insert_payment(
    conn: &mut PgConnection,
    new: NewPayment<'_>,
    now: OffsetDateTime,
) -> Result<i64> {
    let given = sqlx::query(
        "UPDATE treasuries SET next_nonce = next_nonce + 1
         WHERE chain_id = $1 AND address = $2 AND next_nonce = $3",
    )
    .bind(new.place.chain_id)
    .bind(&new.place.address)
    .bind(new.nonce)
    .execute(&mut *conn)
    .await?;
    if given.rows_affected() != 1 {
        return Err(Error::Conflict("somebody else got this number"));
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO treasury_payments (chain_id, address, nonce, operation_id, coin_id, chain,
             to_address, raw_amount, confirmations_required, created_at, purpose)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
    )
    .bind(new.place.chain_id)
    .bind(&new.place.address)
    .bind(new.nonce)
    .bind(new.operation_id)
    .bind(new.coin.id)
    .bind(new.coin.code.as_str())
    .bind(new.to)
    .bind(decimal(new.raw))
    .bind(i32::try_from(new.confirmations.max(1))?)
    .bind(now)
    .bind(new.purpose.word())
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE withdrawals SET next_attempt_at = NULL, locked_until = NULL, attempts = 0,
             last_error = NULL
         WHERE operation_id = $1",
    )
    .bind(new.operation_id)
    .execute(conn)
    .await?;
    Ok(id)
}

/// Nobody else changes the payment until the transaction ends. Answers the transaction whose cost is
/// booked, how often one was, and the outcome so far.
pub(super) async fn lock_payment(
    conn: &mut PgConnection,
    id: i64,
) -> Result<(Option<i64>, i32, Option<String>)> {
    Ok(sqlx::query_as(
        "SELECT confirmed_tx_id, bookings, outcome FROM treasury_payments WHERE id = $1
         FOR NO KEY UPDATE",
    )
    .bind(id)
    .fetch_one(conn)
    .await?)
}

/// The payment of a withdrawal, if it has one.
pub(crate) async fn of_withdrawal(
    conn: &mut PgConnection,
    operation_id: i64,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM treasury_payments
         WHERE operation_id = $1 AND outcome IS DISTINCT FROM 'released'",
    )
    .bind(operation_id)
    .fetch_optional(conn)
    .await?)
}

/// Whether a person ended the withdrawal: nothing is sent for it any more. What is none is never ended.
pub(super) async fn is_given_up(
    conn: &mut PgConnection,
    operation_id: Option<i64>,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM withdrawals
                        WHERE operation_id = $1 AND (state = 'void' OR ended_by IS NOT NULL))",
    )
    .bind(operation_id)
    .fetch_one(conn)
    .await?)
}

/// The withdrawal's new state, and the transaction that pays it by now.
pub(super) async fn set_withdrawal(
    conn: &mut PgConnection,
    operation_id: i64,
    state: &str,
    txid: &str,
    raw: &[u8],
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, txid = $3, raw = $4, next_attempt_at = NULL,
             locked_until = NULL
         WHERE operation_id = $1",
    )
    .bind(operation_id)
    .bind(state)
    .bind(txid)
    .bind(raw)
    .execute(conn)
    .await?;
    Ok(())
}

/// What the payment came to.
pub(super) async fn decided(
    conn: &mut PgConnection,
    payment_id: i64,
    outcome: &str,
    confirmed_tx: Option<i64>,
    bookings: i32,
) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_payments SET outcome = $2, confirmed_tx_id = $3, bookings = $4, lost = false
         WHERE id = $1",
    )
    .bind(payment_id)
    .bind(outcome)
    .bind(confirmed_tx)
    .bind(bookings)
    .execute(conn)
    .await?;
    Ok(())
}

/// What it came to is open again.
pub(super) async fn undecided(conn: &mut PgConnection, payment_id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_payments SET outcome = NULL, confirmed_tx_id = NULL, lost = false
         WHERE id = $1",
    )
    .bind(payment_id)
    .execute(conn)
    .await?;
    Ok(())
}
