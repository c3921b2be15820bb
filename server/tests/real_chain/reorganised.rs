//! Blocks that are taken back and made anew while no server runs.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::purse::{COIN, change, elsewhere};
use crate::stage::{DEPTH, FEE, Stage};
use crate::until;

#[sqlx::test(migrations = "../migrations")]
async fn blocks_that_changed_meanwhile_are_read_as_by_somebody_new(pool: PgPool) {
    let Some(stage) = Stage::open(&pool, 4).await else {
        return;
    };
    let server = stage.serve().await;
    let lost = stage.shop.sell(&server).await;
    let undone = stage.shop.sell(&server).await;
    let waiting = stage.shop.sell(&server).await;
    let kept = stage.shop.sell(&server).await;

    let (lost_coin, _) = stage.pay(&lost).await;
    let first = stage.mine(1).await.remove(0);
    let (undone_coin, _) = stage.pay(&undone).await;
    let (_, kept_draft) = stage.pay(&kept).await;
    stage.mine(DEPTH - 1).await;
    let (_, waiting_draft) = stage.pay(&waiting).await;
    stage.until_charge(&lost, "paid").await;
    stage.until_charge(&undone, "processing").await;
    stage.until_charge(&kept, "processing").await;
    stage.until_charge(&waiting, "processing").await;
    server.kill();

    // Two of the payments are spent by others in the new branch, one moves to another block of it, and one
    // that had none gets its first.
    let node = &stage.node;
    let _: Value = node.call("invalidateblock", json!([first])).await;
    let mut rivals = Vec::new();
    for coin in [&lost_coin, &undone_coin] {
        let rival = stage
            .purse
            .draft(node, coin, &elsewhere(node.kind), COIN / 2, 2 * FEE)
            .await;
        rivals.push(rival.hex);
    }
    for hexes in [
        rivals,
        vec![kept_draft.hex, waiting_draft.hex],
        Vec::new(),
        Vec::new(),
    ] {
        // Whoever mines them is another one: for the same, a node would make the blocks it has to forget.
        let block = json!([change(node.kind), hexes]);
        let _: Value = node.call("generateblock", block).await;
    }
    let server = stage.serve().await;
    stage.until_charge(&lost, "paid reversed").await;
    stage.until_charge(&undone, "pending").await;
    stage.until_charge(&kept, "paid").await;
    stage.until_charge(&waiting, "paid").await;
    server.kill();
    stage.audit().await;
    let before = state(&stage).await;

    // All the chain ever told is forgotten and read again.
    for table in ["chain_spends", "chain_outputs", "chain_txs", "chain_blocks"] {
        let forget = format!("DELETE FROM {table} WHERE chain = 'BTC'");
        sqlx::query(AssertSqlSafe(forget))
            .execute(&pool)
            .await
            .unwrap();
    }
    assert_ne!(state(&stage).await, before);
    let server = stage.serve().await;
    let charges = [&lost, &undone, &kept, &waiting];
    until("all is found again", || async {
        state(&stage).await == before
    })
    .await;
    for (sale, expected) in charges
        .iter()
        .zip(["paid reversed", "pending", "paid", "paid"])
    {
        assert_eq!(stage.charge(sale).await, expected);
    }
    server.kill();
    stage.audit().await;
}

/// What is in the chain or waits for it, and what follows from it.
async fn state(stage: &Stage) -> Vec<String> {
    let mut lines = stage.accounts().await;
    for query in [
        "SELECT format('block %s %s', height, hash) FROM chain_blocks
         WHERE chain = 'BTC' AND active ORDER BY height",
        "SELECT format('tx %s %s %s', txid, height, block_hash) FROM chain_txs
         WHERE chain = 'BTC' AND status IN ('mempool', 'confirmed') ORDER BY txid",
        "SELECT format('output %s %s %s %s', o.txid, o.vout, o.address_id, o.raw)
         FROM chain_outputs o JOIN chain_txs t USING (chain, txid)
         WHERE o.chain = 'BTC' AND t.status IN ('mempool', 'confirmed') ORDER BY o.txid, o.vout",
        "SELECT format('spend %s %s %s', s.txid, s.prev_txid, s.prev_vout)
         FROM chain_spends s JOIN chain_txs t USING (chain, txid)
         WHERE s.chain = 'BTC' AND t.status IN ('mempool', 'confirmed')
         ORDER BY s.txid, s.prev_txid, s.prev_vout",
        "SELECT format('receipt %s %s %s %s', id, amount, state, bookings) FROM receipts ORDER BY id",
        "SELECT format('charge %s %s %s %s', public_id, status, flags, credited)
         FROM charges ORDER BY id",
    ] {
        lines.extend(stage.texts(query).await);
    }
    lines
}
