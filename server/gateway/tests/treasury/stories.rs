//! What happens to withdrawals from one account, told from its beginning.

use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::{ETHER, GWEI, contract};
use crate::till::{DEEP, Till};

#[sqlx::test(migrations = "../../migrations")]
async fn ether_and_tokens_are_paid_once_and_gas_is_booked(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1.5", "ETH", "1", STRANGERS[0]).await;
    till.ask("25", "USDT", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["broadcast", "broadcast"]);
    assert_eq!(till.net.waiting(), 2);
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [15 * ETHER / 10]);
    assert_eq!(till.net.received(STRANGERS[1]), [25_000_000]);
    let nonces: Vec<i64> = till.txs().await.iter().map(|tx| tx.nonce).collect();
    assert_eq!(nonces, [0, 1]);
    // Base fee and tip are a gwei each.
    let gas = i128::try_from((21_000 + 50_000) * 2 * GWEI).unwrap();
    assert_eq!(till.gas().await, gas);
    till.audit().await;
    // Again, however often: nothing more is sent.
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.net.waiting(), 0);
    assert_eq!(till.txs().await.len(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_paid_says_what_is_missing_and_is_paid_later(pool: PgPool) {
    let till = Till::empty(&pool, "in-process").await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.ask("25", "USDT", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued", "queued"]);
    let why = till
        .texts("SELECT last_error FROM withdrawals ORDER BY operation_id")
        .await;
    assert!(
        why.iter()
            .all(|why| why.starts_with("waiting for funds: 0x")),
        "{why:?}"
    );
    assert_eq!(till.errors().await.len(), 2);
    // Tokens without ether for gas are not enough.
    till.net.pay_token(&till.payer, 25_000_000);
    till.mine(1).await;
    till.due().await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued", "queued"]);
    till.net.pay(&till.payer, 2 * ETHER);
    till.mine(1).await;
    till.due().await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert!(till.errors().await.is_empty());
    till.audit().await;
}

/// Two that could be paid each, and not together.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_on_its_way_is_not_paid_with_again(pool: PgPool) {
    let till = Till::new(&pool).await;
    for reference in ["1", "2", "3"] {
        till.ask("9", "ETH", reference, STRANGERS[0]).await;
    }
    till.work().await;
    assert_eq!(
        till.withdrawals().await,
        ["broadcast", "broadcast", "queued"]
    );
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled", "queued"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_waits_too_long_is_replaced_and_paid_once(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.ask("2", "ETH", "2", STRANGERS[1]).await;
    till.work().await;
    till.net.base(20 * GWEI);
    till.mine(10).await;
    assert_eq!(till.withdrawals().await, ["broadcast", "broadcast"]);
    till.work().await;
    // The first one alone: the other waits for it, and its fee is looked at afterwards.
    assert_eq!(till.states().await, ["replaced", "broadcast", "broadcast"]);
    let txs = till.txs().await;
    assert_eq!((txs[0].nonce, txs[2].nonce), (0, 0));
    till.mine(1).await;
    till.mine(10).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.net.received(STRANGERS[1]), [2 * ETHER]);
    till.audit().await;
}

/// The one that was replaced is mined after all.
#[sqlx::test(migrations = "../../migrations")]
async fn whichever_of_the_two_is_mined_pays(pool: PgPool) {
    let till = Till::new(&pool).await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let first = till.txs().await.remove(0);
    // In a block of which the gateway does not hear yet.
    till.net.mine(1);
    till.world
        .gateway
        .bump_treasury_payment(id, "admin")
        .await
        .unwrap();
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.states().await, ["confirmed", "replaced"]);
    let paid_by = till.texts("SELECT txid FROM withdrawals").await;
    assert_eq!(paid_by, [first.txid.unwrap()]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_transfer_that_fails_costs_gas_and_waits_for_a_person(pool: PgPool) {
    let till = Till::new(&pool).await;
    let before = till
        .world
        .account(till.world.merchant, "wallet", "USDT")
        .await;
    let id = till.ask("25", "USDT", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.fail(true);
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
    assert_eq!(
        till.errors().await,
        ["its transaction failed on the chain: the receiver has nothing"]
    );
    assert_eq!(till.gas().await, i128::try_from(50_000 * 2 * GWEI).unwrap());
    till.audit().await;
    // Nothing else is sent for it by itself.
    till.net.fail(false);
    till.work_later().await;
    till.mine(DEEP).await;
    assert_eq!(till.txs().await.len(), 1);
    let gateway = &till.world.gateway;
    let paid = gateway
        .end_replaced(id, ReplacedOutcome::Paid, "no", "admin")
        .await;
    assert!(matches!(paid, Err(gateway::Error::Conflict(_))), "{paid:?}");
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "it failed", "admin")
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["void"]);
    let after = till
        .world
        .account(till.world.merchant, "wallet", "USDT")
        .await;
    assert_eq!(before, after);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn blocks_that_are_undone_undo_no_payment_that_was_not_deep(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.net.mine(1);
    // Gone without a trace: the same bytes are sent again.
    let before = till.txs().await;
    till.net.reorg(1, false);
    till.sync().await;
    till.work_later().await;
    till.sync().await;
    till.work_later().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.txs().await[0].raw, before[0].raw);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn gas_that_is_too_dear_is_waited_out(pool: PgPool) {
    let till = Till::new(&pool).await;
    till.net.base(400 * GWEI);
    till.mine(1).await;
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued"]);
    assert!(till.txs().await.is_empty());
    till.net.base(GWEI);
    till.mine(1).await;
    till.due().await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["broadcast"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn nobody_withdraws_to_the_account_that_pays(pool: PgPool) {
    let till = Till::new(&pool).await;
    let new = gateway::withdrawals::NewWithdrawal {
        address: till.payer.clone(),
        ..till.world.withdrawal("1", "ETH", "1")
    };
    let refused = till.world.withdraw(new).await;
    assert!(
        matches!(refused, Err(gateway::Error::Invalid(_))),
        "{refused:?}"
    );
}

/// Nobody has the tokens that their own contract holds.
#[sqlx::test(migrations = "../../migrations")]
async fn nobody_withdraws_to_the_contract_of_the_token(pool: PgPool) {
    let till = Till::new(&pool).await;
    let new = gateway::withdrawals::NewWithdrawal {
        address: contract(),
        ..till.world.withdrawal("25", "USDT", "1")
    };
    let refused = till.world.withdraw(new).await;
    assert!(
        matches!(refused, Err(gateway::Error::Invalid(_))),
        "{refused:?}"
    );
}
