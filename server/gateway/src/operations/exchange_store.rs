use domain::money::Money;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::store::{COLUMNS, INSERTING, bind_new, operation};
use super::{FeeKind, NewOperation, OperationRow};
use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::decimal;

/// Writes an exchange at once: the operation, that its quote, without which there is none, is used, and its fee,
/// if it has one.
///
/// # Errors
/// The database's: on `operations_reference` when the merchant has one of this reference, on `quote_uses_pkey`
/// when the quote was used.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    currencies: &Currencies,
    new: &NewOperation,
    fee: Money,
    now: OffsetDateTime,
) -> Result<OperationRow> {
    let query = format!(
        "WITH made AS ({INSERTING} RETURNING {COLUMNS}, o.quote_id),
         used AS (INSERT INTO quote_uses (quote_id, operation_id)
                  SELECT m.quote_id, m.id FROM made m),
         charged AS (INSERT INTO operation_fees (operation_id, kind, currency_id, amount)
                     SELECT m.id, $16, $17, $18 FROM made m WHERE $18 > 0)
         SELECT * FROM made"
    );
    let row = bind_new(sqlx::query(sqlx::AssertSqlSafe(query)), new, now)
        .bind(FeeKind::Exchange.word())
        .bind(fee.currency().id)
        .bind(decimal(fee.units()))
        .fetch_one(conn)
        .await?;
    operation(&row, currencies)
}
