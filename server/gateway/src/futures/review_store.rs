//! The SQL behind looking at a promise before it is made.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection};

use crate::Result;

/// The promise of an address that has not ended.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Running {
    pub(super) id: i64,
    pub(super) state: String,
    /// What is held for it, units of the receiver currency.
    pub(super) receiver_amount: Decimal,
}

/// As it stands, without a lock: good for showing, not for deciding.
pub(super) async fn running(
    conn: &mut PgConnection,
    deposit_address_id: i64,
) -> Result<Option<Running>> {
    Ok(sqlx::query_as(
        "SELECT id, state, receiver_amount FROM futures
         WHERE deposit_address_id = $1 AND state IN ('open', 'matched')",
    )
    .bind(deposit_address_id)
    .fetch_optional(conn)
    .await?)
}
