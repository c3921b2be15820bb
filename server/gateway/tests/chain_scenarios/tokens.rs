//! Payments that are events of a contract: what only a token's chain can do.

use crate::stage::{DEPTH, Stage};

pub async fn a_transfer_is_a_deposit_once_it_has_run(stage: &mut Stage) {
    let address = stage.address("transferred").await;
    let (wallets, held) = (stage.wallets().await, stage.holdings().await);
    let txid = stage.pay(&address, 1).await;
    // Nobody is told of what may never be.
    assert_eq!(stage.deposits(&address).await, [""; 0]);
    stage.mine(1).await;
    assert_eq!(stage.fate(&txid).await, ("confirmed".to_owned(), None));
    assert_eq!(stage.deposits(&address).await, ["seen open 0"]);
    assert_eq!(stage.told(&address).await, ["not_confirmed"]);
    assert_eq!(stage.holdings().await, held);
    stage.mine(DEPTH - 1).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
    assert_eq!(stage.told(&address).await, ["confirmed"]);
    // To the last unit of the token, and the merchant has it but for our fee.
    let came = i128::try_from(stage.raw(1)).unwrap() * stage.puppet.ledger_units();
    assert_eq!(stage.holdings().await - held, came);
    let credited = stage.wallets().await - wallets;
    assert!(0 < credited && credited <= came, "{credited} of {came}");
}

pub async fn a_replaced_transfer_pays_only_whom_it_pays(stage: &mut Stage) {
    let first = stage.address("transfer, replaced").await;
    let second = stage.address("transfer, instead").await;
    let txid = stage.pay(&first, 1).await;
    let raw = stage.raw(2);
    stage.puppet.replace(&txid, Some(&second), raw).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&first).await, [""; 0]);
    assert_eq!(stage.deposits(&second).await, ["final credited 1"]);
}

pub async fn two_transfers_of_one_transaction_are_told_apart_in_another_block(stage: &mut Stage) {
    let one = stage.address("twice, one").await;
    let other = stage.address("twice, other").await;
    let raw = stage.raw(1);
    stage.puppet.pay(&one, raw).await;
    stage.mine(1).await;
    let txid = stage.puppet.pay_both(&one, &other, raw).await.unwrap();
    stage.mine(1).await;
    let vouts = [(one.clone(), 0), (other.clone(), 1)];
    assert_eq!(stage.outputs(&txid).await, vouts);
    // Now both are in one block, and a node numbers the events of a whole block.
    stage.puppet.reorg(2).await;
    stage.follow().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.outputs(&txid).await, vouts);
    assert_eq!(stage.deposits(&one).await, ["final credited 1"; 2]);
    assert_eq!(stage.deposits(&other).await, ["final credited 1"]);
}

pub async fn what_contracts_tell_besides_is_no_deposit(stage: &mut Stage) {
    let address = stage.address("told oddly").await;
    let held = stage.holdings().await;
    let raw = stage.raw(1);
    let told = stage.puppet.tell_oddly(&address, raw).await;
    assert!(told > 0);
    stage.follow().await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, [""; 0]);
    assert_eq!(stage.holdings().await, held);
    // Nor does it keep the address from being paid.
    stage.puppet.pay(&address, raw).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.deposits(&address).await, ["final credited 1"]);
}
