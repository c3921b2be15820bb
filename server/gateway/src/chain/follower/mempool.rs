mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::money::Currency;
use time::OffsetDateTime;

use super::{looked_up, recording};
use crate::chain::Chain;
use crate::chain::backend::{ChainTx, OutPoint};
use crate::charges::receiving;
use crate::ledger::{Book, Unit};
use crate::{Gateway, Result, deposits};

/// Most transactions remembered per chain. Those beyond are fetched in every pass.
const REMEMBERED_MAX: usize = 200_000;

/// The node's mempool as far as this process has looked at it.
#[derive(Default)]
pub(super) struct MempoolView {
    /// What each transaction spends; ours or not, as either may replace the other.
    inputs: HashMap<String, Vec<OutPoint>>,
    /// Since when (instance clock) a transaction of ours is neither here nor in a block.
    missing_since: HashMap<String, OffsetDateTime>,
}

/// What one pass found out.
struct Change {
    /// Seen for the first time by this process; most are not ours.
    unseen: Vec<ChainTx>,
    /// Ours that are gone because another transaction spends the same: `(lost, spender)`.
    replaced: Vec<(String, String)>,
    /// Ours that are gone without a trace.
    dropped: Vec<String>,
}

/// Records what came into the mempool and what left it without getting into a block.
///
/// `snapshot` is the mempool on top of the block at `height`, our tip. True when some of ours are
/// gone: what needed no block may have been lost.
pub(super) async fn follow(
    gateway: &Gateway,
    book: &Book,
    chain: &Chain,
    view: &mut MempoolView,
    height: i64,
    snapshot: Vec<String>,
) -> Result<bool> {
    let present: HashSet<&str> = snapshot.iter().map(String::as_str).collect();
    view.inputs
        .retain(|txid, _| present.contains(txid.as_str()));
    let unseen = fetch_unseen(chain, view, &snapshot).await?;
    let waiting = store::unconfirmed(gateway.pool(), chain.params.code);
    let waiting = looked_up(gateway, waiting).await?;
    let missing = waiting
        .into_iter()
        .filter(|txid| !present.contains(txid.as_str()))
        .collect();
    let change = judge(gateway, chain, view, unseen, missing).await?;
    if change.unseen.is_empty() && change.replaced.is_empty() && change.dropped.is_empty() {
        return Ok(false);
    }
    let some_are_gone = !change.replaced.is_empty() || !change.dropped.is_empty();
    let looked_at: Vec<(String, Vec<OutPoint>)> = change
        .unseen
        .iter()
        .map(|tx| (tx.txid.clone(), tx.inputs.clone()))
        .collect();
    let (owner, coin) = (gateway.clone(), chain.coin);
    book.commit(move |unit| {
        Box::pin(async move { write(&owner, unit, coin, height, change).await })
    })
    .await?;
    // Only now: a failed unit has to look at them again.
    let room = REMEMBERED_MAX.saturating_sub(view.inputs.len());
    view.inputs.extend(looked_at.into_iter().take(room));
    Ok(some_are_gone)
}

async fn fetch_unseen(
    chain: &Chain,
    view: &MempoolView,
    snapshot: &[String],
) -> Result<Vec<ChainTx>> {
    let asked: Vec<String> = snapshot
        .iter()
        .filter(|txid| !view.inputs.contains_key(*txid))
        .cloned()
        .collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    // One that left since the snapshot is the next pass's business.
    chain.backend.txs(&asked).await
}

/// Finds out why those of ours are missing.
async fn judge(
    gateway: &Gateway,
    chain: &Chain,
    view: &mut MempoolView,
    unseen: Vec<ChainTx>,
    missing: Vec<String>,
) -> Result<Change> {
    if missing.is_empty() {
        view.missing_since.clear();
        return Ok(Change {
            unseen,
            replaced: Vec::new(),
            dropped: Vec::new(),
        });
    }
    let spends = store::spends(gateway.pool(), chain.params.code, &missing);
    let spends = looked_up(gateway, spends).await?;
    let known = view
        .inputs
        .iter()
        .map(|(txid, inputs)| (txid.as_str(), inputs.as_slice()));
    let fresh = unseen
        .iter()
        .map(|tx| (tx.txid.as_str(), tx.inputs.as_slice()));
    let replaced = find_replacements(&spends, known.chain(fresh));
    let gone: Vec<String> = missing
        .into_iter()
        .filter(|txid| !replaced.contains_key(txid))
        .collect();
    let now = gateway.clock().now();
    let dropped = view.overdue(gone, now, chain.backend.drop_grace());
    Ok(Change {
        unseen,
        replaced: replaced.into_iter().collect(),
        dropped,
    })
}

