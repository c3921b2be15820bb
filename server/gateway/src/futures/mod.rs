//! Futures: a promise to exchange one coming deposit at a fixed price (`30-processing-api.md`).
//!
//! Invariant: a promise stands only while what it may cost is held in our liquidity, and that hold
//! ends once: settled by the promised deposit, or void.

mod confirm;
mod expiry;
mod rates;
mod review;
mod review_store;
pub(crate) mod store;

pub use domain::futures::FuturesState;
use domain::money::{Currency, Money};
pub(crate) use expiry::{any_due, expire_due};
pub use rates::FuturesRates;
pub use review::{FuturesReview, PromiseTerms};
use rust_decimal::Decimal;
use time::OffsetDateTime;

use crate::addresses::DepositAddressView;
use crate::ledger::Unit;
use crate::{Gateway, Result};

/// Rows a page may ask for at once.
const LIMIT_MAX: i64 = 100;

/// A promise to be made.
#[derive(Debug, Clone)]
pub struct NewFutures {
    pub merchant_id: i64,
    pub address: String,
    pub sender: Currency,
    pub receiver: Currency,
    pub receiver_amount: Money,
}

/// A promise and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuturesView {
    pub id: i64,
    pub address: DepositAddressView,
    /// Exactly this has to come.
    pub sender_amount: Money,
    /// Before the fee.
    pub receiver_amount: Money,
    pub fee: Money,
    pub price: Decimal,
    pub fixed_at: OffsetDateTime,
    /// Last instant at which the deposit may be seen first.
    pub release_at: OffsetDateTime,
    pub state: FuturesState,
    pub void_reason: Option<String>,
    /// The deposit that used it.
    pub operation_id: Option<i64>,
}

impl Gateway {
    /// The merchant's promises, newest first; `before` is an id.
    pub async fn list_futures(
        &self,
        merchant_id: i64,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<FuturesView>> {
        let mut conn = self.pool().acquire().await?;
        let before = before.unwrap_or(i64::MAX);
        let rows = store::list(
            &mut conn,
            self.currencies(),
            merchant_id,
            before,
            limit.clamp(1, LIMIT_MAX),
        )
        .await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.futures_view(&mut conn, row).await?);
        }
        Ok(views)
    }

    pub(super) async fn futures_view(
        &self,
        conn: &mut sqlx::PgConnection,
        row: store::FuturesRow,
    ) -> Result<FuturesView> {
        let address =
            crate::addresses::store::find(conn, self.currencies(), row.deposit_address_id).await?;
        Ok(FuturesView {
            id: row.id,
            address,
            sender_amount: row.sender_amount,
            receiver_amount: row.receiver_amount,
            fee: row.fee,
            price: row.price,
            fixed_at: row.fixed_at,
            release_at: row.release_at,
            state: row.state,
            void_reason: row.void_reason,
            operation_id: row.operation_id,
        })
    }
}

/// Frees what a promise held; the caller holds the row's lock.
pub(crate) async fn void(unit: &mut Unit, row: &store::FuturesRow, reason: &str) -> Result<()> {
    use domain::ledger::template::futures_void;
    let now = unit.now();
    store::end(unit.conn(), row.id, FuturesState::Void, Some(reason), now).await?;
    unit.post(crate::ledger::with_ids(|ids| {
        futures_void(
            ids,
            row.merchant_id,
            row.id,
            row.hold_id,
            row.receiver_amount,
        )
    }));
    Ok(())
}
