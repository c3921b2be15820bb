//! Higher fees for what waits: one of a payout's transactions is mined, and pays everybody once.

use gateway::Error;
use gateway::payouts::{Rules, SignerSetting};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::support::operations::blamed;
use crate::till::{COIN, Stored, Till, read, rules};

const BY: &str = "admin@demo.example";

/// Two withdrawals in a transaction that waits.
async fn waiting(pool: &PgPool, rules: Rules) -> Till {
    let till = Till::with(pool, SignerSetting::InProcess, rules, &[COIN, COIN / 2]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.ask("0.4", "2", STRANGERS[1]).await;
    till.work().await;
    till
}

async fn bump(till: &Till) -> Stored {
    let payout = till.txs().await.first().unwrap().payout_id;
    till.world.gateway.bump_payout(payout, BY).await.unwrap();
    till.work().await;
    till.txs().await.pop().unwrap()
}

async fn check_paid_once(till: &Till, by: &Stored) {
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 30_000_000);
    assert_eq!(till.net.received(STRANGERS[1]), 40_000_000);
    assert_eq!(till.miners().await, i128::from(by.fee));
    let paid_by: Vec<String> = sqlx::query_scalar("SELECT DISTINCT txid FROM withdrawals")
        .fetch_all(&till.pool)
        .await
        .unwrap();
    assert_eq!(paid_by, std::slice::from_ref(&by.txid));
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_higher_fee_takes_the_place_of_a_lower_one(pool: PgPool) {
    let till = waiting(&pool, rules()).await;
    let first = till.txs().await.pop().unwrap();
    till.net.set_rate(Some(9_000));
    let second = bump(&till).await;
    assert_eq!(till.states().await, ["replaced", "broadcast"]);
    assert!(second.fee > first.fee);
    let (old, new) = (
        read(first.raw.as_deref().unwrap()),
        read(second.raw.as_deref().unwrap()),
    );
    assert!(old.input.iter().all(|input| {
        new.input
            .iter()
            .any(|spent| spent.previous_output == input.previous_output)
    }));
    assert_eq!(till.net.mempool_txs(), [new]);
    till.mine(1).await;
    assert_eq!(till.states().await, ["replaced", "confirmed"]);
    check_paid_once(&till, &second).await;
    // What was asked for is known.
    let actors: Vec<String> =
        sqlx::query_scalar("SELECT actor FROM audit_log WHERE action = 'payout.bump'")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(actors, [BY]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_replaced_one_may_be_mined_all_the_same(pool: PgPool) {
    let till = waiting(&pool, rules()).await;
    let first = till.txs().await.pop().unwrap();
    bump(&till).await;
    till.net.mine_raw(&[first.raw.clone().unwrap()]);
    till.sync().await;
    assert_eq!(till.states().await, ["confirmed", "replaced"]);
    check_paid_once(&till, &first).await;
    // Nothing of the other one is kept from others, and nobody is called.
    let locked: i64 = sqlx::query_scalar("SELECT count(*) FROM payout_coins")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(
        locked,
        i64::try_from(read(first.raw.as_deref().unwrap()).input.len()).unwrap()
    );
    assert!(
        till.world
            .operations()
            .await
            .iter()
            .all(|view| !view.needs_attention)
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_mined_while_its_replacement_is_signed_settles(pool: PgPool) {
    let till = Till::with(&pool, SignerSetting::ByHand, rules(), &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.ask("0.4", "2", STRANGERS[1]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let signed = till.sign(&file.bytes).await;
    gateway.upload_psbt(draft.id, &signed, BY).await.unwrap();
    till.work().await;
    gateway.bump_payout(draft.payout_id, BY).await.unwrap();
    assert_eq!(till.states().await, ["broadcast", "drafted"]);
    let again = gateway.bump_payout(draft.payout_id, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let second = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(second.id, BY).await.unwrap();
    till.mine(1).await;
    assert_eq!(till.states().await, ["confirmed", "replaced"]);
    // Too late.
    let late = gateway
        .upload_psbt(second.id, &till.sign(&file.bytes).await, BY)
        .await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let first = till.txs().await.swap_remove(0);
    check_paid_once(&till, &first).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_long_enough_is_replaced_by_itself(pool: PgPool) {
    let rules = Rules {
        bump_after_blocks: Some(2),
        ..rules()
    };
    let till = waiting(&pool, rules).await;
    for expected in [1, 2] {
        till.net.mine_raw(&[]);
        till.sync().await;
        till.work().await;
        assert_eq!(till.txs().await.len(), expected);
    }
    assert_eq!(till.states().await, ["replaced", "broadcast"]);
    till.mine(1).await;
    let second = till.txs().await.pop().unwrap();
    check_paid_once(&till, &second).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorganisation_that_swaps_them_swaps_the_fees(pool: PgPool) {
    let till = waiting(&pool, rules()).await;
    let first = till.txs().await.pop().unwrap();
    till.net.set_rate(Some(9_000));
    let second = bump(&till).await;
    till.mine(1).await;
    assert_eq!(till.miners().await, i128::from(second.fee));
    till.net.lose_tip();
    till.net.mine_raw(&[first.raw.clone().unwrap()]);
    till.net.mine(1);
    till.sync().await;
    till.sync().await;
    assert_eq!(till.states().await, ["confirmed", "replaced"]);
    check_paid_once(&till, &first).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payout_that_left_the_chain_is_sent_once_more(pool: PgPool) {
    let till = waiting(&pool, rules()).await;
    let sent = till.txs().await.pop().unwrap();
    till.mine(1).await;
    till.net.lose_tip();
    till.net.mine_raw(&[]);
    till.net.mine_raw(&[]);
    till.sync().await;
    // Its bytes are in the mempool again, and nobody was paid twice.
    let waiting = till.net.mempool_txs();
    assert_eq!(waiting.len(), 1);
    till.mine(1).await;
    till.sync().await;
    check_paid_once(&till, &sent).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_replaced_that_is_not_on_its_way(pool: PgPool) {
    let till = waiting(&pool, rules()).await;
    let gateway = &till.world.gateway;
    let payout = till.txs().await.first().unwrap().payout_id;
    let unknown = gateway.bump_payout(payout + 1, BY).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
    till.mine(1).await;
    let late = gateway.bump_payout(payout, BY).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_replacement_above_the_cap_is_refused(pool: PgPool) {
    let mut rules = rules();
    rules.caps.absolute = 500;
    let till = waiting(&pool, rules).await;
    let sent = till.txs().await;
    // 2 satoshi per virtual byte are within the cap, 9 are not.
    assert_eq!(sent.len(), 1, "{sent:?}");
    till.net.set_rate(Some(9_000));
    let payout = sent.first().unwrap().payout_id;
    let error = till
        .world
        .gateway
        .bump_payout(payout, BY)
        .await
        .unwrap_err();
    assert_eq!(blamed(&error).0, "bump");
    assert_eq!(till.txs().await.len(), 1);
}
