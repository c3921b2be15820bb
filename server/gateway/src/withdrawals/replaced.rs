//! The way out for a withdrawal whose coins another transaction took: an operator looks at the chain
//! and says what happened.

use domain::ledger::template::{Fact, withdrawal_settled, withdrawal_void};
use domain::view::operate::{ChangeRow, ReviewView};
use domain::withdrawal::WithdrawalEvent;
use serde_json::json;

use super::on_chain_store as on_chain;
use super::{WithdrawalRow, store};
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::ledger::{Unit, with_ids};
use crate::operations::{OperationRow, OperationStatus, store as operations};
use crate::operator::{audit_log, reason};
use crate::{Error, Gateway, Result};

const NOT_REPLACED: Error =
    Error::Conflict("this withdrawal is not one whose coins another transaction took");
const NOT_KNOWN: Error =
    Error::Conflict("the chain does not show yet which transaction took its coins");
const NOT_MINED: Error =
    Error::Conflict("the transaction that took its coins is not in a block yet");
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

    const fn event(self) -> WithdrawalEvent {
        match self {
            Self::Paid => WithdrawalEvent::ReplacedAndPaid,
            Self::NotPaid => WithdrawalEvent::ReplacedUnpaid,
        }
    }
}

impl Gateway {
    /// What deciding so would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nothing took its coins, or it has ended.
    pub async fn review_replaced(&self, id: i64, outcome: ReplacedOutcome) -> Result<ReviewView> {
        let mut conn = self.pool().acquire().await?;
        let operation = operations::find(&mut conn, self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        let row = store::find(&mut conn, self.currencies(), id).await?;
        let standing = on_chain::standing(&mut conn, id).await?;
        check(&operation, &row, &standing, outcome)?;
        drop(conn);
        self.require_mined(&row, &standing).await?;
        let (after, money, note) = match outcome {
            ReplacedOutcome::Paid => (
                "Settled",
                "has left",
                "Only when the receiver has the coins from the other transaction, deep in the \
                 chain: the held money leaves the books for good.",
            ),
            ReplacedOutcome::NotPaid => (
                "Called off",
                "is free again",
                "Only when the other transaction is so deep in the chain that this one can never \
                 be in a block: the held money can be spent again.",
            ),
        };
        let by = standing.replaced_by.map_or_else(
            || "The network refused it: its coins are spent.".to_owned(),
            |txid| format!("The other transaction is {txid}."),
        );
        let path = format!("/app/operate/suspense/{id}/replaced");
        Ok(ReviewView {
            title: format!("Review the end of withdrawal {id}"),
            rows: vec![
                ChangeRow {
                    label: "Withdrawal".to_owned(),
                    before: "On its way".to_owned(),
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
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let claim = store::claim_of(unit.conn(), id).await?;
                    lock_charge_of_claim(&gateway, unit, claim).await?;
                    let mut operation =
                        operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
                    let mut row = store::find(unit.conn(), gateway.currencies(), id).await?;
                    let standing = on_chain::standing(unit.conn(), id).await?;
                    check(&operation, &row, &standing, outcome)?;
                    let now = unit.now();
                    row.state = row.state.apply(outcome.event()).map_err(|_| NOT_REPLACED)?;
                    book(unit, &operation, &row, outcome);
                    if outcome == ReplacedOutcome::Paid {
                        // What paid is what the receiver will look for.
                        row.txid = standing.replaced_by.or(row.txid);
                    }
                    store::ended(unit.conn(), &row, &by).await?;
                    operation.needs_attention = false;
                    operation.error = error(outcome);
                    operation.become_status(status(outcome), now);
                    operations::update(unit.conn(), &operation).await?;
                    let data = json!({ "outcome": outcome.word(), "reason": why });
                    let object = operation.object();
                    let action = "withdrawal.replaced";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await?;
                    if let Some(claim) = row.claim_id {
                        let progress = match outcome {
                            ReplacedOutcome::Paid => RefundProgress::Confirmed,
                            ReplacedOutcome::NotPaid => RefundProgress::Failed,
                        };
                        withdrawal_changed(&gateway, unit, claim, progress).await?;
                    }
                    gateway.tell_withdrawal(unit, id).await
                })
            })
            .await
    }
}

impl Gateway {
    /// The other transaction is known, and waits for no block: as long as it may vanish, nobody knows
    /// what became of the money.
    async fn require_mined(
        &self,
        row: &WithdrawalRow,
        standing: &on_chain::Standing,
    ) -> Result<()> {
        // As deep in the chain as it would have to be itself.
        if standing.outcome.is_some() {
            return Ok(());
        }
        let Some(other) = &standing.replaced_by else {
            return Err(NOT_KNOWN);
        };
        let backend = &self.chains().of(row.sent.currency())?.backend;
        match backend.tx(other).await? {
            Some(_) => Err(NOT_MINED),
            None => Ok(()),
        }
    }
}

fn check(
    operation: &OperationRow,
    row: &WithdrawalRow,
    standing: &on_chain::Standing,
    outcome: ReplacedOutcome,
) -> Result<()> {
    if row.state.apply(outcome.event()).is_err() || !operation.needs_attention {
        Err(NOT_REPLACED)
    } else if standing.alive && standing.outcome.is_none() {
        Err(STILL_ALIVE)
    } else if standing.outcome.as_deref() == Some("failed") && outcome == ReplacedOutcome::Paid {
        Err(NEVER_PAID)
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

fn error(outcome: ReplacedOutcome) -> Option<String> {
    (outcome == ReplacedOutcome::NotPaid)
        .then(|| "another transaction took its coins; the money is back".to_owned())
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
