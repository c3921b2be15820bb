#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn currency(code: &str, precision: u8, scale: u8) -> Currency {
    Currency {
        id: 1,
        code: code.parse().unwrap(),
        kind: CurrencyKind::Fiat,
        precision,
        scale,
    }
}

fn usd() -> Currency {
    currency("USD", 2, 8)
}

fn btc() -> Currency {
    Currency {
        id: 2,
        kind: CurrencyKind::Crypto,
        ..currency("BTC", 8, 8)
    }
}

#[track_caller]
fn check_parse(text: &str, expected: Result<i128, AmountError>) {
    assert_eq!(parse_units(text, 2, 8), expected, "{text:?}");
}

#[test]
fn the_amount_grammar_is_exact() {
    use AmountError::{Malformed, NotPositive, TooLarge, TooPrecise};
    check_parse("149.98", Ok(14_998_000_000));
    check_parse("1", Ok(100_000_000));
    check_parse("0.01", Ok(1_000_000));
    check_parse("1000000000000000", Ok(100_000_000_000_000_000_000_000));
    for text in [
        "", ".", "1.", ".5", "01", "00", "-1", "+1", "1e3", "1E3", " 1", "1 ", "1_000", "1,5",
        "NaN", "Infinity", "0x1", "１", "1.2.3", "\u{0}1", "1\n",
    ] {
        check_parse(text, Err(Malformed));
    }
    check_parse("0", Err(NotPositive));
    check_parse("0.00", Err(NotPositive));
    check_parse("0.001", Err(TooPrecise(2)));
    check_parse("1.500", Err(TooPrecise(2)));
    check_parse("1000000000000000.01", Err(TooLarge));
    check_parse("99999999999999999999999999", Err(TooLarge));
}

#[test]
fn currencies_without_minor_units_take_no_point() {
    assert_eq!(parse_units("1000", 0, 8), Ok(100_000_000_000));
    assert_eq!(parse_units("0.1", 0, 8), Err(AmountError::TooPrecise(0)));
}

#[test]
fn an_amount_the_ledger_cannot_hold_is_too_large() {
    assert_eq!(
        parse_units("1000000000000", 18, 18),
        Err(AmountError::TooLarge)
    );
    assert!(parse_units("9999999999", 18, 18).is_ok());
}

#[test]
fn text_forms() {
    let fee = Money::from_units(14_848_020_000, usd());
    assert_eq!(fee.exact(), "148.48020000");
    assert_eq!(fee.truncated(), "148.48");
    assert_eq!(fee.shortest(), "148.4802");
    assert_eq!(fee.shown(), "148.4802");
    assert_eq!(Money::from_units(14_998_000_000, usd()).shown(), "149.98");
    assert_eq!(Money::from_units(-1, usd()).exact(), "-0.00000001");
    assert_eq!(Money::from_units(-1, usd()).truncated(), "0.00");
    assert_eq!(Money::from_units(100_000_000, btc()).shortest(), "1");
    let yen = currency("JPY", 0, 8);
    assert_eq!(Money::from_units(100_000_000_000, yen).truncated(), "1000");
}

#[test]
fn the_brief_form_keeps_the_digits_of_fiat_alone() {
    assert_eq!(Money::from_units(6_420_000_000, usd()).brief(), "64.20");
    assert_eq!(Money::zero(usd()).brief(), "0.00");
    assert_eq!(Money::from_units(100_000, btc()).brief(), "0.001");
    assert_eq!(Money::zero(btc()).brief(), "0");
}

