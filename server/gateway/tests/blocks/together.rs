//! What those of one block have to do with each other: our liquidity, what is lent, one order twice.

use domain::ledger::{AccountKey, AccountKind, HOUSE};
use sqlx::PgPool;

use super::Yard;
use super::ways::{Way, outcome, play};

#[sqlx::test(migrations = "../../migrations")]
async fn orders_in_different_states_each_end_as_they_should(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    yard.world.set_rate("BTC", "EUR", "50000").await;
    let stories: Vec<_> = Way::ALL.into_iter().map(|way| (way, 2_000)).collect();
    let orders = play(&yard, &stories, true).await;
    let states = yard.states(&orders).await;
    let found: Vec<(Way, &str)> = Way::ALL
        .into_iter()
        .zip(states.iter().map(String::as_str))
        .collect();
    assert_eq!(
        found,
        [
            (Way::Exact, "paid"),
            (Way::Short, "underpaid under inbox"),
            (Way::Much, "paid over inbox"),
            (Way::Halves, "paid"),
            (Way::HalfLate, "paid late"),
            (Way::Late, "paid late"),
            (Way::LateShort, "expired under late inbox"),
            (Way::Replaced, "underpaid under inbox"),
            (Way::Lost, "expired"),
            (Way::Again, "paid over inbox"),
            (Way::Cancelled, "cancelled late inbox"),
            (Way::Unpaid, "expired"),
        ]
    );
    // 20 EUR less one percent, for each that is paid.
    let paid = states.iter().filter(|state| state.starts_with("paid"));
    assert_eq!(paid.count(), 6);
    assert_eq!(yard.world.balance("EUR").await, "10118.80000000");
    yard.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_payments_of_one_order_in_a_block_pay_it_once(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let order = yard.order("20.00").await;
    // Neither is enough, both are too much.
    yard.pay(&order, order.due - 1).await;
    yard.pay(&order, order.due - 2).await;
    yard.mine().await;
    assert_eq!(
        yard.states(std::slice::from_ref(&order)).await,
        ["paid over inbox"]
    );
    let lines = outcome(&pool, &order).await;
    let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
    assert_eq!(count("booked receipt_final"), 2, "{lines:?}");
    assert_eq!(count("told receipt.final"), 2, "{lines:?}");
    assert_eq!(count("told status.paid"), 1, "{lines:?}");
    assert_eq!(count("charge.paid"), 1, "{lines:?}");
    yard.world.audit().await;
}

/// More than is read and written at a time. The last ones of the block belong to the oldest orders.
#[sqlx::test(migrations = "../../migrations")]
async fn a_block_of_more_than_one_part_pays_everybody(pool: PgPool) {
    const ORDERS: usize = 510;

    let yard = Yard::new(&pool).await;
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(yard.order("20.00").await);
    }
    for order in orders.iter().rev() {
        yard.pay(order, order.due).await;
    }
    yard.mine().await;
    let paid: Vec<(String, i64)> = sqlx::query_as(
        "SELECT c.status, count(*) FROM charges c
         WHERE EXISTS (SELECT 1 FROM receipts r WHERE r.charge_id = c.id AND r.state = 'final')
         GROUP BY c.status",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(paid, [("paid".to_owned(), i64::try_from(ORDERS).unwrap())]);
    yard.world.audit().await;
}

/// What ours can deliver is taken in the order of the charges; who comes too late waits, and is paid when
/// there is enough again.
#[sqlx::test(migrations = "../../migrations")]
async fn liquidity_that_is_enough_for_two_pays_the_first_two(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(yard.order("20.00").await);
    }
    let euro = yard.world.currency("EUR");
    // The last in the order of ids is the first in the block.
    for order in orders.iter().rev() {
        yard.pay(order, order.due).await;
    }
    let liquidity = AccountKey {
        merchant: HOUSE,
        currency: euro.id,
        kind: AccountKind::Liquidity,
        user_id: 0,
    };
    let book = yard.world.gateway.book();
    let id = book.account_id(liquidity).await.unwrap();
    sqlx::query("UPDATE accounts SET floor = posted - held - $2 WHERE id = $1")
        .bind(id.0)
        .bind(4_999_999_999_i64)
        .execute(&pool)
        .await
        .unwrap();
    yard.mine().await;
    assert_eq!(
        yard.states(&orders).await,
        ["paid", "paid", "processing inbox"]
    );
    yard.world.audit().await;
    sqlx::query("UPDATE accounts SET floor = NULL WHERE kind = 'liquidity' AND currency_id = $1")
        .bind(euro.id)
        .execute(&pool)
        .await
        .unwrap();
    yard.world.gateway.advance(601).await.unwrap();
    assert_eq!(yard.states(&orders).await, ["paid"; 3]);
    yard.world.audit().await;
}

