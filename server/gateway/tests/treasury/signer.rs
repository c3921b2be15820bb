//! The signer as a process of its own would be: behind its socket, with its own policy.

use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::{CHAIN_ID, ETHER, contract};
pub use crate::support::signer_place::Place;
use crate::till::{DEEP, Till};

#[sqlx::test(migrations = "../../migrations")]
async fn the_signer_signs_what_its_policy_allows_and_nothing_else(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    // The signer is not there yet: nothing is lost.
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let contract = contract();
    let policy = format!(
        r#"{{"chain_id": {CHAIN_ID},
            "ether": {{"payment_max_gwei": 2000000000, "daily_max_gwei": 9000000000}},
            "tokens": [{{"contract": "{contract}", "payment_max_units": 30000000,
                         "daily_max_units": 60000000}}],
            "fee_max_gwei": 60000000}}"#
    );
    place.start(&till.seed().await, &policy).await;
    till.work_later().await;
    till.ask("25", "USDT", "2", STRANGERS[1]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.net.received(STRANGERS[1]), [25_000_000]);
    // More than may go at once: a person is called, and the number goes to the one behind.
    till.ask("3", "ETH", "3", STRANGERS[0]).await;
    till.ask("1", "ETH", "4", STRANGERS[0]).await;
    till.work().await;
    let txs = till.txs().await;
    let [.., refused, next] = txs.as_slice() else {
        panic!("{txs:?}");
    };
    assert_eq!((refused.nonce, refused.state.as_str()), (2, "dropped"));
    assert_eq!((next.nonce, next.state.as_str()), (2, "broadcast"));
    let why = refused.last_error.as_deref().unwrap();
    assert!(why.contains("at most 2000000000 may go at once"), "{why}");
    assert_eq!(
        till.withdrawals().await,
        ["settled", "settled", "queued", "broadcast"]
    );
    assert_eq!(
        till.errors().await,
        ["it waits for the operator: the rules of the signer do not let it out"]
    );
    assert!(
        till.mails()
            .await
            .iter()
            .any(|mail| mail.ends_with("needs a person"))
    );
    till.audit().await;
}
