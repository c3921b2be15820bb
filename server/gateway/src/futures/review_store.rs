//! The SQL behind looking at a promise before it is made.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection};

use crate::Result;

/// The promise of an address that waits for its deposit.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Open {
    pub(super) id: i64,
    /// What is held for it, units of the receiver currency.
    pub(super) receiver_amount: Decimal,
}

/// As it stands, without a lock: good for showing, not for deciding.
pub(super) async fn open(conn: &mut PgConnection, deposit_address_id: i64) -> Result<Option<Open>> {
    Ok(sqlx::query_as(
        "SELECT id, receiver_amount FROM futures
         WHERE deposit_address_id = $1 AND state = 'open'",
    )
    .bind(deposit_address_id)
    .fetch_optional(conn)
    .await?)
}
