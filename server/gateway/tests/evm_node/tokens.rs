//! Deposits of a token: by its contract's logs, whoever made it move.

use gateway::chain::backend::{ChainBackend, ChainTx};
use gateway::chain::evm::{Asset, Evm};
use serde_json::json;

use crate::anvil::{ALICE, Anvil, BOB, fresh, last_block};
use crate::contracts::{DIGITS, asset, contract_account, deploy_token, moving_code, transfer};

/// What the transactions pay: `(vout, address, units)`.
fn paid(txs: &[ChainTx]) -> Vec<(i32, String, u128)> {
    txs.iter()
        .flat_map(|tx| &tx.outputs)
        .map(|output| (output.vout, output.address.clone(), output.raw))
        .collect()
}

#[tokio::test]
async fn a_token_deposit_is_confirmed_and_undone_by_a_reorganisation() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let evm = anvil.open(asset(contract)).await;
    let txid = anvil.send(transfer(ALICE, contract, fresh(7), 1_500)).await;
    assert_eq!(evm.mempool().await.unwrap(), std::slice::from_ref(&txid));
    // What it will do is not known before it has run.
    let waiting = evm.tx(&txid).await.unwrap().unwrap();
    assert!(waiting.outputs.is_empty());
    anvil.mine().await;
    let block = last_block(&evm).await;
    assert_eq!(block.txs[0].txid, txid);
    assert_eq!(block.txs[0].inputs, waiting.inputs);
    assert_eq!(paid(&block.txs), [(0, fresh(7).to_string(), 1_500)]);
    assert_eq!(evm.balance(fresh(7)).await.unwrap(), 1_500);
    anvil.mine().await;
    anvil.reorg(2).await;
    assert!(last_block(&evm).await.txs.is_empty());
    assert_eq!(evm.balance(fresh(7)).await.unwrap(), 0);
    assert!(evm.block(&block.reference.hash).await.is_err());
}

#[tokio::test]
async fn two_transfers_of_one_transaction_keep_their_numbers_in_another_block() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let other = deploy_token(&anvil).await;
    let evm = anvil.open(asset(contract)).await;
    // Alice's next nonces are 2 to 4.
    let mover = contract_account(4);
    let moves = [
        (contract, fresh(7), 10),
        (other, fresh(7), 30),
        (contract, fresh(8), 20),
    ];
    let sent = [
        anvil.send(transfer(ALICE, contract, mover, 100)).await,
        anvil.send(transfer(ALICE, other, mover, 100)).await,
        anvil
            .send(json!({ "from": ALICE, "data": moving_code(&moves) }))
            .await,
    ];
    let expected = [(0, fresh(7).to_string(), 10), (1, fresh(8).to_string(), 20)];
    let raws = [
        anvil.raw(&sent[0]).await,
        anvil.raw(&sent[1]).await,
        anvil.raw(&sent[2]).await,
    ];
    anvil.mine().await;
    let txs = last_block(&evm).await.txs;
    assert_eq!(txs[2].txid, sent[2]);
    assert_eq!(paid(&txs[2..]), expected);
    // In the order of the block: the log of the first one counts, too.
    assert_eq!(paid(&txs[..1]), [(0, mover.to_string(), 100)]);

    // Now each in a block of its own, so its logs have other numbers there.
    anvil.reorg(1).await;
    for raw in &raws {
        evm.broadcast(raw).await.unwrap();
        anvil.mine().await;
    }
    let txs = last_block(&evm).await.txs;
    assert_eq!(txs[0].txid, sent[2]);
    assert_eq!(paid(&txs), expected);
}

#[tokio::test]
async fn tokens_of_another_contract_are_not_seen() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let other = deploy_token(&anvil).await;
    let evm = anvil.open(asset(contract)).await;
    let txid = anvil.send(transfer(ALICE, other, fresh(7), 5)).await;
    anvil.mine().await;
    let txs = last_block(&evm).await.txs;
    // It is there all the same: it uses a nonce.
    assert_eq!(txs[0].txid, txid);
    assert!(paid(&txs).is_empty());
    assert_eq!(
        paid(&last_block(&anvil.open(asset(other)).await).await.txs).len(),
        1
    );
}

#[tokio::test]
async fn a_transfer_of_what_one_has_not_is_no_payment() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let evm = anvil.open(asset(contract)).await;
    let txid = anvil.send(transfer(BOB, contract, fresh(7), 5)).await;
    anvil.mine().await;
    assert_eq!(anvil.receipt(&txid).await["status"], "0x0");
    let txs = last_block(&evm).await.txs;
    assert!(paid(&txs).is_empty());
    assert_ne!(txs[0].txid, txid);
    assert_eq!(txs[0].inputs[0].txid, format!("{BOB}:0"));
}

#[tokio::test]
async fn what_is_not_the_token_of_the_settings_is_refused() {
    let Some(anvil) = Anvil::start() else { return };
    let contract = deploy_token(&anvil).await;
    let refused = |asset: Asset| {
        let config = anvil.config(asset);
        async move { Evm::open(config).await.err().unwrap().to_string() }
    };
    let other_digits = Asset::Token {
        contract,
        digits: DIGITS - 12,
    };
    let error = refused(other_digits).await;
    assert!(error.contains("18 decimals instead of 6"), "{error}");
    assert!(error.contains("EXCHEQUER_CHAIN_ETH_TOKEN_USDT"), "{error}");
    let error = refused(asset(fresh(7))).await;
    assert!(error.contains("no contract"), "{error}");
}
