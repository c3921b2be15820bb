//! Blocks that are taken back, with the payments in them.

use crate::stage::{DEPTH, Stage};

pub async fn a_block_that_moves_a_deposit_changes_nothing(stage: &mut Stage) {
    let address = stage.address("moved").await;
    stage.mine(2).await;
    stage.pay(&address, 1).await;
    stage.mine(1).await;
    stage.puppet.reorg(2).await;
    stage.follow().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
    // And once more, when it is final already.
    stage.puppet.reorg(DEPTH + 1).await;
    stage.follow().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
    assert_eq!(stage.told(&address).await, ["confirmed"]);
}

pub async fn a_deposit_leaves_the_chain_and_comes_back(stage: &mut Stage) {
    let address = stage.address("out and back").await;
    let txid = stage.pay(&address, 1).await;
    stage.mine(1).await;
    assert_eq!(stage.fate(&txid).await.0, "confirmed");
    stage.puppet.reorg_without(1, &txid).await;
    stage.follow().await;
    assert_ne!(stage.fate(&txid).await.0, "confirmed");
    let now = stage.deposits(&address).await.join(", ");
    // Chains differ in whether it waits again; nobody may have credited it.
    assert!(
        ["seen open 0", "dropped open 0"].contains(&now.as_str()),
        "{now}"
    );
    stage.puppet.bring_back(&txid).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
}

pub async fn a_final_deposit_that_is_lost_is_reversed_and_restored(stage: &mut Stage) {
    let address = stage.address("reversed and restored").await;
    let txid = stage.pay(&address, 1).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
    stage.puppet.reorg_without(DEPTH, &txid).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, ["reversed credited 1"]);
    // What was said to be confirmed stays so; the operators hear of it.
    assert_eq!(stage.told(&address).await, ["confirmed"]);
    stage.puppet.bring_back(&txid).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 2"]);
}

pub async fn a_double_spend_in_the_new_branch_cancels(stage: &mut Stage) {
    let address = stage.address("double spent in the branch").await;
    let txid = stage.pay(&address, 1).await;
    stage.mine(1).await;
    assert_eq!(stage.fate(&txid).await.0, "confirmed");
    stage.puppet.reorg_against(1, &txid).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, ["dropped open 0"]);
    assert_eq!(stage.told(&address).await, ["cancelled"]);
    assert_eq!(stage.fate(&txid).await.0, "replaced");
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["dropped open 0"]);
}

pub async fn a_final_deposit_that_is_double_spent_stays_reversed(stage: &mut Stage) {
    let address = stage.address("reversed for good").await;
    let txid = stage.pay(&address, 1).await;
    stage.mine(DEPTH).await;
    stage.puppet.reorg_against(DEPTH, &txid).await;
    stage.follow().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["reversed credited 1"]);
    assert_eq!(stage.fate(&txid).await.0, "replaced");
}
