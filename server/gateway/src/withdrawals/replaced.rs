//! The way out for a withdrawal whose coins another transaction took: an operator looks at the chain
//! and says what happened. One of which nothing was signed is called off in the same way.
//!
//! Invariant: nothing ends that can still be mined, and nothing that ended is sent.

use domain::ledger::template::{Fact, withdrawal_settled, withdrawal_void};
use domain::view::operate::{ChangeRow, ReviewView};
use domain::withdrawal::{WithdrawalEvent, WithdrawalState};
use serde_json::json;

use super::on_chain_store as on_chain;
use super::replaced_words as words;
use super::sending_store::{self, Sending};
use super::{WithdrawalRow, store};
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::ledger::{Unit, with_ids};
use crate::operations::{OperationRow, OperationStatus, store as operations};
use crate::operator::{audit_log, reason};
use crate::{Error, Gateway, Result, payouts, treasury};

const NOT_REPLACED: Error =
    Error::Conflict("this withdrawal is not one whose coins another transaction took");
const NOT_KNOWN: Error =
    Error::Conflict("the chain does not show yet which transaction took its coins");
const NOT_DEEP: Error =
    Error::Conflict("the transaction that took its coins is not deep enough in the chain yet");
const MAY_BE_MINED: Error =
    Error::Conflict("a transaction that pays it is signed and can still be mined");
const MEANWHILE: Error = Error::Conflict("it has changed in the meantime; look again");
const NEVER_PAID: Error = Error::Conflict(
    "its own transaction is in the chain and failed: nothing has paid the receiver",
);
const STILL_ALIVE: Error =
    Error::Conflict("its transaction waits for a block or is in one; nothing is to be decided");

/// What became of the receiver's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplacedOutcome {
    /// The other transaction paid the receiver.
    Paid,
    /// The receiver has nothing, and never will from this withdrawal.
    NotPaid,
}

impl ReplacedOutcome {
    /// The word of forms and of the audit log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::NotPaid => "not-paid",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Paid, Self::NotPaid]
            .into_iter()
            .find(|outcome| outcome.word() == word)
    }

    const fn event(self, state: WithdrawalState) -> WithdrawalEvent {
        match (self, state) {
            (Self::Paid, _) => WithdrawalEvent::ReplacedAndPaid,
            (Self::NotPaid, WithdrawalState::Queued) => WithdrawalEvent::CalledOff,
            (Self::NotPaid, _) => WithdrawalEvent::ReplacedUnpaid,
        }
    }
}

