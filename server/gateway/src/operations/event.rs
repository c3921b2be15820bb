use super::{OperationKind, OperationStatus, OperationView};
use crate::ledger::NewEvent;
use crate::{Error, Result};

/// The event about an operation's present status; `None` for refunds, which are told as what they
/// belong to.
pub(crate) fn event_of(view: &OperationView) -> Result<Option<NewEvent>> {
    let Some(kind) = kind_of(view.kind, view.status, view.error.is_some()) else {
        return Ok(None);
    };
    Ok(Some(NewEvent {
        merchant_id: view.merchant_id,
        kind,
        object: format!("operation:{}", view.id),
        payload: serde_json::to_value(view).map_err(Error::internal)?,
        direct: None,
    }))
}

/// The events about an operation that begins and ends in one unit: first what it was on its way, as
/// others are told, then its end.
pub(crate) fn events_of_instant(
    view: &OperationView,
    on_its_way: OperationStatus,
) -> Result<Vec<NewEvent>> {
    let begun = OperationView {
        status: on_its_way,
        finished_at: None,
        ..view.clone()
    };
    Ok([event_of(&begun)?, event_of(view)?]
        .into_iter()
        .flatten()
        .collect())
}

fn kind_of(kind: OperationKind, status: OperationStatus, failed: bool) -> Option<&'static str> {
    use OperationStatus as Status;
    match kind {
        OperationKind::Deposit | OperationKind::DepositExchange => Some(match status {
            // It came, but somebody has to decide what becomes of it.
            Status::NotConfirmed if failed => "deposit.suspended",
            Status::NotConfirmed | Status::Processing | Status::Pending => "deposit.not_confirmed",
            Status::Confirmed => "deposit.confirmed",
            Status::Cancelled => "deposit.cancelled",
        }),
        OperationKind::Withdrawal | OperationKind::WithdrawalExchange => Some(match status {
            Status::NotConfirmed | Status::Processing => "withdrawal.processing",
            Status::Pending => "withdrawal.pending",
            Status::Confirmed => "withdrawal.confirmed",
            Status::Cancelled => "withdrawal.cancelled",
        }),
        OperationKind::Exchange => Some(match status {
            Status::Confirmed => "exchange.confirmed",
            Status::Cancelled => "exchange.cancelled",
            Status::NotConfirmed | Status::Processing | Status::Pending => "exchange.processing",
        }),
        OperationKind::Refund => None,
    }
}
