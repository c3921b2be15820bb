use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{OperationKind, OperationStatus};

/// An operation as stored.
#[derive(Debug, Clone)]
pub(crate) struct OperationRow {
    pub(crate) id: i64,
    pub(crate) merchant_id: i64,
    pub(crate) kind: OperationKind,
    pub(crate) status: OperationStatus,
    pub(crate) foreign_id: Option<String>,
    pub(crate) request_hash: Option<Vec<u8>>,
    pub(crate) sent: Money,
    pub(crate) received_currency: Currency,
    pub(crate) received: Option<Money>,
    pub(crate) received_net: Option<Money>,
    pub(crate) requested: Money,
    pub(crate) price: Option<Decimal>,
    pub(crate) futures_id: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) needs_attention: bool,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
    pub(crate) finished_at: Option<OffsetDateTime>,
}

impl OperationRow {
    /// `operation:17`, the name of this operation in journal and outbox.
    pub(crate) fn object(&self) -> String {
        format!("operation:{}", self.id)
    }

    /// Sets a status and what follows from it; the caller stores the row.
    pub(crate) fn become_status(&mut self, status: OperationStatus, now: OffsetDateTime) {
        self.status = status;
        self.updated_at = now;
        self.finished_at = match status {
            OperationStatus::Confirmed | OperationStatus::Cancelled => Some(now),
            OperationStatus::NotConfirmed
            | OperationStatus::Processing
            | OperationStatus::Pending => None,
        };
    }
}

/// An operation to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewOperation {
    pub(crate) merchant_id: i64,
    pub(crate) kind: OperationKind,
    pub(crate) status: OperationStatus,
    pub(crate) foreign_id: Option<String>,
    pub(crate) request_hash: Option<[u8; 32]>,
    pub(crate) sent: Money,
    pub(crate) received_currency: Currency,
    pub(crate) received: Option<Money>,
    pub(crate) received_net: Option<Money>,
    pub(crate) requested: Money,
    pub(crate) price: Option<Decimal>,
    pub(crate) quote_id: Option<Uuid>,
}

/// What a deposit is after all.
#[derive(Debug, Clone)]
pub(crate) struct ToldAgain {
    pub(crate) merchant_id: i64,
    pub(crate) kind: OperationKind,
    pub(crate) sent: Money,
    pub(crate) received_currency: Currency,
    pub(crate) received: Option<Money>,
}
