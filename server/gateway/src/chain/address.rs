//! Addresses of every coin: derived from one seed, and checked when a person or an API gives one.
//!
//! Invariants: an address with a wrong checksum, of mixed case where case has no meaning, or of
//! another coin is never accepted; the same destination always has the same canonical text, so
//! addresses are compared and stored in that form only.

mod account;
mod base58;
mod cashaddr;
mod coins;
pub(crate) mod evm;
mod networks;
mod output;
mod script;
mod segwit;

use thiserror::Error;

pub use account::{AccountKey, DerivationError, Seed};
pub use coins::{AddressForm, Base58Versions, COINS, CoinFamily, CoinParams, params};
pub use networks::{Network, UnknownNetwork, params_on};
pub use output::output_address;

/// Longest text looked at. Bech32 allows 90 characters (BIP 173); no other form here is longer.
const ADDRESS_LENGTH_MAX: usize = 90;

/// A destination on a chain, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The one form stored, shown and compared: bech32 in lower case, CashAddr with its prefix,
    /// base58 with the coin's own version byte, EIP-55.
    pub canonical: String,
    /// What the chain knows it by: the scriptPubKey, or the 20 bytes of an EVM account.
    pub script: Vec<u8>,
}

/// Why a text is not an address of the coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// A wrong length, or a character the form does not have.
    #[error("this is not an address")]
    Malformed,
    /// Bech32 and CashAddr are all lower or all upper case (BIP 173).
    #[error("the address mixes upper and lower case")]
    MixedCase,
    #[error("the checksum of the address is wrong")]
    Checksum,
    /// A kind of address payments are not sent to, such as a token-aware one of Bitcoin Cash.
    #[error("this kind of address is not supported")]
    Unsupported,
    #[error("the address belongs to another coin or network")]
    OtherCoin,
}

/// Reads an address of `coin`, without surrounding space and without a payment URI around it.
///
/// # Errors
/// The reason the text is refused; [`AddressError::OtherCoin`] whenever it is a valid address of
/// another coin in [`COINS`].
pub fn parse_address(coin: &CoinParams, text: &str) -> Result<Address, AddressError> {
    parse_form(coin, text).map_err(|error| match guess_coin(text) {
        Some(_) => AddressError::OtherCoin,
        None => error,
    })
}

/// The coin a valid address belongs to, the first of [`COINS`] where forms are shared.
///
/// So `0x…` is ETH and never USDT, and `1…` and `3…` are BTC, although Bitcoin Cash and Litecoin
/// read them too.
pub fn guess_coin(text: &str) -> Option<&'static CoinParams> {
    COINS.iter().find(|coin| parse_form(coin, text).is_ok())
}

fn parse_form(coin: &CoinParams, text: &str) -> Result<Address, AddressError> {
    if text.len() > ADDRESS_LENGTH_MAX || !text.is_ascii() {
        return Err(AddressError::Malformed);
    }
    match &coin.form {
        // Base58 first: a vanity address may begin with the letters `LTC1`.
        AddressForm::Segwit {
            hrp,
            base58: versions,
        } => match base58::parse(text, versions) {
            Err(_) if segwit::is_prefixed(text, hrp) => segwit::parse(text, hrp),
            Err(error) => Err(error),
            Ok((lock, canonical)) => Ok(Address {
                canonical,
                script: lock.script_pubkey(),
            }),
        },
        AddressForm::CashAddr {
            prefix,
            base58: versions,
        } => {
            // No CashAddr payload begins with these, every old address does.
            let lock = if text.starts_with(['1', '3']) {
                base58::parse(text, versions)?.0
            } else {
                cashaddr::parse(text, prefix)?
            };
            Ok(Address {
                canonical: cashaddr::encode(prefix, &lock),
                script: lock.script_pubkey(),
            })
        }
        AddressForm::Base58(versions) => {
            let (lock, canonical) = base58::parse(text, versions)?;
            Ok(Address {
                canonical,
                script: lock.script_pubkey(),
            })
        }
        AddressForm::Eip55 => evm::parse(text),
    }
}

fn is_mixed_case(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
