//! What the signing crate calls the chains that are coins on networks here.

use signing::ChainParams;

use crate::chain::address::Network;

/// The chain of a coin on a network; `None` for those whose transactions are not made here.
pub fn signing_chain(code: &str, network: Network) -> Option<&'static ChainParams> {
    let name = match (code, network) {
        ("BTC", Network::Main) => "bitcoin",
        ("BTC", Network::Testnet4) => "bitcoin-testnet4",
        ("BTC", Network::Signet) => "bitcoin-signet",
        ("BTC", Network::Regtest) => "bitcoin-regtest",
        ("LTC", Network::Main) => "litecoin",
        ("LTC", Network::Test) => "litecoin-testnet",
        ("LTC", Network::Regtest) => "litecoin-regtest",
        _ => return None,
    };
    signing::chain(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::{AddressForm, params_on};

    #[test]
    fn both_sides_write_the_addresses_of_a_chain_alike() {
        let networks = [
            Network::Main,
            Network::Test,
            Network::Testnet4,
            Network::Signet,
            Network::Regtest,
        ];
        let mut found = 0;
        for code in ["BTC", "LTC"] {
            for network in networks {
                let (ours, theirs) = (params_on(code, network), signing_chain(code, network));
                assert_eq!(ours.is_some(), theirs.is_some(), "{code} {network}");
                let Some((ours, theirs)) = ours.zip(theirs) else {
                    continue;
                };
                found += 1;
                let AddressForm::Segwit { hrp, base58 } = ours.form else {
                    panic!("{code} has no segwit addresses");
                };
                assert_eq!(theirs.hrp, hrp, "{code} {network}");
                assert_eq!(theirs.pubkey_hash, base58.pubkey_hash);
                assert_eq!(theirs.script_hash, base58.script_hash);
                assert_eq!(theirs.keys, ours.network);
                assert_eq!(theirs.coin_type, ours.coin_type);
            }
        }
        assert_eq!(found, 7);
        assert!(signing_chain("ETH", Network::Main).is_none());
    }
}
