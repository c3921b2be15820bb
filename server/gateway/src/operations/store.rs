use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    FeeKind, NewOperation, OperationKind, OperationQuery, OperationRow, OperationStatus, ToldAgain,
};
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

pub(super) const COLUMNS: &str =
    "o.id, o.merchant_id, o.kind, o.status, o.foreign_id, o.request_hash,
    o.sent_currency_id, o.sent_amount, o.received_currency_id, o.received_amount, o.received_net,
    o.requested_amount, o.price, o.futures_id, o.error, o.needs_attention, o.created_at,
    o.updated_at, o.finished_at";

pub(super) fn operation(row: &PgRow, currencies: &Currencies) -> Result<OperationRow> {
    let (kind, status): (String, String) = (row.try_get("kind")?, row.try_get("status")?);
    let unknown = |word: &str| Error::Internal(format!("operation word {word}"));
    let sent_currency = currencies.known(row.try_get("sent_currency_id")?)?;
    let received_currency = currencies.known(row.try_get("received_currency_id")?)?;
    let received = |amount: Option<Decimal>| {
        amount.map(|amount| Money::from_units(units(amount), received_currency))
    };
    Ok(OperationRow {
        id: row.try_get("id")?,
        merchant_id: row.try_get("merchant_id")?,
        kind: OperationKind::from_word(&kind).ok_or_else(|| unknown(&kind))?,
        status: OperationStatus::from_word(&status).ok_or_else(|| unknown(&status))?,
        foreign_id: row.try_get("foreign_id")?,
        request_hash: row.try_get("request_hash")?,
        sent: Money::from_units(units(row.try_get("sent_amount")?), sent_currency),
        received_currency,
        received: received(row.try_get("received_amount")?),
        received_net: received(row.try_get("received_net")?),
        requested: Money::from_units(units(row.try_get("requested_amount")?), sent_currency),
        price: row.try_get("price")?,
        futures_id: row.try_get("futures_id")?,
        error: row.try_get("error")?,
        needs_attention: row.try_get("needs_attention")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    currencies: &Currencies,
    new: &NewOperation,
    now: OffsetDateTime,
) -> Result<OperationRow> {
    let query = format!("{INSERTING} RETURNING {COLUMNS}");
    let row = bind_new(sqlx::query(sqlx::AssertSqlSafe(query)), new, now)
        .fetch_one(conn)
        .await?;
    operation(&row, currencies)
}

/// Takes what [`bind_new`] binds.
pub(super) const INSERTING: &str = "
    INSERT INTO operations AS o (merchant_id, kind, status, foreign_id, request_hash,
        sent_currency_id, sent_amount, received_currency_id, received_amount, received_net,
        requested_amount, price, quote_id, created_at, updated_at, finished_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)";

/// Binds $1 to $15 of [`INSERTING`].
pub(super) fn bind_new<'q>(
    query: Query<'q, Postgres, PgArguments>,
    new: &'q NewOperation,
    now: OffsetDateTime,
) -> Query<'q, Postgres, PgArguments> {
    let finished = matches!(
        new.status,
        OperationStatus::Confirmed | OperationStatus::Cancelled
    );
    query
        .bind(new.merchant_id)
        .bind(new.kind.word())
        .bind(new.status.word())
        .bind(&new.foreign_id)
        .bind(new.request_hash.as_ref().map(<[u8; 32]>::as_slice))
        .bind(new.sent.currency().id)
        .bind(decimal(new.sent.units()))
        .bind(new.received_currency.id)
        .bind(new.received.map(|money| decimal(money.units())))
        .bind(new.received_net.map(|money| decimal(money.units())))
        .bind(decimal(new.requested.units()))
        .bind(new.price)
        .bind(new.quote_id)
        .bind(now)
        .bind(finished.then_some(now))
}

/// The other figures of a deposit that the chain tells otherwise than before.
pub(crate) async fn tell_again(
    conn: &mut PgConnection,
    id: i64,
    told: &ToldAgain,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE operations SET merchant_id = $2, kind = $3, sent_amount = $4, requested_amount = $4,
             received_currency_id = $5, received_amount = $6, updated_at = $7
         WHERE id = $1",
    )
    .bind(id)
    .bind(told.merchant_id)
    .bind(told.kind.word())
    .bind(decimal(told.sent.units()))
    .bind(told.received_currency.id)
    .bind(told.received.map(|money| decimal(money.units())))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    id: i64,
) -> Result<Option<OperationRow>> {
    let query = format!("SELECT {COLUMNS} FROM operations o WHERE o.id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| operation(&row, currencies)).transpose()
}

/// In no order.
pub(super) async fn by_ids(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
) -> Result<Vec<OperationRow>> {
    let query = format!("SELECT {COLUMNS} FROM operations o WHERE o.id = ANY($1)");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| operation(row, currencies)).collect()
}

