use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ledger::template::{Fact, house, primary_wallet, withdrawal_held};
use domain::ledger::{AccountId, AccountKind, LedgerError};
use domain::withdrawal::WithdrawalState;
use sha2::{Digest, Sha256};
use time::Duration;

use super::NewWithdrawal;
use super::plan::Plan;
use super::store::{self, NewRow};
use crate::exchange::{Purpose, quote_store, shortage, taken_reference};
use crate::idempotency::{Answer, Once};
use crate::ledger::{Needs, Unit, with_ids};
use crate::operations::{
    FeeKind, NewOperation, OperationKind, OperationRow, OperationStatus, OperationView,
    store as operations,
};
use crate::{Error, Gateway, Result};

/// How often a request is tried again when another one with the same reference was first.
const TRIES: u32 = 3;

/// What a reference that was used for the same before is answered.
#[derive(Debug, Clone, Copy)]
enum Repeated {
    /// What was answered first.
    FirstAnswer,
    /// The withdrawal as it stands.
    Rendered,
}

impl Gateway {
    /// Holds the money and queues the withdrawal; above the merchant's limit it waits for a person.
    /// To one of our own addresses it is settled at once.
    ///
    /// The same reference with the same wish answers about the same withdrawal, as it stands.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `amount`, `currency`, `convert_to`, `address`, `tag`, `foreign_id`.
    pub async fn request_withdrawal(
        &self,
        new: NewWithdrawal,
        once: Option<Once>,
        render: impl Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.withdraw(new, once, Repeated::Rendered, render).await
    }

    /// The same for programs: the same reference with the same wish gives the first answer again, byte
    /// for byte.
    ///
    /// # Errors
    /// Those of [`Self::request_withdrawal`].
    pub async fn request_withdrawal_by_reference(
        &self,
        new: NewWithdrawal,
        once: Option<Once>,
        render: impl Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        let repeated = match new.foreign_id {
            Some(_) => Repeated::FirstAnswer,
            None => Repeated::Rendered,
        };
        self.withdraw(new, once, repeated, render).await
    }

    async fn withdraw(
        &self,
        new: NewWithdrawal,
        once: Option<Once>,
        repeated: Repeated,
        render: impl Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        let wish = Arc::new(Wish {
            gateway: self.clone(),
            new,
            once,
            repeated,
            render,
        });
        let mut last = Error::Conflict("this withdrawal is being made by another request");
        for _ in 0..TRIES {
            match self.try_wish(&wish).await {
                // Somebody was first: what it made is found now.
                Err(error @ Error::AlreadyBooked) => last = error,
                Err(Error::Ledger(LedgerError::InsufficientFunds { account, .. })) => {
                    return Err(self.withdrawal_shortage(&wish.new, account).await);
                }
                other => return other,
            }
        }
        Err(last)
    }

    async fn try_wish<R>(&self, wish: &Arc<Wish<R>>) -> Result<Answer>
    where
        R: Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    {
        let again = wish.clone();
        let tried = self
            .book()
            .commit_grouped(needs(&wish.new), move |unit| {
                let wish = again.clone();
                Box::pin(async move { wish.fulfil(unit).await })
            })
            .await;
        if !matches!(tried, Err(Error::StepsOut)) {
            return tried;
        }
        // It is a transfer within the instance: it changes what its receiver has.
        let needs = self.needs_of_transfer(&wish.new).await?;
        let wish = wish.clone();
        self.book()
            .commit_decision(needs, move |unit| {
                let wish = wish.clone();
                Box::pin(async move { wish.fulfil(unit).await })
            })
            .await
    }

