#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

type Book = BTreeMap<AccountId, AccountState>;

/// Accounts 1 and 2 are PREPAID wallets, 3 may fall to −50, 9 is an unbounded house account,
/// 20 is a wallet of another currency.
fn book() -> Book {
    [
        (1, 1, Some(0)),
        (2, 1, Some(0)),
        (3, 1, Some(-50)),
        (9, 1, None),
        (20, 2, Some(0)),
    ]
    .into_iter()
    .map(|(id, currency, floor)| {
        let id = AccountId(id);
        (
            id,
            AccountState {
                id,
                currency,
                posted: 0,
                held: 0,
                floor,
                version: 0,
            },
        )
    })
    .collect()
}

fn leg(movement: Movement, debit: i64, credit: i64, amount: i128) -> Leg<AccountId> {
    Leg {
        id: Uuid::from_u128(u128::try_from(amount).unwrap_or(0) << 64),
        movement,
        debit: AccountId(debit),
        credit: AccountId(credit),
        amount,
        label: "test",
    }
}

fn entry(legs: Vec<Leg<AccountId>>) -> JournalEntry<AccountId> {
    JournalEntry {
        id: Uuid::nil(),
        merchant: 1,
        kind: EntryKind::ChargePaid,
        subject: "charge:1".to_owned(),
        dedupe: "charge:1".to_owned(),
        legs,
    }
}

fn post(book: &mut Book, debit: i64, credit: i64, amount: i128) -> Result<(), LedgerError> {
    apply(
        book,
        &entry(vec![leg(Movement::Post, debit, credit, amount)]),
    )
    .map(|_| ())
}

#[track_caller]
fn check(book: &Book, id: i64, posted: i128, held: i128, version: i64) {
    let account = &book[&AccountId(id)];
    assert_eq!(
        (account.posted, account.held, account.version),
        (posted, held, version)
    );
}

#[test]
fn a_posting_debits_one_side_and_credits_the_other() {
    let mut book = book();
    post(&mut book, 9, 1, 100).unwrap();
    check(&book, 1, 100, 0, 1);
    check(&book, 9, -100, 0, 1);
}

#[test]
fn a_prepaid_wallet_never_falls_below_zero() {
    let mut book = book();
    post(&mut book, 9, 1, 100).unwrap();
    let before = book.clone();
    assert_eq!(
        post(&mut book, 1, 2, 101),
        Err(LedgerError::InsufficientFunds {
            account: AccountId(1),
            short: 1
        })
    );
    assert_eq!(book, before, "a refused entry changes nothing");
    post(&mut book, 1, 2, 100).unwrap();
}

#[test]
fn a_postpaid_wallet_falls_to_its_limit_and_no_further() {
    let mut book = book();
    post(&mut book, 3, 1, 50).unwrap();
    assert!(matches!(
        post(&mut book, 3, 1, 1),
        Err(LedgerError::InsufficientFunds { .. })
    ));
}

#[test]
fn a_hold_reserves_and_settling_part_of_it_releases_the_rest() {
    let mut book = book();
    post(&mut book, 9, 1, 100).unwrap();
    let hold = leg(Movement::Hold, 1, 9, 60);
    apply(&mut book, &entry(vec![hold.clone()])).unwrap();
    check(&book, 1, 100, 60, 2);
    assert!(
        post(&mut book, 1, 2, 41).is_err(),
        "held money is not available"
    );
    let settle = leg(
        Movement::Settle {
            hold: hold.id,
            held: 60,
        },
        1,
        9,
        50,
    );
    apply(&mut book, &entry(vec![settle])).unwrap();
    check(&book, 1, 50, 0, 3);
}

