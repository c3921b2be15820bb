use std::fmt;
use std::str::FromStr;

use bitcoin::secp256k1::PublicKey;
use serde::Deserialize;

use super::quantity::FormatError;
use crate::chain::address::{AddressError, evm};

const ACCOUNT_BYTES: usize = 20;

/// Who holds ether and tokens: a key, or a contract. Written with the checksum of EIP-55, the form
/// addresses are compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Account(pub [u8; ACCOUNT_BYTES]);

impl Account {
    /// The account a key controls.
    pub fn of_key(key: &PublicKey) -> Self {
        Self(evm::account(key))
    }

    /// The account at the end of a 32 byte word, as contracts pass it; `None` when the word holds
    /// more than an account.
    pub(super) fn from_word(word: &[u8; 32]) -> Option<Self> {
        let (padding, account) = word.split_at(word.len() - ACCOUNT_BYTES);
        let account = <[u8; ACCOUNT_BYTES]>::try_from(account).ok()?;
        padding
            .iter()
            .all(|byte| *byte == 0)
            .then_some(Self(account))
    }

    /// The account in a word of its own.
    pub(super) fn to_word(self) -> [u8; 32] {
        let mut word = [0; 32];
        word[32 - ACCOUNT_BYTES..].copy_from_slice(&self.0);
        word
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&evm::encode(&self.0))
    }
}

/// Reads what a person wrote: a wrong checksum is refused.
impl FromStr for Account {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bytes = evm::parse(text)?.script;
        <[u8; ACCOUNT_BYTES]>::try_from(bytes.as_slice())
            .map(Self)
            .map_err(|_| AddressError::Malformed)
    }
}

/// Reads what a node wrote, in whatever case: nodes know no checksum.
impl TryFrom<String> for Account {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        let digits = text.strip_prefix("0x").ok_or(FormatError("an account"))?;
        let mut account = [0; ACCOUNT_BYTES];
        hex::decode_to_slice(digits, &mut account).map_err(|_| FormatError("an account"))?;
        Ok(Self(account))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CHECKED: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    #[test]
    fn a_node_s_lower_case_becomes_the_form_addresses_are_compared_in() {
        let account = Account::try_from(CHECKED.to_lowercase()).unwrap();
        assert_eq!(account.to_string(), CHECKED);
        assert_eq!(account, CHECKED.parse::<Account>().unwrap());
    }

    #[test]
    fn a_person_s_wrong_checksum_is_refused() {
        let wrong = CHECKED.replace("C8", "c8");
        assert_eq!(wrong.parse::<Account>(), Err(AddressError::Checksum));
    }

    #[test]
    fn other_lengths_and_letters_are_no_accounts() {
        for text in ["", "0x", "0x00", &CHECKED[2..], &format!("{CHECKED}00")] {
            assert!(Account::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_holds_an_account_only_behind_zeros() {
        let account: Account = CHECKED.parse().unwrap();
        let mut word = account.to_word();
        assert_eq!(Account::from_word(&word), Some(account));
        word[11] = 1;
        assert_eq!(Account::from_word(&word), None);
    }
}
