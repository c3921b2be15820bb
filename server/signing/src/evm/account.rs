use std::fmt;
use std::str::FromStr;

use bitcoin::secp256k1::PublicKey;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use thiserror::Error;

/// Who holds ether and tokens. Written with the checksum of EIP-55.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(pub [u8; 20]);

/// A text that names no account, or has a wrong checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is not an address with its checksum")]
pub struct NotAnAccount;

impl Account {
    /// The account a key controls: the end of the hash of its point.
    pub fn of_key(key: &PublicKey) -> Self {
        // The first byte says "uncompressed" and is no part of the point.
        let hash = Keccak256::digest(&key.serialize_uncompressed()[1..]);
        let mut account = [0; 20];
        account.copy_from_slice(&hash[12..]);
        Self(account)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        let check = hex::encode(Keccak256::digest(digits.as_bytes()));
        f.write_str("0x")?;
        for (digit, check) in digits.chars().zip(check.chars()) {
            if check >= '8' {
                write!(f, "{}", digit.to_ascii_uppercase())?;
            } else {
                write!(f, "{digit}")?;
            }
        }
        Ok(())
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.to_string()
    }
}

/// Only the form with the checksum: whoever lists an address has copied it whole.
impl FromStr for Account {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let digits = text.strip_prefix("0x").ok_or(NotAnAccount)?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAnAccount)?;
        let account = Self(bytes);
        if account.to_string() == text {
            Ok(account)
        } else {
            Err(NotAnAccount)
        }
    }
}

impl TryFrom<String> for Account {
    type Error = NotAnAccount;

    fn try_from(text: String) -> Result<Self, NotAnAccount> {
        text.parse()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_eip_55_read_as_themselves_only() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(text.parse::<Account>().unwrap().to_string(), text);
            assert!(text.to_lowercase().parse::<Account>().is_err());
        }
        for text in ["", "0x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA"] {
            assert_eq!(text.parse::<Account>(), Err(NotAnAccount));
        }
    }
}
