//! What a person is told who decides the end of a withdrawal: what happened, whether money moved, and what either
//! answer does.

use domain::withdrawal::WithdrawalState;

use super::on_chain_store::Standing;
use super::{ReplacedOutcome, WithdrawalRow};
use crate::chain::base_units;
use crate::{Gateway, treasury};

/// What becomes of the withdrawal, of the held money, and when that is the right answer.
pub(super) fn consequence(
    outcome: ReplacedOutcome,
    state: WithdrawalState,
    ended: Option<&str>,
) -> (&'static str, &'static str, &'static str) {
    let (after, money) = match outcome {
        ReplacedOutcome::Paid => ("Settled", "has left"),
        ReplacedOutcome::NotPaid => ("Called off", "is free again"),
    };
    let note = match (outcome, ended) {
        (ReplacedOutcome::Paid, Some("unclear")) => {
            "Only when the receiver is content with what arrived, or gets the rest from you in another way: the \
             held money leaves the books for good."
        }
        (ReplacedOutcome::NotPaid, Some("unclear")) => {
            "Only when the receiver keeps nothing of what arrived, or you bear it: all of the held money can be \
             spent again."
        }
        (ReplacedOutcome::NotPaid, Some("failed")) => {
            "The receiver has nothing, and gets nothing by this withdrawal any more: the held money can be spent \
             again."
        }
        (ReplacedOutcome::Paid, _) => {
            "Only when the receiver has the coins from the other transaction, deep in the chain: the held money \
             leaves the books for good."
        }
        (ReplacedOutcome::NotPaid, None) if state == WithdrawalState::Queued => {
            "Nothing was sent for it, and nothing will be: the held money can be spent again."
        }
        (ReplacedOutcome::NotPaid, _) => {
            "Only when the other transaction is so deep in the chain that this one can never be in a block: the \
             held money can be spent again."
        }
    };
    (after, money, note)
}

/// What the chain shows, and whether money moved.
pub(super) fn cause(gateway: &Gateway, row: &WithdrawalRow, standing: &Standing) -> String {
    if let Some(text) = unclear(gateway, row, standing) {
        return text;
    }
    let text = match (standing.outcome.as_deref(), &standing.replaced_by) {
        (Some("failed"), _) => {
            "Its transaction is in the chain and failed: it moved nothing, and its gas is paid."
        }
        (Some(_), _) => {
            "Its number was used by a transaction that nobody brought here: look on the chain whether that one \
             paid the receiver."
        }
        (None, _) if row.state == WithdrawalState::Queued => "Nothing that pays it is signed.",
        (None, Some(txid)) => return format!("The other transaction is {txid}."),
        (None, None) => "The network refused it: its coins are spent.",
    };
    text.to_owned()
}

/// What a token did that keeps a part of what is sent.
fn unclear(gateway: &Gateway, row: &WithdrawalRow, standing: &Standing) -> Option<String> {
    let (moved, arrived) = standing.moved.as_ref()?;
    let coin = row.sent.currency();
    let digits = base_units::digits(gateway.chains().of(coin).ok()?.params);
    let shown = |raw: &str| {
        raw.parse::<u128>().map_or_else(
            |_| format!("{raw} base units"),
            |raw| treasury::shown(coin, digits, raw),
        )
    };
    Some(format!(
        "Its transaction is in the chain and moved something else than planned: {} left the account that \
         pays, and {} arrived, as the token says. Paid books the whole amount as gone, not paid gives all of \
         it back; the difference is the house's either way.",
        shown(moved),
        shown(arrived)
    ))
}

/// What the merchant reads at its end; `None` when it was paid.
pub(super) fn error(
    outcome: ReplacedOutcome,
    before: WithdrawalState,
    ended: Option<&str>,
) -> Option<String> {
    let text = match (outcome, before, ended) {
        (ReplacedOutcome::Paid, _, _) => return None,
        (ReplacedOutcome::NotPaid, WithdrawalState::Queued, _) => {
            "called off before anything was sent; the money is back"
        }
        (ReplacedOutcome::NotPaid, _, Some("failed")) => {
            "its transaction failed on the chain; the money is back"
        }
        (ReplacedOutcome::NotPaid, _, Some("unclear")) => {
            "its transaction did not pay what was planned; the money is back"
        }
        (ReplacedOutcome::NotPaid, _, Some(_)) => {
            "another transaction took its number; the money is back"
        }
        (ReplacedOutcome::NotPaid, _, None) => {
            "another transaction took its coins; the money is back"
        }
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What failed or moved in part was taken by nobody, and nobody is told so.
    #[test]
    fn another_transaction_is_named_only_where_there_is_one() {
        for ended in ["failed", "unclear"] {
            for outcome in [ReplacedOutcome::Paid, ReplacedOutcome::NotPaid] {
                if (outcome, ended) == (ReplacedOutcome::Paid, "failed") {
                    // Refused before anybody reads it.
                    continue;
                }
                let state = WithdrawalState::Broadcast;
                let (_, _, note) = consequence(outcome, state, Some(ended));
                assert!(!note.contains("other transaction"), "{note}");
                let told = error(outcome, state, Some(ended)).unwrap_or_default();
                assert!(!told.contains("another transaction"), "{told}");
            }
        }
        let taken = error(
            ReplacedOutcome::NotPaid,
            WithdrawalState::Broadcast,
            Some("taken"),
        );
        assert!(taken.is_some_and(|text| text.contains("number")));
    }
}
