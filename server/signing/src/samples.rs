//! Coins, payments and accounts for tests: the wallet of BIP 84's test vectors.

#![allow(clippy::unwrap_used)]

use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid, WPubkeyHash};

use crate::account::Account;
use crate::chain::{ChainParams, chain};
use crate::coins::{Branch, ChangeScript, Coin, Payment, Plan};
use crate::fee::{FeeCaps, FeeRate};
use crate::key::SigningKey;
use crate::script_kind::ScriptKind;
use crate::selection::{Selection, select};

/// The seed of `abandon` eleven times and `about`, without a passphrase.
pub const SEED: &str = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
                        9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";

/// No cap worth mentioning.
pub const CAPS: FeeCaps = FeeCaps {
    absolute: u64::MAX,
    relative_ppm: u32::MAX,
};

pub fn bitcoin() -> &'static ChainParams {
    chain("bitcoin").unwrap()
}

pub fn key(kind: ScriptKind) -> SigningKey {
    SigningKey::parse(SEED, bitcoin(), kind, 0).unwrap()
}

pub fn account(kind: ScriptKind) -> Account {
    key(kind).account().clone()
}

/// A script of somebody else, another one for each `tag`.
pub fn payee(tag: u8) -> ScriptBuf {
    if tag == 0x51 {
        return ScriptBuf::from_hex("51").unwrap();
    }
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([tag; 20]))
}

pub fn payment(tag: u8, satoshi: u64) -> Payment {
    Payment {
        script: payee(tag),
        satoshi,
        reference: format!("withdrawal {tag}"),
    }
}

/// The transaction whose first output is the coin at `account / 0 / index`.
pub fn funding(kind: ScriptKind, index: u32, satoshi: u64) -> Transaction {
    let mut tx = Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn::default()],
        output: vec![TxOut {
            value: Amount::from_sat(satoshi),
            script_pubkey: account(kind).script(Branch::Receiving, index).unwrap(),
        }],
    };
    // So that two of them never share an id.
    tx.input[0].previous_output = OutPoint::new(Txid::from_byte_array([7; 32]), index);
    tx
}

/// The coin [`funding`] makes, with 6 confirmations.
pub fn coin(kind: ScriptKind, index: u32, satoshi: u64) -> Coin {
    let tx = funding(kind, index, satoshi);
    Coin {
        outpoint: OutPoint::new(tx.compute_txid(), 0),
        satoshi,
        branch: Branch::Receiving,
        index,
        script: tx.output[0].script_pubkey.clone(),
        confirmations: 6,
    }
}

/// The address for change at `account / 1 / index`.
pub fn change(kind: ScriptKind, index: u32) -> ChangeScript {
    ChangeScript {
        index,
        script: account(kind).script(Branch::Change, index).unwrap(),
    }
}

/// The plan for coins and payments at 1000 satoshis for 1000 virtual bytes, with change to index 3.
pub fn planned(kind: ScriptKind, coins: &[Coin], payments: &[Payment]) -> Plan {
    select(&Selection {
        coins,
        payments,
        change: &change(kind, 3),
        fee_rate: FeeRate::from_sat_per_kvb(1_000),
        caps: CAPS,
        confirmations_min: 1,
        chain: bitcoin(),
    })
    .unwrap()
}

/// Two coins of 60 000 and 50 000 satoshis, one payment of 100 000, change.
pub fn plan(kind: ScriptKind) -> Plan {
    let coins = [coin(kind, 0, 60_000), coin(kind, 1, 50_000)];
    planned(kind, &coins, &[payment(1, 100_000)])
}

/// What [`plan`] spends.
pub fn fundings(kind: ScriptKind) -> std::collections::BTreeMap<Txid, Transaction> {
    let txs = [funding(kind, 0, 60_000), funding(kind, 1, 50_000)];
    txs.into_iter().map(|tx| (tx.compute_txid(), tx)).collect()
}
