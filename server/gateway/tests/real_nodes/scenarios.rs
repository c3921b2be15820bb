//! What happens on a chain, and what the backend makes of it.

use std::time::Duration;

use gateway::chain::backend::{BlockRef, ChainBackend, ChainOutput, ChainTx};
use gateway::chain::bitcoin_core::{NodeError, RpcError};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::node::{Kind, Node};
use super::purse::{COIN, FINAL, Purse, change, elsewhere, ours, send};

const AMOUNT: u128 = 123_456_789;
const FEE: u128 = 10_000;
/// Sooner than a wait ends by itself.
const SOON: Duration = Duration::from_secs(60);

async fn at(backend: &impl ChainBackend, height: i64) -> BlockRef {
    backend.block_at(height).await.unwrap().unwrap()
}

/// The transactions of the best block that pay `address`.
async fn paying(backend: &impl ChainBackend, height: i64, address: &str) -> Vec<ChainTx> {
    let hash = at(backend, height).await.hash;
    let block = backend.block(&hash).await.unwrap();
    block
        .txs
        .into_iter()
        .filter(|tx| tx.outputs.iter().any(|output| output.address == address))
        .collect()
}

fn outputs_to(tx: &ChainTx, address: &str) -> Vec<(i32, u128)> {
    tx.outputs
        .iter()
        .filter(|output| output.address == address)
        .map(|output| (output.vout, output.raw))
        .collect()
}

pub async fn blocks_are_those_of_the_node(node: Node) {
    let backend = node.backend().await;
    let genesis = at(&backend, 0).await;
    assert_eq!(genesis, backend.tip().await.unwrap());
    assert_eq!(genesis.prev_hash, "0".repeat(64));
    assert_eq!(backend.block(&genesis.hash).await.unwrap().txs, []);

    let mined = node.mine(5, &elsewhere(node.kind)).await;
    let mut parent = genesis;
    for (height, hash) in (1..).zip(&mined) {
        let expected = BlockRef {
            hash: hash.clone(),
            height,
            prev_hash: parent.hash.clone(),
        };
        assert_eq!(at(&backend, height).await, expected);
        let block = backend.block(hash).await.unwrap();
        assert_eq!(block.reference, expected);
        parent = expected;
    }
    assert_eq!(backend.tip().await.unwrap(), parent);
    assert_eq!(backend.block_at(6).await.unwrap(), None);
    assert!(backend.block(&"7".repeat(64)).await.is_err());
}

pub async fn rewards_are_reported_when_they_can_be_spent(node: Node) {
    let address = ours(node.kind);
    let reward = node.mine(1, &address).await;
    node.mine(97, &elsewhere(node.kind)).await;
    let backend = node.backend().await;
    for height in 1..=98 {
        assert_eq!(paying(&backend, height, &address).await, []);
    }
    node.mine(2, &elsewhere(node.kind)).await;
    assert_eq!(paying(&backend, 99, &address).await, []);
    let found = paying(&backend, 100, &address).await;
    let block: Value = node.call("getblock", json!([reward[0], 1])).await;
    assert_eq!(
        found,
        [ChainTx {
            txid: block["tx"][0].as_str().unwrap().to_owned(),
            inputs: Vec::new(),
            outputs: vec![ChainOutput {
                vout: 0,
                address,
                raw: COIN,
            }],
        }]
    );
    // One that remembers nothing tells the same.
    let fresh = node.backend().await;
    assert_eq!(paying(&fresh, 100, &ours(node.kind)).await, found);
}

