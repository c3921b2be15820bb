//! Deposits of ether: seen, replaced, failed, in a block, and out of it again.

use std::time::Duration;

use gateway::chain::backend::{ChainBackend, ChainOutput, ChainTx, OutPoint};
use gateway::chain::evm::{Account, Asset};
use serde_json::json;

use crate::anvil::{ALICE, Anvil, BOB, fresh, last_block};
use crate::contracts::deploy_token;

fn input(sender: &str, nonce: u64) -> Vec<OutPoint> {
    vec![OutPoint {
        txid: format!("{sender}:{nonce}"),
        vout: 0,
    }]
}

fn output(to: Account, wei: u128) -> Vec<ChainOutput> {
    vec![ChainOutput {
        vout: 0,
        address: to.to_string(),
        raw: wei,
    }]
}

#[tokio::test]
async fn a_deposit_is_seen_confirmed_and_undone_by_a_reorganisation() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let start = evm.tip().await.unwrap();
    assert_eq!(start.height, 0);
    assert!(evm.mempool().await.unwrap().is_empty());
    let txid = anvil.pay(ALICE, fresh(7), 5).await;
    let expected = ChainTx {
        txid: txid.clone(),
        inputs: input(ALICE, 0),
        outputs: output(fresh(7), 5),
    };
    assert_eq!(evm.mempool().await.unwrap(), std::slice::from_ref(&txid));
    // Out of the snapshot, and then from the node.
    for _ in 0..2 {
        assert_eq!(evm.tx(&txid).await.unwrap(), Some(expected.clone()));
    }

    anvil.mine().await;
    let block = last_block(&evm).await;
    assert_eq!(block.reference.height, 1);
    assert_eq!(block.reference.prev_hash, start.hash);
    assert_eq!(block.txs, [expected]);
    assert!(evm.mempool().await.unwrap().is_empty());
    assert_eq!(evm.tx(&txid).await.unwrap(), None);
    let at_1 = evm.block_at(1).await.unwrap();
    assert_eq!(at_1.as_ref(), Some(&block.reference));
    assert_eq!(evm.block_at(2).await.unwrap(), None);
    assert_eq!(evm.block_at(-1).await.unwrap(), None);
    assert_eq!(evm.balance(fresh(7)).await.unwrap(), 5);

    anvil.mine().await;
    anvil.mine().await;
    anvil.reorg(3).await;
    assert_eq!(evm.tip().await.unwrap().height, 3);
    let other = evm.block_at(1).await.unwrap().unwrap();
    assert_ne!(other.hash, block.reference.hash);
    assert_eq!(other.prev_hash, start.hash);
    assert!(evm.block(&other.hash).await.unwrap().txs.is_empty());
    assert_eq!(evm.balance(fresh(7)).await.unwrap(), 0);
    // The block we left is not there any more, and nothing is made up for it.
    assert!(evm.block(&block.reference.hash).await.is_err());
}

#[tokio::test]
async fn a_replacement_with_the_same_nonce_has_the_same_input() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let lost = anvil.pay(ALICE, fresh(7), 5).await;
    evm.mempool().await.unwrap();
    let lost_tx = evm.tx(&lost).await.unwrap().unwrap();
    // To somebody else, and dearer.
    let won = anvil
        .send(json!({
            "from": ALICE, "to": BOB, "value": "0x1", "nonce": "0x0",
            "maxFeePerGas": "0xee6b2800", "maxPriorityFeePerGas": "0x77359400",
        }))
        .await;
    assert_eq!(evm.mempool().await.unwrap(), std::slice::from_ref(&won));
    assert_eq!(evm.tx(&lost).await.unwrap(), None);
    let won_tx = evm.tx(&won).await.unwrap().unwrap();
    assert_eq!(won_tx.inputs, lost_tx.inputs);
    assert_ne!(won_tx.outputs, lost_tx.outputs);
    anvil.mine().await;
    assert_eq!(last_block(&evm).await.txs, [won_tx]);
}

#[tokio::test]
async fn a_failed_payment_uses_its_nonce_and_pays_nothing() {
    let Some(anvil) = Anvil::start() else { return };
    // A token takes no ether.
    let contract = deploy_token(&anvil).await;
    let evm = anvil.open(Asset::Native).await;
    let txid = anvil.pay(ALICE, contract, 5).await;
    evm.mempool().await.unwrap();
    let waiting = evm.tx(&txid).await.unwrap().unwrap();
    assert_eq!(waiting.outputs, output(contract, 5));
    anvil.mine().await;
    assert_eq!(anvil.receipt(&txid).await["status"], "0x0");
    let [failed]: [ChainTx; 1] = last_block(&evm).await.txs.try_into().unwrap();
    assert_eq!(failed.inputs, waiting.inputs);
    assert!(failed.outputs.is_empty());
    assert_ne!(failed.txid, txid);
}

#[tokio::test]
async fn a_block_has_every_transaction_in_its_order() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let mut sent = Vec::new();
    for byte in 1..=5 {
        sent.push(anvil.pay(ALICE, fresh(byte), u64::from(byte)).await);
    }
    anvil.mine().await;
    let txs = last_block(&evm).await.txs;
    let ids: Vec<&str> = txs.iter().map(|tx| tx.txid.as_str()).collect();
    assert_eq!(ids, sent);
    for (tx, byte) in txs.iter().zip(1_u8..) {
        assert_eq!(tx.inputs, input(ALICE, u64::from(byte) - 1));
        assert_eq!(tx.outputs, output(fresh(byte), u128::from(byte)));
    }
}

#[tokio::test]
async fn waiting_ends_with_the_next_block_or_when_the_time_is_over() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let tip = evm.tip().await.unwrap();
    evm.wait(&tip, Duration::from_millis(1)).await.unwrap();
    assert_eq!(evm.tip().await.unwrap(), tip);
    // Longer than any test may take: only the block ends it.
    let day = Duration::from_secs(86_400);
    let (waited, ()) = tokio::join!(evm.wait(&tip, day), anvil.mine());
    waited.unwrap();
    assert_ne!(evm.tip().await.unwrap(), tip);
}
