//! What a payment is worth, and how deep it must be.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::BTC;
use crate::charge::*;
use crate::money::{Currency, CurrencyKind, Money};

fn coin() -> Currency {
    Currency {
        id: BTC,
        code: "BTC".parse().unwrap(),
        kind: CurrencyKind::Crypto,
        precision: 8,
        scale: 8,
    }
}

fn dollars() -> Currency {
    Currency {
        id: 1,
        code: "USD".parse().unwrap(),
        kind: CurrencyKind::Fiat,
        precision: 2,
        scale: 8,
    }
}

#[test]
fn a_quoted_payment_credits_exactly_the_amount() {
    let amount = Money::parse("149.98", dollars()).unwrap();
    let received = Money::parse("0.00288410", coin()).unwrap();
    let quoted = Valuation::Quoted { due: 288_410 };
    let credit = quoted.credit(received, amount, 100).unwrap();
    assert_eq!(credit.gross, amount);
    assert_eq!(credit.fee.exact(), "1.49980000");
    let over = Money::parse("1", coin()).unwrap();
    assert_eq!(
        quoted.credit(over, amount, 0).unwrap().consumed.units(),
        288_410
    );
}

#[test]
fn less_than_due_credits_what_it_is_worth() {
    let amount = Money::parse("100.00", dollars()).unwrap();
    let half = Money::from_units(500, coin());
    let credit = Valuation::Quoted { due: 1_000 }
        .credit(half, amount, 0)
        .unwrap();
    assert_eq!(credit.gross.exact(), "50.00000000");
    let credit = Valuation::AtMid(Decimal::new(50_000, 0))
        .credit(Money::parse("0.001", coin()).unwrap(), amount, 0)
        .unwrap();
    assert_eq!(credit.gross.exact(), "50.00000000");
}

#[test]
fn late_money_is_compared_rounded_half_up() {
    let received = Money::from_units(1, coin());
    let value = |mid: &str| late_value(received, mid.parse().unwrap(), dollars()).unwrap();
    assert_eq!(value("499999"), 0);
    assert_eq!(value("500000"), 1_000_000);
}

#[test]
fn large_receipts_need_two_confirmations() {
    assert_eq!(confirmations_for(Some(9_999), 10_000, 1, 2), 1);
    assert_eq!(confirmations_for(Some(10_000), 10_000, 1, 2), 2);
    assert_eq!(confirmations_for(None, 10_000, 1, 2), 2);
}

proptest! {
    #[test]
    fn nobody_gains_from_valuation(
        amount in 1i128..1_000_000_000_000,
        received in 1i128..1_000_000_000_000,
        due in 1i128..1_000_000_000_000,
        mid in 1i64..1_000_000_000,
        points in 0u32..10_000,
    ) {
        let amount = Money::from_units(amount, dollars());
        let received = Money::from_units(received, coin());
        for valuation in [Valuation::Quoted { due }, Valuation::AtMid(Decimal::new(mid, 4))] {
            if let Some(credit) = valuation.credit(received, amount, points) {
                prop_assert!(credit.gross <= amount);
                prop_assert!(credit.consumed <= received);
                prop_assert!(credit.fee <= credit.gross);
            }
        }
    }
}