pub async fn a_payment_is_seen_waiting_and_then_in_its_block(node: Node) {
    let purse = Purse::filled(&node, 3).await;
    let backend = node.backend().await;
    let address = ours(node.kind);
    let coin = purse.coin();
    let draft = purse.draft(&node, &coin, &address, AMOUNT, FEE).await;
    assert_eq!(backend.tx(&draft.txid).await.unwrap(), None);
    send(&node, &draft).await;
    let other = purse.pay(&node, &elsewhere(node.kind), AMOUNT).await;

    let mut waiting = backend.mempool().await.unwrap();
    waiting.sort();
    let mut sent = vec![draft.txid.clone(), other.txid.clone()];
    sent.sort();
    assert_eq!(waiting, sent);
    let expected = ChainTx {
        txid: draft.txid.clone(),
        inputs: vec![coin],
        outputs: vec![
            ChainOutput {
                vout: 0,
                address: address.clone(),
                raw: AMOUNT,
            },
            ChainOutput {
                vout: 1,
                address: change(node.kind),
                raw: COIN - AMOUNT - FEE,
            },
        ],
    };
    assert_eq!(
        backend.tx(&draft.txid).await.unwrap().as_ref(),
        Some(&expected)
    );
    let asked = [draft.txid.clone(), "7".repeat(64), other.txid.clone()];
    let found = backend.txs(&asked).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], expected);
    assert_eq!(found[1].txid, other.txid);

    node.mine(1, &elsewhere(node.kind)).await;
    assert_eq!(backend.mempool().await.unwrap(), [""; 0]);
    assert_eq!(backend.tx(&draft.txid).await.unwrap(), None);
    assert_eq!(backend.txs(&asked).await.unwrap(), []);
    let height = backend.tip().await.unwrap().height;
    assert_eq!(paying(&backend, height, &address).await, [expected]);
}

pub async fn a_replacement_spends_the_same_and_pays_someone_else(node: Node) {
    let purse = Purse::filled(&node, 1).await;
    let backend = node.backend().await;
    let coin = purse.coin();
    let first = purse
        .draft(&node, &coin, &ours(node.kind), AMOUNT, FEE)
        .await;
    send(&node, &first).await;
    assert_eq!(backend.mempool().await.unwrap(), [first.txid.as_str()]);
    let second = purse
        .draft(&node, &coin, &elsewhere(node.kind), AMOUNT, 3 * FEE)
        .await;
    send(&node, &second).await;

    assert_eq!(backend.mempool().await.unwrap(), [second.txid.as_str()]);
    assert_eq!(backend.tx(&first.txid).await.unwrap(), None);
    let replacement = backend.tx(&second.txid).await.unwrap().unwrap();
    assert_eq!(replacement.inputs, [coin]);
    assert_eq!(outputs_to(&replacement, &ours(node.kind)), []);
}

/// That a payment does not say it may be replaced is no promise: Bitcoin Core replaces it since 28.0,
/// and miners may.
pub async fn a_payment_that_signals_nothing_may_be_replaced_all_the_same(node: Node) {
    let purse = Purse::filled(&node, 1).await;
    let backend = node.backend().await;
    let coin = purse.coin();
    let (us, others) = (ours(node.kind), elsewhere(node.kind));
    let first = purse
        .spend_with(&node, (&coin, COIN), &[(us.as_str(), AMOUNT)], FEE, FINAL)
        .await;
    send(&node, &first).await;
    let second = purse
        .spend_with(
            &node,
            (&coin, COIN),
            &[(others.as_str(), AMOUNT)],
            3 * FEE,
            FINAL,
        )
        .await;
    let sent = backend.broadcast(&second.bytes()).await;
    let stays = match node.kind {
        Kind::Bitcoin => {
            sent.unwrap();
            &second
        }
        Kind::Litecoin => {
            let refused = sent.unwrap_err();
            assert!(matches!(refused, gateway::Error::Conflict(_)), "{refused}");
            &first
        }
    };
    assert_eq!(backend.mempool().await.unwrap(), [stays.txid.as_str()]);
    let _: Value = node
        .call("generateblock", json!([change(node.kind), [second.hex]]))
        .await;
    let height = backend.tip().await.unwrap().height;
    assert_eq!(backend.mempool().await.unwrap(), [""; 0]);
    assert_eq!(paying(&backend, height, &us).await, []);
    assert_eq!(paying(&backend, height, &others).await[0].inputs, [coin]);
}

