use domain::ledger::AccountKey;
use domain::ledger::template::{Held, Holds, primary_wallet, suspense};
use domain::money::Money;
use domain::withdrawal::{Amounts, WithdrawalState};

use crate::operations::{OperationKind, OperationRow};

/// A withdrawal as stored, beside its operation.
#[derive(Debug, Clone)]
pub(crate) struct WithdrawalRow {
    pub(crate) operation_id: i64,
    /// What the receiver gets.
    pub(crate) sent: Money,
    pub(crate) address: String,
    pub(crate) state: WithdrawalState,
    pub(crate) payer_hold: uuid::Uuid,
    pub(crate) liquidity_hold: Option<Held>,
    pub(crate) requested_user_id: Option<i64>,
    pub(crate) claim_id: Option<i64>,
    pub(crate) internal: bool,
    /// It shares its transactions with others; their bytes are the payout's.
    pub(crate) payout_id: Option<i64>,
    pub(crate) txid: Option<String>,
    pub(crate) raw: Option<Vec<u8>>,
    /// The rules of a signer did not let it out.
    pub(crate) is_refused: bool,
    /// Fees that were agreed on, as stored.
    pub(crate) withdrawal_fee: Option<Money>,
    pub(crate) exchange_fee: Option<Money>,
}

impl WithdrawalRow {
    /// Whose money it is: a wallet's, or the merchant's suspense for a refund.
    pub(crate) fn payer(operation: &OperationRow) -> AccountKey {
        let currency = operation.sent.currency().id;
        match operation.kind {
            OperationKind::Refund => suspense(operation.merchant_id, currency),
            OperationKind::Deposit
            | OperationKind::DepositExchange
            | OperationKind::Withdrawal
            | OperationKind::WithdrawalExchange
            | OperationKind::Exchange => primary_wallet(operation.merchant_id, currency),
        }
    }

    /// What it holds.
    pub(crate) fn holds(&self, operation: &OperationRow) -> Holds {
        Holds {
            payer: Held {
                id: self.payer_hold,
                amount: operation.sent,
            },
            liquidity: self.liquidity_hold,
        }
    }

    /// The figures it was held with.
    pub(crate) fn amounts(&self, operation: &OperationRow) -> Amounts {
        let bought = self.liquidity_hold.map_or(self.sent, |held| held.amount);
        let exchange_fee = self
            .exchange_fee
            .unwrap_or_else(|| Money::zero(operation.sent.currency()));
        let off_bought = if exchange_fee.currency().id == bought.currency().id
            && self.liquidity_hold.is_some()
        {
            exchange_fee.units()
        } else {
            0
        };
        Amounts {
            requested: operation.requested,
            withdrawal_fee: self
                .withdrawal_fee
                .unwrap_or_else(|| Money::zero(operation.sent.currency())),
            exchange_fee,
            held: operation.sent,
            sent: self.sent,
            bought,
            remainder: Money::from_units(
                bought.units() - off_bought - self.sent.units(),
                bought.currency(),
            ),
        }
    }
}
