//! Servers and nodes that are not there for a while.

use crate::stage::{DEPTH, Stage};

/// More blocks than one pass reads from a node.
const LONG: u32 = 60;

pub async fn a_server_that_was_away_finds_everything(stage: &mut Stage) {
    let kept = stage.address("paid before").await;
    let moved = stage.address("paid shortly before").await;
    let lost = stage.address("lost meanwhile").await;
    let new = stage.address("paid meanwhile").await;
    stage.pay(&kept, 1).await;
    stage.mine(DEPTH).await;
    stage.pay(&moved, 1).await;
    stage.mine(1).await;
    let gone = stage.pay(&lost, 1).await;
    // From here on nobody looks.
    stage.puppet.mine_double_spend(&gone).await;
    stage.puppet.reorg(2).await;
    let raw = stage.raw(1);
    stage.puppet.pay(&new, raw).await;
    stage.puppet.mine(LONG).await;
    stage.restart_server().await;
    stage.follow().await;
    for address in [&kept, &moved, &new] {
        assert_eq!(
            stage.deposits(address).await,
            ["final credited 1"],
            "{address}"
        );
    }
    // Where nothing is seen before its block, there was nothing to cancel.
    let told = usize::from(stage.puppet.shows_waiting());
    assert_eq!(stage.deposits(&lost).await, vec!["dropped open 0"; told]);
}

pub async fn a_node_that_is_away_changes_nothing(stage: &mut Stage) {
    let address = stage.address("node away").await;
    stage.pay(&address, 1).await;
    stage.mine(1).await;
    let before = stage.state().await;
    if !stage.puppet.go_away().await {
        return stage.left_out();
    }
    assert!(stage.try_follow().await.is_err());
    assert!(stage.try_follow().await.is_err());
    assert_eq!(stage.state().await, before);
    let code = stage.puppet.code();
    let statuses = stage.world.gateway.chain_statuses().await.unwrap();
    let status = statuses.iter().find(|status| status.code == code).unwrap();
    assert_eq!(status.following.trouble.as_ref().unwrap().failures, 2);
    // The rest goes on, and the page says what is wrong.
    let view = stage.world.gateway.chains_view().await.unwrap();
    assert_eq!(view.stopped(), [code]);
    stage.puppet.come_back().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
    let view = stage.world.gateway.chains_view().await.unwrap();
    assert!(view.stopped().is_empty());
}

pub async fn a_node_that_is_behind_changes_nothing(stage: &mut Stage) {
    let address = stage.address("node behind").await;
    stage.pay(&address, 1).await;
    stage.mine(DEPTH).await;
    stage.mine(3).await;
    let before = stage.state().await;
    let height = stage.height().await;
    if !stage.puppet.fall_behind(2).await {
        return stage.left_out();
    }
    assert_eq!(stage.height().await, height - 2);
    let error = stage.try_follow().await.unwrap_err().to_string();
    assert!(error.contains("node is behind"), "{error}");
    assert_eq!(stage.state().await, before);
    stage.puppet.catch_up().await;
    stage.follow().await;
    assert_eq!(stage.state().await, before);
}
