//! Deposits move to the account that pays: coins stay ours, gas is booked, and nobody is credited twice.

use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::{ETHER, GWEI, Net};
use crate::till::{DEEP, Till};

async fn till(pool: &PgPool, multiple: &'static str) -> Till {
    let till = Till::sweeping(pool, Net::start().await, "in-process", multiple).await;
    Till::filled(till).await
}

async fn moves(till: &Till) -> Vec<String> {
    till.texts(
        "SELECT purpose || ' ' || coalesce(outcome, 'open') FROM treasury_payments
         WHERE purpose IN ('sweep', 'gas') ORDER BY id",
    )
    .await
}

/// A pass, and the blocks that make what it sent final.
async fn pass(till: &Till) {
    till.work_later().await;
    till.mine(DEEP).await;
}

async fn check_nobody_is_credited_twice(till: &Till) {
    let deposits = till
        .texts("SELECT amount::text FROM deposits ORDER BY operation_id")
        .await;
    assert_eq!(deposits.len(), 2);
    let receipts = till.texts("SELECT txid FROM receipts").await;
    assert!(receipts.is_empty(), "{receipts:?}");
    for code in ["ETH", "USDT"] {
        let suspense = till.world.account(till.world.merchant, "suspense", code);
        assert_eq!(suspense.await, 0);
    }
}

/// No difference at all: neither with the node nor with the books.
async fn check_nothing_is_unexplained(till: &Till) {
    till.audit().await;
    for view in till.world.gateway.audit_chains().await.unwrap() {
        if ["ETH", "USDT"].contains(&view.chain.as_str()) {
            assert!(view.differences.is_empty(), "{view:?}");
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn deposits_pay_withdrawals_once_they_are_swept(pool: PgPool) {
    let till = till(&pool, "10").await;
    let wallet = till
        .world
        .account(till.world.merchant, "wallet", "ETH")
        .await;
    // Ether first: tokens need gas, and there is none yet.
    pass(&till).await;
    assert_eq!(moves(&till).await, ["sweep paid"]);
    check_nothing_is_unexplained(&till).await;
    pass(&till).await;
    assert_eq!(moves(&till).await, ["sweep paid", "gas paid"]);
    pass(&till).await;
    assert_eq!(moves(&till).await, ["sweep paid", "gas paid", "sweep paid"]);
    check_nobody_is_credited_twice(&till).await;
    check_nothing_is_unexplained(&till).await;
    let received = till.net.received(&till.payer);
    let [ether, token] = received.as_slice() else {
        panic!("{received:?}");
    };
    assert!(*ether > 49 * ETHER && *ether < 50 * ETHER, "{ether}");
    assert_eq!(*token, 5_000_000_000);
    // A sweep of ether, ether for gas, and a sweep of tokens, at two gwei.
    let gas = i128::try_from((21_000 + 21_000 + 50_000) * 2 * GWEI).unwrap();
    assert_eq!(till.gas().await, gas);
    let after = till
        .world
        .account(till.world.merchant, "wallet", "ETH")
        .await;
    assert_eq!(wallet, after);
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.ask("25", "USDT", "2", STRANGERS[1]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    check_nothing_is_unexplained(&till).await;
    // What is left is not worth it, however often it is looked at.
    for _ in 0..3 {
        pass(&till).await;
    }
    assert_eq!(moves(&till).await.len(), 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_moved_that_is_not_worth_its_gas_or_not_final(pool: PgPool) {
    let till = till(&pool, "1000000").await;
    pass(&till).await;
    assert!(moves(&till).await.is_empty());
    let till = Till::sweeping(&pool, till.net, "in-process", "10").await;
    // One block is too little for anything.
    let address = till.world.address("ETH", None, "young").await;
    till.net.pay(&address, 7 * ETHER);
    till.mine(1).await;
    till.work_later().await;
    let from = till
        .texts("SELECT address FROM treasury_payments WHERE purpose = 'sweep'")
        .await;
    assert_eq!(from.len(), 1);
    assert_ne!(from[0], address);
}

/// The bytes are stored, the process dies, the block is undone: the same bytes are sent again.
#[sqlx::test(migrations = "../../migrations")]
async fn a_sweep_survives_a_crash_and_a_reorganisation(pool: PgPool) {
    let till = till(&pool, "10").await;
    till.net.deaf(true);
    till.work_later().await;
    let before = till.txs().await;
    assert_eq!(till.states().await, ["signed"]);
    till.net.deaf(false);
    let till = till.restarted().await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    till.mine(1).await;
    till.world.audit().await;
    till.net.reorg(1, false);
    till.sync().await;
    till.work_later().await;
    till.sync().await;
    till.work_later().await;
    till.mine(DEEP).await;
    assert_eq!(moves(&till).await[0], "sweep paid");
    let after = till.txs().await;
    assert_eq!(
        (&after[0].raw, &after[0].txid),
        (&before[0].raw, &before[0].txid)
    );
    assert_eq!(till.net.received(&till.payer).len(), 1);
    check_nobody_is_credited_twice(&till).await;
    till.audit().await;
}

/// Tokens that do not move cost gas once a day, and are still where they were.
#[sqlx::test(migrations = "../../migrations")]
async fn a_sweep_that_fails_is_told_of_and_rests(pool: PgPool) {
    let till = till(&pool, "10").await;
    pass(&till).await;
    pass(&till).await;
    till.net.fail(true);
    pass(&till).await;
    assert_eq!(
        moves(&till).await,
        ["sweep paid", "gas paid", "sweep failed"]
    );
    let mails = till.mails().await;
    assert!(
        mails.iter().any(|mail| mail.ends_with(" failed")),
        "{mails:?}"
    );
    pass(&till).await;
    assert_eq!(moves(&till).await.len(), 3);
    check_nothing_is_unexplained(&till).await;
}

/// A hundred deposits of tokens, for whose gas there is no ether, and a smaller one that has its own.
#[sqlx::test(migrations = "../../migrations")]
async fn large_deposits_that_cannot_move_keep_no_smaller_one_out(pool: PgPool) {
    let till = Till::sweeping(&pool, Net::start().await, "in-process", "10").await;
    for number in 0..100 {
        let large = format!("large {number}");
        let address = till.world.address("USDT", None, &large).await;
        till.net.pay_token(&address, 500_000_000);
    }
    let small = till.world.address("USDT", None, "small").await;
    till.net.pay_token(&small, 100_000_000);
    // Enough for the gas of its tokens, and not worth being moved itself.
    till.net.pay(&small, 300_000 * GWEI);
    till.mine(DEEP).await;
    pass(&till).await;
    assert!(moves(&till).await.is_empty());
    pass(&till).await;
    assert_eq!(moves(&till).await, ["sweep paid"]);
    let from = till.texts("SELECT address FROM treasury_payments").await;
    assert_eq!(from, [small]);
    till.audit().await;
}
