use domain::ledger::template::{Fact, suspense, withdrawal_held};
use domain::money::Money;
use domain::withdrawal::{FeeTerms, WithdrawalState, plain};

use super::store::{self, NewRow};
use crate::chain::address::parse_address;
use crate::ledger::{Unit, with_ids};
use crate::operations::{NewOperation, OperationKind, OperationStatus, store as operations};
use crate::{Error, Gateway, Result, addresses};

/// A refund costs the payer nothing.
const FREE: FeeTerms = FeeTerms {
    basis_points: 0,
    fixed: 0,
};

impl Gateway {
    /// Holds an approved claim's money in the merchant's suspense and queues its way back; answers
    /// the operation. The caller holds the lock of the claim's charge.
    pub(crate) async fn send_refund_in(
        &self,
        unit: &mut Unit,
        claim_id: i64,
        merchant_id: i64,
        amount: Money,
        address: &str,
        by: &str,
    ) -> Result<i64> {
        self.send_from_suspense(unit, merchant_id, amount, address, Some(claim_id), by)
            .await
    }

    pub(crate) async fn send_from_suspense(
        &self,
        unit: &mut Unit,
        merchant_id: i64,
        amount: Money,
        address: &str,
        claim_id: Option<i64>,
        by: &str,
    ) -> Result<i64> {
        let coin = amount.currency();
        let chain = self.chains().of(coin)?;
        let address = parse_address(chain.params, address.trim())
            .map(|address| address.canonical)
            .map_err(|error| {
                let message = format!("must be a valid {} address: {error}", coin.code);
                Error::invalid("address", message)
            })?;
        let ours = addresses::store::watched_address(unit.conn(), &address).await?;
        if ours.is_some_and(|ours| ours.is_change) {
            return Err(Error::invalid("address", super::OUR_CHANGE));
        }
        let now = unit.now();
        let amounts =
            plain(amount, FREE).ok_or_else(|| Error::Internal(format!("refund of {amount}")))?;
        let operation = NewOperation {
            merchant_id,
            kind: OperationKind::Refund,
            status: OperationStatus::Processing,
            foreign_id: None,
            request_hash: None,
            sent: amount,
            received_currency: coin,
            received: Some(amount),
            received_net: Some(amount),
            requested: amount,
            price: None,
            quote_id: None,
        };
        let id = operations::insert(unit.conn(), self.currencies(), &operation, now)
            .await?
            .id;
        let payer = suspense(merchant_id, coin.id);
        let (entry, holds) =
            with_ids(|ids| withdrawal_held(ids, payer, id, Fact::Request, &amounts));
        unit.post(entry);
        let confirmations = self.terms_of(unit.conn(), coin).await?.confirmations;
        let row = NewRow {
            operation_id: id,
            sent: amount,
            address: &address,
            state: WithdrawalState::Queued,
            holds: &holds,
            requested_by: by,
            requested_user_id: None,
            claim_id,
            // Even to one of our own addresses it goes over the chain: whoever gets it must be able
            // to see it there.
            internal: false,
            confirmations_required: confirmations.max(1),
        };
        store::insert(unit.conn(), &row, now).await?;
        Ok(id)
    }
}
