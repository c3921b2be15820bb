//! What differs between the coins, as data. Adding a coin of a known form is one more row.

use bitcoin::NetworkKind;
use domain::payment_uri::UriScheme;

/// How a chain books money: outputs locked by scripts, or balances of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoinFamily {
    Bitcoin,
    Evm,
}

/// The version bytes of a network's base58 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base58Versions {
    pub pubkey_hash: u8,
    /// The first is written; the others are only read.
    pub script_hash: &'static [u8],
}

/// How a coin writes its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressForm {
    /// Writes P2WPKH (BIP 173); reads every witness version (BIP 350), and base58.
    Segwit {
        hrp: &'static str,
        base58: Base58Versions,
    },
    /// Writes P2PKH with its prefix; reads it without one, and the base58 of before the fork.
    CashAddr {
        prefix: &'static str,
        base58: Base58Versions,
    },
    /// Writes P2PKH; reads P2SH, too: a coin without segwit.
    Base58(Base58Versions),
    /// Writes EIP-55; reads it, and hexadecimal of one case.
    Eip55,
}

/// One coin: where its keys are derived, and how its addresses and payment links look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinParams {
    /// Currency code as listed, case-sensitive.
    pub code: &'static str,
    pub form: AddressForm,
    /// First level of the derivation path, hardened: 84 (BIP 84) or 44 (BIP 44).
    pub purpose: u32,
    /// Second level, hardened: the coin's number in SLIP 44.
    pub coin_type: u32,
    /// Third level, hardened.
    pub account: u32,
    /// Decides between `xpub` and `tpub`.
    pub network: NetworkKind,
    pub uri_scheme: UriScheme,
}

impl CoinParams {
    pub const fn family(&self) -> CoinFamily {
        match self.form {
            AddressForm::Segwit { .. } | AddressForm::CashAddr { .. } | AddressForm::Base58(_) => {
                CoinFamily::Bitcoin
            }
            AddressForm::Eip55 => CoinFamily::Evm,
        }
    }
}

const BITCOIN_BASE58: Base58Versions = Base58Versions {
    pubkey_hash: 0x00,
    script_hash: &[0x05],
};

/// Every coin with addresses. Where two coins read one form, the one it is usual for comes first.
pub static COINS: [CoinParams; 6] = [
    CoinParams {
        code: "BTC",
        form: AddressForm::Segwit {
            hrp: "bc",
            base58: BITCOIN_BASE58,
        },
        purpose: 84,
        coin_type: 0,
        account: 0,
        network: NetworkKind::Main,
        uri_scheme: UriScheme::Bitcoin,
    },
    CoinParams {
        code: "tBTC",
        form: AddressForm::Segwit {
            hrp: "tb",
            base58: Base58Versions {
                pubkey_hash: 0x6f,
                script_hash: &[0xc4],
            },
        },
        purpose: 84,
        coin_type: 1,
        account: 0,
        network: NetworkKind::Test,
        uri_scheme: UriScheme::Bitcoin,
    },
    CoinParams {
        code: "LTC",
        form: AddressForm::Segwit {
            hrp: "ltc",
            // 0x05 is Bitcoin's `3…`, which Litecoin wrote before `M…`.
            base58: Base58Versions {
                pubkey_hash: 0x30,
                script_hash: &[0x32, 0x05],
            },
        },
        purpose: 84,
        coin_type: 2,
        account: 0,
        network: NetworkKind::Main,
        uri_scheme: UriScheme::Litecoin,
    },
    CoinParams {
        code: "BCH",
        form: AddressForm::CashAddr {
            prefix: "bitcoincash",
            base58: BITCOIN_BASE58,
        },
        purpose: 44,
        coin_type: 145,
        account: 0,
        network: NetworkKind::Main,
        uri_scheme: UriScheme::BitcoinCash,
    },
    CoinParams {
        code: "ETH",
        form: AddressForm::Eip55,
        purpose: 44,
        coin_type: 60,
        account: 0,
        network: NetworkKind::Main,
        uri_scheme: UriScheme::Ethereum,
    },
    CoinParams {
        code: "USDT",
        form: AddressForm::Eip55,
        purpose: 44,
        coin_type: 60,
        // Token and ether addresses look alike. In an account of its own, no address of ours is
        // both, so an address alone tells which currency a deposit page asked for.
        account: 1,
        network: NetworkKind::Main,
        uri_scheme: UriScheme::AddressOnly,
    },
];

/// The coin with this code; any other spelling of it is unknown (`80-clarifications.md`).
pub fn params(code: &str) -> Option<&'static CoinParams> {
    COINS.iter().find(|coin| coin.code == code)
}