#[test]
fn our_own_form_is_read_back_and_no_other_beyond_the_precision() {
    let tether = Currency {
        precision: 6,
        ..btc()
    };
    let yen = currency("JPY", 0, 8);
    for (text, currency, units) in [
        ("600.00000000", usd(), 60_000_000_000),
        ("32.60869600", tether, 3_260_869_600),
        ("100.00000000", yen, 10_000_000_000),
        ("0.00177917", btc(), 177_917),
        ("1.5", usd(), 150_000_000),
    ] {
        let read = Money::parse_exact(text, currency);
        assert_eq!(read, Ok(Money::from_units(units, currency)), "{text}");
    }
    for (text, currency) in [
        ("600.000", usd()),
        ("600.0000000", usd()),
        ("600.000000000", usd()),
        ("600.00100000", usd()),
        ("32.60869610", tether),
        ("100.00000001", yen),
        ("0.00000000", usd()),
        ("1.0.000000", yen),
        ("-1.00000000", usd()),
        ("1.0000000a", usd()),
    ] {
        assert!(Money::parse_exact(text, currency).is_err(), "{text}");
    }
}

#[test]
fn the_published_exchange_examples_come_out_to_the_digit() {
    let eur = currency("EUR", 2, 8);
    let price = |text: &str| text.parse::<Decimal>().unwrap();
    let sent = Money::parse("0.01", btc()).unwrap();
    let received = convert(sent, price("6352.06901520"), eur, Rounding::Down).unwrap();
    assert_eq!(received.exact(), "63.52069015");
    let sent = Money::parse("0.001", btc()).unwrap();
    let received = convert(sent, price("6339.84642127"), eur, Rounding::Down).unwrap();
    assert_eq!(received.exact(), "6.33984642");
}

#[test]
fn sums_refuse_other_currencies_and_overflow() {
    let one = Money::from_units(1, usd());
    assert_eq!(one.checked_add(Money::from_units(1, btc())), None);
    assert_eq!(Money::from_units(UNITS_MAX, usd()).checked_add(one), None);
    assert_eq!(one.checked_sub(one).unwrap(), Money::zero(usd()));
}

#[test]
fn division_by_zero_and_negative_operands_are_refused() {
    assert_eq!(mul_div(1, 1, 0, Rounding::Down), None);
    assert_eq!(mul_div(-1, 1, 1, Rounding::Down), None);
    assert_eq!(
        convert(
            Money::from_units(1, usd()),
            Decimal::ZERO,
            btc(),
            Rounding::Up
        ),
        None
    );
}

proptest! {
    #[test]
    fn parsing_is_the_inverse_of_showing(cents in 1i128..=AMOUNT_MAX_WHOLE * 100) {
        let money = Money::from_units(cents * 1_000_000, usd());
        prop_assert_eq!(Money::parse(&money.truncated(), usd()).unwrap(), money);
    }

    #[test]
    fn roundings_bracket_the_exact_quotient(
        a in 0i128..=UNITS_MAX, b in 1i128..=1_000_000_000_000, c in 1i128..=1_000_000_000_000,
    ) {
        let down = mul_div(a, b, c, Rounding::Down);
        let up = mul_div(a, b, c, Rounding::Up);
        let half = mul_div(a, b, c, Rounding::HalfUp);
        if let (Some(down), Some(up), Some(half)) = (down, up, half) {
            prop_assert!(up - down <= 1);
            prop_assert!(half == down || half == up);
            let exact = mul_div(down, c, b, Rounding::Down);
            prop_assert!(exact.is_none_or(|back| back <= a));
        }
    }

    #[test]
    fn a_quote_always_covers_the_amount(cents in 1i128..=100_000_000_000, price in 1i64..=10_000_000_000) {
        // What the payer owes, rounded up, is worth at least the amount at the same price.
        let amount = Money::from_units(cents * 1_000_000, usd());
        let price = Decimal::new(price, 4);
        let due = convert_inverse(amount, price, btc(), Rounding::Up).unwrap();
        let value = convert(due, price, usd(), Rounding::Down).unwrap();
        prop_assert!(value >= amount);
        // And one unit less would not have covered it.
        let less = Money::from_units(due.units() - 1, btc());
        prop_assert!(convert(less, price, usd(), Rounding::Down).unwrap() < amount);
    }
}
