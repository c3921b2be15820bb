//! From a chain's base units to the ledger's units and back: the only place that does it.

use domain::money::{Currency, Money, UNITS_MAX};

use super::address::{CoinFamily, CoinParams};

const SATOSHI_DIGITS: u32 = 8;
const WEI_DIGITS: u32 = 18;
/// The token's `decimals()`.
const USDT_DIGITS: u32 = 6;

/// Digits after the point of one coin that its chain counts.
pub(crate) fn digits(params: &CoinParams) -> u32 {
    match (params.family(), params.code) {
        (CoinFamily::Bitcoin, _) => SATOSHI_DIGITS,
        (CoinFamily::Evm, "USDT") => USDT_DIGITS,
        (CoinFamily::Evm, _) => WEI_DIGITS,
    }
}

/// Ledger units of `raw` base units, exact; `None` above [`UNITS_MAX`].
pub(crate) fn to_ledger(coin: Currency, digits: u32, raw: u128) -> Option<i128> {
    let units = i128::try_from(raw)
        .ok()?
        .checked_mul(factor(coin, digits)?)?;
    (units <= UNITS_MAX).then_some(units)
}

/// Base units of a positive amount; `None` when the chain cannot express it exactly.
pub(crate) fn from_ledger(amount: Money, digits: u32) -> Option<u128> {
    let factor = factor(amount.currency(), digits)?;
    let whole = amount.is_positive() && amount.units() % factor == 0;
    if !whole {
        return None;
    }
    u128::try_from(amount.units() / factor).ok()
}

fn factor(coin: Currency, digits: u32) -> Option<i128> {
    10i128.checked_pow(u32::from(coin.scale).checked_sub(digits)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;

    use super::*;
    use crate::chain::address::params;

    fn coin(code: &str, precision: u8, scale: u8) -> Currency {
        Currency {
            id: 1,
            code: code.parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision,
            scale,
        }
    }

    #[test]
    fn each_chain_counts_in_its_own_base_unit() {
        for (code, expected) in [
            ("BTC", 8),
            ("tBTC", 8),
            ("BCH", 8),
            ("ETH", 18),
            ("USDT", 6),
        ] {
            assert_eq!(digits(params(code).unwrap()), expected, "{code}");
        }
    }

    #[test]
    fn base_units_become_ledger_units_exactly() {
        assert_eq!(to_ledger(coin("BTC", 8, 8), 8, 150_000), Some(150_000));
        assert_eq!(
            to_ledger(coin("USDT", 6, 8), 6, 1_000_001),
            Some(100_000_100)
        );
        let wei = 1_234_567_890_123_456_789;
        assert_eq!(
            to_ledger(coin("ETH", 18, 18), 18, wei),
            Some(1_234_567_890_123_456_789)
        );
    }

    #[test]
    fn more_than_the_ledger_holds_is_refused() {
        let usdt = coin("USDT", 6, 8);
        let largest = UNITS_MAX.unsigned_abs() / 100;
        assert_eq!(to_ledger(usdt, 6, largest), Some(UNITS_MAX / 100 * 100));
        assert_eq!(to_ledger(usdt, 6, largest + 1), None);
        assert_eq!(to_ledger(usdt, 6, u128::MAX), None);
    }

    #[test]
    fn a_ledger_amount_goes_back_only_when_the_chain_can_express_it() {
        let usdt = coin("USDT", 6, 8);
        assert_eq!(
            from_ledger(Money::from_units(100_000_100, usdt), 6),
            Some(1_000_001)
        );
        assert_eq!(from_ledger(Money::from_units(100_000_101, usdt), 6), None);
        assert_eq!(from_ledger(Money::zero(usdt), 6), None);
        assert_eq!(from_ledger(Money::from_units(-100, usdt), 6), None);
    }

    #[test]
    fn a_scale_below_the_chain_s_own_digits_is_refused() {
        assert_eq!(to_ledger(coin("ETH", 8, 8), 18, 1), None);
    }
}
