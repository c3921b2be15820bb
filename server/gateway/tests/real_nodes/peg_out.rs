//! Litecoin's extension block: its blocks are read, and what leaves it is a payment once it can be
//! spent.

use gateway::chain::backend::ChainBackend;
use serde_json::{Value, json};

use super::node::{Extras, Kind, Node};
use super::purse::{elsewhere, ours};

/// The first block with an extension block.
const ACTIVATION: u32 = 432;

#[tokio::test]
async fn a_payment_out_of_the_extension_block() {
    let extras = Extras {
        wallet: true,
        ..Extras::default()
    };
    let Some(node) = Node::start_with(Kind::Litecoin, extras).await else {
        return;
    };
    let _: Value = node.call("createwallet", json!(["payer"])).await;
    let wallet: String = node.call("getnewaddress", json!([])).await;
    node.mine(ACTIVATION - 1, &wallet).await;
    // Into the extension block, all but what the fees take.
    let hidden: String = node.call("getnewaddress", json!(["", "mweb"])).await;
    let _: String = node.call("sendtoaddress", json!([hidden, 5])).await;
    node.mine(2, &elsewhere(node.kind)).await;

    let backend = node.backend().await;
    let address = ours(node.kind);
    lock_visible_coins(&node).await;
    let hidden_txid: String = node.call("sendtoaddress", json!([address, "1.25"])).await;
    // While it waits, its outputs are hidden and its inputs too.
    let waiting = backend.tx(&hidden_txid).await.unwrap().unwrap();
    assert_eq!((waiting.inputs, waiting.outputs), (vec![], vec![]));

    node.mine(1, &elsewhere(node.kind)).await;
    let left_at = backend.tip().await.unwrap().height;
    node.mine(5, &elsewhere(node.kind)).await;
    let mut seen_at = Vec::new();
    for height in left_at - 1..=left_at + 5 {
        let hash = backend.block_at(height).await.unwrap().unwrap().hash;
        let block = backend.block(&hash).await.unwrap();
        for output in block.txs.iter().flat_map(|tx| &tx.outputs) {
            if output.address == address {
                seen_at.push((height, output.raw));
            }
        }
    }
    assert_eq!(seen_at, [(left_at + 5, 125_000_000)]);
}

/// So that only coins in the extension block are left to pay with.
async fn lock_visible_coins(node: &Node) {
    let coins: Vec<Value> = node.call("listunspent", json!([0])).await;
    let visible: Vec<Value> = coins
        .iter()
        .filter(|coin| {
            !coin["address"]
                .as_str()
                .is_some_and(|address| address.starts_with("tmweb"))
        })
        .map(|coin| json!({ "txid": coin["txid"], "vout": coin["vout"] }))
        .collect();
    let _: Value = node.call("lockunspent", json!([false, visible])).await;
}