async fn write(
    gateway: &Gateway,
    unit: &mut Unit,
    coin: Currency,
    height: i64,
    change: Change,
) -> Result<()> {
    let chain = gateway.chains().of(coin)?;
    let code = chain.params.code;
    super::store::plan_for_any_number(unit.conn()).await?;
    super::store::mark_replaced(unit.conn(), code, &change.replaced).await?;
    store::mark_dropped(unit.conn(), code, &change.dropped).await?;
    let outputs = recording::record(unit, chain, &change.unseen, None).await?;
    if outputs.is_empty() && change.replaced.is_empty() && change.dropped.is_empty() {
        return Ok(());
    }
    let receipts = receiving::record_outputs(gateway, unit, &outputs, false).await?;
    let arrived = deposits::record_outputs(gateway, unit, &outputs).await?;
    receiving::settle(gateway, unit, coin, height, receipts).await?;
    deposits::settle(gateway, unit, coin, height, arrived).await
}

impl MempoolView {
    /// Those of `gone` that have been gone for the whole `grace`.
    fn overdue(
        &mut self,
        gone: Vec<String>,
        now: OffsetDateTime,
        grace: time::Duration,
    ) -> Vec<String> {
        let since = std::mem::take(&mut self.missing_since);
        self.missing_since = gone
            .into_iter()
            .map(|txid| {
                let at = since.get(&txid).copied().unwrap_or(now);
                (txid, at)
            })
            .collect();
        let over = |since: OffsetDateTime| now - since >= grace;
        let mut overdue: Vec<String> = self
            .missing_since
            .iter()
            .filter(|(_, at)| over(**at))
            .map(|(txid, _)| txid.clone())
            .collect();
        overdue.sort_unstable();
        overdue
    }
}

/// Which of the transactions behind `spends` were replaced by one of the mempool, and by which.
fn find_replacements<'a>(
    spends: &[(String, OutPoint)],
    mempool: impl Iterator<Item = (&'a str, &'a [OutPoint])>,
) -> BTreeMap<String, String> {
    let mut claims: HashMap<&OutPoint, Vec<&str>> = HashMap::new();
    for (txid, input) in spends {
        claims.entry(input).or_default().push(txid);
    }
    let mut replaced: BTreeMap<String, String> = BTreeMap::new();
    for (spender, inputs) in mempool {
        for lost in inputs
            .iter()
            .filter_map(|input| claims.get(input))
            .flatten()
        {
            // With several spenders any is true; the smallest is the same on every run.
            replaced
                .entry((*lost).to_owned())
                .and_modify(|known| {
                    if spender < known.as_str() {
                        *known = spender.to_owned();
                    }
                })
                .or_insert_with(|| spender.to_owned());
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn input(txid: &str, vout: i32) -> OutPoint {
        OutPoint {
            txid: txid.to_owned(),
            vout,
        }
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    #[track_caller]
    fn check(
        spends: &[(&str, OutPoint)],
        mempool: &[(&str, &[OutPoint])],
        expected: &[(&str, &str)],
    ) {
        let spends: Vec<(String, OutPoint)> = spends
            .iter()
            .map(|(txid, input)| ((*txid).to_owned(), input.clone()))
            .collect();
        let found = find_replacements(&spends, mempool.iter().copied());
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(lost, spender)| (lost.as_str(), spender.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_transaction_is_replaced_by_one_that_spends_any_of_its_inputs() {
        check(
            &[("lost", input("a", 0)), ("lost", input("b", 1))],
            &[
                ("other", &[input("c", 0)]),
                ("thief", &[input("z", 9), input("b", 1)]),
            ],
            &[("lost", "thief")],
        );
    }

    #[test]
    fn another_output_of_the_same_transaction_is_no_conflict() {
        check(
            &[("lost", input("a", 0))],
            &[("other", &[input("a", 1)])],
            &[],
        );
    }

    #[test]
    fn one_spender_may_replace_several_and_of_several_the_smallest_is_named() {
        check(
            &[
                ("first", input("a", 0)),
                ("second", input("b", 0)),
                ("second", input("c", 0)),
            ],
            &[
                ("y", &[input("c", 0)]),
                ("x", &[input("a", 0), input("b", 0)]),
            ],
            &[("first", "x"), ("second", "x")],
        );
    }

    #[test]
    fn a_missing_transaction_is_dropped_after_the_grace_and_not_before() {
        let mut view = MempoolView::default();
        let grace = Duration::seconds(60);
        let gone = || vec!["t".to_owned()];
        assert!(view.overdue(gone(), at(0), grace).is_empty());
        assert!(view.overdue(gone(), at(59), grace).is_empty());
        assert_eq!(view.overdue(gone(), at(60), grace), ["t"]);
    }

    #[test]
    fn the_grace_starts_again_when_a_transaction_was_back() {
        let mut view = MempoolView::default();
        let grace = Duration::seconds(60);
        assert!(view.overdue(vec!["t".to_owned()], at(0), grace).is_empty());
        assert!(view.overdue(Vec::new(), at(30), grace).is_empty());
        assert!(view.overdue(vec!["t".to_owned()], at(70), grace).is_empty());
    }

    #[test]
    fn without_grace_a_missing_transaction_is_dropped_at_once() {
        let mut view = MempoolView::default();
        assert_eq!(
            view.overdue(vec!["t".to_owned()], at(0), Duration::ZERO),
            ["t"]
        );
    }
}
