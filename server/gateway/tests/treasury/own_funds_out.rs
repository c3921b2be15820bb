//! What the operator takes out with a wallet that has the key: not explained until somebody says so, and booked once.

use gateway::Error;
use gateway::own_funds::OwnFundsBooked;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::ETHER;
use crate::own_funds::{BY, NOTHING, arrived, book, booked, is_explained, own};
use crate::support::operations::blamed;
use crate::till::{DEEP, Till};

/// Wei: 21 000 units of gas at two gwei.
const GAS: i128 = 42_000_000_000_000;

async fn out(till: &Till, code: &str, txid: &str, loss: bool) -> Result<OwnFundsBooked, Error> {
    let gateway = &till.world.gateway;
    gateway
        .book_own_funds_out(code, txid, loss, "taken home", BY)
        .await
}

/// Why it was refused.
async fn refusal(till: &Till, code: &str, txid: &str, loss: bool) -> String {
    let refused = out(till, code, txid, loss).await.unwrap_err();
    let (field, why) = blamed(&refused);
    assert_eq!(field, "txid");
    why.to_owned()
}

fn wei(units: u128) -> i128 {
    i128::try_from(units).unwrap()
}

/// What the account that pays has is the house's own: 20 ether and 1 000 USDT.
async fn funded(pool: &PgPool, signer: &str) -> Till {
    let till = Till::with(pool, signer).await;
    till.mine(DEEP).await;
    for code in ["ETH", "USDT"] {
        let txid = arrived(&till, code).await;
        book(&till, code, &txid).await.unwrap();
        assert!(is_explained(&till, code).await);
    }
    till
}

#[sqlx::test(migrations = "../../migrations")]
async fn ether_taken_out_is_explained_once_it_is_booked(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let deposit = till
        .texts("SELECT txid FROM deposits ORDER BY operation_id LIMIT 1")
        .await
        .remove(0);
    let txid = till.net.take(&till.payer, 0, STRANGERS[0], 3 * ETHER);
    let waiting = refusal(&till, "ETH", &txid, false).await;
    assert!(waiting.contains("takes nothing"), "{waiting}");
    till.mine(1).await;
    assert!(!is_explained(&till, "ETH").await);
    let early = refusal(&till, "ETH", &txid, false).await;
    assert!(early.contains("1 of 8 blocks"), "{early}");
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "ETH").await);
    let unknown = format!("0x{}", "ab".repeat(32));
    for (code, wrong, said) in [
        ("ETH", unknown.as_str(), "takes nothing"),
        ("ETH", "", "takes nothing"),
        ("ETH", deposit.as_str(), "from no account of ours"),
        ("USDT", txid.as_str(), "something else than move USDT"),
    ] {
        let why = refusal(&till, code, wrong, true).await;
        assert!(why.contains(said), "{code} {wrong}: {why}");
    }
    let gateway = &till.world.gateway;
    let silent = gateway.book_own_funds_out("ETH", &txid, false, " ", BY);
    assert_eq!(blamed(&silent.await.unwrap_err()).0, "reason");
    let nowhere = out(&till, "DOGE", &txid, false).await;
    assert!(matches!(nowhere, Err(Error::NotFound)), "{nowhere:?}");
    let review = gateway.review_own_funds_out("ETH", &txid, false).await;
    assert_eq!(review.unwrap().rows[0].label, "3.000042 ETH");
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER));
    let done = out(&till, "ETH", &txid, false).await.unwrap();
    assert_eq!(done, booked("3.000042 ETH"));
    assert_eq!(own(&till, "ETH").await, wei(17 * ETHER) - GAS);
    assert!(is_explained(&till, "ETH").await);
    // Said twice, it is booked once.
    assert_eq!(out(&till, "ETH", &txid, false).await.unwrap(), NOTHING);
    assert!(
        gateway
            .review_own_funds_out("ETH", &txid, false)
            .await
            .is_err()
    );
    assert_eq!(own(&till, "ETH").await, wei(17 * ETHER) - GAS);
    let log = till
        .texts("SELECT data->>'amount' FROM audit_log WHERE action = 'own_funds_out.booked'")
        .await;
    assert_eq!(log, ["3.000042 ETH"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_leaves_with_the_ether_that_moved_it(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let txid = till.net.take_token(&till.payer, 0, STRANGERS[0], 7_000_000);
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "USDT").await);
    assert!(!is_explained(&till, "ETH").await);
    let why = refusal(&till, "ETH", &txid, false).await;
    assert!(why.contains("something else than move ETH"), "{why}");
    let before = own(&till, "USDT").await;
    let done = out(&till, "USDT", &txid, false).await.unwrap();
    assert_eq!(done, booked("7 USDT and 0.0001 ETH"));
    // The ledger counts eight digits of it.
    assert_eq!(before - own(&till, "USDT").await, 700_000_000);
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER - ETHER / 10_000));
    assert!(is_explained(&till, "USDT").await);
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

