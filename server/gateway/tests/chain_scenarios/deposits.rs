//! Payments to deposit addresses that no reorganisation touches.

use crate::stage::{DEPTH, Stage};

const SEEN: &str = "seen open 0";
const CREDITED: &str = "final credited 1";
const DROPPED: &str = "dropped open 0";

/// Longer than any chain lets a waiting transaction be missing.
const HOURS: i64 = 4 * 3_600;

pub async fn a_deposit_is_seen_and_then_final(stage: &mut Stage) {
    let address = stage.address("seen and final").await;
    let txid = stage.pay(&address, 1).await;
    assert_eq!(stage.deposits(&address).await, [SEEN]);
    assert_eq!(stage.told(&address).await, ["not_confirmed"]);
    assert_eq!(stage.fate(&txid).await, ("mempool".to_owned(), None));
    stage.mine(DEPTH - 1).await;
    assert_eq!(stage.deposits(&address).await, [SEEN]);
    stage.mine(1).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED]);
    assert_eq!(stage.told(&address).await, ["confirmed"]);
    // More blocks, and passes without any, change nothing.
    stage.mine(3).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [CREDITED]);
}

pub async fn a_deposit_is_first_seen_in_its_block(stage: &mut Stage) {
    let address = stage.address("in its block").await;
    let (one, two) = (stage.raw(1), stage.raw(2));
    stage.puppet.pay(&address, one).await;
    stage.mine(1).await;
    assert_eq!(stage.deposits(&address).await, [SEEN]);
    stage.puppet.pay(&address, two).await;
    stage.mine(DEPTH + 2).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED, CREDITED]);
}

pub async fn an_address_is_paid_again_and_again(stage: &mut Stage) {
    let address = stage.address("again and again").await;
    let raw = stage.raw(1);
    stage.puppet.pay(&address, raw).await;
    stage.puppet.pay(&address, raw).await;
    stage.until_seen().await;
    assert_eq!(stage.deposits(&address).await, [SEEN, SEEN]);
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED, CREDITED]);
    // Long after everything was over.
    stage.mine(5).await;
    stage.pay(&address, 3).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED; 3]);
}

pub async fn two_outputs_of_one_transaction_are_two_deposits(stage: &mut Stage) {
    let one = stage.address("both, one").await;
    let other = stage.address("both, other").await;
    let raw = stage.raw(1);
    if stage.puppet.pay_both(&one, &other, raw).await.is_none() {
        return stage.left_out();
    }
    stage.until_seen().await;
    assert_eq!(stage.deposits(&one).await, [SEEN]);
    assert_eq!(stage.deposits(&other).await, [SEEN]);
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&one).await, [CREDITED]);
    assert_eq!(stage.deposits(&other).await, [CREDITED]);
}

pub async fn nothing_is_no_deposit(stage: &mut Stage) {
    let address = stage.address("nothing").await;
    stage.puppet.pay_nothing(&address).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [""; 0]);
}

/// Below the smallest deposit of every coin, and above what networks call dust.
pub async fn too_little_waits_for_a_person(stage: &mut Stage) {
    let address = stage.address("too little").await;
    let before = stage.wallets().await;
    let held = stage.holdings().await;
    let little = stage.puppet.unit() / 200;
    let txid = stage.puppet.pay(&address, little).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final suspended 1"]);
    assert_eq!(stage.told(&address).await, ["not_confirmed"]);
    // It is here, and it is nobody's yet.
    assert_eq!(stage.wallets().await, before);
    let came = i128::try_from(little).unwrap() * stage.puppet.ledger_units();
    assert_eq!(stage.holdings().await - held, came);
    // A block without it takes it out of the books again.
    stage.puppet.reorg_without(DEPTH, &txid).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, ["reversed suspended 1"]);
    assert_eq!(stage.holdings().await, held);
    stage.puppet.bring_back(&txid).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final suspended 2"]);
    assert_eq!(stage.holdings().await - held, came);
}

pub async fn a_replacement_that_still_pays_us_is_credited_once(stage: &mut Stage) {
    let address = stage.address("replaced, still ours").await;
    let first = stage.pay(&address, 2).await;
    let raw = stage.raw(1);
    let second = stage.puppet.replace(&first, Some(&address), raw).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [DROPPED, SEEN]);
    assert_eq!(
        stage.fate(&first).await,
        ("replaced".to_owned(), Some(second))
    );
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [DROPPED, CREDITED]);
    assert_eq!(stage.told(&address).await, ["cancelled", "confirmed"]);
}

pub async fn a_replacement_that_pays_someone_else_cancels(stage: &mut Stage) {
    let address = stage.address("replaced, not ours").await;
    let first = stage.pay(&address, 1).await;
    let raw = stage.raw(1);
    let second = stage.puppet.replace(&first, None, raw).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [DROPPED]);
    assert_eq!(
        stage.fate(&first).await,
        ("replaced".to_owned(), Some(second))
    );
    stage.mine(DEPTH).await;
    assert_eq!(stage.told(&address).await, ["cancelled"]);
}

pub async fn a_double_spend_in_a_block_cancels(stage: &mut Stage) {
    let address = stage.address("double spent").await;
    let txid = stage.pay(&address, 1).await;
    stage.puppet.mine_double_spend(&txid).await;
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [DROPPED]);
    assert_eq!(stage.fate(&txid).await.0, "replaced");
    stage.mine(DEPTH).await;
    assert_eq!(stage.told(&address).await, ["cancelled"]);
}

pub async fn a_child_of_an_unconfirmed_payment_is_a_deposit_like_any_other(stage: &mut Stage) {
    let address = stage.address("child").await;
    let raw = stage.raw(1);
    if stage.puppet.pay_child(&address, raw).await.is_none() {
        return stage.left_out();
    }
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [SEEN]);
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED]);
    // When its parent is replaced, a child is spent by nobody, and yet it is gone.
    let lost = stage.address("child, lost").await;
    let (parent, child) = stage.puppet.pay_child(&lost, raw).await.unwrap();
    stage.follow().await;
    assert_eq!(stage.deposits(&lost).await, [SEEN]);
    stage.puppet.mine_double_spend(&parent).await;
    stage.follow().await;
    stage.world.gateway.advance(HOURS).await.unwrap();
    stage.follow().await;
    assert_eq!(stage.deposits(&lost).await, [DROPPED]);
    assert_eq!(stage.fate(&child).await.0, "dropped");
}

pub async fn a_forgotten_payment_is_cancelled_and_may_come_back(stage: &mut Stage) {
    let address = stage.address("forgotten").await;
    let txid = stage.pay(&address, 1).await;
    stage.puppet.forget(&txid).await;
    stage.follow().await;
    // Not before every node had the time to start again.
    stage.world.gateway.advance(HOURS).await.unwrap();
    stage.follow().await;
    assert_eq!(stage.deposits(&address).await, [DROPPED]);
    assert_eq!(stage.told(&address).await, ["cancelled"]);
    assert_eq!(stage.fate(&txid).await.0, "dropped");
    stage.puppet.bring_back(&txid).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [CREDITED]);
    assert_eq!(stage.told(&address).await, ["confirmed"]);
}