#[test]
fn voiding_gives_all_of_a_hold_back() {
    let mut book = book();
    post(&mut book, 9, 1, 100).unwrap();
    let hold = leg(Movement::Hold, 1, 9, 60);
    apply(&mut book, &entry(vec![hold.clone()])).unwrap();
    let void = leg(
        Movement::Void {
            hold: hold.id,
            held: 60,
        },
        1,
        9,
        60,
    );
    apply(&mut book, &entry(vec![void])).unwrap();
    check(&book, 1, 100, 0, 3);
    check(&book, 9, -100, 0, 1);
}

#[test]
fn an_entry_is_applied_whole_or_not_at_all() {
    let mut book = book();
    post(&mut book, 9, 1, 10).unwrap();
    let before = book.clone();
    let legs = vec![leg(Movement::Post, 1, 2, 10), leg(Movement::Post, 1, 2, 1)];
    assert!(apply(&mut book, &entry(legs)).is_err());
    assert_eq!(book, before);
}

#[test]
fn floors_are_judged_after_the_last_leg() {
    // Fee first, gross after: the wallet is only momentarily below zero.
    let mut book = book();
    let legs = vec![leg(Movement::Post, 1, 9, 1), leg(Movement::Post, 9, 1, 100)];
    apply(&mut book, &entry(legs)).unwrap();
    check(&book, 1, 99, 0, 2);
}

#[test]
fn nonsense_is_named() {
    let mut book = book();
    let mut refused = |legs| apply(&mut book, &entry(legs)).unwrap_err();
    assert_eq!(refused(vec![]), LedgerError::Empty);
    assert!(matches!(
        refused(vec![leg(Movement::Post, 9, 1, 0)]),
        LedgerError::AmountNotPositive(_)
    ));
    assert!(matches!(
        refused(vec![leg(Movement::Post, 9, 1, -5)]),
        LedgerError::AmountNotPositive(_)
    ));
    assert!(matches!(
        refused(vec![leg(Movement::Post, 1, 1, 5)]),
        LedgerError::SameAccount(_)
    ));
    assert!(matches!(
        refused(vec![leg(Movement::Post, 9, 20, 5)]),
        LedgerError::CurrencyMismatch(_)
    ));
    assert_eq!(
        refused(vec![leg(Movement::Post, 9, 77, 5)]),
        LedgerError::UnknownAccount(AccountId(77))
    );
}

#[test]
fn a_broken_floor_does_not_stop_money_from_coming_in() {
    let mut book = book();
    post(&mut book, 3, 9, 50).unwrap();
    book.get_mut(&AccountId(3)).unwrap().floor = Some(-10);
    post(&mut book, 9, 3, 5).unwrap();
    assert!(post(&mut book, 3, 9, 1).is_err());
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_books_balanced(
        steps in prop::collection::vec((0usize..5, 0usize..5, 1i128..500, 0u8..4), 1..200),
    ) {
        let ids = [1, 2, 3, 9, 20];
        let mut book = book();
        let mut holds: Vec<Leg<AccountId>> = Vec::new();
        for (debit, credit, amount, what) in steps {
            let movement = match what {
                0 | 1 => Movement::Post,
                2 => Movement::Hold,
                _ => match holds.pop() {
                    Some(hold) if amount % 2 == 0 => {
                        Movement::Settle { hold: hold.id, held: hold.amount }
                    }
                    Some(hold) => Movement::Void { hold: hold.id, held: hold.amount },
                    None => continue,
                },
            };
            let leg = leg(movement, ids[debit], ids[credit], amount);
            let before = book.clone();
            match apply(&mut book, &entry(vec![leg.clone()])) {
                Ok(_) if movement == Movement::Hold => holds.push(leg),
                Ok(_) => {}
                Err(_) => prop_assert_eq!(&book, &before),
            }
            for currency in [1, 2] {
                let sum: i128 = book
                    .values()
                    .filter(|account| account.currency == currency)
                    .map(|account| account.posted)
                    .sum();
                prop_assert_eq!(sum, 0);
            }
            for account in book.values() {
                prop_assert!(account.floor.is_none_or(|floor| account.available() >= floor));
                prop_assert!(account.held >= 0);
            }
        }
    }
}
