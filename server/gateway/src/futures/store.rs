use domain::exchange::Deal;
use domain::futures::{FuturesState, Promise};
use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::currencies::Currencies;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// A promise as stored.
#[derive(Debug, Clone)]
pub(crate) struct FuturesRow {
    pub(crate) id: i64,
    pub(crate) merchant_id: i64,
    pub(crate) deposit_address_id: i64,
    pub(crate) sender_amount: Money,
    pub(crate) receiver_amount: Money,
    pub(crate) fee: Money,
    pub(crate) price: Decimal,
    pub(crate) hold_id: Uuid,
    pub(crate) state: FuturesState,
    pub(crate) void_reason: Option<String>,
    pub(crate) operation_id: Option<i64>,
    pub(crate) fixed_at: OffsetDateTime,
    pub(crate) release_at: OffsetDateTime,
}

impl FuturesRow {
    pub(crate) fn promise(&self) -> Promise {
        Promise {
            sender_amount: self.sender_amount,
            fixed_at: self.fixed_at,
            release_at: self.release_at,
        }
    }
}

const COLUMNS: &str = "f.id, f.merchant_id, f.deposit_address_id, f.sender_currency_id,
    f.sender_amount, f.receiver_currency_id, f.receiver_amount, f.fee_amount, f.price, f.hold_id,
    f.state, f.void_reason, f.operation_id, f.fixed_at, f.release_at";

fn futures(row: &PgRow, currencies: &Currencies) -> Result<FuturesRow> {
    let money = |currency: &str, amount: &str| -> Result<Money> {
        let currency = currencies.known(row.try_get(currency)?)?;
        let amount: Decimal = row.try_get(amount)?;
        Ok(Money::from_units(units(amount), currency))
    };
    let state: String = row.try_get("state")?;
    Ok(FuturesRow {
        id: row.try_get("id")?,
        merchant_id: row.try_get("merchant_id")?,
        deposit_address_id: row.try_get("deposit_address_id")?,
        sender_amount: money("sender_currency_id", "sender_amount")?,
        receiver_amount: money("receiver_currency_id", "receiver_amount")?,
        fee: money("receiver_currency_id", "fee_amount")?,
        price: row.try_get("price")?,
        hold_id: row.try_get("hold_id")?,
        state: FuturesState::from_word(&state)
            .ok_or_else(|| Error::Internal(format!("futures state {state}")))?,
        void_reason: row.try_get("void_reason")?,
        operation_id: row.try_get("operation_id")?,
        fixed_at: row.try_get("fixed_at")?,
        release_at: row.try_get("release_at")?,
    })
}

/// A promise to be written.
pub(super) struct NewRow {
    pub(super) id: i64,
    pub(super) merchant_id: i64,
    pub(super) deposit_address_id: i64,
    pub(super) deal: Deal,
    pub(super) price: Decimal,
    pub(super) quote_id: Uuid,
    pub(super) hold_id: Uuid,
    pub(super) fixed_at: OffsetDateTime,
    pub(super) release_at: OffsetDateTime,
}

pub(super) async fn next_id(conn: &mut PgConnection) -> Result<i64> {
    Ok(
        sqlx::query_scalar("SELECT nextval(pg_get_serial_sequence('futures', 'id'))")
            .fetch_one(conn)
            .await?,
    )
}

pub(super) async fn insert(conn: &mut PgConnection, new: &NewRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO futures (id, merchant_id, deposit_address_id, sender_currency_id, sender_amount,
             receiver_currency_id, receiver_amount, fee_amount, price, quote_id, hold_id, state,
             fixed_at, release_at)
         OVERRIDING SYSTEM VALUE
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $13)",
    )
    .bind(new.id)
    .bind(new.merchant_id)
    .bind(new.deposit_address_id)
    .bind(new.deal.sender.currency().id)
    .bind(decimal(new.deal.sender.units()))
    .bind(new.deal.gross.currency().id)
    .bind(decimal(new.deal.gross.units()))
    .bind(decimal(new.deal.fee.units()))
    .bind(new.price)
    .bind(new.quote_id)
    .bind(new.hold_id)
    .bind(new.fixed_at)
    .bind(new.release_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn lock_address(conn: &mut PgConnection, deposit_address_id: i64) -> Result<()> {
    sqlx::query("SELECT id FROM deposit_addresses WHERE id = $1 FOR NO KEY UPDATE")
        .bind(deposit_address_id)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// The promises of an address that have not ended, locked, oldest first: those whose deposit waits for
/// its confirmations, then at most one that waits for its deposit.
pub(crate) async fn lock_running(
    conn: &mut PgConnection,
    currencies: &Currencies,
    deposit_address_id: i64,
) -> Result<Vec<FuturesRow>> {
    // The lock comes first and alone: a promise that was made while it was waited for is seen then.
    let locked = sqlx::query(
        "SELECT id FROM futures WHERE deposit_address_id = $1 AND state IN ('open', 'matched')
         ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(deposit_address_id)
    .fetch_all(&mut *conn)
    .await?;
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT {COLUMNS} FROM futures f
         WHERE f.deposit_address_id = $1 AND f.state IN ('open', 'matched')
         ORDER BY f.id FOR NO KEY UPDATE"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(deposit_address_id)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| futures(row, currencies)).collect()
}

pub(super) async fn lock_due(
    conn: &mut PgConnection,
    currencies: &Currencies,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<FuturesRow>> {
    let query = format!(
        "SELECT {COLUMNS} FROM futures f WHERE f.state = 'open' AND f.release_at < $1
         ORDER BY f.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(now)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| futures(row, currencies)).collect()
}

pub(super) async fn any_due(pool: &PgPool, now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM futures WHERE state = 'open' AND release_at < $1)",
    )
    .bind(now)
    .fetch_one(pool)
    .await?)
}

/// Deposit addresses whose promises these operations' deposits are bound to: an address they came to
/// by what the chain told earlier.
pub(crate) async fn addresses_bound_to(
    conn: &mut PgConnection,
    operations: &[i64],
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT deposit_address_id FROM futures
         WHERE state = 'matched' AND operation_id = ANY($1)",
    )
    .bind(operations)
    .fetch_all(conn)
    .await?)
}

/// Binds a deposit to a promise, or frees it again (`None`).
pub(crate) async fn bind(
    conn: &mut PgConnection,
    id: i64,
    operation_id: Option<i64>,
) -> Result<()> {
    let state = match operation_id {
        Some(_) => FuturesState::Matched,
        None => FuturesState::Open,
    };
    sqlx::query("UPDATE futures SET state = $2, operation_id = $3 WHERE id = $1")
        .bind(id)
        .bind(state.word())
        .bind(operation_id)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn end(
    conn: &mut PgConnection,
    id: i64,
    state: FuturesState,
    reason: Option<&str>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query("UPDATE futures SET state = $2, void_reason = $3, ended_at = $4 WHERE id = $1")
        .bind(id)
        .bind(state.word())
        .bind(reason)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn list(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<FuturesRow>> {
    let query = format!(
        "SELECT {COLUMNS} FROM futures f WHERE f.merchant_id = $1 AND f.id < $2
         ORDER BY f.id DESC LIMIT $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(merchant_id)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| futures(row, currencies)).collect()
}
