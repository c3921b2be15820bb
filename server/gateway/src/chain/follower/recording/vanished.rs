//! Payments that a transaction made in one block and does not make in another: where contracts pay, it may
//! pay less often when it is run again.
//!
//! Invariant: of a transaction in a block only those outputs are stored that the block has, so that nobody is
//! credited with what the chain took back.

use std::collections::HashSet;

use super::store::StoredOutputs;
use super::{Payment, store};
use crate::Result;
use crate::chain::Chain;
use crate::ledger::Unit;
use crate::mail::tell_operators;

/// Outputs a mail names; of more it says how many.
const NAMED_MAX: usize = 20;

/// Forgets what is `stored` of transactions, which are in a block now, and is not among their `payments`.
/// People are told: what was final already stays booked until one of them has looked.
pub(super) async fn forget(
    unit: &mut Unit,
    chain: &Chain,
    stored: &StoredOutputs,
    payments: &[Payment<'_>],
) -> Result<()> {
    let code = chain.params.code;
    let made: HashSet<(&str, i32)> = payments
        .iter()
        .map(|payment| (payment.tx.txid.as_str(), payment.output.vout))
        .collect();
    let gone: Vec<(&str, i32)> = stored
        .places()
        .filter(|place| !made.contains(place))
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    store::forget_outputs(unit.conn(), code, &gone).await?;
    let named: Vec<String> = gone
        .iter()
        .take(NAMED_MAX)
        .map(|(txid, vout)| format!("{txid}:{vout}"))
        .collect();
    let (count, named) = (gone.len(), named.join("\n"));
    tracing::error!(
        chain = code,
        count,
        "payments vanished from their transactions"
    );
    let subject = format!("{code}: payments vanished from their transactions");
    let text = format!(
        "A reorganisation of the chain ran transactions again, and they do not make {count} payments to \
         addresses of this instance any more. What was not final counts as never paid. What was final is \
         still booked: a person has to look.\n\nAmong them:\n{named}"
    );
    tell_operators(unit, &subject, &text).await
}
