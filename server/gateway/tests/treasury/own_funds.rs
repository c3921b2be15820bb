//! What the operator sends to the account that pays: in no book until somebody says so, and booked once then.

use gateway::Error;
use gateway::own_funds::OwnFundsBooked;
use sqlx::PgPool;

use crate::net::{ETHER, Net};
use crate::support::operations::blamed;
use crate::till::{DEEP, Till};

pub const BY: &str = "admin";

pub async fn book(till: &Till, code: &str, txid: &str) -> Result<OwnFundsBooked, Error> {
    let gateway = &till.world.gateway;
    gateway.book_own_funds(code, txid, "gas", BY).await
}

pub fn booked(amount: &str) -> OwnFundsBooked {
    OwnFundsBooked {
        booked: Some(amount.to_owned()),
        taken_back: None,
    }
}

pub const NOTHING: OwnFundsBooked = OwnFundsBooked {
    booked: None,
    taken_back: None,
};

/// Whether `audit --chain` accounts for every coin.
pub async fn is_explained(till: &Till, code: &str) -> bool {
    let found = till.world.gateway.audit_chains().await.unwrap();
    let view = found.iter().find(|view| view.chain == code).unwrap();
    assert_eq!(view.problem, None);
    view.is_explained()
}

pub async fn own(till: &Till, code: &str) -> i128 {
    till.world.account(0, "own_funds", code).await
}

