use rust_decimal::Decimal;

use crate::exchange::{Deal, FeeSide};
use crate::money::{Currency, Money, Rounding, mul_div, round_units};
use crate::rate::BASIS_POINTS;

/// What a withdrawal costs, in the sending currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeTerms {
    /// Share of the amount, hundredths of a percent.
    pub basis_points: u32,
    /// Added to it, ledger units.
    pub fixed: i128,
}

/// A withdrawal in figures. Every part is posted; together they are exactly what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// What was asked to be sent, sending currency, without fees on top.
    pub requested: Money,
    /// Our fee for the withdrawal, sending currency.
    pub withdrawal_fee: Money,
    /// Our fee for the exchange, on either side; zero without one.
    pub exchange_fee: Money,
    /// Held in the sending wallet: all that it can lose.
    pub held: Money,
    /// What goes to the receiver: a whole number of payable units of the coin.
    pub sent: Money,
    /// Bought for it in the exchange; equal to `sent` without one.
    pub bought: Money,
    /// What cannot be paid out because the coin has no such small unit; goes to the rounding account.
    pub remainder: Money,
}

/// A withdrawal in the coin of the wallet: fees are on top (`80`, Processing).
///
/// `None` when the sum is beyond what the ledger holds.
pub fn plain(amount: Money, terms: FeeTerms) -> Option<Amounts> {
    let fee = fee_of(amount, terms)?;
    Some(Amounts {
        requested: amount,
        withdrawal_fee: fee,
        exchange_fee: Money::zero(amount.currency()),
        held: amount.checked_add(fee)?,
        sent: amount,
        bought: amount,
        remainder: Money::zero(amount.currency()),
    })
}

/// A withdrawal that is exchanged on its way, at `price` coins for one unit of the wallet.
///
/// `None` when what is left after fees is not one payable unit of the coin.
pub fn exchanged(
    amount: Money,
    price: Decimal,
    coin: Currency,
    exchange_fee_basis_points: u32,
    terms: FeeTerms,
) -> Option<Amounts> {
    let deal = Deal::sell(amount, price, coin, exchange_fee_basis_points)?;
    let withdrawal_fee = fee_of(amount, terms)?;
    let net = deal.net();
    let sent = Money::from_units(round_units(net.units(), coin, Rounding::Down)?, coin);
    let held = match FeeSide::of(amount.currency(), coin) {
        FeeSide::Sender => amount.checked_add(deal.fee)?.checked_add(withdrawal_fee)?,
        FeeSide::Receiver => amount.checked_add(withdrawal_fee)?,
    };
    sent.is_positive().then_some(Amounts {
        requested: amount,
        withdrawal_fee,
        exchange_fee: deal.fee,
        held,
        sent,
        bought: deal.gross,
        remainder: Money::from_units(net.units() - sent.units(), coin),
    })
}

fn fee_of(amount: Money, terms: FeeTerms) -> Option<Money> {
    let points = i128::from(terms.basis_points);
    let share = mul_div(
        amount.units(),
        points,
        i128::from(BASIS_POINTS),
        Rounding::Up,
    )?;
    Money::from_units(share, amount.currency())
        .checked_add(Money::from_units(terms.fixed, amount.currency()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::CurrencyKind;

    const FREE: FeeTerms = FeeTerms {
        basis_points: 0,
        fixed: 0,
    };

    fn currency(code: &str) -> Currency {
        let (id, kind, precision, scale) = match code {
            "BTC" => (1, CurrencyKind::Crypto, 8, 8),
            "ETH" => (4, CurrencyKind::Crypto, 18, 18),
            "USDT" => (5, CurrencyKind::Crypto, 6, 8),
            _ => (145, CurrencyKind::Fiat, 2, 8),
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

    #[test]
    fn fees_are_on_top_of_what_is_sent() {
        let terms = FeeTerms {
            basis_points: 50,
            fixed: 1_000,
        };
        let amounts = plain(money("0.01", "BTC"), terms).unwrap();
        assert_eq!(amounts.withdrawal_fee, money("0.00006", "BTC"));
        assert_eq!(amounts.held, money("0.01006", "BTC"));
        assert_eq!(amounts.sent, money("0.01", "BTC"));
    }

    #[test]
    fn an_exchange_out_of_fiat_takes_its_fee_on_top() {
        let price = "0.00001666".parse().unwrap();
        let amounts = exchanged(money("3500", "EUR"), price, currency("BTC"), 100, FREE).unwrap();
        assert_eq!(amounts.held, money("3535", "EUR"));
        assert_eq!(amounts.sent, money("0.05831", "BTC"));
        assert!(amounts.remainder.is_zero());
    }

    #[test]
    fn an_exchange_between_coins_takes_its_fee_off_and_keeps_what_cannot_be_paid() {
        let price = "60123.4567".parse().unwrap();
        let amounts = exchanged(money("0.001", "BTC"), price, currency("USDT"), 100, FREE).unwrap();
        assert_eq!(amounts.bought.exact(), "60.12345670");
        assert_eq!(amounts.exchange_fee.exact(), "0.60123457");
        assert_eq!(amounts.sent.exact(), "59.52222200");
        assert_eq!(amounts.remainder.exact(), "0.00000013");
        assert_eq!(amounts.held, money("0.001", "BTC"));
    }

    #[test]
    fn less_than_one_payable_unit_is_refused() {
        let price = "0.000000001".parse().unwrap();
        assert_eq!(
            exchanged(money("0.01", "EUR"), price, currency("BTC"), 0, FREE),
            None
        );
    }

    proptest! {
        #[test]
        fn every_unit_of_a_withdrawal_is_accounted_for(
            units in 1i128..10i128.pow(16),
            mantissa in 1i64..10i64.pow(12),
            scale in 0u32..12,
            points in 0u32..=10_000,
            fixed in 0i128..1_000_000,
            to in prop::sample::select(vec!["BTC", "ETH", "USDT"]),
        ) {
            let terms = FeeTerms { basis_points: points / 10, fixed };
            let amount = Money::from_units(units, currency("EUR"));
            let coin = currency(to);
            let price = Decimal::new(mantissa, scale);
            if let Some(a) = exchanged(amount, price, coin, points, terms) {
                let on_top = a.exchange_fee.units() + a.withdrawal_fee.units();
                prop_assert_eq!(a.held.units(), a.requested.units() + on_top);
                prop_assert_eq!(a.bought.units(), a.sent.units() + a.remainder.units());
                prop_assert!(a.sent.units() % coin.units_per_minor() == 0);
                prop_assert!(a.remainder.units() < coin.units_per_minor());
            }
            let amount = Money::from_units(units, coin);
            let source = Deal::sell(amount, price, currency("USDT"), points);
            prop_assert!(source.is_none_or(|deal| deal.net().units() >= 0));
        }
    }
}
