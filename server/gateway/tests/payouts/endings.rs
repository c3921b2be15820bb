//! Payouts that come to nothing: their coins are free once nothing signed can be mined, and not before;
//! nothing that a person ended is sent.

use std::time::Duration;

use bitcoin::OutPoint;
use gateway::Error;
use gateway::payouts::SignerSetting;
use gateway::withdrawals::ReplacedOutcome;
use signing::psbt::{Returned, complete};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::support::backends::waiting_backends;
use crate::till::{COIN, Till, read, rules};

const BY: &str = "admin@demo.example";

/// More blocks than make any deposit final.
const MANY: u32 = 6;

/// The first coin the newest transaction spends.
async fn first_coin(till: &Till) -> OutPoint {
    let outpoint: String = sqlx::query_scalar(
        "SELECT plan->'inputs'->0->>'outpoint' FROM payout_txs ORDER BY id DESC LIMIT 1",
    )
    .fetch_one(&till.pool)
    .await
    .unwrap();
    outpoint.parse().unwrap()
}

async fn by_hand(pool: &PgPool, coins: &[u64]) -> Till {
    Till::with(pool, SignerSetting::ByHand, rules(), coins).await
}

#[sqlx::test(migrations = "../../migrations")]
async fn coins_are_free_once_everybody_has_ended(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 2, COIN / 2]).await;
    let one = till.ask("0.4", "1", STRANGERS[0]).await;
    let two = till.ask("0.3", "2", STRANGERS[1]).await;
    till.work().await;
    let spent = read(till.txs().await.pop().unwrap().raw.as_deref().unwrap());
    assert_eq!(spent.input.len(), 2);
    till.net.steal(spent.input[0].previous_output);
    till.mine(1).await;
    // A reorganisation may bring ours back.
    for outcome in [ReplacedOutcome::NotPaid, ReplacedOutcome::Paid] {
        let gateway = &till.world.gateway;
        let early = gateway.end_replaced(one, outcome, "looked", BY).await;
        assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    }
    till.mine(MANY).await;
    till.call_off(one).await.unwrap();
    till.mine(1).await;
    assert_eq!(till.locked().await, 2, "one still waits for a person");
    till.call_off(two).await.unwrap();
    till.mine(1).await;
    assert_eq!(till.locked().await, 0);
    assert_eq!(till.states().await, ["dropped"]);
    till.audit_books().await;
    // The other coin pays again.
    till.ask("0.4", "3", STRANGERS[2]).await;
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["void", "void", "settled"]);
    assert_eq!(till.net.received(STRANGERS[2]), 40_000_000);
    till.audit_books().await;
}

