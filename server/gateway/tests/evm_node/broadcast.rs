//! Transactions of our own: made and signed here, judged by the node.

use bitcoin::secp256k1::SecretKey;
use gateway::Error;
use gateway::chain::backend::{ChainBackend, ChainTx, SignedTx};
use gateway::chain::evm::{Account, Asset, Evm};
use signing::evm::Transaction;

use crate::anvil::{ALICE, ALICE_KEY, Anvil, CHAIN_ID, fresh, last_block};
use crate::contracts::{asset, deploy_token};

const GWEI: u128 = 1_000_000_000;

fn key() -> SecretKey {
    SecretKey::from_slice(&hex::decode(ALICE_KEY).unwrap()).unwrap()
}

/// A transaction that moves nothing yet.
fn terms(nonce: u64) -> Transaction {
    Transaction {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 30 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: signing::evm::Account([0; 20]),
        value: 0,
        data: Vec::new(),
    }
}

fn signed(transaction: &Transaction) -> SignedTx {
    let (raw, txid) = transaction.sign(&key()).unwrap();
    SignedTx { txid, raw }
}

fn ether(terms: Transaction, to: Account, wei: u128) -> SignedTx {
    signed(&Transaction {
        to: signing::evm::Account(to.0),
        value: wei,
        ..terms
    })
}

async fn refusal(evm: &Evm, tx: &SignedTx) -> Error {
    evm.broadcast(&tx.raw).await.unwrap_err()
}

#[tokio::test]
async fn the_same_bytes_may_be_sent_at_any_time() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let alice: Account = ALICE.parse().unwrap();
    assert_eq!(evm.next_nonce(alice).await.unwrap(), 0);
    let tx = ether(terms(0), fresh(7), 5);
    evm.broadcast(&tx.raw).await.unwrap();
    evm.broadcast(&tx.raw).await.unwrap();
    assert_eq!(evm.mempool().await.unwrap(), std::slice::from_ref(&tx.txid));
    assert_eq!(evm.next_nonce(alice).await.unwrap(), 1);
    anvil.mine().await;
    let [mined]: [ChainTx; 1] = last_block(&evm).await.txs.try_into().unwrap();
    assert_eq!(mined.txid, tx.txid);
    // The node finds the sender from our signature.
    assert_eq!(mined.inputs[0].txid, format!("{ALICE}:0"));
    assert_eq!(mined.outputs[0].raw, 5);
    evm.broadcast(&tx.raw).await.unwrap();
    assert!(evm.mempool().await.unwrap().is_empty());
}

#[tokio::test]
async fn another_transaction_with_the_nonce_is_a_conflict() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    evm.broadcast(&ether(terms(0), fresh(7), 5).raw)
        .await
        .unwrap();
    let rival = ether(terms(0), fresh(8), 5);
    assert!(matches!(refusal(&evm, &rival).await, Error::Conflict(_)));
    anvil.mine().await;
    assert!(matches!(refusal(&evm, &rival).await, Error::Conflict(_)));
    // Not even more money changes that.
    let dear = Transaction {
        max_priority_fee_per_gas: 20 * GWEI,
        ..terms(0)
    };
    let rival = ether(dear, fresh(8), 5);
    assert!(matches!(refusal(&evm, &rival).await, Error::Conflict(_)));
}

#[tokio::test]
async fn a_dearer_transaction_replaces_the_one_that_waits() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    evm.broadcast(&ether(terms(0), fresh(7), 5).raw)
        .await
        .unwrap();
    let dear = Transaction {
        max_fee_per_gas: 60 * GWEI,
        max_priority_fee_per_gas: 2 * GWEI,
        ..terms(0)
    };
    let bumped = ether(dear, fresh(7), 5);
    evm.broadcast(&bumped.raw).await.unwrap();
    assert_eq!(evm.mempool().await.unwrap(), [bumped.txid]);
}

#[tokio::test]
async fn other_refusals_are_no_conflicts_and_say_why() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let poor = ether(terms(0), fresh(7), 1_000_000_000 * 1_000_000_000 * GWEI);
    let error = refusal(&evm, &poor).await;
    assert!(matches!(error, Error::Internal(_)), "{error}");
    assert!(
        error
            .to_string()
            .to_lowercase()
            .contains("insufficient funds"),
        "{error}"
    );
    let elsewhere = Transaction {
        chain_id: 1,
        ..terms(0)
    };
    let error = refusal(&evm, &ether(elsewhere, fresh(7), 5)).await;
    assert!(matches!(error, Error::Internal(_)), "{error}");
    let garbage = SignedTx {
        txid: String::new(),
        raw: vec![0x12, 0x34],
    };
    let error = refusal(&evm, &garbage).await;
    assert!(matches!(error, Error::Internal(_)), "{error}");
}

#[tokio::test]
async fn our_token_transfer_pays() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let evm = anvil.open(asset(contract)).await;
    let terms = Transaction {
        gas_limit: 100_000,
        ..terms(1)
    };
    let to = signing::evm::Account(fresh(7).0);
    let tx = signed(&Transaction {
        to: signing::evm::Account(contract.0),
        data: Transaction::transfer_data(to, 77),
        ..terms
    });
    evm.broadcast(&tx.raw).await.unwrap();
    anvil.mine().await;
    let [mined]: [ChainTx; 1] = last_block(&evm).await.txs.try_into().unwrap();
    assert_eq!(mined.txid, tx.txid);
    assert_eq!(mined.outputs[0].address, fresh(7).to_string());
    assert_eq!(mined.outputs[0].raw, 77);
}
