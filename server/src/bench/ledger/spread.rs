//! Which accounts a transfer is between.
//!
//! Invariant: the same place in a run gives the same accounts, so that runs compare.

use std::sync::Arc;

/// Weight of the most wanted account; of number `n` it is this by `n`.
const HEAVIEST: u64 = 1_000_000_000_000;

/// How transfers lie on the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Load {
    /// Any two.
    Uniform,
    /// From any to always the same one.
    Hot,
    /// Both sides by Zipf's law with exponent 1: number `n` is wanted `n` times more seldom than the
    /// first one.
    Zipf,
}

/// Accounts 1 to at least 2. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    accounts: u32,
    /// Weights of the accounts up to each one, in their order.
    weights: Arc<[u64]>,
}

impl Spread {
    pub(super) fn over(accounts: u32) -> Self {
        let accounts = accounts.max(2);
        let mut sum = 0_u64;
        let weights = (1..=u64::from(accounts))
            .map(|number| {
                sum = sum.saturating_add(HEAVIEST / number);
                sum
            })
            .collect();
        Self { accounts, weights }
    }

    /// Debit and credit, never the same.
    pub(super) fn pair(&self, load: Load, seed: u64) -> (u32, u32) {
        let (first, second) = (mixed(seed), mixed(seed ^ u64::MAX));
        let (debit, credit) = match load {
            Load::Uniform => (self.any(first), self.any(second)),
            Load::Hot => (self.any(first), 1),
            Load::Zipf => (self.wanted(first), self.wanted(second)),
        };
        if debit == credit {
            // The one after it, round the corner.
            return (debit % self.accounts + 1, credit);
        }
        (debit, credit)
    }

    fn any(&self, random: u64) -> u32 {
        let number = random % u64::from(self.accounts) + 1;
        u32::try_from(number).unwrap_or(1)
    }

    fn wanted(&self, random: u64) -> u32 {
        let all = self.weights.last().copied().unwrap_or(1);
        let point = random % all;
        let index = self.weights.partition_point(|sum| *sum <= point);
        u32::try_from(index).unwrap_or(0).saturating_add(1)
    }
}

/// A number for one place in a run.
pub(super) fn seed(round: u32, lane: u32, turn: u64) -> u64 {
    let place = (u64::from(round) << 32) | u64::from(lane);
    mixed(place).wrapping_add(turn)
}

/// SplitMix64's step: neighbours become numbers that have nothing to do with each other.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const DRAWN: u64 = 20_000;

    /// How often each account was credited.
    fn credits(load: Load, accounts: u32) -> BTreeMap<u32, u64> {
        let spread = Spread::over(accounts);
        let mut counts = BTreeMap::new();
        for turn in 0..DRAWN {
            let (debit, credit) = spread.pair(load, seed(1, 7, turn));
            assert_ne!(debit, credit);
            assert!((1..=accounts).contains(&debit) && (1..=accounts).contains(&credit));
            *counts.entry(credit).or_default() += 1;
        }
        counts
    }

    fn of(counts: &BTreeMap<u32, u64>, account: u32) -> u64 {
        counts.get(&account).copied().unwrap_or(0)
    }

    #[test]
    fn uniform_reaches_everybody_alike() {
        let counts = credits(Load::Uniform, 10);
        for account in 1..=10 {
            let count = of(&counts, account);
            assert!((1_600..=2_400).contains(&count), "{account}: {count}");
        }
    }

    #[test]
    fn one_is_hot() {
        assert_eq!(of(&credits(Load::Hot, 10), 1), DRAWN);
        assert_eq!(of(&credits(Load::Hot, 2), 1), DRAWN);
    }

    #[test]
    fn zipf_halves_for_the_second_and_quarters_for_the_fourth() {
        let counts = credits(Load::Zipf, 100);
        let (first, second, fourth) = (of(&counts, 1), of(&counts, 2), of(&counts, 4));
        // 1 / H(100) = 0.193 of all.
        assert!((3_500..=4_200).contains(&first), "{first}");
        let near = |count: u64, expected: u64| count.abs_diff(expected) < expected / 5;
        assert!(near(second, first / 2), "{first} {second}");
        assert!(near(fourth, first / 4), "{first} {fourth}");
    }

    #[test]
    fn places_are_repeatable_and_differ() {
        assert_eq!(seed(1, 2, 3), seed(1, 2, 3));
        let spread = Spread::over(1_000);
        let pairs: Vec<_> = (0..50)
            .map(|lane| spread.pair(Load::Uniform, seed(1, lane, 0)))
            .collect();
        let mut distinct = pairs.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() > 45, "{pairs:?}");
    }
}
