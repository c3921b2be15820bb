//! Which coins to spend: a match that leaves no change if there is one, else the largest first.
//!
//! Invariant: the same request makes the same plan; nothing is drawn by lot. What the plan
//! promises stands in [`crate::coins`].

mod changeless;

use bitcoin::OutPoint;
use thiserror::Error;

use crate::chain::ChainParams;
use crate::coins::{ChangeScript, Coin, Payment, Plan};
use crate::draft::{Draft, FeeRule, checked_coins, grow};
use crate::fee::{FeeCaps, FeeRate};

/// A transaction to be made: what may be spent, what is to be paid. Several payments share it.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Coins nobody else is about to spend.
    pub coins: &'a [Coin],
    pub payments: &'a [Payment],
    /// Where change goes if there is any.
    pub change: &'a ChangeScript,
    pub fee_rate: FeeRate,
    pub caps: FeeCaps,
    /// Confirmations a coin needs; at least 1 is taken for less.
    pub confirmations_min: u32,
    pub chain: &'a ChainParams,
}

/// Why there is no such transaction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectionError {
    #[error("there is nothing to pay")]
    NothingToPay,
    #[error("{reference}: {satoshi} satoshis are less than the {dust} that nodes relay")]
    Dust {
        reference: String,
        satoshi: u64,
        dust: u64,
    },
    /// Satoshis that the coins together lack, the fee included.
    #[error("{missing} satoshis are missing")]
    NotEnough { missing: u64 },
    #[error("the fee would be {fee} satoshis, and at most {cap} are allowed")]
    FeeAboveCap { fee: u64, cap: u64 },
    #[error("the transaction would be heavier than nodes relay")]
    TooHeavy,
    /// More satoshis than a number holds, so more than there are.
    #[error("the amounts do not add up to anything that exists")]
    TooMuch,
    #[error("the output {0} has a script that cannot be spent here")]
    UnknownScript(OutPoint),
    #[error("the script for the change could not be spent here")]
    UnknownChangeScript,
}

/// Chooses coins and writes the plan.
///
/// # Errors
/// See [`SelectionError`].
pub fn select(request: &Selection<'_>) -> Result<Plan, SelectionError> {
    let rule = FeeRule {
        rate: request.fee_rate,
        replaced: None,
    };
    let draft = Draft::new(
        request.payments,
        request.change,
        rule,
        request.caps,
        request.chain,
    )?;
    let coins = checked_coins(request.coins, request.confirmations_min)?;
    if let Some(plan) = changeless::find(&draft, &coins) {
        return Ok(plan);
    }
    grow(&draft, &[], &coins)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod properties;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
