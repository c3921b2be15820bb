//! Coins that the house spends with a wallet that has the keys: booked as taken out, once, when somebody says so.

use bitcoin::{OutPoint, Txid};
use domain::view::reconciliation::Cause;
use gateway::Error;
use gateway::own_funds::OwnFundsBooked;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::script;
use crate::support::operations::blamed;
use crate::till::{COIN, Till};

const BY: &str = "admin";
/// More blocks than make any deposit final.
const MANY: u32 = 6;
/// An address of the house that no payer is given.
const HOUSE: &str = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";

async fn out(till: &Till, txid: &str, loss: bool) -> Result<OwnFundsBooked, Error> {
    let gateway = &till.world.gateway;
    gateway
        .book_own_funds_out("BTC", txid, loss, "taken home", BY)
        .await
}

async fn refusal(till: &Till, txid: &str, loss: bool) -> String {
    let refused = out(till, txid, loss).await.unwrap_err();
    let (field, why) = blamed(&refused);
    assert_eq!(field, "txid");
    why.to_owned()
}

async fn causes(till: &Till) -> Vec<(Cause, String)> {
    let found = till.world.gateway.audit_chains().await.unwrap();
    let view = found.into_iter().find(|view| view.chain == "BTC").unwrap();
    assert_eq!(view.problem, None);
    view.differences
        .into_iter()
        .map(|difference| (difference.cause, difference.amount))
        .collect()
}

async fn own(till: &Till) -> i128 {
    till.world.account(0, "own_funds", "BTC").await
}

/// A till with two bitcoin of the house's own, which are booked.
async fn with_own_coins(pool: &PgPool) -> (Till, OutPoint) {
    let till = Till::new(pool, &[COIN / 2]).await;
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ('BTC', 1, 1000, $1, NULL, now())",
    )
    .bind(HOUSE)
    .execute(pool)
    .await
    .unwrap();
    let coin = till.net.fund(HOUSE, 2 * COIN);
    till.mine(MANY).await;
    let txid = coin.to_string();
    let booked = till
        .world
        .gateway
        .book_own_funds("BTC", &txid, "for payouts", BY);
    assert_eq!(booked.await.unwrap().booked.as_deref(), Some("2 BTC"));
    assert_eq!(causes(&till).await, []);
    (till, OutPoint::new(coin, 0))
}

/// Half a coin goes away, a hundred satoshi to the miner, and the rest back to the house.
fn take(till: &Till, coin: OutPoint) -> Txid {
    let payments = vec![
        (script(STRANGERS[0]), COIN / 2),
        (script(HOUSE), 2 * COIN - COIN / 2 - 100),
    ];
    till.net.take(coin, payments)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_left_is_booked_and_what_came_back_is_not(pool: PgPool) {
    let (till, coin) = with_own_coins(&pool).await;
    let txid = take(&till, coin).to_string();
    till.sync().await;
    let waiting = refusal(&till, &txid, false).await;
    assert!(waiting.contains("0 of"), "{waiting}");
    till.mine(MANY).await;
    let before = causes(&till).await;
    assert_eq!(
        before,
        [(Cause::ForeignSpend, "-0.500001".to_owned())],
        "{before:?}"
    );
    let came = till.world.gateway.book_own_funds("BTC", &txid, "back", BY);
    assert_eq!(blamed(&came.await.unwrap_err()).0, "txid");
    let done = out(&till, &txid, false).await.unwrap();
    assert_eq!(done.booked.as_deref(), Some("0.500001 BTC"));
    assert_eq!(own(&till).await, 149_999_900);
    assert_eq!(causes(&till).await, []);
    let again = out(&till, &txid, false).await.unwrap();
    assert_eq!((again.booked, again.taken_back), (None, None));
    assert_eq!(own(&till).await, 149_999_900);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_leaves_the_chain_was_not_taken_out(pool: PgPool) {
    let (till, coin) = with_own_coins(&pool).await;
    let txid = take(&till, coin).to_string();
    till.mine(MANY).await;
    out(&till, &txid, false).await.unwrap();
    for _ in 0..MANY {
        till.net.lose_tip();
    }
    till.mine(MANY + 1).await;
    assert_eq!(
        causes(&till).await,
        [(Cause::Reversed, "0.500001".to_owned())]
    );
    let back = out(&till, &txid, false).await.unwrap();
    assert_eq!(back.taken_back.as_deref(), Some("0.500001 BTC"));
    assert_eq!(own(&till).await, i128::from(2 * COIN));
    assert_eq!(causes(&till).await, []);
    assert_eq!(out(&till, &txid, false).await.unwrap().booked, None);
    assert_eq!(take(&till, coin).to_string(), txid);
    till.mine(MANY).await;
    let done = out(&till, &txid, false).await.unwrap();
    assert_eq!(done.booked.as_deref(), Some("0.500001 BTC"));
    assert_eq!(causes(&till).await, []);
    till.audit().await;
}

/// The coin of a merchant's deposit: the house has nothing, so it is a loss, and never said by itself.
#[sqlx::test(migrations = "../../migrations")]
async fn coins_of_others_are_a_loss_that_has_to_be_said(pool: PgPool) {
    let till = Till::new(&pool, &[]).await;
    let coin = till.fund("large", COIN).await;
    till.mine(MANY).await;
    let txid = till.net.steal(OutPoint::new(coin, 0)).to_string();
    till.mine(MANY).await;
    let why = refusal(&till, &txid, false).await;
    assert!(why.contains("takes 1 BTC"), "{why}");
    assert_eq!(own(&till).await, 0);
    let done = out(&till, &txid, true).await.unwrap();
    assert_eq!(done.booked.as_deref(), Some("1 BTC"));
    assert_eq!(own(&till).await, -i128::from(COIN));
    assert_eq!(causes(&till).await, []);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn payments_of_ours_and_of_strangers_are_not_taken_out(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(MANY).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    let ours = till.txs().await.remove(0).txid;
    let why = refusal(&till, &ours, true).await;
    assert!(why.contains("was made here"), "{why}");
    let deposit: String = sqlx::query_scalar("SELECT txid FROM deposits LIMIT 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    for wrong in [deposit.as_str(), "", "no id"] {
        let why = refusal(&till, wrong, true).await;
        assert!(why.contains("takes nothing"), "{wrong}: {why}");
    }
    till.audit().await;
}

/// It may be what paid the withdrawal: a person ends that one first.
#[sqlx::test(migrations = "../../migrations")]
async fn coins_of_a_withdrawal_wait_for_its_end(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    let id = till.ask("0.4", "1", STRANGERS[0]).await;
    till.work().await;
    let outpoint: String =
        sqlx::query_scalar("SELECT plan->'inputs'->0->>'outpoint' FROM payout_txs")
            .fetch_one(&pool)
            .await
            .unwrap();
    let txid = till.net.steal(outpoint.parse().unwrap()).to_string();
    till.mine(1 + MANY).await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    let why = refusal(&till, &txid, true).await;
    assert!(why.contains("waits for a decision"), "{why}");
    till.call_off(id).await.unwrap();
    let done = out(&till, &txid, true).await.unwrap();
    assert_eq!(done.booked.as_deref(), Some("1 BTC"));
    assert_eq!(causes(&till).await, []);
    till.audit().await;
}