/// A BTC is 60 000 EUR, and from 10 000 EUR on two blocks are needed. Several pieces in one look are judged
/// as those of several looks are.
#[sqlx::test(migrations = "../../migrations")]
async fn a_large_sum_in_small_pieces_of_one_look_waits(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    yard.world.set_rate("BTC", "EUR", "60000").await;
    sqlx::query(
        "UPDATE currency_terms SET confirmations = 0 FROM currencies c
         WHERE c.id = currency_id AND c.code = 'BTC'",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(yard.order("4000.00").await);
    }
    for order in &orders {
        yard.pay(order, order.due).await;
    }
    yard.follow().await;
    assert_eq!(yard.states(&orders).await, ["paid", "paid", "processing"]);
    yard.mine().await;
    yard.mine().await;
    assert_eq!(yard.states(&orders).await, ["paid"; 3]);
    yard.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorganisation_that_loses_them_reverses_each(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let mut orders = Vec::new();
    let mut txids = Vec::new();
    for _ in 0..3 {
        let order = yard.order("20.00").await;
        txids.push(yard.pay(&order, order.due).await);
        orders.push(order);
    }
    yard.mine().await;
    assert_eq!(yard.states(&orders).await, ["paid"; 3]);
    // The last one is in the new block again.
    yard.chain.reorg(1, &txids[..2]).await.unwrap();
    yard.follow().await;
    assert_eq!(
        yard.states(&orders).await,
        ["paid reversed inbox", "paid reversed inbox", "paid"]
    );
    yard.world.audit().await;
}

/// A charge that somebody else moved is not written over: the unit is given up.
#[sqlx::test(migrations = "../../migrations")]
async fn a_row_that_changed_under_the_lock_stops_the_block(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let (one, other) = (yard.order("20.00").await, yard.order("20.00").await);
    for order in [&one, &other] {
        yard.pay(order, order.due).await;
    }
    yard.follow().await;
    // The write finds no row, as when the version is not the one that was read.
    for statement in [
        "CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER elsewhere BEFORE UPDATE ON charges FOR EACH ROW
         WHEN (NEW.status = 'paid') EXECUTE FUNCTION elsewhere()",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    yard.chain.mine(1).await.unwrap();
    let coin = yard.world.currency("BTC");
    let refused = gateway::chain::follower::sync(&yard.world.gateway, coin).await;
    assert!(refused.is_err());
    let orders = [one, other];
    assert_eq!(yard.states(&orders).await, ["processing"; 2]);
    yard.world.audit().await;
    sqlx::query("DROP TRIGGER elsewhere ON charges")
        .execute(&pool)
        .await
        .unwrap();
    yard.follow().await;
    assert_eq!(yard.states(&orders).await, ["paid"; 2]);
    yard.world.audit().await;
}

/// A receipt that is not written would be booked by every block to come: the unit is given up, too.
#[sqlx::test(migrations = "../../migrations")]
async fn a_receipt_that_is_not_written_stops_the_block(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let (one, other) = (yard.order("20.00").await, yard.order("20.00").await);
    for order in [&one, &other] {
        yard.pay(order, order.due).await;
    }
    yard.follow().await;
    for statement in [
        "CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER elsewhere BEFORE UPDATE ON receipts FOR EACH ROW
         WHEN (NEW.state = 'final') EXECUTE FUNCTION elsewhere()",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    yard.chain.mine(1).await.unwrap();
    let coin = yard.world.currency("BTC");
    let refused = gateway::chain::follower::sync(&yard.world.gateway, coin).await;
    assert!(refused.is_err());
    let orders = [one, other];
    assert_eq!(yard.states(&orders).await, ["processing"; 2]);
    yard.world.audit().await;
    sqlx::query("DROP TRIGGER elsewhere ON receipts")
        .execute(&pool)
        .await
        .unwrap();
    yard.follow().await;
    assert_eq!(yard.states(&orders).await, ["paid"; 2]);
    yard.world.audit().await;
}
