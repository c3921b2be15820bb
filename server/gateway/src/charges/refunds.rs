//! What becomes of money on its way back to a payer.

use crate::ledger::Unit;
use crate::{Gateway, Result};

/// How far a refund's withdrawal has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundProgress {
    /// The network has it.
    Sent { txid: String },
    /// Deep enough in the chain.
    Confirmed,
}

/// Tells a claim what its withdrawal did; the caller holds the lock of the claim's charge.
pub(crate) async fn withdrawal_changed(
    _gateway: &Gateway,
    _unit: &mut Unit,
    _claim_id: i64,
    _progress: RefundProgress,
) -> Result<()> {
    Ok(())
}
