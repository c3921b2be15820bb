//! Electrum names the same addresses as we do, and reads our payment links as they are meant.

use bitcoin::base58;
use bitcoin::bip32::Xpub;
use domain::payment_uri::PaymentUri;
use gateway::chain::address::{Network, output_address, params_on};
use gateway::chain::signing_chain;
use serde_json::json;
use signing::{Account, Branch, ScriptKind};

use super::derived::{Dice, account};
use super::electrum::{self, Link};

const SEED: u64 = 20_261_201;
/// Electrum answers as many addresses of each branch.
const COUNT: u32 = 20;

/// An account's key as a wallet of its kind writes it (SLIP 132).
fn written(key: &Xpub, version: u32) -> String {
    let mut bytes = key.encode();
    bytes[..4].copy_from_slice(&version.to_be_bytes());
    base58::encode_check(&bytes)
}

fn compare(network: Network, name: &str, versions: [(ScriptKind, u32); 3]) {
    let coin = params_on("BTC", network).unwrap();
    let chain = signing_chain("BTC", network).unwrap();
    let mut dice = Dice(SEED);
    let keys: Vec<String> = versions
        .into_iter()
        .map(|(kind, version)| {
            let account = account(&dice.master(coin.network), kind, coin.coin_type);
            written(account.key(), version)
        })
        .collect();
    let questions = json!({ "network": name, "addresses": keys, "wallets": keys });
    let Some(answers) = electrum::ask(&questions) else {
        return;
    };
    assert_eq!(answers.addresses.len(), keys.len());
    assert_eq!(answers.wallets.len(), keys.len());
    let theirs = answers.addresses.iter().zip(&answers.wallets);
    for ((text, (theirs, wallet)), (kind, _)) in keys.iter().zip(theirs).zip(versions) {
        // What a plain key is for, nobody can read from it: for Electrum, the oldest kind.
        let account = Account::parse(text, chain, ScriptKind::P2pkh).unwrap();
        assert_eq!(account.kind(), kind, "{text}");
        let theirs = theirs.iter().zip(wallet);
        for (branch, (theirs, wallet)) in
            [Branch::Receiving, Branch::Change].into_iter().zip(theirs)
        {
            let ours: Vec<String> = (0..COUNT)
                .map(|index| {
                    let script = account.script(branch, index).unwrap();
                    output_address(coin, script.as_bytes()).unwrap()
                })
                .collect();
            assert_eq!(&ours, theirs, "{text}");
            // What `electrum restore` makes of the key; of change it shows fewer.
            assert!(wallet.len() > 5, "{wallet:?}");
            assert_eq!(ours[..wallet.len()], wallet[..], "{text}");
        }
    }
}

#[test]
fn electrum_derives_the_same_addresses_on_the_main_network() {
    let xpub_ypub_zpub = [
        (ScriptKind::P2pkh, 0x0488_b21e),
        (ScriptKind::P2shP2wpkh, 0x049d_7cb2),
        (ScriptKind::P2wpkh, 0x04b2_4746),
    ];
    compare(Network::Main, "mainnet", xpub_ypub_zpub);
}

const TPUB_UPUB_VPUB: [(ScriptKind, u32); 3] = [
    (ScriptKind::P2pkh, 0x0435_87cf),
    (ScriptKind::P2shP2wpkh, 0x044a_5262),
    (ScriptKind::P2wpkh, 0x045f_1cf6),
];

#[test]
fn electrum_derives_the_same_addresses_on_a_test_network() {
    compare(Network::Testnet4, "testnet", TPUB_UPUB_VPUB);
}

#[test]
fn electrum_derives_the_same_addresses_on_a_private_network() {
    compare(Network::Regtest, "regtest", TPUB_UPUB_VPUB);
}

#[test]
fn electrum_reads_our_links() {
    let coin = params_on("BTC", Network::Main).unwrap();
    let segwit = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
    let old = "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA";
    let (label, message) = ("Kafejnīca \"Rīts\" & dēli", "50 % of #7? +1=2/3");
    let mut links = Vec::new();
    let mut expected = Vec::new();
    for address in [segwit, old] {
        for (amount, satoshi) in [
            ("0.00000001", 1),
            ("0.10", 10_000_000),
            ("20999999.9769", 2_099_999_997_690_000),
        ] {
            let uri = PaymentUri {
                scheme: coin.uri_scheme,
                address,
                amount: Some(amount),
                label: Some(label),
                message: Some(message),
            };
            links.push(uri.link().unwrap());
            expected.push((address, satoshi, true));
            links.push(uri.qr_text());
            expected.push((address, satoshi, false));
        }
    }
    let whole = links.len();
    // A character that was changed on the way.
    links.push(links[0].replace("fyu?", "fyv?"));
    assert_ne!(links[whole], links[0]);
    let questions = json!({ "network": "mainnet", "links": links });
    let Some(answers) = electrum::ask(&questions) else {
        return;
    };
    assert_eq!(answers.links.len(), links.len());
    for ((found, link), (address, satoshi, has_texts)) in
        answers.links.iter().zip(&links).zip(expected)
    {
        let found = found
            .as_ref()
            .unwrap_or_else(|| panic!("{link} is refused"));
        // Whoever wants a smaller code writes all of it in capitals.
        let written = if address == segwit {
            found.address.as_ref().map(|text| text.to_ascii_lowercase())
        } else {
            found.address.clone()
        };
        let read = Link {
            address: written,
            amount: found.amount,
            label: found.label.clone(),
            message: found.message.clone(),
        };
        let meant = Link {
            address: Some(address.to_owned()),
            amount: Some(satoshi),
            label: has_texts.then(|| label.to_owned()),
            message: has_texts.then(|| message.to_owned()),
        };
        assert_eq!(read, meant, "{link}");
    }
    assert_eq!(answers.links[whole], None);
}
