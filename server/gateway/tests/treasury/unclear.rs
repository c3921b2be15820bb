//! Tokens that keep a part of what is sent: neither paid nor failed.

use domain::view::operate::{ChainFinding, SuspenseFilter};
use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::till::{DEEP, Till};

const BY: &str = "admin";
const WHY: &str = "its transaction moved something else on the chain than was planned: the receiver may have a part";

async fn outcomes(till: &Till) -> Vec<String> {
    till.texts("SELECT coalesce(outcome, 'open') FROM treasury_payments ORDER BY id")
        .await
}

async fn moved_a_part(pool: &PgPool) -> (Till, i64) {
    let till = Till::new(pool).await;
    let id = till.ask("25", "USDT", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.keep(1_000_000);
    till.mine(DEEP).await;
    assert_eq!(till.net.received(STRANGERS[0]), [24_000_000]);
    assert_eq!(outcomes(&till).await, ["unclear"]);
    assert_eq!(till.errors().await, [WHY]);
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    till.audit().await;
    (till, id)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_moved_in_part_waits_for_a_person_who_knows_the_amount(pool: PgPool) {
    let (till, id) = moved_a_part(&pool).await;
    // Not by itself, however often.
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    assert_eq!(till.txs().await.len(), 1);
    let gateway = &till.world.gateway;
    let page = gateway.suspense_view(SuspenseFilter::default(), 1).await;
    let stuck = page.unwrap().stuck.pop().unwrap();
    let Some(ChainFinding::Unclear { arrived, .. }) = stuck.finding else {
        panic!("{stuck:?}");
    };
    assert!(arrived.amount.starts_with("24"), "{arrived:?}");
    assert_eq!(arrived.code, "USDT");
    // Its bytes are in the chain.
    assert_eq!(stuck.rebroadcast, None);
    assert!(stuck.replaced.is_some());
    let review = gateway.review_replaced(id, ReplacedOutcome::Paid).await;
    let notes = review.unwrap().notes.join(" ");
    assert!(notes.contains("24 USDT arrived"), "{notes}");
    gateway
        .end_replaced(id, ReplacedOutcome::Paid, "the receiver agrees", BY)
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(outcomes(&till).await, ["unclear"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_moved_in_part_can_be_given_back(pool: PgPool) {
    let (till, id) = moved_a_part(&pool).await;
    let is_nothing = |amount: &str| amount.chars().all(|c| c == '0' || c == '.');
    let (_, held) = till.world.wallet("USDT").await;
    assert!(!is_nothing(&held), "{held}");
    till.world
        .gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "sent back", BY)
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["void"]);
    let (_, held) = till.world.wallet("USDT").await;
    assert!(is_nothing(&held), "{held}");
    // Nobody is told of a payment that whoever ended it knew of.
    till.mine(1).await;
    assert!(till.errors().await.is_empty());
    let twice = "was paid although it had ended";
    let mails = till.mails().await;
    assert!(!mails.iter().any(|mail| mail.ends_with(twice)), "{mails:?}");
    till.audit().await;
}

/// In the next block it may pay as planned.
#[sqlx::test(migrations = "../../migrations")]
async fn what_moved_in_part_in_a_block_that_is_undone_is_open_again(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("25", "USDT", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.keep(1_000_000);
    till.mine(6).await;
    assert_eq!(outcomes(&till).await, ["unclear"]);
    till.net.keep(0);
    till.net.reorg(6, true);
    till.mine(1).await;
    assert_eq!(outcomes(&till).await, ["open"]);
    assert!(till.errors().await.is_empty());
    assert_eq!(till.gas().await, 0);
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(outcomes(&till).await, ["paid"]);
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [25_000_000]);
    till.world.audit().await;
}
