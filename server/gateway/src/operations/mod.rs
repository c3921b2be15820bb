//! Operations: everything a merchant receives or asks for outside of charges, under one header, so
//! that every dialect and page lists them alike (`30-processing-api.md`).
//!
//! Invariant: an operation's status changes in the unit that moves its money, and each change has
//! its event.

mod event;
pub(crate) mod exchange_store;
mod records;
mod records_store;
mod row;
pub(crate) mod store;
mod view;
mod view_store;

pub(crate) use event::{event_of, events_of_instant};
pub use records::{Record, RecordKind, RecordQuery, RecordStatus};
pub(crate) use row::{NewOperation, OperationRow, ToldAgain};
pub use view::{
    AmountView, ExpectedView, FeeKind, FeeView, OperationAddress, OperationKind, OperationStatus,
    OperationView, TransactionKind, TransactionView,
};
pub(crate) use view_store::exchange_view;

use domain::money::Currency;

use crate::{Error, Gateway, Result};

/// Rows a page may ask for at once.
const LIMIT_MAX: i64 = 100;

/// Which operations of a merchant.
#[derive(Debug, Clone, Default)]
pub struct OperationQuery {
    pub merchant_id: i64,
    /// Empty = all but refunds.
    pub kinds: Vec<OperationKind>,
    /// Empty = all.
    pub statuses: Vec<OperationStatus>,
    /// Sent or received.
    pub currency: Option<Currency>,
    /// The operation's own reference, or that of its deposit address.
    pub foreign_id: Option<String>,
    /// Deposits to this address.
    pub address_id: Option<i64>,
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub limit: i64,
}

impl Gateway {
    /// A page of operations, newest first, and how many there are in all.
    pub async fn list_operations(
        &self,
        mut query: OperationQuery,
    ) -> Result<(Vec<OperationView>, i64)> {
        if query.kinds.is_empty() {
            query.kinds = OperationKind::ALL
                .into_iter()
                .filter(|kind| *kind != OperationKind::Refund)
                .collect();
        }
        query.limit = query.limit.clamp(1, LIMIT_MAX);
        query.page = query.page.max(1);
        let mut conn = self.pool().acquire().await?;
        let total = store::count(&mut conn, &query).await?;
        let rows = store::page(&mut conn, self.currencies(), &query).await?;
        let views = view_store::views(&mut conn, self.currencies(), rows).await?;
        Ok((views, total))
    }

    /// One operation.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of other merchants.
    pub async fn find_operation(&self, merchant_id: i64, id: i64) -> Result<OperationView> {
        let mut conn = self.pool().acquire().await?;
        let row = store::find(&mut conn, self.currencies(), id)
            .await?
            .filter(|row| row.merchant_id == merchant_id)
            .ok_or(Error::NotFound)?;
        self.operation_view(&mut conn, row).await
    }

    /// An operation with everything that belongs to it, as it stands in this transaction.
    pub(crate) async fn operation_view(
        &self,
        conn: &mut sqlx::PgConnection,
        row: OperationRow,
    ) -> Result<OperationView> {
        view_store::views(conn, self.currencies(), vec![row])
            .await?
            .pop()
            .ok_or(Error::NotFound)
    }
}