impl Gateway {
    /// What deciding so would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nothing took its coins for good (the other
    /// transaction has the blocks that make the largest deposit final), when something was signed that can still
    /// be mined, or it has ended.
    pub async fn review_replaced(&self, id: i64, outcome: ReplacedOutcome) -> Result<ReviewView> {
        let mut conn = self.pool().acquire().await?;
        let operation = operations::find(&mut conn, self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        let row = store::find(&mut conn, self.currencies(), id).await?;
        let deep = self.final_depth(&mut conn, row.sent.currency()).await?;
        let standing = on_chain::standing(&mut conn, id, deep).await?;
        check(&operation, &row, &standing, deep, outcome)?;
        drop(conn);
        let is_queued = row.state == WithdrawalState::Queued;
        if !is_queued || standing.outcome.is_some() {
            self.require_gone(&row, &standing, deep).await?;
        }
        let ended = standing.outcome.as_deref();
        let (after, money, note) = words::consequence(outcome, row.state, ended);
        let by = words::cause(self, &row, &standing);
        let path = format!("/app/operate/suspense/{id}/replaced");
        Ok(ReviewView {
            title: format!("Review the end of withdrawal {id}"),
            rows: vec![
                ChangeRow {
                    label: "Withdrawal".to_owned(),
                    before: if is_queued { "Queued" } else { "On its way" }.to_owned(),
                    after: after.to_owned(),
                },
                ChangeRow {
                    label: row.holds(&operation).payer.amount.to_string(),
                    before: "is held".to_owned(),
                    after: money.to_owned(),
                },
            ],
            notes: vec![by, note.to_owned()],
            hidden: vec![("outcome".to_owned(), outcome.word().to_owned())],
            action: path,
            back: "/app/operate/suspense".to_owned(),
            reason: String::new(),
            notice: None,
        })
    }

    /// Ends such a withdrawal: settles or frees what it holds, tells the merchant, and records who
    /// found it out and why, in one transaction.
    ///
    /// # Errors
    /// As [`Self::review_replaced`]; [`Error::Invalid`] on `reason`.
    pub async fn end_replaced(
        &self,
        id: i64,
        outcome: ReplacedOutcome,
        why: &str,
        by: &str,
    ) -> Result<()> {
        let (gateway, why, by) = (self.clone(), reason(why)?, by.to_owned());
        // The node is asked before anything is locked; what it said is checked again by the tables.
        self.review_replaced(id, outcome).await?;
        let needs = self.needs_of_end(id).await?;
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, why, by) = (gateway.clone(), why.clone(), by.clone());
                Box::pin(async move { gateway.end_in(unit, id, outcome, &why, &by).await })
            })
            .await
    }

    async fn end_in(
        &self,
        unit: &mut Unit,
        id: i64,
        outcome: ReplacedOutcome,
        why: &str,
        by: &str,
    ) -> Result<()> {
        let currencies = self.currencies();
        let payout = store::payout_of(unit.conn(), id).await?;
        // Nothing is sent between this look and its end.
        sending_store::keep_from(unit.conn(), Sending::of(id, payout)).await?;
        let claim = store::claim_of(unit.conn(), id).await?;
        lock_charge_of_claim(self, unit, claim).await?;
        let riders = match payout {
            // It may have left its payout since it was looked at.
            Some(payout) => payouts::lock_with(unit, currencies, payout, Some(id)).await?,
            None => Vec::new(),
        };
        let mut operation = operations::lock_one(unit.conn(), currencies, id).await?;
        let mut row = store::find(unit.conn(), currencies, id).await?;
        if row.payout_id != payout || (payout.is_some() && !riders.contains(&id)) {
            return Err(MEANWHILE);
        }
        let deep = self.final_depth(unit.conn(), row.sent.currency()).await?;
        let standing = on_chain::standing(unit.conn(), id, deep).await?;
        check(&operation, &row, &standing, deep, outcome)?;
        let now = unit.now();
        let before = row.state;
        row.state = row
            .state
            .apply(outcome.event(before))
            .map_err(|_| NOT_REPLACED)?;
        if let (WithdrawalState::Queued, Some(payout)) = (before, payout) {
            payouts::take_apart(unit, currencies, payout, "a withdrawal of it has ended").await?;
        }
        book(unit, &operation, &row, outcome);
        if outcome == ReplacedOutcome::Paid {
            // What paid is what the receiver will look for.
            row.txid = standing.replaced_by.or(row.txid);
        }
        store::ended(unit.conn(), &row, by).await?;
        operation.needs_attention = false;
        operation.error = words::error(outcome, before, standing.outcome.as_deref());
        operation.become_status(status(outcome), now);
        operations::update(unit.conn(), &operation).await?;
        let data = json!({ "outcome": outcome.word(), "reason": why });
        let object = operation.object();
        let action = "withdrawal.replaced";
        audit_log::record(unit.conn(), now, by, action, &object, &data).await?;
        if let Some(claim) = row.claim_id {
            let progress = match outcome {
                ReplacedOutcome::Paid => RefundProgress::Confirmed {
                    txid: row.txid.clone(),
                },
                ReplacedOutcome::NotPaid => RefundProgress::Failed,
            };
            withdrawal_changed(self, unit, claim, progress).await?;
        }
        self.tell_withdrawal(unit, id).await
    }

    /// The other transaction is known, and waits for no block: whatever the tables say, as long as it may
    /// vanish, nobody knows what became of the money.
    async fn require_gone(
        &self,
        row: &WithdrawalRow,
        standing: &on_chain::Standing,
        deep: i64,
    ) -> Result<()> {
        match standing.outcome.as_deref() {
            // Found out at the depth of a payment, and a reorganisation gives numbers back.
            Some("taken") => {
                let coin = row.sent.currency();
                let is_used = treasury::is_used_up(self, coin, row.operation_id, deep).await?;
                return if is_used { Ok(()) } else { Err(NOT_DEEP) };
            }
            // The tables say whether its block is deep enough.
            Some(_) => return Ok(()),
            None => {}
        }
        let Some(other) = &standing.replaced_by else {
            return Err(NOT_KNOWN);
        };
        let backend = &self.chains().of(row.sent.currency())?.backend;
        match backend.tx(other).await? {
            Some(_) => Err(NOT_DEEP),
            None => Ok(()),
        }
    }
}

fn check(
    operation: &OperationRow,
    row: &WithdrawalRow,
    standing: &on_chain::Standing,
    deep: i64,
    outcome: ReplacedOutcome,
) -> Result<()> {
    let is_queued = row.state == WithdrawalState::Queued;
    let is_known = operation.needs_attention || is_queued;
    if row.internal || row.state.apply(outcome.event(row.state)).is_err() || !is_known {
        Err(NOT_REPLACED)
    } else if standing.alive && standing.outcome.is_none() {
        Err(STILL_ALIVE)
    } else if let Some(ended) = standing.outcome.as_deref() {
        if ended == "failed" && outcome == ReplacedOutcome::Paid {
            Err(NEVER_PAID)
        } else {
            Ok(())
        }
    } else if is_queued {
        // Nobody has a signature of it, or what was signed by somebody is dead.
        if standing.may_be_mined {
            Err(MAY_BE_MINED)
        } else {
            Ok(())
        }
    } else if standing.replaced_by.is_none() {
        Err(NOT_KNOWN)
    } else if standing.depth < deep {
        Err(NOT_DEEP)
    } else if standing.may_be_mined {
        Err(MAY_BE_MINED)
    } else {
        Ok(())
    }
}

fn book(unit: &mut Unit, operation: &OperationRow, row: &WithdrawalRow, outcome: ReplacedOutcome) {
    let payer = WithdrawalRow::payer(operation);
    let (amounts, holds) = (row.amounts(operation), row.holds(operation));
    unit.post(with_ids(|ids| match outcome {
        ReplacedOutcome::Paid => withdrawal_settled(ids, payer, operation.id, &amounts, &holds),
        ReplacedOutcome::NotPaid => {
            withdrawal_void(ids, payer, operation.id, Fact::Request, &holds)
        }
    }));
}

fn status(outcome: ReplacedOutcome) -> OperationStatus {
    match outcome {
        ReplacedOutcome::Paid => OperationStatus::Confirmed,
        ReplacedOutcome::NotPaid => OperationStatus::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for outcome in [ReplacedOutcome::Paid, ReplacedOutcome::NotPaid] {
            assert_eq!(ReplacedOutcome::from_word(outcome.word()), Some(outcome));
        }
        assert_eq!(ReplacedOutcome::from_word(""), None);
    }
}
