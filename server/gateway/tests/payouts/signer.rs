//! The signer as a process of its own would be: behind its socket, with its own policy.

use sqlx::PgPool;

use crate::STRANGERS;
pub use crate::support::signer_place::Place;
use crate::till::{COIN, GENEROUS, Till, rules};

#[sqlx::test(migrations = "../../migrations")]
async fn a_signer_that_is_away_is_asked_again(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, place.setting(), rules(), &[COIN / 2, COIN / 2]).await;
    till.ask("0.6", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let draft = till.txs().await.pop().unwrap();
    let error = draft.last_error.unwrap();
    assert!(error.contains("cannot be reached"), "{error}");
    // It passes by itself, so nobody is called.
    assert!(
        !till
            .mails()
            .await
            .iter()
            .any(|subject| subject.ends_with("needs a person"))
    );
    let running = place.start(&till.seed().await, GENEROUS).await;
    till.work_later().await;
    assert_eq!(till.states().await, ["broadcast"]);
    assert_eq!(till.txs().await.pop().unwrap().txid, draft.txid);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_policy_refuses_is_not_sent_and_people_are_told_once(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, place.setting(), rules(), &[COIN]).await;
    let strict = GENEROUS.replace("1000000000,", "1000000,");
    let running = place.start(&till.seed().await, &strict).await;
    till.ask("0.2", "1", STRANGERS[0]).await;
    till.work().await;
    till.work_later().await;
    // Tried twice, the second time alone.
    assert_eq!(till.states().await, ["dropped", "dropped"]);
    assert_eq!(till.withdrawals().await, ["queued"]);
    assert_eq!(till.locked().await, 0);
    let error = till.txs().await.pop().unwrap().last_error.unwrap();
    assert!(error.contains("the signer refuses"), "{error}");
    let mails = till.mails().await;
    let told = mails
        .iter()
        .filter(|subject| subject.ends_with("needs a person"));
    assert_eq!(told.count(), 1, "{mails:?}");
    assert!(till.net.mempool_txs().is_empty());
    till.audit_books().await;
    running.abort();
}