pub async fn a_reorganisation_and_the_way_back(node: Node) {
    let purse = Purse::filled(&node, 1).await;
    let backend = node.backend().await;
    let address = ours(node.kind);
    let fork = backend.tip().await.unwrap();
    let payment = purse.pay(&node, &address, AMOUNT).await;
    let first = node.mine(2, &elsewhere(node.kind)).await;
    assert_eq!(paying(&backend, fork.height + 1, &address).await.len(), 1);

    let _: Value = node.call("invalidateblock", json!([first[0]])).await;
    assert_eq!(backend.tip().await.unwrap(), fork);
    assert_eq!(backend.block_at(fork.height + 1).await.unwrap(), None);
    assert_eq!(backend.mempool().await.unwrap(), [payment.txid.as_str()]);
    // What was left can still be read.
    assert_eq!(
        backend.block(&first[0]).await.unwrap().reference.prev_hash,
        fork.hash
    );

    let second = node.mine(3, &change(node.kind)).await;
    assert_eq!(at(&backend, fork.height + 1).await.hash, second[0]);
    assert_eq!(at(&backend, fork.height + 1).await.prev_hash, fork.hash);
    let again = paying(&backend, fork.height + 1, &address).await;
    assert_eq!(again[0].txid, payment.txid);
    assert_eq!(backend.tip().await.unwrap().hash, second[2]);

    let _: Value = node.call("reconsiderblock", json!([first[0]])).await;
    assert_eq!(backend.tip().await.unwrap().hash, second[2]);
    let _: Value = node.call("invalidateblock", json!([second[0]])).await;
    assert_eq!(backend.tip().await.unwrap().hash, first[1]);
    assert_eq!(at(&backend, fork.height + 1).await.hash, first[0]);
    let back = paying(&backend, fork.height + 1, &address).await;
    assert_eq!(outputs_to(&back[0], &address), [(0, AMOUNT)]);
}

pub async fn a_mined_double_spend_spends_the_same(node: Node) {
    let purse = Purse::filled(&node, 1).await;
    let backend = node.backend().await;
    let coin = purse.coin();
    let first = purse
        .draft(&node, &coin, &ours(node.kind), AMOUNT, FEE)
        .await;
    send(&node, &first).await;
    let second = purse
        .draft(&node, &coin, &elsewhere(node.kind), AMOUNT, FEE)
        .await;
    let block = json!([change(node.kind), [second.hex]]);
    let _: Value = node.call("generateblock", block).await;

    assert_eq!(backend.mempool().await.unwrap(), [""; 0]);
    assert_eq!(backend.tx(&first.txid).await.unwrap(), None);
    let tip = backend.tip().await.unwrap();
    let mined = backend.block(&tip.hash).await.unwrap();
    let double = mined.txs.iter().find(|tx| tx.txid == second.txid).unwrap();
    assert_eq!(double.inputs, [coin]);
    assert!(mined.txs.iter().all(|tx| tx.txid != first.txid));
    let refused = backend.broadcast(&first.bytes()).await.unwrap_err();
    assert!(matches!(refused, gateway::Error::Conflict(_)), "{refused}");
}

