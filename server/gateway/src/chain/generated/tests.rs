use std::collections::HashSet;

use super::*;

const LONG: Duration = Duration::from_secs(600);

async fn block(chain: &GeneratedChain, height: i64) -> ChainBlock {
    let reference = chain.block_at(height).await.ok().flatten();
    let hash = reference
        .map(|reference| reference.hash)
        .unwrap_or_default();
    chain.block(&hash).await.ok().unwrap_or(ChainBlock {
        reference: BlockRef {
            hash: String::new(),
            height: -1,
            prev_hash: String::new(),
        },
        txs: Vec::new(),
    })
}

#[tokio::test]
async fn blocks_are_linked_and_the_same_when_they_are_read_again() {
    let chain = GeneratedChain::new();
    chain.grow(3, 100);
    let mut last = block(&chain, 0).await;
    assert_eq!((last.reference.height, last.txs.len()), (0, 0));
    let mut ids = HashSet::new();
    for height in 1..=3 {
        let next = block(&chain, height).await;
        assert_eq!(next.reference.height, height);
        assert_eq!(next.reference.prev_hash, last.reference.hash);
        assert_eq!(next, block(&chain, height).await);
        ids.extend(next.txs.iter().map(|tx| tx.txid.clone()));
        last = next;
    }
    assert_eq!(ids.len(), 6_000);
    assert_eq!(chain.block_at(4).await.ok().flatten(), None);
    assert!(chain.block("nothing").await.is_err());
}

#[tokio::test]
async fn a_block_pays_some_of_those_who_are_watched_when_it_is_made() {
    let chain = GeneratedChain::new();
    chain.grow(1, 10);
    chain.grow(1, 1_000);
    let watched: HashSet<String> = (0..1_000).map(address).collect();
    let few: HashSet<String> = (0..10).map(address).collect();
    for (height, those) in [(1, &few), (2, &watched)] {
        let block = block(&chain, height).await;
        let outputs = block.txs.iter().flat_map(|tx| &tx.outputs);
        let (ours, others): (Vec<_>, Vec<_>) =
            outputs.partition(|output| watched.contains(&output.address));
        assert_eq!((ours.len(), others.len()), (5, 3_995));
        assert!(ours.iter().all(|output| those.contains(&output.address)));
    }
}

#[tokio::test]
async fn what_is_announced_waits_for_a_block() {
    let chain = GeneratedChain::new();
    let txid = chain.announce(7);
    assert_eq!(chain.mempool().await.ok(), Some(vec![txid.clone()]));
    chain.grow(2, 10);
    assert_eq!(chain.mempool().await.ok(), Some(Vec::new()));
    let first = block(&chain, 1).await;
    let found = first.txs.iter().filter(|tx| tx.txid == txid).count();
    assert_eq!((first.txs.len(), found), (2_001, 1));
    let second = block(&chain, 2).await;
    assert_eq!(second.txs.len(), 2_000);
}

/// Or it would not end before the test is given up.
#[tokio::test]
async fn who_waits_is_told_of_a_payment_and_of_a_block() {
    let chain = GeneratedChain::new();
    chain.tell(News::Told);
    let tip = block(&chain, 0).await.reference;
    let _read = chain.mempool().await;
    let waiting = chain.wait(&tip, LONG);
    let (waited, _txid) = tokio::join!(waiting, async { chain.announce(1) });
    assert!(waited.is_ok());
    let _read = chain.mempool().await;
    let (waited, ()) = tokio::join!(chain.wait(&tip, LONG), async { chain.grow(1, 1) });
    assert!(waited.is_ok());
}