/// Whoever ended the withdrawals, and however: as long as signed bytes may be mined, their coins are not
/// spent otherwise.
#[sqlx::test(migrations = "../../migrations")]
async fn coins_stay_locked_while_something_signed_may_be_mined(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 2, COIN / 2]).await;
    till.ask("0.7", "1", STRANGERS[0]).await;
    till.work().await;
    let coin = first_coin(&till).await;
    sqlx::query("UPDATE withdrawals SET state = 'void', ended_by = 'somebody'")
        .execute(&pool)
        .await
        .unwrap();
    till.sync().await;
    assert_eq!(till.locked().await, 2, "it waits for a block");
    till.net.steal(coin);
    till.sync().await;
    assert_eq!(
        till.locked().await,
        2,
        "the other one waits for a block, too"
    );
    till.mine(1).await;
    assert_eq!(till.locked().await, 2, "its block may be undone");
    till.mine(MANY).await;
    assert_eq!(till.locked().await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_ends_while_it_is_being_sent(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.net.refuse(Some("the node is away"));
    let id = till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["signed"]);
    till.net.steal(first_coin(&till).await);
    till.mine(MANY).await;
    till.net.refuse(None);
    // The network says that its coin is spent.
    till.work_later().await;
    let turn = till.net.hold().await;
    let asked = till.net.asked();
    let ((), early) = tokio::join!(till.work_later(), async {
        till.net.asked_after(asked).await;
        let early = till.call_off(id).await;
        drop(turn);
        early
    });
    assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    till.call_off(id).await.unwrap();
    let asked = till.net.asked();
    till.work_later().await;
    till.mine(1).await;
    till.work_later().await;
    assert_eq!(till.net.asked(), asked, "what has ended was sent");
    assert_eq!(till.states().await, ["dropped"]);
    assert_eq!(till.locked().await, 0);
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_draft_whose_coin_is_taken_is_planned_anew(pool: PgPool) {
    let till = by_hand(&pool, &[COIN, COIN / 2]).await;
    till.ask("0.4", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    till.net.steal(first_coin(&till).await);
    till.mine(1).await;
    assert_eq!(till.states().await, ["dropped"]);
    till.work_later().await;
    assert_eq!(till.states().await, ["dropped", "drafted"]);
    assert_eq!(till.withdrawals().await, ["queued"]);
    // The place for change of the first is that of the second.
    let next: i64 =
        sqlx::query_scalar("SELECT next_change FROM chain_accounts WHERE chain = 'BTC'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(next, 1);
    let gateway = &till.world.gateway;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let signed = till.sign(&file.bytes).await;
    gateway.upload_psbt(draft.id, &signed, BY).await.unwrap();
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 40_000_000);
    till.audit_books().await;
}

/// Drafts of one payout share the place for their change. It is free once the last of them is dropped,
/// unless somebody has the file of any.
async fn next_change_after_two_drafts(pool: &PgPool, was_downloaded: bool) -> i64 {
    let till = by_hand(pool, &[COIN, COIN / 2]).await;
    till.ask("0.4", "1", STRANGERS[0]).await;
    till.work().await;
    sqlx::query(
        "INSERT INTO payout_txs (payout_id, chain, state, plan, psbt, txid, fee, made_by, created_at,
                                 downloaded_by, downloaded_at)
         SELECT payout_id, chain, 'dropped', plan, psbt, repeat('1', 64), fee, made_by, created_at,
                CASE WHEN $1 THEN 'somebody' END, CASE WHEN $1 THEN created_at END
         FROM payout_txs",
    )
    .bind(was_downloaded)
    .execute(pool)
    .await
    .unwrap();
    assert_eq!(till.states().await, ["drafted", "dropped"]);
    let coin: String = sqlx::query_scalar(
        "SELECT plan->'inputs'->0->>'outpoint' FROM payout_txs WHERE state = 'drafted'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    till.net.steal(coin.parse().unwrap());
    till.mine(1).await;
    assert_eq!(till.states().await, ["dropped", "dropped"]);
    till.work_later().await;
    assert_eq!(till.states().await, ["dropped", "dropped", "drafted"]);
    sqlx::query_scalar("SELECT next_change FROM chain_accounts WHERE chain = 'BTC'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_place_for_change_is_free_with_the_last_draft_that_shares_it(pool: PgPool) {
    assert_eq!(next_change_after_two_drafts(&pool, false).await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_place_for_change_in_a_file_somebody_has_is_never_used_again(pool: PgPool) {
    assert_eq!(next_change_after_two_drafts(&pool, true).await, 2);
}

/// Whoever has the file may sign it, and a reorganisation may give the coin back.
#[sqlx::test(migrations = "../../migrations")]
async fn a_downloaded_draft_is_given_up_when_its_coin_is_gone_for_good(pool: PgPool) {
    let till = by_hand(&pool, &[COIN, COIN / 2]).await;
    till.ask("0.4", "1", STRANGERS[0]).await;
    till.work().await;
    let draft = till.txs().await.pop().unwrap();
    let gateway = &till.world.gateway;
    gateway.download_psbt(draft.id, BY).await.unwrap();
    till.net.steal(first_coin(&till).await);
    till.mine(1).await;
    assert_eq!(till.states().await, ["drafted"]);
    till.mine(MANY).await;
    assert_eq!(till.states().await, ["dropped"]);
    let late = gateway.download_psbt(draft.id, BY).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_queued_can_be_called_off_and_the_others_go_on(pool: PgPool) {
    let till = by_hand(&pool, &[COIN, COIN]).await;
    let one = till.ask("0.1", "1", STRANGERS[0]).await;
    let two = till.ask("0.2", "2", STRANGERS[1]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    let paid = gateway
        .end_replaced(one, ReplacedOutcome::Paid, "looked", BY)
        .await;
    assert!(matches!(paid, Err(Error::Conflict(_))), "{paid:?}");
    till.call_off(one).await.unwrap();
    assert_eq!(till.states().await, ["dropped"]);
    assert_eq!(till.withdrawals().await, ["void", "queued"]);
    till.audit_books().await;
    till.work().await;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    // Somebody may have signed it by now.
    let late = till.call_off(two).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let signed = till.sign(&file.bytes).await;
    gateway.upload_psbt(draft.id, &signed, BY).await.unwrap();
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["void", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 0);
    assert_eq!(till.net.received(STRANGERS[1]), 20_000_000);
    till.audit().await;
}

/// Decisions made in groups, and units that came through the door of those who are alone.
fn counted(till: &Till) -> (u64, u64) {
    let gateway = &till.world.gateway;
    let all = gateway.committers();
    let decisions = all.iter().find(|(name, _)| *name == "decisions");
    (
        decisions.map_or(0, |(_, stats)| stats.items),
        gateway.admission().admitted,
    )
}

/// Its riders and the payout itself are locked for the group, so one that somebody else has is waited for alone.
#[sqlx::test(migrations = "../../migrations")]
async fn whoever_calls_off_one_of_a_payout_that_another_has_waits_alone(pool: PgPool) {
    let till = by_hand(&pool, &[COIN, COIN]).await;
    let one = till.ask("0.1", "1", STRANGERS[0]).await;
    let two = till.ask("0.2", "2", STRANGERS[1]).await;
    till.work().await;
    let payout = till.txs().await.pop().unwrap().payout_id;
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM payouts WHERE id = $1 FOR NO KEY UPDATE")
        .bind(payout)
        .execute(&mut *other)
        .await
        .unwrap();
    let (decided, alone) = counted(&till);
    let gateway = till.world.gateway.clone();
    let waits = tokio::spawn(async move {
        gateway
            .end_replaced(one, ReplacedOutcome::NotPaid, "looked", BY)
            .await
    });
    let met = async {
        while waiting_backends(&pool).await != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), met)
        .await
        .unwrap();
    let (world, charge) = (&till.world, till.world.charge("10.00", "EUR").await);
    world
        .gateway
        .cancel_charge(world.merchant, &charge, "t".into(), None, |_| {
            (200, Vec::new())
        })
        .await
        .unwrap();
    assert!(!waits.is_finished());
    assert_eq!(counted(&till), (decided + 1, alone + 1));
    other.rollback().await.unwrap();
    waits.await.unwrap().unwrap();
    assert_eq!(till.states().await, ["dropped"]);
    assert_eq!(till.withdrawals().await, ["void", "queued"]);
    // Nobody has this one: the group takes its payout apart.
    till.work().await;
    assert_eq!(till.states().await, ["dropped", "drafted"]);
    let (decided, alone) = counted(&till);
    till.call_off(two).await.unwrap();
    assert_eq!(counted(&till), (decided + 1, alone));
    assert_eq!(till.states().await, ["dropped", "dropped"]);
    assert_eq!(till.withdrawals().await, ["void", "void"]);
    assert_eq!(till.locked().await, 0);
    till.audit_books().await;
}

/// A person who signs and sends past us makes it settle before we hear that it was sent.
#[sqlx::test(migrations = "../../migrations")]
async fn a_refund_that_settles_at_once_is_told_as_sent(pool: PgPool) {
    let till = by_hand(&pool, &[COIN]).await;
    let (world, gateway) = (&till.world, &till.world.gateway);
    let id = world.picked("60.00", "EUR", "BTC").await;
    let address = world.view(&id).await.payment.unwrap().address;
    till.net.fund(&address, 50_000);
    till.mine(1).await;
    gateway.advance(900).await.unwrap();
    let to = Some(STRANGERS[0].to_owned());
    let by = "merchant@demo.example".to_owned();
    gateway
        .request_refund(world.merchant, &id, to, by, None, |_| (200, Vec::new()))
        .await
        .unwrap();
    till.work().await;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let expected = bitcoin::Psbt::deserialize(&file.bytes).unwrap();
    let signed = bitcoin::Psbt::deserialize(&till.sign(&file.bytes).await).unwrap();
    let complete = complete(&expected, Returned::Psbt(Box::new(signed))).unwrap();
    till.net.mine_raw(&[complete.raw]);
    till.sync().await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    let kinds: Vec<String> = gateway
        .charge_timeline(world.merchant, &id)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.kind)
        .filter(|kind| kind.starts_with("refund."))
        .collect();
    assert_eq!(
        kinds,
        ["refund.requested", "refund.sent", "refund.confirmed"]
    );
    assert_eq!(world.view(&id).await.resolution.word(), "refunded");
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE type = 'charge.refunded'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(told, 1);
    till.audit().await;
}

/// A signer does not believe the amount of a coin beside others, so a replacement does not need one.
#[sqlx::test(migrations = "../../migrations")]
async fn a_replacement_adds_no_coin_that_nobody_can_prove(pool: PgPool) {
    // Without change: a higher fee takes another coin.
    let till = Till::new(&pool, &[30_000_350]).await;
    let other = till.fund("other", COIN).await;
    till.net.withhold(other);
    till.mine(3).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    let sent = till.txs().await.pop().unwrap();
    assert_eq!(read(sent.raw.as_deref().unwrap()).output.len(), 1);
    till.net.set_rate(Some(9_000));
    let bumped = till.world.gateway.bump_payout(sent.payout_id, BY).await;
    assert!(matches!(bumped, Err(Error::Invalid(_))), "{bumped:?}");
    assert_eq!(till.states().await, ["broadcast"]);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}
