//! A replacement with a higher fee for a transaction that waits too long (BIP 125).
//!
//! Invariants: it spends all inputs of the earlier one, so only one of the two can be mined; it
//! makes the same payments; the fee comes out of the change first, then out of further confirmed
//! coins. That it evicts at most 100 transactions (rule 5) is for the node to say.

use thiserror::Error;

use crate::chain::ChainParams;
use crate::coins::{ChangeScript, Coin, Plan};
use crate::draft::{Draft, FeeRule, Replaced, checked_coins, grow};
use crate::fee::{FeeCaps, FeeRate};
use crate::script_kind::ScriptKind;
use crate::selection::SelectionError;

/// A replacement to be made.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// What was signed and sent before.
    pub earlier: &'a Plan,
    /// Virtual bytes that the signed transaction really has; at most those of its plan.
    pub earlier_vsize: u64,
    /// Satoshis of fee of unconfirmed transactions that spend its outputs: they leave with it.
    pub descendants_fee: u64,
    /// Coins that may be added. Those of the earlier transaction are left out.
    pub coins: &'a [Coin],
    /// Where change goes if the earlier one has none; its own otherwise.
    pub change: &'a ChangeScript,
    /// The rate wanted. What BIP 125 asks for is paid, if that is more.
    pub fee_rate: FeeRate,
    /// What the node wants on top (`incrementalrelayfee`).
    pub incremental: FeeRate,
    pub caps: FeeCaps,
    pub confirmations_min: u32,
    pub chain: &'a ChainParams,
}

/// Why there is no replacement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplacementError {
    /// The plan given is not one that was ever sent.
    #[error("the earlier transaction spends nothing")]
    NothingToReplace,
    #[error(transparent)]
    Selection(#[from] SelectionError),
}

/// Plans the replacement.
///
/// # Errors
/// See [`ReplacementError`].
pub fn replace(request: &Replacement<'_>) -> Result<Plan, ReplacementError> {
    let earlier = request.earlier;
    if earlier.inputs.is_empty() {
        return Err(ReplacementError::NothingToReplace);
    }
    let payments = earlier.payments();
    let own_change = earlier.change().map(|(_, change)| change);
    let change = own_change.as_ref().unwrap_or(request.change);
    let rule = FeeRule {
        rate: request.fee_rate,
        replaced: Some(Replaced {
            fee: earlier.fee,
            vsize: request.earlier_vsize,
            descendants_fee: request.descendants_fee,
            incremental: request.incremental,
        }),
    };
    let draft = Draft::new(&payments, change, rule, request.caps, request.chain)?;
    let mut start = Vec::new();
    for coin in &earlier.inputs {
        let kind =
            ScriptKind::of(&coin.script).ok_or(SelectionError::UnknownScript(coin.outpoint))?;
        start.push((coin, kind));
    }
    let mut more = checked_coins(request.coins, request.confirmations_min)?;
    more.retain(|(coin, _)| {
        earlier
            .inputs
            .iter()
            .all(|spent| spent.outpoint != coin.outpoint)
    });
    fits(&start, &more)?;
    Ok(grow(&draft, &start, &more)?)
}

/// The satoshis of both lists together have to fit into a number.
fn fits(start: &[(&Coin, ScriptKind)], more: &[(&Coin, ScriptKind)]) -> Result<(), SelectionError> {
    let mut coins = start.iter().chain(more);
    coins
        .try_fold(0_u64, |sum, (coin, _)| sum.checked_add(coin.satoshi))
        .map(|_| ())
        .ok_or(SelectionError::TooMuch)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
