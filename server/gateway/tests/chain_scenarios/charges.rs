//! Charges that are paid on the chain.

use crate::stage::{DEPTH, Stage};

/// A charge of 60 EUR whose payer picked the chain's coin, at a rate of its own.
async fn picked(stage: &Stage) -> String {
    let code = stage.puppet.code();
    stage
        .world
        .set_rate(code, "EUR", stage.puppet.price())
        .await;
    stage.world.picked("60.00", "EUR", code).await
}

/// Base units of what is still due: whole ones, for nobody can pay a part of one.
async fn left(stage: &Stage, id: &str) -> (String, u128) {
    let payment = stage.world.view(id).await.payment.unwrap();
    let (units, each) = (payment.left.units(), stage.puppet.ledger_units());
    assert_eq!(units % each, 0);
    (payment.address, (units / each).try_into().unwrap())
}

pub async fn a_charge_is_paid_in_two_parts(stage: &mut Stage) {
    let id = picked(stage).await;
    let (address, due) = left(stage, &id).await;
    stage.puppet.pay(&address, due / 2).await;
    stage.until_seen().await;
    let (_, rest) = left(stage, &id).await;
    assert_eq!(rest, due - due / 2);
    stage.puppet.pay(&address, rest).await;
    stage.until_seen().await;
    assert_eq!(stage.world.state(&id).await, "processing");
    stage.mine(DEPTH).await;
    assert_eq!(stage.world.state(&id).await, "paid");
}

pub async fn a_replaced_payment_does_not_pay_a_charge(stage: &mut Stage) {
    let id = picked(stage).await;
    let (address, due) = left(stage, &id).await;
    let first = stage.puppet.pay(&address, due).await;
    stage.follow().await;
    assert_eq!(stage.world.state(&id).await, "processing");
    stage.puppet.replace(&first, None, due).await;
    stage.follow().await;
    assert_eq!(stage.world.state(&id).await, "pending");
    stage.mine(DEPTH).await;
    assert_eq!(stage.world.state(&id).await, "pending");
    stage.puppet.pay(&address, due).await;
    stage.mine(DEPTH).await;
    assert_eq!(stage.world.state(&id).await, "paid");
}