    async fn withdraw_in(&self, unit: &mut Unit, new: &NewWithdrawal) -> Result<OperationView> {
        // References are looked up, and daily sums judged, one withdrawal after the other.
        unit.lock_merchants(&BTreeSet::from([new.merchant_id]))
            .await?;
        let hash = request_hash(new);
        if let Some(foreign_id) = &new.foreign_id {
            let known = operations::find_by_reference(
                unit.conn(),
                self.currencies(),
                new.merchant_id,
                OperationKind::Withdrawal,
                foreign_id,
            )
            .await?;
            if let Some(known) = known {
                if known.request_hash.as_deref() != Some(hash.as_slice()) {
                    let message = "was used for another withdrawal already";
                    return Err(Error::invalid("foreign_id", message));
                }
                return self.operation_view(unit.conn(), known).await;
            }
        }
        let now = unit.now();
        let plan = self.plan_withdrawal(unit.conn(), new, now).await?;
        let paid_at_once = plan.internal.filter(|_| !plan.needs_approval);
        if let Some(chain_address_id) = paid_at_once {
            // It locks a charge or promises of whoever receives it.
            self.require_receiver(unit, chain_address_id).await?;
        }
        let row = self.hold_withdrawal(unit, new, &plan, hash).await?;
        let id = row.id;
        let view = self.told_withdrawal(unit, row).await?;
        let Some(chain_address_id) = paid_at_once else {
            return Ok(view);
        };
        self.pay_internally(unit, id, chain_address_id).await?;
        let row = operations::find(unit.conn(), self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        self.told_withdrawal(unit, row).await
    }

    async fn hold_withdrawal(
        &self,
        unit: &mut Unit,
        new: &NewWithdrawal,
        plan: &Plan,
        hash: [u8; 32],
    ) -> Result<OperationRow> {
        let (now, amounts) = (unit.now(), &plan.amounts);
        if let Some(priced) = &plan.priced {
            let until = now + Duration::seconds(1);
            let purpose = Purpose::Withdrawal;
            quote_store::insert(unit.conn(), new.merchant_id, purpose, priced, now, until).await?;
        }
        let operation = NewOperation {
            merchant_id: new.merchant_id,
            kind: match plan.priced {
                Some(_) => OperationKind::WithdrawalExchange,
                None => OperationKind::Withdrawal,
            },
            status: if plan.needs_approval {
                OperationStatus::Pending
            } else {
                OperationStatus::Processing
            },
            foreign_id: new.foreign_id.clone(),
            request_hash: Some(hash),
            sent: amounts.held,
            received_currency: amounts.sent.currency(),
            received: Some(amounts.sent),
            received_net: Some(amounts.sent),
            requested: amounts.requested,
            price: plan.priced.as_ref().map(|priced| priced.price),
            quote_id: plan.priced.as_ref().map(|priced| priced.id),
        };
        let operation = operations::insert(unit.conn(), self.currencies(), &operation, now)
            .await
            .map_err(taken_reference)?;
        let id = operation.id;
        for (kind, fee) in [
            (FeeKind::Exchange, amounts.exchange_fee),
            (FeeKind::Withdrawal, amounts.withdrawal_fee),
        ] {
            operations::insert_fee(unit.conn(), id, kind, fee).await?;
        }
        let payer = primary_wallet(new.merchant_id, amounts.held.currency().id);
        let (entry, holds) =
            with_ids(|ids| withdrawal_held(ids, payer, id, Fact::Request, amounts));
        unit.post(entry);
        let row = NewRow {
            operation_id: id,
            sent: amounts.sent,
            address: &plan.address,
            state: if plan.needs_approval {
                WithdrawalState::Pending
            } else {
                WithdrawalState::Queued
            },
            holds: &holds,
            requested_by: &new.requested_by,
            requested_user_id: new.requested_user_id,
            claim_id: None,
            internal: plan.internal.is_some(),
            confirmations_required: plan.confirmations_required,
        };
        store::insert(unit.conn(), &row, now).await?;
        Ok(operation)
    }

    async fn withdrawal_shortage(&self, new: &NewWithdrawal, account: AccountId) -> Error {
        match self.account_kind(account).await {
            Ok(AccountKind::Liquidity) => shortage(new.coin().code.as_str(), true, "amount"),
            Ok(_) => shortage(new.amount.currency().code.as_str(), false, "amount"),
            Err(error) => error,
        }
    }
}

/// A withdrawal somebody asks for, and how he is answered.
struct Wish<R> {
    gateway: Gateway,
    new: NewWithdrawal,
    once: Option<Once>,
    repeated: Repeated,
    render: R,
}

impl<R> Wish<R>
where
    R: Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync,
{
    async fn fulfil(&self, unit: &mut Unit) -> Result<Answer> {
        if let Some(first) = unit.claim(self.once.as_ref()).await? {
            return Ok(first);
        }
        let view = self.gateway.withdraw_in(unit, &self.new).await?;
        let rendered = (self.render)(&view);
        let answer = match self.repeated {
            Repeated::FirstAnswer => unit.first_answer(view.id, rendered).await?,
            Repeated::Rendered => Answer::fresh(rendered),
        };
        unit.remember(self.once.as_ref(), &answer).await?;
        Ok(answer)
    }
}

/// Limits and references are read under the merchant's lock; the rest are rows of the withdrawal's own.
fn needs(new: &NewWithdrawal) -> Needs {
    let (from, coin) = (new.amount.currency().id, new.coin().id);
    let mut accounts = vec![primary_wallet(new.merchant_id, from)];
    if from == coin {
        accounts.push(house(AccountKind::ChainHoldings, coin));
    } else {
        accounts.extend([
            house(AccountKind::Liquidity, from),
            house(AccountKind::Liquidity, coin),
            house(AccountKind::ChainHoldings, coin),
        ]);
    }
    Needs {
        owner: new.merchant_id,
        merchants: vec![new.merchant_id],
        rows: Vec::new(),
        accounts,
    }
}

fn request_hash(new: &NewWithdrawal) -> [u8; 32] {
    let wish = format!(
        "withdrawal\n{:?}\n{}\n{}\n{}",
        new.amount,
        new.coin().code,
        new.address.trim(),
        new.tag.as_deref().unwrap_or_default()
    );
    Sha256::digest(wish).into()
}
