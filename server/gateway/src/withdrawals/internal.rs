use domain::ledger::template::withdrawal_settled;
use domain::withdrawal::WithdrawalEvent;

use super::{WithdrawalRow, store};
use crate::ledger::{Unit, with_ids};
use crate::operations::{OperationStatus, store as operations};
use crate::{Error, Gateway, Result, addresses, charges, deposits};

impl Gateway {
    /// Settles a queued withdrawal to one of our own addresses: no chain, no mining fee, at once.
    ///
    /// In the books the coins leave the chain holdings and come back to them, so that both sides look
    /// like any other withdrawal and any other deposit.
    pub(super) async fn pay_internally(
        &self,
        unit: &mut Unit,
        id: i64,
        chain_address_id: i64,
    ) -> Result<()> {
        let mut operation = operations::find(unit.conn(), self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        let mut withdrawal = store::find(unit.conn(), self.currencies(), id).await?;
        withdrawal.state = withdrawal
            .state
            .apply(WithdrawalEvent::PaidInternally)
            .map_err(Error::internal)?;
        let now = unit.now();
        let payer = WithdrawalRow::payer(&operation);
        let (amounts, holds) = (withdrawal.amounts(&operation), withdrawal.holds(&operation));
        unit.post(with_ids(|ids| {
            withdrawal_settled(ids, payer, id, &amounts, &holds)
        }));
        store::update_state(unit.conn(), &withdrawal).await?;
        operation.become_status(OperationStatus::Confirmed, now);
        operations::update(unit.conn(), &operation).await?;
        let deposit_address = addresses::store::find_by_chain_address(
            unit.conn(),
            self.currencies(),
            chain_address_id,
        )
        .await?;
        match deposit_address {
            Some(address) => {
                deposits::record_internal(self, unit, &address, withdrawal.sent, id).await
            }
            None => {
                charges::receiving::receive_internal(
                    self,
                    unit,
                    chain_address_id,
                    withdrawal.sent,
                    id,
                )
                .await
            }
        }
    }
}
