//! What is left of a difference when every cause is taken off.
//!
//! Invariant: the items between two views add up to their difference; what no cause accounts for is an
//! item itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::view::reconciliation::Cause;

/// Coins an item names.
const EXAMPLES_MAX: usize = 5;

/// A part of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) cause: Cause,
    /// Ledger units, with a sign.
    pub(super) units: i128,
    pub(super) count: i64,
    pub(super) examples: Vec<String>,
}

/// A coin of ours; on chains of accounts, all of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coin {
    pub(super) address: String,
    /// Transaction and place; `None` where coins are no outputs.
    pub(super) place: Option<(String, i32)>,
    /// Base units.
    pub(super) raw: i128,
    pub(super) may_be_immature: bool,
}

/// The causes, with what they leave open as one more.
pub(super) fn explain_books(books: i128, tables: i128, causes: Vec<Item>) -> Vec<Item> {
    let explained: i128 = causes.iter().map(|item| item.units).sum();
    let left = tables - books - explained;
    let mut items = causes;
    if left != 0 {
        items.push(Item {
            cause: Cause::Unknown,
            units: left,
            count: 1,
            examples: vec!["no payment or payout accounts for it".to_owned()],
        });
    }
    items
}

/// What a node has more (or less) than the tables, in base units: coin by coin, or account by account
/// where the node says no more.
pub(super) fn explain_node(tables: &[Coin], node: &[Coin]) -> Vec<Item> {
    let by_coin = node.iter().chain(tables).all(|coin| coin.place.is_some());
    let (ours, theirs) = (sums(tables, by_coin), sums(node, by_coin));
    let immature: BTreeMap<String, bool> = node
        .iter()
        .map(|coin| (name(coin, by_coin), coin.may_be_immature))
        .collect();
    let mut items: BTreeMap<Cause, Item> = BTreeMap::new();
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let our = ours.get(name).copied().unwrap_or(0);
        let their = theirs.get(name).copied().unwrap_or(0);
        if our == their {
            continue;
        }
        // The follower is told of a young coin when it can be spent, and of all of it.
        let is_held_back = our == 0 && immature.get(name).copied().unwrap_or(false);
        let cause = if is_held_back {
            Cause::Immature
        } else {
            Cause::Unknown
        };
        let item = items.entry(cause).or_insert_with(|| Item {
            cause,
            units: 0,
            count: 0,
            examples: Vec::new(),
        });
        item.units += their - our;
        item.count += 1;
        if item.examples.len() < EXAMPLES_MAX {
            let example = match (our, their) {
                (0, _) => format!("{name}: only the node has it"),
                (_, 0) => format!("{name}: the node does not have it"),
                (our, their) => format!("{name}: {our} here, {their} at the node, in base units"),
            };
            item.examples.push(example);
        }
    }
    items.into_values().collect()
}

fn sums(coins: &[Coin], by_coin: bool) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for coin in coins {
        *sums.entry(name(coin, by_coin)).or_insert(0) += coin.raw;
    }
    sums
}

fn name(coin: &Coin, by_coin: bool) -> String {
    match &coin.place {
        Some((txid, vout)) if by_coin => format!("{txid}:{vout}"),
        _ => coin.address.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(address: &str, txid: &str, raw: i128) -> Coin {
        Coin {
            address: address.to_owned(),
            place: Some((txid.to_owned(), 0)),
            raw,
            may_be_immature: false,
        }
    }

    fn account(address: &str, raw: i128) -> Coin {
        Coin {
            place: None,
            ..coin(address, "", raw)
        }
    }

    fn item(cause: Cause, units: i128) -> Item {
        Item {
            cause,
            units,
            count: 1,
            examples: Vec::new(),
        }
    }

    fn found(items: &[Item]) -> Vec<(Cause, i128, i64)> {
        items
            .iter()
            .map(|item| (item.cause, item.units, item.count))
            .collect()
    }

    #[test]
    fn causes_that_add_up_leave_nothing() {
        let causes = vec![item(Cause::Unconfirmed, 7), item(Cause::ForeignSpend, -2)];
        assert_eq!(explain_books(10, 15, causes.clone()), causes);
    }

    #[test]
    fn what_they_do_not_add_up_to_is_unknown() {
        let items = explain_books(10, 15, vec![item(Cause::Unconfirmed, 7)]);
        assert_eq!(
            found(&items),
            [(Cause::Unconfirmed, 7, 1), (Cause::Unknown, -2, 1)]
        );
        // Equal sums of wrong things are wrong.
        let items = explain_books(10, 10, vec![item(Cause::Reversed, 1)]);
        assert_eq!(
            found(&items),
            [(Cause::Reversed, 1, 1), (Cause::Unknown, -1, 1)]
        );
    }

    #[test]
    fn equal_coins_are_no_difference_in_any_order() {
        let (one, two) = (coin("a", "t1", 5), coin("b", "t2", 6));
        let node = [two.clone(), one.clone()];
        assert_eq!(explain_node(&[one, two], &node), []);
    }

    #[test]
    fn coins_are_compared_one_by_one() {
        // The same sum at the same address, and yet not the same coins.
        let items = explain_node(&[coin("a", "t1", 5)], &[coin("a", "t2", 5)]);
        assert_eq!(found(&items), [(Cause::Unknown, 0, 2)]);
        let [only] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(only.examples.len(), 2);
    }

    #[test]
    fn a_young_coin_that_is_not_told_of_yet_is_immature() {
        let young = Coin {
            may_be_immature: true,
            ..coin("a", "t1", 5)
        };
        let items = explain_node(&[], std::slice::from_ref(&young));
        assert_eq!(found(&items), [(Cause::Immature, 5, 1)]);
        // One that is told of has to be right.
        let items = explain_node(&[coin("a", "t1", 4)], &[young]);
        assert_eq!(found(&items), [(Cause::Unknown, 1, 1)]);
    }

    #[test]
    fn where_the_node_knows_accounts_only_accounts_are_compared() {
        let tables = [coin("a", "t1", 5), coin("a", "t2", 6), coin("b", "t3", 1)];
        assert_eq!(
            explain_node(&tables, &[account("a", 11), account("b", 1)]),
            []
        );
        let items = explain_node(&tables, &[account("a", 10), account("b", 1)]);
        assert_eq!(found(&items), [(Cause::Unknown, -1, 1)]);
    }

    #[test]
    fn what_an_account_has_paid_is_taken_off() {
        let tables = [coin("a", "t1", 5), account("a", -3)];
        assert_eq!(explain_node(&tables, &[account("a", 2)]), []);
        // All of it: the node does not even name the account.
        assert_eq!(
            explain_node(&[coin("a", "t1", 5), account("a", -5)], &[]),
            []
        );
    }

    #[test]
    fn a_node_that_has_nothing_lacks_everything() {
        let items = explain_node(&[coin("a", "t1", 5), coin("b", "t2", 6)], &[]);
        assert_eq!(found(&items), [(Cause::Unknown, -11, 2)]);
    }
}
