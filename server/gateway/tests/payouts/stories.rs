//! From the request to the block.

use gateway::payouts::{Rules, SignerSetting};
use gateway::withdrawals::NewWithdrawal;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::support::operations::blamed;
use crate::till::{COIN, Till, read, rules};

#[sqlx::test(migrations = "../../migrations")]
async fn two_withdrawals_share_a_transaction_to_the_satoshi(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 2, COIN / 4]).await;
    till.ask("0.4", "1", STRANGERS[0]).await;
    till.ask("0.3", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    assert_eq!(till.withdrawals().await, ["broadcast", "broadcast"]);
    let sent = till.txs().await.pop().unwrap();
    let tx = read(sent.raw.as_deref().unwrap());
    assert_eq!(tx.input.len(), 2);
    assert_eq!(tx.compute_txid().to_string(), sent.txid);
    // Nothing is settled before its block.
    assert_eq!(till.miners().await, 0);
    till.mine(1).await;
    assert_eq!(till.states().await, ["confirmed"]);
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 40_000_000);
    assert_eq!(till.net.received(STRANGERS[1]), 30_000_000);
    assert_eq!(till.miners().await, i128::from(sent.fee));
    assert!(sent.fee > 0);
    // Both know what paid them.
    let paid_by: Vec<String> = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(paid_by, [sent.txid.clone(), sent.txid]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn change_comes_back_and_pays_the_next_one(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    // The only coin is being spent: the second one waits.
    till.ask("0.3", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["broadcast", "queued"]);
    till.mine(1).await;
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.states().await, ["confirmed", "confirmed"]);
    let branches: Vec<(i64, Option<i64>)> = sqlx::query_as(
        "SELECT idx, merchant_id FROM chain_addresses WHERE branch = 1 ORDER BY idx",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(branches, [(0, None), (1, None)]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_coins_it_stays_queued_and_people_are_told_once(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 10]).await;
    let large = till.ask("0.5", "1", STRANGERS[0]).await;
    till.ask("0.05", "2", STRANGERS[1]).await;
    till.work().await;
    // The small one does not wait for the large one.
    assert_eq!(till.withdrawals().await, ["queued", "broadcast"]);
    till.work_later().await;
    till.work_later().await;
    let about = format!("Withdrawal {large} waits");
    let told = till.mails().await;
    assert_eq!(
        told.iter().filter(|subject| **subject == about).count(),
        1,
        "{told:?}"
    );
    let error: String =
        sqlx::query_scalar("SELECT last_error FROM withdrawals WHERE operation_id = $1")
            .bind(large)
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(error.contains("satoshis are missing"), "{error}");
    let held = till.world.wallet("BTC").await;
    assert!(held.1.starts_with("0.55"), "{held:?}");

    till.fund("more", COIN).await;
    till.mine(3).await;
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    let operation = till.world.operations().await;
    assert!(
        operation.iter().all(|view| !view.needs_attention),
        "{operation:?}"
    );
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_rate_nothing_is_planned(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.net.set_rate(None);
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    assert!(till.txs().await.is_empty());
    assert_eq!(till.withdrawals().await, ["queued"]);
    till.net.set_rate(Some(1_000));
    till.work_later().await;
    assert_eq!(till.states().await, ["broadcast"]);
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_fee_above_its_cap_is_not_paid(pool: PgPool) {
    let rules = Rules {
        rate_max: 90_000_000,
        ..Rules::default()
    };
    let till = Till::with(&pool, SignerSetting::InProcess, rules, &[COIN]).await;
    till.net.set_rate(Some(50_000_000));
    till.ask("0.01", "1", STRANGERS[0]).await;
    till.work().await;
    assert!(till.txs().await.is_empty());
    assert_eq!(till.withdrawals().await, ["queued"]);
    till.net.set_rate(Some(3_000));
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_more_withdrawals_share_one_than_the_settings_say(pool: PgPool) {
    let rules = Rules {
        batch_max: 2,
        ..rules()
    };
    let coins = [COIN / 10, COIN / 10, COIN / 10];
    let till = Till::with(&pool, SignerSetting::InProcess, rules, &coins).await;
    for number in ["1", "2", "3"] {
        till.ask("0.01", number, STRANGERS[0]).await;
    }
    till.work().await;
    let riders: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FROM withdrawals GROUP BY payout_id ORDER BY payout_id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(riders, [2, 1]);
    till.mine(1).await;
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn nobody_withdraws_to_our_change(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    let change: String = sqlx::query_scalar("SELECT address FROM chain_addresses WHERE branch = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        address: change,
        ..till.world.withdrawal("0.1", "BTC", "2")
    };
    let error = till.world.withdraw(new).await.unwrap_err();
    assert_eq!(blamed(&error).0, "address");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_without_its_confirmations_is_not_spent(pool: PgPool) {
    let till = Till::new(&pool, &[]).await;
    till.fund("fresh", COIN).await;
    till.sync().await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued"]);
    till.mine(3).await;
    till.work_later().await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_thief_s_transaction_calls_for_a_person(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.ask("0.2", "2", STRANGERS[1]).await;
    till.work().await;
    let sent = till.txs().await.pop().unwrap();
    let coin = read(sent.raw.as_deref().unwrap())
        .input
        .first()
        .unwrap()
        .previous_output;
    till.net.steal(coin);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["broadcast", "broadcast"]);
    let operations = till.world.operations().await;
    let asked: Vec<_> = operations
        .iter()
        .filter(|view| view.kind.word() == "withdrawal")
        .collect();
    assert!(asked.iter().all(|view| view.needs_attention), "{asked:?}");
    assert_eq!(till.miners().await, 0);
    // It is sent no other way.
    let heard = till.net.heard();
    till.work_later().await;
    assert_eq!(till.net.heard(), heard);
    assert_eq!(till.txs().await.len(), 1);
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_network_forgot_is_sent_again(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    let before = till.txs().await;
    till.net.forget(&before.first().unwrap().txid);
    till.sync().await;
    assert_eq!(till.states().await, ["signed"]);
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    assert_eq!(
        till.txs().await.first().unwrap().raw,
        before.first().unwrap().raw
    );
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_unreachable_network_is_asked_again(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.net.refuse(Some("the node is away"));
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["signed"]);
    let error = till.txs().await.pop().unwrap().last_error.unwrap();
    assert!(error.contains("the node is away"), "{error}");
    till.net.refuse(None);
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}
