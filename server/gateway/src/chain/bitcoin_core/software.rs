//! What differs between the nodes of the Bitcoin family, as data. Another coin is one more row.

use crate::chain::address::Network;

/// How blocks are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockForm {
    /// Serialised, read here.
    Raw,
    /// As JSON, read by the node.
    Verbose,
}

/// One coin's node software.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Software {
    /// Currency code.
    pub code: &'static str,
    /// What the crate `signing` calls the coin.
    pub signing: &'static str,
    pub block_form: BlockForm,
    /// As `getnetworkinfo` writes it: 250000 is 25.0.
    pub version_min: i64,
    /// Twelve blocks: longer than a node takes to start again, and long enough for a payment that
    /// only our node forgot to be mined by others.
    pub drop_grace: time::Duration,
    pub networks: &'static [NetworkIdentity],
}

/// How a node names the network it is on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NetworkIdentity {
    pub network: Network,
    /// In `getblockchaininfo`.
    pub chain: &'static str,
    /// Hash of its first block.
    pub genesis: &'static str,
}

const fn identity(network: Network, chain: &'static str, genesis: &'static str) -> NetworkIdentity {
    NetworkIdentity {
        network,
        chain,
        genesis,
    }
}

static SOFTWARE: [Software; 2] = [
    Software {
        code: "BTC",
        signing: "bitcoin",
        block_form: BlockForm::Raw,
        version_min: 250_000,
        drop_grace: time::Duration::hours(2),
        networks: &[
            identity(
                Network::Main,
                "main",
                "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            ),
            identity(
                Network::Testnet4,
                "testnet4",
                "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            ),
            // Whoever signs its blocks, the first one is the same.
            identity(
                Network::Signet,
                "signet",
                "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            ),
            identity(
                Network::Regtest,
                "regtest",
                "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
            ),
        ],
    },
    Software {
        code: "LTC",
        signing: "litecoin",
        block_form: BlockForm::Verbose,
        // The first that knows extension blocks.
        version_min: 210_200,
        drop_grace: time::Duration::minutes(30),
        networks: &[
            identity(
                Network::Main,
                "main",
                "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
            ),
            identity(
                Network::Test,
                "test",
                "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0",
            ),
            identity(
                Network::Regtest,
                "regtest",
                "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
            ),
        ],
    },
];

/// The node software of a coin; `None` when none of ours speaks to it.
pub(super) fn of(code: &str) -> Option<&'static Software> {
    SOFTWARE.iter().find(|software| software.code == code)
}

impl Software {
    pub fn identity(&self, network: Network) -> Option<&'static NetworkIdentity> {
        self.networks
            .iter()
            .find(|identity| identity.network == network)
    }

    /// The networks to choose from, for messages.
    pub fn network_names(&self) -> String {
        let names: Vec<&str> = self
            .networks
            .iter()
            .map(|identity| identity.network.name())
            .collect();
        names.join(", ")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::params_on;

    #[test]
    fn the_first_blocks_are_those_of_the_library() {
        for (network, library) in [
            (Network::Main, bitcoin::Network::Bitcoin),
            (Network::Testnet4, bitcoin::Network::Testnet4),
            (Network::Signet, bitcoin::Network::Signet),
            (Network::Regtest, bitcoin::Network::Regtest),
        ] {
            let identity = of("BTC").unwrap().identity(network).unwrap();
            let genesis = bitcoin::blockdata::constants::genesis_block(library);
            assert_eq!(identity.genesis, genesis.block_hash().to_string());
            assert_eq!(identity.chain, library.to_core_arg());
        }
    }

    #[test]
    fn every_coin_is_one_that_is_signed_for() {
        for software in &SOFTWARE {
            assert!(signing::chain(software.signing).is_some());
        }
    }

    #[test]
    fn every_network_of_a_node_has_addresses() {
        for software in &SOFTWARE {
            for identity in software.networks {
                assert!(params_on(software.code, identity.network).is_some());
            }
        }
    }
}