/// Locks in id order.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
) -> Result<Vec<OperationRow>> {
    let query = format!(
        "SELECT {COLUMNS} FROM operations o WHERE o.id = ANY($1) ORDER BY o.id FOR NO KEY UPDATE"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| operation(row, currencies)).collect()
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn lock_one(
    conn: &mut PgConnection,
    currencies: &Currencies,
    id: i64,
) -> Result<OperationRow> {
    lock(conn, currencies, &[id])
        .await?
        .pop()
        .ok_or(Error::NotFound)
}

/// The operation a merchant's reference names among those of this kind; withdrawals of both kinds have theirs
/// in common (contract 00, Identifiers).
pub(crate) async fn find_by_reference(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    kind: OperationKind,
    foreign_id: &str,
) -> Result<Option<OperationRow>> {
    let namespace = match kind {
        OperationKind::WithdrawalExchange => OperationKind::Withdrawal,
        kind => kind,
    };
    let row = sqlx::query(sqlx::AssertSqlSafe(by_reference()))
        .bind(merchant_id)
        .bind(namespace.word())
        .bind(foreign_id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| operation(&row, currencies)).transpose()
}

/// In the words of the index `operations_reference`: asked otherwise, each look would read all operations of the
/// merchant.
fn by_reference() -> String {
    format!(
        "SELECT {COLUMNS} FROM operations o
         WHERE o.merchant_id = $1
           AND (CASE WHEN o.kind = 'withdrawal_exchange' THEN 'withdrawal' ELSE o.kind END) = $2
           AND o.foreign_id = $3"
    )
}

/// Writes what may change; the caller holds the row's lock.
pub(crate) async fn update(conn: &mut PgConnection, row: &OperationRow) -> Result<()> {
    sqlx::query(
        "UPDATE operations SET status = $2, received_amount = $3, received_net = $4, price = $5,
             futures_id = $6, error = $7, needs_attention = $8, updated_at = $9, finished_at = $10,
             version = version + 1
         WHERE id = $1",
    )
    .bind(row.id)
    .bind(row.status.word())
    .bind(row.received.map(|money| decimal(money.units())))
    .bind(row.received_net.map(|money| decimal(money.units())))
    .bind(row.price)
    .bind(row.futures_id)
    .bind(&row.error)
    .bind(row.needs_attention)
    .bind(row.updated_at)
    .bind(row.finished_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Another price, with what it makes the payer give and the receiver get.
pub(crate) async fn set_price(
    conn: &mut PgConnection,
    row: &OperationRow,
    quote_id: Uuid,
) -> Result<()> {
    sqlx::query(
        "UPDATE operations SET sent_amount = $2, received_amount = $3, received_net = $4, price = $5,
             quote_id = $6
         WHERE id = $1",
    )
    .bind(row.id)
    .bind(decimal(row.sent.units()))
    .bind(row.received.map(|money| decimal(money.units())))
    .bind(row.received_net.map(|money| decimal(money.units())))
    .bind(row.price)
    .bind(quote_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets a fee that may be there already.
pub(crate) async fn replace_fee(
    conn: &mut PgConnection,
    operation_id: i64,
    kind: FeeKind,
    fee: Money,
) -> Result<()> {
    sqlx::query("DELETE FROM operation_fees WHERE operation_id = $1 AND kind = $2")
        .bind(operation_id)
        .bind(kind.word())
        .execute(&mut *conn)
        .await?;
    insert_fee(conn, operation_id, kind, fee).await
}

pub(crate) async fn insert_fee(
    conn: &mut PgConnection,
    operation_id: i64,
    kind: FeeKind,
    fee: Money,
) -> Result<()> {
    if !fee.is_positive() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO operation_fees (operation_id, kind, currency_id, amount)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(operation_id)
    .bind(kind.word())
    .bind(fee.currency().id)
    .bind(decimal(fee.units()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Appends the condition on `operations o`.
pub(super) fn filter(query: &mut QueryBuilder<Postgres>, asked: &OperationQuery) {
    let words: Vec<&'static str> = asked.kinds.iter().map(|kind| kind.word()).collect();
    query.push(" WHERE o.merchant_id = ");
    query.push_bind(asked.merchant_id);
    query.push(" AND o.kind = ANY(");
    query.push_bind(words);
    query.push(")");
    if !asked.statuses.is_empty() {
        let words: Vec<&'static str> = asked.statuses.iter().map(|status| status.word()).collect();
        query.push(" AND o.status = ANY(");
        query.push_bind(words);
        query.push(")");
    }
    if let Some(currency) = asked.currency {
        query.push(" AND (o.sent_currency_id = ");
        query.push_bind(currency.id);
        query.push(" OR o.received_currency_id = ");
        query.push_bind(currency.id);
        query.push(")");
    }
    if let Some(foreign_id) = &asked.foreign_id {
        query.push(" AND (o.foreign_id = ");
        query.push_bind(foreign_id.clone());
        query.push(
            " OR EXISTS (SELECT 1 FROM deposits d JOIN deposit_addresses a
                 ON a.id = d.deposit_address_id WHERE d.operation_id = o.id AND a.foreign_id = ",
        );
        query.push_bind(foreign_id.clone());
        query.push("))");
    }
    if let Some(address_id) = asked.address_id {
        query.push(
            " AND EXISTS (SELECT 1 FROM deposits d WHERE d.operation_id = o.id
                 AND d.deposit_address_id = ",
        );
        query.push_bind(address_id);
        query.push(")");
    }
}

pub(crate) async fn count(conn: &mut PgConnection, asked: &OperationQuery) -> Result<i64> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM operations o");
    filter(&mut query, asked);
    Ok(query.build_query_scalar().fetch_one(conn).await?)
}

pub(crate) async fn page(
    conn: &mut PgConnection,
    currencies: &Currencies,
    asked: &OperationQuery,
) -> Result<Vec<OperationRow>> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM operations o"));
    filter(&mut query, asked);
    query.push(" ORDER BY o.id DESC LIMIT ");
    query.push_bind(asked.limit);
    query.push(" OFFSET ");
    query.push_bind((asked.page - 1).saturating_mul(asked.limit));
    let rows = query.build().fetch_all(conn).await?;
    rows.iter().map(|row| operation(row, currencies)).collect()
}

/// What is received turned out to be another currency than was planned.
pub(crate) async fn set_received_currency(
    conn: &mut PgConnection,
    id: i64,
    currency: domain::money::Currency,
) -> Result<()> {
    sqlx::query("UPDATE operations SET received_currency_id = $2 WHERE id = $1")
        .bind(id)
        .bind(currency.id)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
