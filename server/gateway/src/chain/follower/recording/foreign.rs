//! Coins of ours that a transaction spends which nobody here made: a person who spends from the wallet
//! directly, or a thief.
//!
//! Invariant: of each such transaction people are told once, in the unit that stores it first.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use domain::money::Money;
use sqlx::PgConnection;

use super::{Payment, store};
use crate::Result;
use crate::chain::Chain;
use crate::chain::backend::{ChainTx, OutPoint};
use crate::chain::base_units;
use crate::ledger::Unit;
use crate::mail::tell_operators;

/// Coins a mail names; of more it says how many.
const NAMED_MAX: usize = 20;

/// A coin of ours in a transaction that is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Taken {
    pub(super) spender: String,
    pub(super) txid: String,
    pub(super) vout: i32,
    /// Base units.
    pub(super) raw: u128,
}

/// What `txs` spend of ours, apart from those in `ours`, which we made ourselves. `payments` are those
/// of `txs` to us: they may be spent as soon as they are made.
pub(super) async fn taken(
    conn: &mut PgConnection,
    chain: &Chain,
    txs: &[ChainTx],
    payments: &[Payment<'_>],
    ours: &[String],
) -> Result<Vec<Taken>> {
    let ours: HashSet<&str> = ours.iter().map(String::as_str).collect();
    let spends: Vec<(&str, &OutPoint)> = txs
        .iter()
        .filter(|tx| !ours.contains(tx.txid.as_str()))
        .flat_map(|tx| tx.inputs.iter().map(move |input| (tx.txid.as_str(), input)))
        .collect();
    if spends.is_empty() {
        return Ok(Vec::new());
    }
    let mut taken = store::taken(conn, chain.params.code, &spends).await?;
    taken.extend(taken_at_once(&spends, payments));
    // A block tells again what was stored when it waited.
    taken.sort_unstable();
    taken.dedup_by(|one, other| {
        (&one.spender, &one.txid, one.vout) == (&other.spender, &other.txid, other.vout)
    });
    Ok(taken)
}

/// Payments among the transactions that others of them spend.
fn taken_at_once(spends: &[(&str, &OutPoint)], payments: &[Payment<'_>]) -> Vec<Taken> {
    let made: BTreeMap<(&str, i32), u128> = payments
        .iter()
        .map(|payment| {
            let place = (payment.tx.txid.as_str(), payment.output.vout);
            (place, payment.output.raw)
        })
        .collect();
    spends
        .iter()
        .filter_map(|(spender, input)| {
            let raw = made.get(&(input.txid.as_str(), input.vout))?;
            Some(Taken {
                spender: (*spender).to_owned(),
                txid: input.txid.clone(),
                vout: input.vout,
                raw: *raw,
            })
        })
        .collect()
}

/// Tells the operators of the transactions that are not stored yet.
pub(super) async fn tell(unit: &mut Unit, chain: &Chain, taken: &[Taken]) -> Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    let code = chain.params.code;
    let mut by_spender: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for coin in taken {
        by_spender.entry(&coin.spender).or_default().push(coin);
    }
    let spenders: Vec<&str> = by_spender.keys().copied().collect();
    let known = store::known(unit.conn(), code, &spenders).await?;
    for (spender, coins) in by_spender {
        if known.iter().any(|txid| txid == spender) {
            continue;
        }
        tracing::error!(
            chain = code,
            txid = spender,
            coins = coins.len(),
            "a transaction that nobody here made spends coins of ours"
        );
        let total = coins.iter().map(|coin| coin.raw).sum();
        let subject = format!(
            "Coins of ours were spent elsewhere: {}",
            amount(chain, total)
        );
        tell_operators(unit, &subject, &text(chain, spender, &coins)).await?;
    }
    Ok(())
}

fn text(chain: &Chain, spender: &str, coins: &[&Taken]) -> String {
    let total = coins.iter().map(|coin| coin.raw).sum();
    let mut text = format!(
        "Transaction {spender} spends {} of ours, and no withdrawal or payout of this instance made \
         it. Its coins are not planned with any more; the books still hold them.\n\n",
        amount(chain, total)
    );
    for coin in coins.iter().take(NAMED_MAX) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} in {}:{}",
            amount(chain, coin.raw),
            coin.txid,
            coin.vout
        );
    }
    if let Some(more) = coins.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "and {more} more coins");
    }
    text.push_str(
        "\nIf nobody with the key did that, somebody else has the key: stop the signer and move the \
         other coins. `exchequer audit --chain` shows what the books and the chain differ by. What the \
         house took itself is booked with `exchequer own-funds take-out`.",
    );
    text
}

/// For people; more than the ledger holds is told in the chain's own units.
fn amount(chain: &Chain, raw: u128) -> String {
    let digits = base_units::digits(chain.params);
    let code = chain.params.code;
    match base_units::to_ledger(chain.coin, digits, raw) {
        Some(units) => format!("{} {code}", Money::from_units(units, chain.coin).shortest()),
        None => format!("{raw} base units of {code}"),
    }
}
