use super::{Ids, entry, house, post};
use crate::ledger::{AccountKind, EntryKind, HOUSE, JournalEntry};
use crate::money::Money;

/// Coins of the house's own came to an account of ours on the chain: chain holdings → own funds. Nobody else is
/// credited.
///
/// `place` is the output they are in, unique on all chains, such as `ETH:0x…:0`. `booking` counts from 1; each
/// time the output is booked is a fact of its own. `None` when it holds nothing.
pub fn own_funds(
    ids: &mut Ids<'_>,
    place: &str,
    booking: i32,
    amount: Money,
) -> Option<JournalEntry> {
    moved(ids, EntryKind::OwnFunds, place, booking, amount)
}

/// The exact opposite of [`own_funds`] with the same `booking`: the output is in no block any more.
pub fn own_funds_reversed(
    ids: &mut Ids<'_>,
    place: &str,
    booking: i32,
    amount: Money,
) -> Option<JournalEntry> {
    moved(ids, EntryKind::OwnFundsReversed, place, booking, amount)
}

fn moved(
    ids: &mut Ids<'_>,
    kind: EntryKind,
    place: &str,
    booking: i32,
    amount: Money,
) -> Option<JournalEntry> {
    if !amount.is_positive() {
        return None;
    }
    let coin = amount.currency().id;
    let (holdings, own) = (
        house(AccountKind::ChainHoldings, coin),
        house(AccountKind::OwnFunds, coin),
    );
    let (debit, credit) = if kind == EntryKind::OwnFundsReversed {
        (own, holdings)
    } else {
        (holdings, own)
    };
    let leg = post(ids, "own_funds", debit, credit, amount);
    let subject = format!("own_funds:{place}");
    let dedupe = format!("{subject}/{booking}");
    Some(entry(ids, HOUSE, kind, subject, dedupe, vec![leg]))
}

/// The house took coins out of its accounts on the chain, past this instance: own funds → chain holdings. What
/// was paid to move them is among them.
///
/// `place` is the transaction, unique on all chains, such as `ETH:0x…`. `taken` has one amount for each coin:
/// a token's transfer is paid with another one. `booking` counts from 1, as for [`own_funds`]. `None` when
/// nothing was taken.
pub fn own_funds_out(
    ids: &mut Ids<'_>,
    place: &str,
    booking: i32,
    taken: &[Money],
) -> Option<JournalEntry> {
    left(ids, EntryKind::OwnFundsOut, place, booking, taken)
}

/// The exact opposite of [`own_funds_out`] with the same `booking`: the transaction is in no block any more.
pub fn own_funds_out_reversed(
    ids: &mut Ids<'_>,
    place: &str,
    booking: i32,
    taken: &[Money],
) -> Option<JournalEntry> {
    left(ids, EntryKind::OwnFundsOutReversed, place, booking, taken)
}

