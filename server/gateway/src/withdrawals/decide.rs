use domain::ledger::LedgerError;
use domain::ledger::template::{Fact, withdrawal_void};
use domain::withdrawal::{WithdrawalEvent, WithdrawalState};

use super::{Decider, WithdrawalRow, limit_store, store};
use crate::ledger::{Unit, with_ids};
use crate::operations::{
    OperationRow, OperationStatus, OperationView, event_of, store as operations,
};
use crate::operator::audit_log;
use crate::{Error, Gateway, Result, addresses, charges};

const TOO_LITTLE: Error = Error::Conflict(
    "the wallet, or what we can deliver right now, is not enough for it at the rate of this moment",
);
const NOT_PENDING: Error = Error::Conflict("this withdrawal does not wait for a decision");

impl Gateway {
    /// Lets a withdrawal go that is above the merchant's limit; one with an exchange at the rate of this
    /// moment.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for the person who asked for it, when somebody else could decide;
    /// [`Error::Conflict`] when it does not wait for a decision.
    pub async fn approve_withdrawal(&self, merchant_id: i64, id: i64, by: Decider) -> Result<()> {
        let needs = self.needs_of_decision(merchant_id, id).await?;
        let gateway = self.clone();
        let done = self
            .book()
            .commit_decision(needs, move |unit| {
                let (gateway, by) = (gateway.clone(), by.clone());
                Box::pin(async move {
                    // The charge an internal transfer pays is locked before the operation.
                    let target = gateway.internal_target(unit, id).await?;
                    let (mut operation, mut withdrawal) =
                        gateway.lock_pending(unit, merchant_id, id).await?;
                    gateway.require_other_eyes(unit, &withdrawal, &by).await?;
                    withdrawal.state = withdrawal
                        .state
                        .apply(WithdrawalEvent::Approved)
                        .map_err(|_| NOT_PENDING)?;
                    let now = unit.now();
                    gateway
                        .price_again(unit, &mut operation, &mut withdrawal)
                        .await?;
                    operation.become_status(OperationStatus::Processing, now);
                    store::decided(unit.conn(), &withdrawal, &by.name, now).await?;
                    operations::update(unit.conn(), &operation).await?;
                    record(unit, &operation, &by, "withdrawal.approved").await?;
                    store::notify_worker(unit.conn()).await?;
                    gateway.tell_withdrawal(unit, id).await?;
                    if let Some(chain_address_id) = target {
                        gateway.pay_internally(unit, id, chain_address_id).await?;
                        gateway.tell_withdrawal(unit, id).await?;
                    }
                    Ok(())
                })
            })
            .await;
        match done {
            Err(Error::Ledger(LedgerError::InsufficientFunds { .. })) => Err(TOO_LITTLE),
            done => done,
        }
    }

    /// Calls off a withdrawal that waits for a decision; the held money is free again.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it does not wait for a decision.
    pub async fn decline_withdrawal(&self, merchant_id: i64, id: i64, by: Decider) -> Result<()> {
        let needs = self.needs_of_decision(merchant_id, id).await?;
        let gateway = self.clone();
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, by) = (gateway.clone(), by.clone());
                Box::pin(async move {
                    let (mut operation, mut withdrawal) =
                        gateway.lock_pending(unit, merchant_id, id).await?;
                    withdrawal.state = withdrawal
                        .state
                        .apply(WithdrawalEvent::Declined)
                        .map_err(|_| NOT_PENDING)?;
                    let now = unit.now();
                    let payer = WithdrawalRow::payer(&operation);
                    let holds = withdrawal.holds(&operation);
                    unit.post(with_ids(|ids| {
                        withdrawal_void(ids, payer, id, Fact::Request, &holds)
                    }));
                    operation.error = Some(format!("declined by {}", by.name));
                    operation.become_status(OperationStatus::Cancelled, now);
                    store::decided(unit.conn(), &withdrawal, &by.name, now).await?;
                    operations::update(unit.conn(), &operation).await?;
                    record(unit, &operation, &by, "withdrawal.declined").await?;
                    gateway.tell_withdrawal(unit, id).await
                })
            })
            .await
    }

    async fn lock_pending(
        &self,
        unit: &mut Unit,
        merchant_id: i64,
        id: i64,
    ) -> Result<(OperationRow, WithdrawalRow)> {
        let operation = operations::lock(unit.conn(), self.currencies(), &[id])
            .await?
            .pop()
            .filter(|row| row.merchant_id == merchant_id)
            .ok_or(Error::NotFound)?;
        let withdrawal = store::find(unit.conn(), self.currencies(), id).await?;
        if withdrawal.state == WithdrawalState::Pending {
            Ok((operation, withdrawal))
        } else {
            Err(NOT_PENDING)
        }
    }

    /// Whoever asked does not approve, unless nobody else may.
    async fn require_other_eyes(
        &self,
        unit: &mut Unit,
        withdrawal: &WithdrawalRow,
        by: &Decider,
    ) -> Result<()> {
        let same = by.user_id.is_some() && by.user_id == withdrawal.requested_user_id;
        if !same {
            return Ok(());
        }
        let others =
            limit_store::other_approvers(unit.conn(), withdrawal.operation_id, by.user_id).await?;
        if others {
            Err(Error::Forbidden)
        } else {
            Ok(())
        }
    }

    /// Where an internal transfer goes; the charge it pays, if it is one's, is locked.
    async fn internal_target(&self, unit: &mut Unit, id: i64) -> Result<Option<i64>> {
        let withdrawal = match store::find(unit.conn(), self.currencies(), id).await {
            Ok(row) if row.internal => row,
            Ok(_) => return Ok(None),
            Err(error) => return Err(error),
        };
        let target = addresses::store::watched_address(unit.conn(), &withdrawal.address).await?;
        let target = target.map(|watched| watched.id);
        if let Some(chain_address_id) = target {
            self.require_receiver(unit, chain_address_id).await?;
            charges::receiving::lock_charge_of(self, unit, chain_address_id).await?;
        }
        Ok(target)
    }

    pub(super) async fn tell_withdrawal(&self, unit: &mut Unit, id: i64) -> Result<()> {
        let row = operations::find(unit.conn(), self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        self.told_withdrawal(unit, row).await.map(drop)
    }

    /// Stages the event about a withdrawal as it stands, and answers that.
    pub(super) async fn told_withdrawal(
        &self,
        unit: &mut Unit,
        row: OperationRow,
    ) -> Result<OperationView> {
        let view = self.operation_view(unit.conn(), row).await?;
        if let Some(event) = event_of(&view)? {
            unit.emit(event);
        }
        Ok(view)
    }
}

async fn record(
    unit: &mut Unit,
    operation: &OperationRow,
    by: &Decider,
    action: &str,
) -> Result<()> {
    let now = unit.now();
    let data = serde_json::json!({
        "merchant_id": operation.merchant_id,
        "amount": operation.requested.shortest(),
        "currency": operation.requested.currency().code.as_str(),
    });
    audit_log::record(
        unit.conn(),
        now,
        &by.name,
        action,
        &operation.object(),
        &data,
    )
    .await
}
