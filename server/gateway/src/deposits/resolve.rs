use domain::charge::{ReceiptState, fee};
use domain::ledger::template::{deposit_released, house, primary_wallet, suspense};
use domain::ledger::{AccountKind, HOUSE};
use domain::money::Money;

use super::settling::tell;
use super::{Disposition, store, wake_name};
use crate::ledger::{Needs, Row, Unit, with_ids};
use crate::operations::{FeeKind, OperationRow, OperationStatus, store as operations};
use crate::{Error, Gateway, Result};

/// What is said when a deposit is not one that waits for a decision.
const NOT_WAITING: Error = Error::Conflict("this deposit does not wait for a decision");

impl Gateway {
    /// Credits a suspended deposit to its merchant after all, in its own coin, less the fee.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is not in suspense.
    pub async fn release_deposit(&self, operation_id: i64, by: &str) -> Result<()> {
        let needs = self.needs_of_suspended(operation_id).await?;
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, by) = (gateway.clone(), by.clone());
                Box::pin(async move {
                    let (mut operation, mut deposit) =
                        gateway.lock_suspended(unit, operation_id).await?;
                    let terms = gateway
                        .terms_of(unit.conn(), deposit.amount.currency())
                        .await?;
                    let amount = deposit.amount;
                    let fee = fee(amount, terms.deposit_fee_basis_points)
                        .ok_or_else(|| Error::Internal(format!("no fee for {amount}")))?;
                    let (merchant, id, fact) =
                        (operation.merchant_id, operation.id, deposit.fact());
                    unit.post(with_ids(|ids| {
                        deposit_released(ids, merchant, id, fact, amount, fee)
                    }));
                    operations::insert_fee(unit.conn(), id, FeeKind::Deposit, fee).await?;
                    deposit.disposition = Disposition::Credited;
                    store::update(unit.conn(), &deposit).await?;
                    // What an address was to convert into is not what the wallet gains now.
                    operations::set_received_currency(unit.conn(), id, amount.currency()).await?;
                    operation.received_currency = amount.currency();
                    operation.received = Some(amount);
                    operation.received_net = Some(Money::from_units(
                        amount.units() - fee.units(),
                        amount.currency(),
                    ));
                    let note = format!("credited by {by}");
                    operation.error = None;
                    operation.needs_attention = false;
                    let now = unit.now();
                    operation.become_status(OperationStatus::Confirmed, now);
                    operations::update(unit.conn(), &operation).await?;
                    crate::operator::audit_log::record(
                        unit.conn(),
                        now,
                        &by,
                        "deposit.released",
                        &operation.object(),
                        &serde_json::json!({ "note": note }),
                    )
                    .await?;
                    unit.notify(&wake_name(deposit.deposit_address_id));
                    tell(&gateway, unit, operation).await
                })
            })
            .await
    }

    /// Sends a suspended deposit back, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is not in suspense; [`Error::Invalid`] on
    /// `address`.
    pub async fn refund_deposit(&self, operation_id: i64, address: &str, by: &str) -> Result<()> {
        let needs = self.needs_of_suspended(operation_id).await?;
        let (gateway, address, by) = (self.clone(), address.to_owned(), by.to_owned());
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, address, by) = (gateway.clone(), address.clone(), by.clone());
                Box::pin(async move {
                    let (mut operation, mut deposit) =
                        gateway.lock_suspended(unit, operation_id).await?;
                    let (merchant, amount) = (operation.merchant_id, deposit.amount);
                    let refund = gateway
                        .send_from_suspense(unit, merchant, amount, &address, None, &by)
                        .await?;
                    deposit.disposition = Disposition::Refunded;
                    store::update(unit.conn(), &deposit).await?;
                    let now = unit.now();
                    operation.error = Some("sent back".to_owned());
                    operation.needs_attention = false;
                    operation.become_status(OperationStatus::Cancelled, now);
                    operations::update(unit.conn(), &operation).await?;
                    crate::operator::audit_log::record(
                        unit.conn(),
                        now,
                        &by,
                        "deposit.refunded",
                        &operation.object(),
                        &serde_json::json!({ "refund": refund, "address": address }),
                    )
                    .await?;
                    unit.notify(&wake_name(deposit.deposit_address_id));
                    tell(&gateway, unit, operation).await
                })
            })
            .await
    }

    /// In the turn of the house: it is the operator who decides.
    async fn needs_of_suspended(&self, operation_id: i64) -> Result<Needs> {
        let mut conn = self.pool().acquire().await?;
        let operation = operations::find(&mut conn, self.currencies(), operation_id)
            .await?
            .ok_or(Error::NotFound)?;
        let (merchant, coin) = (operation.merchant_id, operation.sent.currency().id);
        Ok(Needs {
            owner: HOUSE,
            merchants: Vec::new(),
            rows: vec![Row::Operation(operation_id)],
            accounts: vec![
                suspense(merchant, coin),
                primary_wallet(merchant, coin),
                house(AccountKind::Fees, coin),
                house(AccountKind::ChainHoldings, coin),
            ],
        })
    }

    async fn lock_suspended(
        &self,
        unit: &mut Unit,
        operation_id: i64,
    ) -> Result<(OperationRow, super::DepositRow)> {
        let operation = operations::lock_one(unit.conn(), self.currencies(), operation_id).await?;
        let deposit = store::find(unit.conn(), self.currencies(), operation_id).await?;
        // Money that a reorganisation took back cannot be given to anybody.
        let waits =
            deposit.disposition == Disposition::Suspended && deposit.state == ReceiptState::Final;
        if waits {
            Ok((operation, deposit))
        } else {
            Err(NOT_WAITING)
        }
    }
}