/// It cost gas, whatever it was to move; and that once, whichever coin it is booked as.
#[sqlx::test(migrations = "../../migrations")]
async fn what_failed_cost_its_gas(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    till.net.fail(true);
    let txid = till.net.take_token(&till.payer, 0, STRANGERS[0], 7_000_000);
    till.mine(DEEP).await;
    let done = out(&till, "USDT", &txid, false).await.unwrap();
    assert_eq!(done, booked("0.0001 ETH"));
    let why = refusal(&till, "ETH", &txid, false).await;
    assert!(why.contains("booked as another coin"), "{why}");
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

/// Out of the address of a deposit: those coins cover the wallet of a merchant.
#[sqlx::test(migrations = "../../migrations")]
async fn more_than_the_house_has_is_a_loss_that_has_to_be_said(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let deposit = till.world.address("ETH", None, "rich").await;
    let txid = till.net.take(&deposit, 0, STRANGERS[0], 40 * ETHER);
    till.mine(DEEP).await;
    let why = refusal(&till, "ETH", &txid, false).await;
    assert!(why.contains("takes 40.000042 ETH"), "{why}");
    let gateway = &till.world.gateway;
    let review = gateway.review_own_funds_out("ETH", &txid, false).await;
    assert_eq!(blamed(&review.unwrap_err()).0, "txid");
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER));
    let review = gateway
        .review_own_funds_out("ETH", &txid, true)
        .await
        .unwrap();
    assert!(
        review
            .hidden
            .contains(&("loss".to_owned(), "yes".to_owned())),
        "{review:?}"
    );
    let done = out(&till, "ETH", &txid, true).await.unwrap();
    assert_eq!(done, booked("40.000042 ETH"));
    assert_eq!(own(&till, "ETH").await, -wei(20 * ETHER) - GAS);
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

/// A person moves a deposit to the account that pays: nothing left but gas.
#[sqlx::test(migrations = "../../migrations")]
async fn what_stays_with_us_is_not_taken_out(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let deposit = till.world.address("ETH", None, "rich").await;
    let txid = till.net.take(&deposit, 0, &till.payer, 40 * ETHER);
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "ETH").await);
    let came = book(&till, "ETH", &txid).await.unwrap_err();
    assert!(
        blamed(&came).1.contains("from an account of ours"),
        "{came:?}"
    );
    let done = out(&till, "ETH", &txid, false).await.unwrap();
    assert_eq!(done, booked("0.000042 ETH"));
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

/// Two people at once: one of them books it.
#[sqlx::test(migrations = "../../migrations")]
async fn two_at_once_take_out_once(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let txid = till.net.take(&till.payer, 0, STRANGERS[0], 3 * ETHER);
    till.mine(DEEP).await;
    let (one, other) = tokio::join!(
        out(&till, "ETH", &txid, false),
        out(&till, "ETH", &txid, false)
    );
    let mut both = [one.unwrap(), other.unwrap()];
    both.sort_by_key(|done| done.booked.is_none());
    assert_eq!(both, [booked("3.000042 ETH"), NOTHING]);
    assert_eq!(own(&till, "ETH").await, wei(17 * ETHER) - GAS);
    till.audit().await;
}

/// What left the chain is booked back, and anew when it has its blocks again.
#[sqlx::test(migrations = "../../migrations")]
async fn what_leaves_the_chain_was_not_taken_out(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    let txid = till.net.take(&till.payer, 0, STRANGERS[0], 3 * ETHER);
    till.mine(8).await;
    out(&till, "ETH", &txid, false).await.unwrap();
    till.net.reorg(8, true);
    till.sync().await;
    assert!(is_explained(&till, "ETH").await);
    let back = out(&till, "ETH", &txid, false).await.unwrap();
    assert_eq!(back.taken_back.as_deref(), Some("3.000042 ETH"));
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER));
    assert_eq!(out(&till, "ETH", &txid, false).await.unwrap(), NOTHING);
    till.world.audit().await;
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "ETH").await);
    let done = out(&till, "ETH", &txid, false).await.unwrap();
    assert_eq!(done, booked("3.000042 ETH"));
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_of_ours_is_not_taken_out(pool: PgPool) {
    let till = funded(&pool, "in-process").await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    let txid = till.txs().await.remove(0).txid.unwrap();
    let why = refusal(&till, "ETH", &txid, true).await;
    assert!(why.contains("was made here"), "{why}");
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER));
}

/// A person signed it elsewhere and never brought it back: it pays, and nobody took anything out.
#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_signed_elsewhere_is_not_taken_out(pool: PgPool) {
    let till = funded(&pool, "by-hand").await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    gateway.unsigned_transaction(id, BY).await.unwrap();
    let txid = till.net.take(&till.payer, 0, STRANGERS[0], ETHER);
    till.mine(1).await;
    let why = refusal(&till, "ETH", &txid, true).await;
    assert!(why.contains("not known yet what became"), "{why}");
    till.mine(DEEP).await;
    let why = refusal(&till, "ETH", &txid, true).await;
    assert!(why.contains("pays what a payment"), "{why}");
    assert_eq!(own(&till, "ETH").await, wei(20 * ETHER));
}