pub async fn broadcasts_and_their_refusals(node: Node) {
    let purse = Purse::filled(&node, 3).await;
    let backend = node.backend().await;
    let address = ours(node.kind);
    let is_conflict = |error: &gateway::Error| matches!(error, gateway::Error::Conflict(_));
    let coin = purse.coin();
    let payment = purse.draft(&node, &coin, &address, AMOUNT, 2 * FEE).await;

    backend.broadcast(&payment.bytes()).await.unwrap();
    backend.broadcast(&payment.bytes()).await.unwrap();
    assert_eq!(backend.mempool().await.unwrap(), [payment.txid.as_str()]);

    let cheaper = purse.draft(&node, &coin, &address, AMOUNT + 1, FEE).await;
    let refused = backend.broadcast(&cheaper.bytes()).await.unwrap_err();
    assert!(is_conflict(&refused), "{refused}");

    node.mine(1, &elsewhere(node.kind)).await;
    backend.broadcast(&payment.bytes()).await.unwrap();
    let refused = backend.broadcast(&cheaper.bytes()).await.unwrap_err();
    assert!(is_conflict(&refused), "{refused}");

    // Nothing that another transaction took: these may succeed later, or never.
    let free = purse.draft(&node, &purse.coin(), &address, AMOUNT, 0).await;
    let generous = purse
        .draft(&node, &purse.coin(), &address, AMOUNT, COIN / 2)
        .await;
    let mut unsigned = free.bytes();
    unsigned.truncate(20);
    for bytes in [free.bytes(), generous.bytes(), unsigned, Vec::new()] {
        let refused = backend.broadcast(&bytes).await.unwrap_err();
        assert!(!is_conflict(&refused), "{refused}");
        assert!(!refused.to_string().is_empty());
    }
    assert_eq!(backend.mempool().await.unwrap(), [""; 0]);
    // So young a chain has no fees to learn from.
    assert_eq!(backend.estimate_fee(6).await.unwrap(), None);
}

pub async fn waiting_ends_with_a_block_and_with_a_payment(node: Node) {
    let purse = Purse::filled(&node, 1).await;
    let backend = node.backend().await;
    let forever = Duration::from_secs(3_600);
    let (miner, payee) = (elsewhere(node.kind), ours(node.kind));

    let before = backend.tip().await.unwrap();
    backend.mempool().await.unwrap();
    let (waited, _) = tokio::join!(
        timeout(SOON, backend.wait(&before, forever)),
        node.mine(1, &miner),
    );
    waited.expect("a block ends the wait").unwrap();

    let tip = backend.tip().await.unwrap();
    backend.mempool().await.unwrap();
    let (waited, _) = tokio::join!(
        timeout(SOON, backend.wait(&tip, forever)),
        purse.pay(&node, &payee, AMOUNT),
    );
    waited.expect("a payment ends the wait").unwrap();

    // And without either it lasts as long as it may, and no longer.
    backend.mempool().await.unwrap();
    let short = Duration::from_millis(300);
    let began = std::time::Instant::now();
    timeout(SOON, backend.wait(&tip, short))
        .await
        .expect("the wait ends")
        .unwrap();
    assert!(began.elapsed() >= short);
}

pub async fn a_node_that_starts_again_has_a_new_cookie(mut node: Node) {
    node.mine(3, &elsewhere(node.kind)).await;
    let backend = node.backend().await;
    let tip = backend.tip().await.unwrap();
    let cookie = std::fs::read_to_string(node.cookie_path()).unwrap();

    node.stop().await;
    let away = backend.status().await.unwrap_err();
    assert!(
        matches!(
            away,
            NodeError::Rpc(RpcError::Unreachable(_) | RpcError::Cookie { .. })
        ),
        "{away}"
    );
    assert!(backend.tip().await.is_err());

    node.start_again().await;
    assert_ne!(std::fs::read_to_string(node.cookie_path()).unwrap(), cookie);
    assert_eq!(backend.tip().await.unwrap(), tip);
}

pub async fn the_status_is_that_of_the_node(node: Node) {
    node.mine(3, &elsewhere(node.kind)).await;
    let status = node.backend().await.status().await.unwrap();
    assert_eq!((status.height, status.headers, status.lag), (3, 3, 0));
    assert_eq!(status.pruned_below, None);
    assert_eq!(status.peers, 0);
    assert!(!status.is_syncing);
    let oldest = match node.kind {
        Kind::Bitcoin => 250_000,
        Kind::Litecoin => 210_200,
    };
    assert!(status.version >= oldest, "{}", status.version);
}
