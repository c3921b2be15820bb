use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Row id of a currency.
pub type CurrencyId = i16;

const CODE_BYTES_MAX: usize = 8;

/// A currency code exactly as listed: 3 to 8 ASCII letters or digits, case-sensitive (`tBTC`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    bytes: [u8; CODE_BYTES_MAX],
    len: u8,
}

/// The text is not shaped like a currency code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a currency code is 3 to 8 letters or digits")]
pub struct CodeError;

impl Code {
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        // Only ASCII is ever stored.
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = (3..=CODE_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !shaped {
            return Err(CodeError);
        }
        let mut bytes = [0; CODE_BYTES_MAX];
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
        let len = u8::try_from(text.len()).map_err(|_| CodeError)?;
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether a currency is a state's (ISO 4217) or a chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrencyKind {
    Fiat,
    Crypto,
}

/// A currency with what arithmetic needs; a small value, copied freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    pub id: CurrencyId,
    pub code: Code,
    pub kind: CurrencyKind,
    /// Digits a user may enter and a payout may carry: ISO 4217 minor units, or the coin's own.
    pub precision: u8,
    /// Digits the ledger keeps; at least 8 and at least `precision` (`00-domain.md`, Money).
    pub scale: u8,
}

impl Currency {
    /// Units of the ledger in one smallest payable unit, e.g. 10^6 for USD (scale 8, precision 2).
    pub fn units_per_minor(&self) -> i128 {
        10i128.pow(u32::from(self.scale.saturating_sub(self.precision)))
    }
}
