//! Branch and bound for a set of coins that pays exactly enough, so that no change is needed.
//!
//! Too much by less than change would cost is exactly enough. The search is bounded, and takes the
//! set that wastes least among those it saw.

use crate::coins::{Coin, Plan};
use crate::draft::{Draft, Tally};
use crate::script_kind::ScriptKind;

/// Steps of the search; each is a comparison and an addition.
const STEPS_MAX: u32 = 100_000;

/// Values are counted in 4000ths of a satoshi: what one weight unit costs at one satoshi for 1000
/// virtual bytes. So nothing is rounded before the end.
const FINE: i128 = 4_000;

/// What a coin brings after the fee for spending it.
struct Candidate<'a> {
    coin: &'a Coin,
    kind: ScriptKind,
    value: i128,
}

/// A plan without change, if the search meets one that the fee rule and the cap allow.
pub(super) fn find(draft: &Draft<'_>, coins: &[(&Coin, ScriptKind)]) -> Option<Plan> {
    let rate = i128::from(draft.fee.rate.sat_per_kvb());
    let cost = |weight: u64| i128::from(weight) * rate;
    let mut candidates: Vec<Candidate<'_>> = coins
        .iter()
        .map(|(coin, kind)| Candidate {
            coin,
            kind: *kind,
            value: i128::from(coin.satoshi) * FINE - cost(kind.input_weight()),
        })
        .filter(|candidate| candidate.value > 0)
        .collect();
    candidates.sort_by(|a, b| (b.value, &a.coin.outpoint).cmp(&(a.value, &b.coin.outpoint)));
    let target = i128::from(draft.paid) * FINE + cost(draft.weight_without_inputs());
    // What change would cost, and what rounding up twice can add.
    let ceiling = target + cost(draft.weight_of_change()) + 2 * FINE;
    let mut best: Option<(i128, Plan)> = None;
    let mut search = Search::new(&candidates, target, ceiling);
    for _ in 0..STEPS_MAX {
        if search.is_match()
            && best.as_ref().is_none_or(|(sum, _)| search.sum < *sum)
            && let Some(plan) = plan_of(draft, &candidates, &search.chosen)
        {
            best = Some((search.sum, plan));
        }
        if !search.step() {
            break;
        }
    }
    best.map(|(_, plan)| plan)
}

fn plan_of(draft: &Draft<'_>, candidates: &[Candidate<'_>], chosen: &[usize]) -> Option<Plan> {
    let picked = chosen.iter().filter_map(|index| candidates.get(*index));
    let mut tally = Tally::default();
    let mut inputs = Vec::new();
    for candidate in picked {
        tally.add(candidate.coin, candidate.kind);
        inputs.push(candidate.coin.clone());
    }
    // The exact figures decide; the sums above were only a guide to here.
    let settled = draft.settle(&tally).ok()?;
    settled
        .change
        .is_none()
        .then(|| draft.plan(inputs, settled))
}

/// A walk through the sets of candidates, taking each before leaving it out.
struct Search {
    values: Vec<i128>,
    /// At each position, the sum of all values from there on.
    reachable: Vec<i128>,
    target: i128,
    ceiling: i128,
    chosen: Vec<usize>,
    sum: i128,
    next: usize,
}

impl Search {
    fn new(candidates: &[Candidate<'_>], target: i128, ceiling: i128) -> Self {
        let values: Vec<i128> = candidates.iter().map(|c| c.value).collect();
        let mut reachable = vec![0; values.len() + 1];
        let mut sum = 0;
        for (slot, value) in reachable.iter_mut().rev().skip(1).zip(values.iter().rev()) {
            sum += value;
            *slot = sum;
        }
        Self {
            values,
            reachable,
            target,
            ceiling,
            chosen: Vec::new(),
            sum: 0,
            next: 0,
        }
    }

    fn is_match(&self) -> bool {
        self.sum >= self.target && self.sum <= self.ceiling
    }

    /// Goes to the next set; `false` when there is none.
    fn step(&mut self) -> bool {
        let rest = self.reachable.get(self.next).copied().unwrap_or(0);
        let promising = self.sum < self.target && self.sum + rest >= self.target;
        if let (true, Some(value)) = (promising, self.values.get(self.next)) {
            self.sum += value;
            self.chosen.push(self.next);
            self.next += 1;
            return true;
        }
        let Some(last) = self.chosen.pop() else {
            return false;
        };
        let left_out = self.values.get(last).copied().unwrap_or(0);
        self.sum -= left_out;
        self.next = last + 1;
        // Another one of the same value would make the same sums again.
        while self.values.get(self.next) == Some(&left_out) {
            self.next += 1;
        }
        true
    }
}
