//! Coins of the Bitcoin family that are not here, as rows: what `docs/adding-a-coin.md` calls data is all it
//! takes to derive their addresses, to read them, to ask for payments, and to find those in a node's
//! blocks. The rows are those of Dogecoin, which has no segwit, and of Vertcoin, which has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "real_nodes/node.rs"]
mod node;
#[path = "real_nodes/port.rs"]
mod port;
#[path = "real_nodes/purse.rs"]
mod purse;
#[path = "real_nodes/required.rs"]
mod required;

use bitcoin::NetworkKind;
use domain::payment_uri::{Bip21, PaymentUri, UriScheme};
use gateway::chain::address::{
    AccountKey, AddressError, AddressForm, Base58Versions, CoinParams, Network, Seed,
    output_address, params, parse_address,
};
use gateway::chain::backend::ChainBackend;
use gateway::chain::bitcoin_core::BitcoinCore;

use self::node::{Kind, Node};
use self::purse::{Purse, elsewhere};

static DOGECOIN: CoinParams = CoinParams {
    code: "DOGE",
    form: AddressForm::Base58(Base58Versions {
        pubkey_hash: 0x1e,
        script_hash: &[0x16],
    }),
    purpose: 44,
    coin_type: 3,
    account: 0,
    network: NetworkKind::Main,
    uri_scheme: UriScheme::Bip21(&Bip21 {
        name: "dogecoin",
        caseless_starts: &[],
    }),
};

static VERTCOIN: CoinParams = CoinParams {
    code: "VTC",
    form: AddressForm::Segwit {
        hrp: "vtc",
        base58: Base58Versions {
            pubkey_hash: 0x47,
            script_hash: &[0x05],
        },
    },
    purpose: 84,
    coin_type: 28,
    account: 0,
    network: NetworkKind::Main,
    uri_scheme: UriScheme::Bip21(&Bip21 {
        name: "vertcoin",
        caseless_starts: &["vtc1"],
    }),
};

const SATOSHI: u128 = 1_234_567;

/// The seed of BIP 84's test vectors: `abandon` eleven times, `about`, no passphrase.
fn account(coin: &'static CoinParams) -> AccountKey {
    let bytes = hex::decode(concat!(
        "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1",
        "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4",
    ));
    let seed = Seed::new(bytes.unwrap().try_into().unwrap());
    AccountKey::from_seed(&seed, coin).unwrap()
}

/// Computed by an independent implementation of BIP 32, base58 and bech32.
#[test]
fn addresses_are_those_of_other_wallets() {
    for (coin, index, address) in [
        (&DOGECOIN, 0, "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC"),
        (&DOGECOIN, 1, "DAcDAtJRztxBHyA6D6h8du1HguyTR43Mas"),
        (&VERTCOIN, 0, "vtc1qfe8v6c4r39fq8xnjgcpunt5spdfcxw63zzfwru"),
        (&VERTCOIN, 1, "vtc1q2e0veel55hhep79fladvjg52e2htsq0z2dav68"),
    ] {
        assert_eq!(account(coin).address(index).unwrap(), address);
        let read = parse_address(coin, address).unwrap();
        assert_eq!(read.canonical, address);
        assert_eq!(output_address(coin, &read.script).unwrap(), address);
    }
}

#[test]
fn addresses_of_other_coins_are_refused() {
    let bitcoin = params("BTC").unwrap();
    for (coin, text) in [
        (&DOGECOIN, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
        (&DOGECOIN, "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"),
        (&VERTCOIN, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
    ] {
        assert_eq!(parse_address(coin, text), Err(AddressError::OtherCoin));
    }
    for text in [
        "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC",
        "vtc1qfe8v6c4r39fq8xnjgcpunt5spdfcxw63zzfwru",
    ] {
        assert!(parse_address(bitcoin, text).is_err(), "{text}");
    }
    // One letter is another one.
    let broken = parse_address(&DOGECOIN, "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgD");
    assert_eq!(broken, Err(AddressError::Checksum));
    // A script of a kind that the coin does not have.
    let segwit = hex::decode("0014751e76e8199196d454941c45d1b3a323f1433bd6").unwrap();
    assert_eq!(output_address(&DOGECOIN, &segwit), None);
}

#[test]
fn payments_are_asked_for_in_the_coins_own_scheme() {
    for (coin, address, link, code) in [
        (
            &DOGECOIN,
            "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC",
            "dogecoin:DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC?amount=12.5&label=Shop",
            "dogecoin:DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC?amount=12.5",
        ),
        (
            &VERTCOIN,
            "vtc1qfe8v6c4r39fq8xnjgcpunt5spdfcxw63zzfwru",
            "vertcoin:vtc1qfe8v6c4r39fq8xnjgcpunt5spdfcxw63zzfwru?amount=12.5&label=Shop",
            "VERTCOIN:VTC1QFE8V6C4R39FQ8XNJGCPUNT5SPDFCXW63ZZFWRU?amount=12.5",
        ),
    ] {
        let uri = PaymentUri {
            scheme: coin.uri_scheme,
            address,
            amount: Some("12.50"),
            label: Some("Shop"),
            message: None,
        };
        assert_eq!(uri.link().as_deref(), Some(link));
        assert_eq!(uri.qr_text(), code);
    }
}

/// The node is one of Litecoin's; scripts are the same in the whole family, and their texts are the row's.
#[tokio::test]
async fn payments_are_found_in_a_node_by_the_coins_own_addresses() {
    let Some(node) = Node::start(Kind::Litecoin).await else {
        return;
    };
    let purse = Purse::filled(&node, 2).await;
    let doge = account(&DOGECOIN).address(0).unwrap();
    let vert = account(&VERTCOIN).address(0).unwrap();
    for (coin, address) in [(&DOGECOIN, doge), (&VERTCOIN, vert)] {
        let script = parse_address(coin, &address).unwrap().script;
        let written = output_address(Kind::Litecoin.coin(), &script).unwrap();
        let draft = purse.pay(&node, &written, SATOSHI).await;
        let mut config = node.config_as("LTC", Network::Regtest);
        config.coin = coin;
        let backend = BitcoinCore::open(config).await.unwrap();
        let waiting = backend.tx(&draft.txid).await.unwrap().unwrap();
        node.mine(1, &elsewhere(Kind::Litecoin)).await;
        let tip = backend.tip().await.unwrap();
        let block = backend.block(&tip.hash).await.unwrap();
        let mined = block.txs.iter().find(|tx| tx.txid == draft.txid).unwrap();
        for tx in [&waiting, mined] {
            let mut outputs = tx.outputs.iter();
            let paid = outputs.find(|output| output.address == address).unwrap();
            assert_eq!(paid.raw, SATOSHI);
        }
    }
}
