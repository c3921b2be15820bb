use domain::money::{Currency, Money, Rounding, convert, round_units};

use crate::charges::PaymentView;

/// How what came differs from what was due, e.g. `0.00000120 BTC short (0.06 EUR)`; `None` when
/// nothing came, or exactly what was due.
pub(super) fn text(payment: &PaymentView, currency: Currency) -> Option<String> {
    let (due, received) = (payment.due, payment.received);
    if !received.is_positive() {
        return None;
    }
    let units = received.units() - due.units();
    let word = match units {
        0 => return None,
        ..0 => "short",
        _ => "too much",
    };
    let coins = Money::from_units(units.abs(), payment.coin);
    let amount = format!("{} {}", coins.truncated(), payment.coin.code);
    if payment.coin.id == currency.id {
        return Some(format!("{amount} {word}"));
    }
    match convert(coins, payment.price, currency, Rounding::HalfUp).and_then(worth) {
        Some(worth) => Some(format!("{amount} {word} ({worth})")),
        None => Some(format!("{amount} {word}")),
    }
}

/// To the currency's own digits; what would round to nothing is said to be little instead.
fn worth(money: Money) -> Option<String> {
    let currency = money.currency();
    let units = round_units(money.units(), currency, Rounding::HalfUp)?;
    if units > 0 {
        let rounded = Money::from_units(units, currency);
        return Some(format!("{} {}", rounded.truncated(), currency.code));
    }
    let least = Money::from_units(currency.units_per_minor(), currency);
    Some(format!("less than {} {}", least.truncated(), currency.code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;
    use time::OffsetDateTime;

    use super::*;

    fn coin() -> Currency {
        let code = "BTC".parse().unwrap();
        Currency {
            id: 1,
            code,
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        }
    }

    fn euro() -> Currency {
        let code = "EUR".parse().unwrap();
        Currency {
            id: 145,
            code,
            kind: CurrencyKind::Fiat,
            precision: 2,
            scale: 8,
        }
    }

    #[track_caller]
    fn check(due: i128, received: i128, currency: Currency, expected: Option<&str>) {
        let payment = PaymentView {
            coin: coin(),
            address: String::new(),
            due: Money::from_units(due, coin()),
            left: Money::from_units((due - received).max(0), coin()),
            received: Money::from_units(received, coin()),
            price: "52002.33".parse().unwrap(),
            mid: "52002.33".parse().unwrap(),
            spread_basis_points: 0,
            sources: Vec::new(),
            fixed_at: OffsetDateTime::UNIX_EPOCH,
            release_at: OffsetDateTime::UNIX_EPOCH,
            uri: None,
            qr_text: String::new(),
        };
        assert_eq!(text(&payment, currency).as_deref(), expected);
    }

    #[test]
    fn the_difference_is_told_in_coins_and_in_money() {
        check(
            123_456,
            123_336,
            euro(),
            Some("0.00000120 BTC short (0.06 EUR)"),
        );
        check(
            123_456,
            223_456,
            euro(),
            Some("0.00100000 BTC too much (52.00 EUR)"),
        );
    }

    #[test]
    fn a_worth_below_a_cent_is_not_told_as_nothing() {
        check(
            123_456,
            123_455,
            euro(),
            Some("0.00000001 BTC short (less than 0.01 EUR)"),
        );
    }

    #[test]
    fn no_difference_is_told_where_there_is_none() {
        check(123_456, 123_456, euro(), None);
        check(123_456, 0, euro(), None);
    }

    #[test]
    fn a_charge_in_the_coin_itself_needs_no_worth() {
        check(123_456, 123_336, coin(), Some("0.00000120 BTC short"));
    }
}
