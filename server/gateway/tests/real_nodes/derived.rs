//! Nodes derive the same addresses as we do: of random accounts, on both branches, in every form that an
//! account can have, on the main network and on a private one.

use bitcoin::NetworkKind;
use bitcoin::bip32::{ChildNumber, Xpriv, Xpub};
use bitcoin::secp256k1::Secp256k1;
use gateway::chain::address::{AccountKey, Network, output_address, params_on};
use gateway::chain::signing_chain;
use serde::Deserialize;
use serde_json::json;
use signing::account::Origin;
use signing::{Account, Branch, ScriptKind};

use super::node::{Extras, Kind, Node};

/// Indices compared on each branch.
const COUNT: u32 = 20;
const ACCOUNTS: u32 = 3;
const SEED: u64 = 20_261_130;

#[derive(Deserialize)]
struct DescriptorInfo {
    /// With its checksum.
    descriptor: String,
    /// Of the text that was given.
    checksum: String,
}

/// `SplitMix64`, for keys that are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn master(&mut self, network: NetworkKind) -> Xpriv {
        let seed: Vec<u8> = (0..8).flat_map(|_| self.roll().to_be_bytes()).collect();
        Xpriv::new_master(network, &seed).unwrap()
    }
}

/// The account of its kind below a master key.
pub fn account(master: &Xpriv, kind: ScriptKind, coin_type: u32) -> Account {
    let secp = Secp256k1::new();
    let path =
        [kind.purpose(), coin_type, 0].map(|level| ChildNumber::from_hardened_idx(level).unwrap());
    let key = Xpub::from_priv(&secp, &master.derive_priv(&secp, &path).unwrap());
    let origin = Origin {
        fingerprint: master.fingerprint(&secp),
        path: path.to_vec().into(),
    };
    Account::new(kind, key, Some(origin))
}

async fn compare(node: &Node, network: Network) {
    let code = node.kind.code();
    let coin = params_on(code, network).unwrap();
    let chain = signing_chain(code, network).unwrap();
    let mut dice = Dice(SEED);
    for kind in [
        ScriptKind::P2wpkh,
        ScriptKind::P2shP2wpkh,
        ScriptKind::P2pkh,
    ] {
        for _ in 0..ACCOUNTS {
            let account = account(&dice.master(coin.network), kind, coin.coin_type);
            let ours = account.descriptor();
            let (both, checksum) = ours.split_once('#').unwrap();
            for (branch, number) in [(Branch::Receiving, "0"), (Branch::Change, "1")] {
                let one = both.replace("<0;1>", number);
                assert_ne!(one, both);
                let info: DescriptorInfo = node.call("getdescriptorinfo", json!([one])).await;
                let range = json!([info.descriptor, [0, COUNT - 1]]);
                let theirs: Vec<String> = node.call("deriveaddresses", range).await;
                let scripts = (0..COUNT).map(|index| account.script(branch, index).unwrap());
                let found: Vec<String> = scripts
                    .map(|script| {
                        let watched = output_address(coin, script.as_bytes()).unwrap();
                        // What signs writes what is watched.
                        assert_eq!(chain.address(&script).as_ref(), Some(&watched));
                        watched
                    })
                    .collect();
                assert_eq!(found, theirs, "{code} {network} {one}");
            }
            if kind == ScriptKind::P2wpkh {
                let key = AccountKey::from_xpub(*account.key(), coin).unwrap();
                let first = account.first_addresses(chain, 1).unwrap();
                assert_eq!(key.address(0).unwrap(), first[0]);
            }
            // Older nodes know no descriptors of two branches.
            if node.kind == Kind::Bitcoin {
                let info: DescriptorInfo = node.call("getdescriptorinfo", json!([both])).await;
                assert_eq!(info.checksum, checksum);
            }
        }
    }
}

async fn compare_on_both(kind: Kind) {
    for (main_network, network) in [(false, Network::Regtest), (true, Network::Main)] {
        let extras = Extras {
            main_network,
            ..Extras::default()
        };
        let Some(node) = Node::start_with(kind, extras).await else {
            return;
        };
        compare(&node, network).await;
    }
}

#[tokio::test]
async fn bitcoin_core_derives_the_same_addresses() {
    compare_on_both(Kind::Bitcoin).await;
}

#[tokio::test]
async fn litecoin_core_derives_the_same_addresses() {
    compare_on_both(Kind::Litecoin).await;
}
