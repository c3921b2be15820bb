//! What a transaction pays to be mined, in whole satoshis.
//!
//! Invariant: a fee worked out from a rate is never below the rate; every division rounds up, but
//! for limits, which round down.

use serde::{Deserialize, Serialize};

/// Weight units in a virtual byte (BIP 141).
pub const WEIGHT_PER_VBYTE: u64 = 4;

/// Millionths in a whole.
const PPM: u128 = 1_000_000;

/// Satoshis for 1000 virtual bytes: the unit nodes speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeeRate(u64);

impl FeeRate {
    /// What nodes ask for on top of what a replacement replaces (BIP 125 rule 4), unless they say
    /// otherwise (`incrementalrelayfee` of `getnetworkinfo`).
    pub const INCREMENTAL_DEFAULT: Self = Self(1_000);

    pub const fn from_sat_per_kvb(satoshi: u64) -> Self {
        Self(satoshi)
    }

    pub const fn sat_per_kvb(self) -> u64 {
        self.0
    }

    /// The least fee of a transaction of `weight` units, in satoshis; what does not fit is the
    /// largest number there is, which every cap refuses.
    pub fn fee(self, weight: u64) -> u64 {
        let fee = u128::from(self.0) * u128::from(vsize(weight));
        u64::try_from(fee.div_ceil(1_000)).unwrap_or(u64::MAX)
    }
}

/// Virtual bytes of `weight` units, rounded up as nodes do.
pub const fn vsize(weight: u64) -> u64 {
    weight.div_ceil(WEIGHT_PER_VBYTE)
}

/// The most a transaction may pay as its fee. Both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeCaps {
    /// Satoshis.
    pub absolute: u64,
    /// Millionths of what is paid to others: 50 000 is 5 %.
    pub relative_ppm: u32,
}

impl FeeCaps {
    /// The most satoshis of fee for a transaction that pays `paid` satoshis to others.
    pub fn cap(self, paid: u64) -> u64 {
        let relative = u128::from(paid) * u128::from(self.relative_ppm) / PPM;
        self.absolute
            .min(u64::try_from(relative).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_rounds_up_twice() {
        let rate = FeeRate::from_sat_per_kvb(1_001);
        // 561 units are 140.25, so 141 virtual bytes, and 141.141 satoshis.
        assert_eq!(vsize(561), 141);
        assert_eq!(rate.fee(561), 142);
        assert_eq!(FeeRate::from_sat_per_kvb(1_000).fee(564), 141);
        assert_eq!(FeeRate::from_sat_per_kvb(0).fee(561), 0);
        assert_eq!(FeeRate::from_sat_per_kvb(u64::MAX).fee(u64::MAX), u64::MAX);
    }

    #[test]
    fn the_lower_cap_holds() {
        let caps = FeeCaps {
            absolute: 500,
            relative_ppm: 50_000,
        };
        assert_eq!(caps.cap(1_000), 50);
        assert_eq!(caps.cap(1_019), 50);
        assert_eq!(caps.cap(10_000), 500);
        assert_eq!(caps.cap(u64::MAX), 500);
    }
}