fn left(
    ids: &mut Ids<'_>,
    kind: EntryKind,
    place: &str,
    booking: i32,
    taken: &[Money],
) -> Option<JournalEntry> {
    let mut legs = Vec::new();
    for amount in taken.iter().filter(|amount| amount.is_positive()) {
        let coin = amount.currency().id;
        let (own, holdings) = (
            house(AccountKind::OwnFunds, coin),
            house(AccountKind::ChainHoldings, coin),
        );
        let (debit, credit) = if kind == EntryKind::OwnFundsOutReversed {
            (holdings, own)
        } else {
            (own, holdings)
        };
        legs.push(post(ids, "own_funds_out", debit, credit, *amount));
    }
    if legs.is_empty() {
        return None;
    }
    let subject = format!("own_funds_out:{place}");
    let dedupe = format!("{subject}/{booking}");
    Some(entry(ids, HOUSE, kind, subject, dedupe, legs))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::money::{Currency, CurrencyKind};

    fn ether() -> Currency {
        Currency {
            id: 3,
            code: "ETH".parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 18,
        }
    }

    fn with_ids<T>(make: impl FnOnce(&mut Ids<'_>) -> T) -> T {
        let mut drawn = 0;
        let mut next = || {
            drawn += 1;
            Uuid::from_u128(drawn)
        };
        make(&mut Ids { next: &mut next })
    }

    /// Kind, debit, credit and what makes the fact one.
    #[test]
    fn own_coins_come_from_the_chain_and_are_nobodys_wallet() {
        let amount = Money::from_units(2_000, ether());
        let booked = with_ids(|ids| own_funds(ids, "ETH:0xaa:0", 1, amount)).unwrap();
        let undone = with_ids(|ids| own_funds_reversed(ids, "ETH:0xaa:0", 1, amount)).unwrap();
        let (chain, own) = (AccountKind::ChainHoldings, AccountKind::OwnFunds);
        for (entry, kind, debit, credit) in [
            (&booked, EntryKind::OwnFunds, chain, own),
            (&undone, EntryKind::OwnFundsReversed, own, chain),
        ] {
            let [leg] = entry.legs.as_slice() else {
                panic!("{entry:?}")
            };
            assert_eq!((entry.kind, entry.merchant), (kind, HOUSE));
            assert_eq!((leg.debit.kind, leg.credit.kind), (debit, credit));
            assert_eq!(
                (leg.debit.merchant, leg.credit.merchant, leg.amount),
                (HOUSE, HOUSE, 2_000)
            );
            assert_eq!(entry.subject, "own_funds:ETH:0xaa:0");
            assert_eq!(entry.dedupe, "own_funds:ETH:0xaa:0/1");
        }
        let again = with_ids(|ids| own_funds(ids, "ETH:0xaa:0", 2, amount)).unwrap();
        assert_ne!(again.dedupe, booked.dedupe);
    }

    #[test]
    fn nothing_is_booked_for_nothing() {
        let none = Money::zero(ether());
        assert!(with_ids(|ids| own_funds(ids, "ETH:0xaa:0", 1, none)).is_none());
    }

    fn token() -> Currency {
        Currency {
            id: 5,
            code: "USDT".parse().unwrap(),
            ..ether()
        }
    }

    /// A token and the gas that moved it: a leg each, each within its coin.
    #[test]
    fn what_is_taken_out_leaves_own_funds_and_the_chain() {
        let taken = [
            Money::from_units(700, token()),
            Money::from_units(42, ether()),
        ];
        let booked = with_ids(|ids| own_funds_out(ids, "USDT:0xaa", 1, &taken)).unwrap();
        let undone = with_ids(|ids| own_funds_out_reversed(ids, "USDT:0xaa", 1, &taken)).unwrap();
        let (chain, own) = (AccountKind::ChainHoldings, AccountKind::OwnFunds);
        for (entry, kind, debit, credit) in [
            (&booked, EntryKind::OwnFundsOut, own, chain),
            (&undone, EntryKind::OwnFundsOutReversed, chain, own),
        ] {
            assert_eq!((entry.kind, entry.merchant), (kind, HOUSE));
            assert_eq!(entry.dedupe, "own_funds_out:USDT:0xaa/1");
            let legs: Vec<_> = entry
                .legs
                .iter()
                .map(|leg| (leg.debit.currency, leg.credit.currency, leg.amount))
                .collect();
            assert_eq!(legs, [(5, 5, 700), (3, 3, 42)]);
            let kinds = |leg: &crate::ledger::Leg| (leg.debit.kind, leg.credit.kind);
            assert!(entry.legs.iter().all(|leg| kinds(leg) == (debit, credit)));
        }
    }

    /// A transaction that failed moved nothing, and cost gas all the same.
    #[test]
    fn only_what_left_is_taken_out() {
        let none = Money::zero(token());
        assert!(with_ids(|ids| own_funds_out(ids, "USDT:0xaa", 1, &[none])).is_none());
        let gas = Money::from_units(42, ether());
        let booked = with_ids(|ids| own_funds_out(ids, "USDT:0xaa", 1, &[none, gas])).unwrap();
        assert_eq!(booked.legs.len(), 1);
    }

    proptest! {
        /// Whatever amount: what is booked and booked back leaves both accounts as they were.
        #[test]
        fn both_ways_add_up_to_nothing(units in 1..10_i128.pow(27), booking in 1..1_000_i32) {
            let amount = Money::from_units(units, ether());
            let booked = with_ids(|ids| own_funds(ids, "ETH:0xaa:0", booking, amount)).unwrap();
            let undone = with_ids(|ids| own_funds_reversed(ids, "ETH:0xaa:0", booking, amount)).unwrap();
            let mut balances = std::collections::BTreeMap::new();
            for leg in booked.legs.iter().chain(&undone.legs) {
                *balances.entry(leg.debit.kind.word()).or_insert(0) -= leg.amount;
                *balances.entry(leg.credit.kind.word()).or_insert(0) += leg.amount;
            }
            prop_assert_eq!(balances.len(), 2);
            prop_assert!(balances.values().all(|sum| *sum == 0));
        }
    }
}
