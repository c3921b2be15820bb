//! Numbers and bytes as EVM JSON-RPC writes them: hexadecimal after `0x`.
//!
//! Invariant: a number larger than its type is the type's maximum, as amounts of a chain are
//! reported ([`ChainOutput`](crate::chain::backend::ChainOutput)); anything else that does not fit
//! is an error.

use serde::Deserialize;
use thiserror::Error as ThisError;

/// Digits of the largest number of the EVM, 256 bits.
const DIGITS_MAX: usize = 64;
/// Digits of the largest `u128`.
const U128_DIGITS: usize = 32;

/// A text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("not {0}")]
pub struct FormatError(pub &'static str);

/// An unsigned number of up to 256 bits; above 2^128 − 1 it is that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Quantity(pub u128);

impl TryFrom<String> for Quantity {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        let digits = text.strip_prefix("0x").ok_or(FormatError("a number"))?;
        let plain = !digits.is_empty()
            && digits.len() <= DIGITS_MAX
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !plain {
            return Err(FormatError("a number"));
        }
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self(0));
        }
        if digits.len() > U128_DIGITS {
            return Ok(Self(u128::MAX));
        }
        u128::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|_| FormatError("a number"))
    }
}

impl Quantity {
    /// A height, a time, or another number that counts.
    pub(super) fn count(self) -> Result<i64, FormatError> {
        i64::try_from(self.0).map_err(|_| FormatError("a count below 2^63"))
    }

    pub(super) fn write(number: u64) -> String {
        format!("{number:#x}")
    }
}

/// The big-endian number in a word of a contract.
pub(super) fn word_number(word: &[u8; 32]) -> u128 {
    let (high, low) = word.split_at(16);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(low);
    if high.iter().all(|byte| *byte == 0) {
        u128::from_be_bytes(bytes)
    } else {
        u128::MAX
    }
}

/// Id of a block or a transaction, or a topic of a log: 32 bytes in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Hash(pub String);

impl TryFrom<String> for Hash {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        let mut bytes = [0; 32];
        text.strip_prefix("0x")
            .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
            .ok_or(FormatError("a hash"))?;
        Ok(Self::of(bytes))
    }
}

impl Hash {
    pub(super) fn of(bytes: [u8; 32]) -> Self {
        Self(write_bytes(&bytes))
    }

    /// `None` never happens, for nothing else is ever in it.
    pub(super) fn bytes(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.0.strip_prefix("0x")?, &mut bytes).ok()?;
        Some(bytes)
    }
}

/// Bytes of any number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Bytes(pub Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        text.strip_prefix("0x")
            .and_then(|digits| hex::decode(digits).ok())
            .map(Self)
            .ok_or(FormatError("bytes"))
    }
}

pub(super) fn write_bytes(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<u128> {
        Quantity::try_from(text.to_owned())
            .ok()
            .map(|number| number.0)
    }

    #[test]
    fn numbers_are_read_with_and_without_leading_zeros() {
        assert_eq!(read("0x0"), Some(0));
        assert_eq!(read("0x000"), Some(0));
        assert_eq!(read("0xde0b6b3a7640000"), Some(1_000_000_000_000_000_000));
        assert_eq!(read("0x0DE0B6B3A7640000"), Some(1_000_000_000_000_000_000));
    }

    #[test]
    fn more_than_the_type_holds_is_its_maximum() {
        let largest = format!("0x{}", "f".repeat(32));
        assert_eq!(read(&largest), Some(u128::MAX));
        assert_eq!(read(&format!("0x1{}", "0".repeat(32))), Some(u128::MAX));
        assert_eq!(read(&format!("0x{}", "f".repeat(64))), Some(u128::MAX));
        assert_eq!(read(&format!("0x{}2", "0".repeat(63))), Some(2));
    }

    #[test]
    fn everything_else_is_no_number() {
        let long = format!("0x{}", "0".repeat(65));
        for text in ["", "0x", "12", "0X1", "0x+1", "0x-1", "0x 1", "0x1g", &long] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_hash_has_32_bytes_and_one_case() {
        let hash = Hash::try_from(format!("0x{}", "Ab".repeat(32))).unwrap();
        assert_eq!(hash, Hash::of([0xab; 32]));
        assert_eq!(hash.bytes(), Some([0xab; 32]));
        for text in [
            "",
            "0x",
            &"ab".repeat(32),
            &format!("0x{}", "ab".repeat(31)),
        ] {
            assert!(Hash::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_number_is_read_again(number in any::<u64>()) {
            prop_assert_eq!(read(&Quantity::write(number)), Some(u128::from(number)));
        }

        #[test]
        fn a_word_and_its_digits_are_one_number(
            bytes in any::<[u8; 32]>(),
            small in any::<bool>(),
        ) {
            let mut word = bytes;
            if small {
                word[..16].fill(0);
            }
            prop_assert_eq!(read(&write_bytes(&word)), Some(word_number(&word)));
        }
    }
}