/// The transaction that came to the account that pays.
pub async fn arrived(till: &Till, code: &str) -> String {
    sqlx::query_scalar(
        "SELECT o.txid FROM chain_outputs o JOIN chain_addresses a ON a.id = o.address_id
         WHERE o.chain = $1 AND a.branch = 1",
    )
    .bind(code)
    .fetch_one(&till.pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn ether_for_gas_is_explained_once_it_is_booked(pool: PgPool) {
    let till = Till::empty(&pool, "in-process").await;
    assert!(is_explained(&till, "ETH").await);
    till.net.pay(&till.payer, 2 * ETHER);
    till.mine(1).await;
    let txid = arrived(&till, "ETH").await;
    assert!(!is_explained(&till, "ETH").await);
    let early = book(&till, "ETH", &txid).await.unwrap_err();
    let (field, why) = blamed(&early);
    assert_eq!(field, "txid");
    assert!(why.contains("1 of 8 blocks"), "{why}");
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "ETH").await);
    let deposit = till
        .texts("SELECT txid FROM deposits ORDER BY operation_id LIMIT 1")
        .await
        .remove(0);
    let unknown = format!("0x{}", "ab".repeat(32));
    for (code, wrong) in [
        ("ETH", unknown.as_str()),
        ("ETH", ""),
        ("ETH", deposit.as_str()),
        ("USDT", txid.as_str()),
    ] {
        let refused = book(&till, code, wrong).await.unwrap_err();
        assert_eq!(blamed(&refused).0, "txid", "{code} {wrong}");
    }
    let gateway = &till.world.gateway;
    let silent = gateway.book_own_funds("ETH", &txid, " ", BY).await;
    assert_eq!(blamed(&silent.unwrap_err()).0, "reason");
    let nowhere = gateway.book_own_funds("DOGE", &txid, "gas", BY).await;
    assert!(matches!(nowhere, Err(Error::NotFound)), "{nowhere:?}");
    assert_eq!(own(&till, "ETH").await, 0);
    let review = gateway.review_own_funds("ETH", &txid).await.unwrap();
    assert!(
        review.rows[0].label.starts_with("2 ETH at 0x"),
        "{review:?}"
    );
    assert_eq!(own(&till, "ETH").await, 0);
    // However it is written.
    let shouted = format!(" 0x{} ", txid[2..].to_ascii_uppercase());
    assert_eq!(book(&till, "ETH", &shouted).await.unwrap(), booked("2 ETH"));
    let units = i128::try_from(2 * ETHER).unwrap();
    assert_eq!(own(&till, "ETH").await, units);
    assert!(is_explained(&till, "ETH").await);
    assert_eq!(book(&till, "ETH", &txid).await.unwrap(), NOTHING);
    assert!(gateway.review_own_funds("ETH", &txid).await.is_err());
    assert_eq!(own(&till, "ETH").await, units);
    let log = till
        .texts("SELECT data->>'amount' FROM audit_log WHERE action = 'own_funds.booked'")
        .await;
    assert_eq!(log, ["2 ETH"]);
    let page = gateway.chain_audit_page("ETH").await.unwrap();
    let states: Vec<&str> = page
        .own_coins
        .iter()
        .map(|own| own.state.as_str())
        .collect();
    assert_eq!(states, ["booked"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn tokens_are_booked_as_what_they_are(pool: PgPool) {
    let till = Till::empty(&pool, "in-process").await;
    till.net.pay_token(&till.payer, 7_000_000);
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "USDT").await);
    let txid = arrived(&till, "USDT").await;
    assert_eq!(book(&till, "USDT", &txid).await.unwrap(), booked("7 USDT"));
    assert!(is_explained(&till, "USDT").await);
    assert_eq!(own(&till, "ETH").await, 0);
    till.audit().await;
}

/// Two people at once: one of them books it.
#[sqlx::test(migrations = "../../migrations")]
async fn two_at_once_book_it_once(pool: PgPool) {
    let till = Till::empty(&pool, "in-process").await;
    till.net.pay(&till.payer, 2 * ETHER);
    till.mine(DEEP).await;
    let txid = arrived(&till, "ETH").await;
    let (one, other) = tokio::join!(book(&till, "ETH", &txid), book(&till, "ETH", &txid));
    let mut both = [one.unwrap(), other.unwrap()];
    both.sort_by_key(|done| done.booked.is_none());
    assert_eq!(both, [booked("2 ETH"), NOTHING]);
    assert_eq!(own(&till, "ETH").await, i128::try_from(2 * ETHER).unwrap());
    till.audit().await;
}

/// What left the chain is booked back, and anew when it has its blocks again.
#[sqlx::test(migrations = "../../migrations")]
async fn what_leaves_the_chain_leaves_the_books(pool: PgPool) {
    let till = Till::empty(&pool, "in-process").await;
    till.net.pay(&till.payer, 2 * ETHER);
    till.mine(8).await;
    let txid = arrived(&till, "ETH").await;
    book(&till, "ETH", &txid).await.unwrap();
    till.net.reorg(8, true);
    till.sync().await;
    assert!(is_explained(&till, "ETH").await);
    let back = book(&till, "ETH", &txid).await.unwrap();
    assert_eq!(back.taken_back.as_deref(), Some("2 ETH"));
    assert_eq!(own(&till, "ETH").await, 0);
    assert_eq!(book(&till, "ETH", &txid).await.unwrap(), NOTHING);
    till.world.audit().await;
    till.mine(DEEP).await;
    assert!(!is_explained(&till, "ETH").await);
    assert_eq!(book(&till, "ETH", &txid).await.unwrap(), booked("2 ETH"));
    assert!(is_explained(&till, "ETH").await);
    till.audit().await;
}

/// A sweep brings coins that the books have since they were a deposit.
#[sqlx::test(migrations = "../../migrations")]
async fn a_sweep_is_no_money_of_ours_that_is_new(pool: PgPool) {
    let till = Till::sweeping(&pool, Net::start().await, "in-process", "10").await;
    let till = Till::filled(till).await;
    till.work_later().await;
    till.mine(DEEP).await;
    let txid = arrived(&till, "ETH").await;
    let refused = book(&till, "ETH", &txid).await.unwrap_err();
    let (field, why) = blamed(&refused);
    assert_eq!(field, "txid");
    assert!(why.contains("comes from an account of ours"), "{why}");
    assert_eq!(own(&till, "ETH").await, 0);
    let page = till.world.gateway.chain_audit_page("ETH").await.unwrap();
    assert_eq!(page.own_coins, []);
}
