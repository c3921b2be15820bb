//! The coins on networks without value, as data: [`COINS`](super::COINS) has each on the network it
//! is listed for.
//!
//! Invariant: no two rows that one instance can run at the same time derive the same address, so
//! an address alone tells its coin.

use std::fmt;
use std::str::FromStr;

use bitcoin::NetworkKind;
use domain::payment_uri::UriScheme;

use super::coins::{AddressForm, Base58Versions, CoinParams, params};

/// Which chain of a coin's software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    Main,
    /// Litecoin's public test network. Bitcoin's third is not offered: its blocks come in bursts.
    Test,
    Testnet4,
    Signet,
    /// A private chain whose blocks are made by hand.
    Regtest,
}

impl Network {
    /// As in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "mainnet",
            Self::Test => "testnet",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such network")]
pub struct UnknownNetwork;

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::Main,
            Self::Test,
            Self::Testnet4,
            Self::Signet,
            Self::Regtest,
        ]
        .into_iter()
        .find(|network| network.name() == text)
        .ok_or(UnknownNetwork)
    }
}

/// Base58 of every Bitcoin network but the main one.
const BITCOIN_TEST_BASE58: Base58Versions = Base58Versions {
    pubkey_hash: 0x6f,
    script_hash: &[0xc4],
};

/// 0xc4 is Bitcoin's `2…`, which Litecoin wrote before `Q…`.
const LITECOIN_TEST_BASE58: Base58Versions = Base58Versions {
    pubkey_hash: 0x6f,
    script_hash: &[0x3a, 0xc4],
};

/// SLIP 44: one number for the test networks of every coin.
const COIN_TYPE_TEST: u32 = 1;

const fn bitcoin(hrp: &'static str) -> CoinParams {
    CoinParams {
        code: "BTC",
        form: AddressForm::Segwit {
            hrp,
            base58: BITCOIN_TEST_BASE58,
        },
        purpose: 84,
        coin_type: COIN_TYPE_TEST,
        // The first account is tBTC's, which writes the same addresses.
        account: 1,
        network: NetworkKind::Test,
        uri_scheme: UriScheme::Bitcoin,
    }
}

const fn litecoin(hrp: &'static str) -> CoinParams {
    CoinParams {
        code: "LTC",
        form: AddressForm::Segwit {
            hrp,
            base58: LITECOIN_TEST_BASE58,
        },
        purpose: 84,
        coin_type: COIN_TYPE_TEST,
        account: 0,
        network: NetworkKind::Test,
        uri_scheme: UriScheme::Litecoin,
    }
}

/// One row per coin and network that is not the main one.
static TEST_COINS: [(Network, CoinParams); 5] = [
    (Network::Testnet4, bitcoin("tb")),
    (Network::Signet, bitcoin("tb")),
    (Network::Regtest, bitcoin("bcrt")),
    (Network::Test, litecoin("tltc")),
    (Network::Regtest, litecoin("rltc")),
];

/// The coin with this code on a network; `None` when there is no such network of it.
pub fn params_on(code: &str, network: Network) -> Option<&'static CoinParams> {
    if network == Network::Main {
        return params(code).filter(|coin| coin.network == NetworkKind::Main);
    }
    TEST_COINS
        .iter()
        .find(|(of, coin)| *of == network && coin.code == code)
        .map(|(_, coin)| coin)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::{AccountKey, Seed, parse_address};

    const NETWORKS: [Network; 5] = [
        Network::Main,
        Network::Test,
        Network::Testnet4,
        Network::Signet,
        Network::Regtest,
    ];

    #[test]
    fn a_network_is_read_by_the_name_it_is_written_with() {
        for network in NETWORKS {
            assert_eq!(network.to_string().parse(), Ok(network));
        }
        for text in ["", "main", "Regtest", " regtest", "testnet3"] {
            assert_eq!(text.parse::<Network>(), Err(UnknownNetwork), "{text}");
        }
    }

    /// Who only writes a payment link need not know the network.
    #[test]
    fn links_of_a_coin_begin_alike_on_every_network() {
        for (network, coin) in &TEST_COINS {
            let main = params(coin.code).unwrap();
            assert_eq!(coin.uri_scheme, main.uri_scheme, "{} {network}", coin.code);
        }
    }

    #[test]
    fn each_coin_has_its_own_networks() {
        for (code, networks) in [
            (
                "BTC",
                &[
                    Network::Main,
                    Network::Testnet4,
                    Network::Signet,
                    Network::Regtest,
                ][..],
            ),
            ("LTC", &[Network::Main, Network::Test, Network::Regtest][..]),
            ("tBTC", &[][..]),
            ("nothing", &[][..]),
        ] {
            for network in NETWORKS {
                let found = params_on(code, network);
                assert_eq!(
                    found.is_some(),
                    networks.contains(&network),
                    "{code} {network}"
                );
                assert!(found.is_none_or(|coin| coin.code == code));
            }
        }
    }

    /// Base58 of HASH160 00…00, computed by an independent implementation.
    #[test]
    fn old_forms_of_the_test_networks_are_read_and_written() {
        let bitcoin = params_on("BTC", Network::Regtest).unwrap();
        let litecoin = params_on("LTC", Network::Regtest).unwrap();
        for (coin, text, canonical) in [
            (
                bitcoin,
                "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8",
                "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8",
            ),
            (
                bitcoin,
                "2MsFDzHRUAMpjHxKyoEHU3aMCMsVtMqs1PV",
                "2MsFDzHRUAMpjHxKyoEHU3aMCMsVtMqs1PV",
            ),
            (
                litecoin,
                "2MsFDzHRUAMpjHxKyoEHU3aMCMsVtMqs1PV",
                "QLbz7JHiBTspS962RLKV8GndWFwiJNvEPz",
            ),
        ] {
            assert_eq!(
                parse_address(coin, text).map(|address| address.canonical),
                Ok(canonical.to_owned())
            );
        }
    }

    #[test]
    fn no_coin_of_a_test_network_shares_addresses_with_another_coin() {
        let seed = Seed::new([7; 64]);
        let shown = |coin| {
            AccountKey::from_seed(&seed, coin)
                .unwrap()
                .address(0)
                .unwrap()
        };
        let ours = shown(params("tBTC").unwrap());
        for (network, coin) in &TEST_COINS {
            let address = shown(coin);
            assert_ne!(address, ours, "{network}");
            assert_eq!(
                parse_address(coin, &address).map(|read| read.canonical),
                Ok(address)
            );
        }
    }
}
