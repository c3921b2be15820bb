//! What pays a charge, and what the merchant gets.

use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_is_paid_and_the_merchant_credited_less_the_fee(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "USD", "52002.33").await;
    let id = world.picked("149.98", "USD", "BTC").await;
    let payment = world.view(&id).await.payment.unwrap();
    assert_eq!(payment.due.shortest(), "0.00288411");
    assert!(payment.address.starts_with("bc1q"));
    world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "processing");
    assert_eq!(world.balance("USD").await, "10000.00000000");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.balance("USD").await, "10148.48020000");
    let wallet = world.gateway.list_wallets(world.merchant).await.unwrap();
    let usd = wallet
        .iter()
        .find(|wallet| wallet.currency.code.as_str() == "USD")
        .unwrap();
    let statement = world
        .gateway
        .statement(world.merchant, usd.id, None, 10)
        .await
        .unwrap();
    let lines: Vec<_> = statement
        .lines
        .iter()
        .map(|line| {
            (
                line.label.as_str(),
                line.amount.exact(),
                line.balance_after.exact(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("fee", "-1.49980000".to_owned(), "10148.48020000".to_owned()),
            (
                "exchange_out",
                "149.98000000".to_owned(),
                "10149.98000000".to_owned()
            ),
            (
                "funding",
                "10000.00000000".to_owned(),
                "10000.00000000".to_owned()
            ),
        ]
    );
    world.audit().await;
}

/// What is reported as received, and the worth of each payment.
async fn received(world: &World, id: &str) -> (String, String) {
    let view = world.view(id).await;
    let values: Vec<String> = view
        .receipts
        .iter()
        .map(|receipt| receipt.value.unwrap().truncated())
        .collect();
    (view.received_value.truncated(), values.join(" "))
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_due_is_received_as_the_amount(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "INR", "5454545.45").await;
    // 0.00018334 BTC at that rate are 1000.03 INR.
    let whole = world.picked("1000.00", "INR", "BTC").await;
    assert_eq!(
        world.view(&whole).await.payment.unwrap().due.shortest(),
        "0.00018334"
    );
    world.pay_due(&whole).await;
    assert_eq!(
        received(&world, &whole).await,
        ("1000.00".to_owned(), "1000.00".to_owned())
    );
    let parts = world.picked("1000.00", "INR", "BTC").await;
    world.pay(&parts, "0.0001").await;
    assert_eq!(received(&world, &parts).await.0, "545.45");
    world.pay_due(&parts).await;
    assert_eq!(
        received(&world, &parts).await,
        ("1000.00".to_owned(), "545.45 454.54".to_owned())
    );
    // Too much is reported as what it is worth; late money is not, while it is no more than was due.
    let over = world.picked("1000.00", "INR", "BTC").await;
    world.pay(&over, "0.00028334").await;
    assert_eq!(received(&world, &over).await.0, "1545.45");
    let late = world.picked("1000.00", "INR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.set_rate("BTC", "INR", "8000000").await;
    world.pay(&late, "0.00018334").await;
    assert_eq!(received(&world, &late).await.0, "1000.00");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&whole).await, "paid");
    world.expect(&world.state(&parts).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_coin_works(pool: PgPool) {
    let world = World::new(&pool).await;
    for coin in ["BTC", "LTC", "BCH", "ETH", "USDT", "tBTC"] {
        let id = world.picked("20.00", "EUR", coin).await;
        world.pay_due(&id).await;
        world.mine(coin, 1).await;
        assert_eq!(world.state(&id).await, "paid", "{coin}");
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_charged_in_itself_is_not_exchanged(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("0.5", "BTC", "BTC").await;
    world.pay(&id, "0.5").await;
    // 30 000 EUR: two confirmations.
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.balance("BTC").await, "1.49500000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_wrong_coin_is_never_lost_and_never_counts(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "ETH").await;
    let address = world.view(&id).await.payment.unwrap().address;
    world
        .gateway
        .sandbox_pay(&address, "100", Some("USDT"), None)
        .await
        .unwrap();
    world.mine("USDT", 1).await;
    world.expect(&world.state(&id).await, "pending inbox");
    let suspense: String = sqlx::query_scalar(
        "SELECT posted::text FROM accounts WHERE kind = 'suspense' AND merchant_id = $1
         AND currency_id = (SELECT id FROM currencies WHERE code = 'USDT')",
    )
    .bind(world.merchant)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(suspense, "10000000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_coin_picked_before_still_pays_while_its_rate_holds(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let bitcoin = world.view(&id).await.payment.unwrap();
    world.gateway.choose_method(&id, "LTC").await.unwrap();
    assert_eq!(
        world.view(&id).await.payment.unwrap().coin.code.as_str(),
        "LTC"
    );
    let due = bitcoin.due.shortest();
    world
        .gateway
        .sandbox_pay(&bitcoin.address, &due, Some("BTC"), None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_tolerance_never_costs_the_house(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    sqlx::query("UPDATE merchants SET tolerance = 1")
        .execute(&pool)
        .await
        .unwrap();
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.00198").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    // 99.00 EUR worth of coins came: 99.00 less 1 % is credited.
    assert_eq!(world.balance("EUR").await, "10098.01000000");
    world.audit().await;
}
