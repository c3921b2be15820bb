use proptest::prelude::*;

use super::*;

fn currency(code: &str) -> Currency {
    let (id, kind, precision, scale) = match code {
        "BTC" => (1, CurrencyKind::Crypto, 8, 8),
        "ETH" => (4, CurrencyKind::Crypto, 18, 18),
        "USDT" => (5, CurrencyKind::Crypto, 6, 8),
        "EUR" => (145, CurrencyKind::Fiat, 2, 8),
        "JPY" => (168, CurrencyKind::Fiat, 0, 8),
        _ => (244, CurrencyKind::Fiat, 2, 8),
    };
    Currency {
        id,
        code: code.parse().unwrap(),
        kind,
        precision,
        scale,
    }
}

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, currency(code)).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The published examples of the Processing API, to the last digit: fees of 11 % rounded up,
/// receivers cut.
#[test]
fn the_published_exchanges_come_out_to_the_last_digit() {
    let check = |sender: &str, price: &str, gross: &str, fee: &str| {
        let deal = Deal::sell(money(sender, "BTC"), decimal(price), currency("EUR"), 1100).unwrap();
        assert_eq!(
            (deal.gross.exact().as_str(), deal.fee.exact().as_str()),
            (gross, fee)
        );
        assert_eq!(deal.sender_total().unwrap(), deal.sender);
    };
    check("0.01", "6352.06901520", "63.52069015", "6.98727592");
    check("0.001", "6339.84642127", "6.33984642", "0.69738311");
}

#[test]
fn the_published_promise_asks_for_an_amount_that_covers_it() {
    let deal = Deal::buy(
        money("30", "USD"),
        decimal("10299.94946"),
        currency("BTC"),
        500,
    )
    .unwrap();
    assert_eq!(deal.sender.exact(), "0.00291264");
    assert_eq!(deal.gross.exact(), "30.00000000");
    assert_eq!(deal.fee.exact(), "1.50000000");
    assert_eq!(deal.net().exact(), "28.50000000");
}

#[test]
fn the_fee_is_taken_on_the_fiat_side() {
    let check = |from: &str, to: &str, side: FeeSide| {
        assert_eq!(
            FeeSide::of(currency(from), currency(to)),
            side,
            "{from} {to}"
        );
    };
    check("BTC", "EUR", FeeSide::Receiver);
    check("EUR", "BTC", FeeSide::Sender);
    check("EUR", "USD", FeeSide::Receiver);
    check("BTC", "ETH", FeeSide::Receiver);
}

#[test]
fn a_fee_on_top_is_part_of_what_the_sender_loses() {
    let deal = Deal::sell(
        money("100", "EUR"),
        decimal("0.00002"),
        currency("BTC"),
        100,
    )
    .unwrap();
    assert_eq!(deal.fee, money("1", "EUR"));
    assert_eq!(deal.sender_total().unwrap(), money("101", "EUR"));
    assert_eq!(deal.net(), deal.gross);
}

#[test]
fn what_is_worth_nothing_is_not_exchanged() {
    assert_eq!(
        Deal::sell(
            money("0.01", "EUR"),
            decimal("0.00000000001"),
            currency("BTC"),
            0
        ),
        None
    );
    assert_eq!(
        Deal::sell(money("1", "EUR"), Decimal::ZERO, currency("BTC"), 0),
        None
    );
}

const CODES: [&str; 6] = ["BTC", "ETH", "USDT", "EUR", "JPY", "USD"];

prop_compose! {
    fn pairs()(from in 0..CODES.len(), step in 1..CODES.len()) -> (Currency, Currency) {
        (currency(CODES[from]), currency(CODES[(from + step) % CODES.len()]))
    }
}

proptest! {
    /// Nothing is lost, nothing is given away: the gross is the exact product cut by less than a
    /// unit, the fee covers its share, and both sides add up.
    #[test]
    fn selling_rounds_toward_the_house_by_less_than_a_unit(
        (from, to) in pairs(),
        units in 1i128..10i128.pow(20),
        mantissa in 1u64..u64::MAX / 4,
        scale in 0u32..12,
        points in 0u32..=10_000,
    ) {
        let sender = Money::from_units(units, from);
        let price = Decimal::from_i128_with_scale(i128::from(mantissa), scale);
        if let Some(deal) = Deal::sell(sender, price, to, points) {
            let back_at_most = convert_inverse(deal.gross, price, from, Rounding::Up).unwrap();
            prop_assert!(back_at_most.units() <= units);
            let one_more = Money::from_units(deal.gross.units() + 1, to);
            let too_much = convert_inverse(one_more, price, from, Rounding::Up).unwrap();
            prop_assert!(too_much.units() >= units);
            prop_assert!(deal.fee.units() >= 0);
            let net = deal.net();
            match FeeSide::of(from, to) {
                FeeSide::Receiver => {
                    prop_assert!(net.units() + deal.fee.units() == deal.gross.units());
                    prop_assert!(net.units() >= 0);
                    prop_assert!(deal.sender_total() == Some(sender));
                }
                FeeSide::Sender => {
                    prop_assert!(net == deal.gross);
                    prop_assert!(deal.sender_total().unwrap().units() == units + deal.fee.units());
                }
            }
        }
    }

    /// What has to be given buys the wanted amount at the same price, and one payable unit less
    /// would not.
    #[test]
    fn buying_asks_for_the_least_payable_amount_that_covers(
        (to, from) in pairs(),
        minor in 1i128..10i128.pow(12),
        mantissa in 1u64..u64::MAX / 4,
        scale in 0u32..12,
    ) {
        let gross = Money::from_units(minor * to.units_per_minor(), to);
        let price = Decimal::from_i128_with_scale(i128::from(mantissa), scale);
        if let Some(deal) = Deal::buy(gross, price, from, 0) {
            prop_assert!(deal.sender.units() % from.units_per_minor() == 0);
            if let Some(covers) = convert(deal.sender, price, to, Rounding::Down) {
                prop_assert!(covers.units() >= gross.units());
            }
            let less = deal.sender.units() - from.units_per_minor();
            if less > 0 {
                let short = convert(Money::from_units(less, from), price, to, Rounding::Down);
                prop_assert!(short.is_none_or(|short| short.units() < gross.units()));
            }
        }
    }
}
