//! Stories of one charge from the order to the books, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use domain::view::checkout::CheckoutState;
use gateway::Error;
use sqlx::PgPool;
use support::World;

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
async fn underpaid_then_the_rest_on_the_same_address(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let first = world.view(&id).await.payment.unwrap();
    world.pay(&id, "0.001").await;
    world.expect(&world.state(&id).await, "pending under");
    let rest = world.view(&id).await.payment.unwrap();
    assert_eq!(rest.address, first.address);
    assert_eq!(rest.left.units(), first.due.units() - 100_000);
    world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn underpaid_at_the_end_can_be_accepted_for_what_it_is_worth(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    world.expect(&world.state(&id).await, "underpaid under inbox");
    let accept = |id: String| {
        let gateway = world.gateway.clone();
        let merchant = world.merchant;
        async move {
            gateway
                .accept_charge(merchant, &id, "tester".into(), None, |_| (200, vec![]))
                .await
        }
    };
    accept(id.clone()).await.unwrap();
    world.expect(&world.state(&id).await, "paid manual");
    // Half was paid: half is credited, less 1 %.
    assert_eq!(world.balance("EUR").await, "10049.50000000");
    assert!(matches!(accept(id).await, Err(Error::Refused(_))));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_requote_keeps_address_and_value(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let before = world.view(&id).await.payment.unwrap();
    assert!(matches!(
        world.gateway.requote(&id).await,
        Err(Error::Refused(_))
    ));
    world.pay(&id, "0.001").await;
    world.gateway.advance(900).await.unwrap();
    // The coin doubles: what came keeps its 50 EUR, the rest costs half as many coins.
    world.set_rate("BTC", "EUR", "100000").await;
    world.gateway.requote(&id).await.unwrap();
    let after = world.view(&id).await.payment.unwrap();
    assert_eq!(after.address, before.address);
    assert_eq!(after.left.shortest(), "0.0005");
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_rate_never_takes_the_payers_excess(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(900).await.unwrap();
    world.pay(&id, "0.004").await;
    world.gateway.requote(&id).await.unwrap();
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over late inbox");
    let refundable = world.view(&id).await.refundable.unwrap();
    assert_eq!(refundable.shortest(), "0.002");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_fee_bump_after_the_clock_still_pays(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.gateway.advance(1_000).await.unwrap();
    let payment = world.view(&id).await.payment.unwrap();
    let due = payment.due.shortest();
    world
        .gateway
        .sandbox_replace(&txid, Some(&payment.address), Some(&due))
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "underpaid late inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn wrong_coins_can_be_sent_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "ETH").await;
    let address = world.view(&id).await.payment.unwrap().address;
    world
        .gateway
        .sandbox_pay(&address, "100", Some("USDT"), None)
        .await
        .unwrap();
    world.mine("USDT", 1).await;
    let view = world.view(&id).await;
    assert_eq!(view.refundable.unwrap().currency().code.as_str(), "USDT");
    assert_eq!(view.due_value, view.amount, "it does not count");
    let to = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned();
    world
        .gateway
        .request_refund(world.merchant, &id, Some(to), "t".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_cannot_be_redirected_nor_paid_twice(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    let mine = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
    let thief = "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g";
    world
        .gateway
        .request_refund(
            world.merchant,
            &id,
            Some(mine.into()),
            "t".into(),
            None,
            |_| (200, vec![]),
        )
        .await
        .unwrap();
    let token = world.gateway.page_token(&id);
    world
        .gateway
        .leave_refund_address(&id, Some(&token), thief)
        .await
        .unwrap();
    let claim = || async {
        let claim: (String, String) = sqlx::query_as("SELECT state, address FROM refund_claims")
            .fetch_one(&pool)
            .await
            .unwrap();
        claim
    };
    assert_eq!(claim().await, ("approved".to_owned(), mine.to_owned()));
    // On their way back, the same coins cannot be taken as payment as well.
    let requoted = world.gateway.requote(&id).await;
    assert!(matches!(requoted, Err(Error::Conflict(_))), "{requoted:?}");
    world.mine("BTC", 1).await;
    assert_eq!(claim().await, ("confirmed".to_owned(), mine.to_owned()));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_without_an_address_gives_way_to_payment(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    let (gateway, merchant) = (&world.gateway, world.merchant);
    gateway
        .request_refund(merchant, &id, None, "t".into(), None, |_| (200, vec![]))
        .await
        .unwrap();
    // Taken as payment, the same coins cannot go back as well.
    gateway.requote(&id).await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let state: String = sqlx::query_scalar("SELECT state FROM refund_claims")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(state, "declined");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn going_back_to_a_coin_keeps_its_rate_and_clock(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let first = world.view(&id).await.payment.unwrap();
    world.gateway.advance(300).await.unwrap();
    world.set_rate("BTC", "EUR", "90000").await;
    world.gateway.choose_method(&id, "LTC").await.unwrap();
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    let again = world.view(&id).await.payment.unwrap();
    assert_eq!((again.due, again.release_at), (first.due, first.release_at));
    world.gateway.advance(600).await.unwrap();
    world.expect(&world.state(&id).await, "expired");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_overpayment_leaves_its_excess_in_suspense(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.0025").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over inbox");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    let view = world.view(&id).await;
    assert_eq!(view.refundable.unwrap().shortest(), "0.0005");
    let bad = world
        .gateway
        .request_refund(
            world.merchant,
            &id,
            Some("nonsense".into()),
            "t".into(),
            None,
            |_| (200, vec![]),
        )
        .await;
    assert!(matches!(bad, Err(Error::Invalid(_))));
    let address = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu".to_owned();
    world
        .gateway
        .request_refund(world.merchant, &id, Some(address), "t".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    assert!(world.view(&id).await.refund_claimed);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_pays_when_it_still_covers(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.expect(&world.state(&id).await, "expired");
    world.pay(&id, "0.002").await;
    world.expect(&world.state(&id).await, "expired late inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_that_lost_value_waits_for_a_person(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.set_rate("BTC", "EUR", "49000").await;
    world.pay(&id, "0.002").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "expired late inbox");
    assert_eq!(world.balance("EUR").await, "10000.00000000");
    world
        .gateway
        .accept_charge(world.merchant, &id, "tester".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid late manual");
    assert_eq!(world.balance("EUR").await, "10097.02000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_is_offered_a_new_rate_only_while_it_is_not_enough(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.pay(&id, "0.001").await;
    let offered = || async {
        let view = world.gateway.checkout(&id, None).await.unwrap();
        assert_eq!(view.state, CheckoutState::LateFunds);
        view.can_requote
    };
    assert!(offered().await, "half of it came");
    world.pay(&id, "0.001").await;
    assert!(!offered().await, "all of it came");
    world.set_rate("BTC", "EUR", "49000").await;
    assert!(offered().await, "it is worth less by now");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "expired late inbox");
    world.gateway.requote(&id).await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_reopens_the_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "processing");
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "pending");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "pending");
    assert_eq!(world.view(&id).await.receipts[0].state.word(), "dropped");
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_after_the_clock_fails_the_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.gateway.advance(1_000).await.unwrap();
    world.expect(&world.state(&id).await, "processing");
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "failed");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_replacement_that_still_pays_us_counts_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    let address = world.view(&id).await.payment.unwrap().address;
    world
        .gateway
        .sandbox_replace(&txid, Some(&address), None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let states: Vec<_> = world
        .view(&id)
        .await
        .receipts
        .iter()
        .map(|receipt| receipt.state.word())
        .collect();
    assert_eq!(states, ["dropped", "final"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn covering_money_that_is_never_mined_fails_after_a_day(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay_due(&id).await;
    world.gateway.advance(86_300).await.unwrap();
    world.expect(&world.state(&id).await, "processing");
    world.gateway.advance(200).await.unwrap();
    world.expect(&world.state(&id).await, "failed inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "failed inbox");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorg_that_drops_a_paid_payment_is_booked_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let credited = world.balance("EUR").await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[txid])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid reversed inbox");
    assert_eq!(world.balance("EUR").await, credited, "paid never goes back");
    assert_eq!(world.view(&id).await.receipts[0].state.word(), "reversed");
    let mails = world.gateway.list_mail(None, 10).await.unwrap();
    let told = mails
        .iter()
        .filter(|mail| mail.subject.contains("was reversed"))
        .count();
    assert_eq!(told, 1, "the operator is told once");
    let timeline = world
        .gateway
        .charge_timeline(world.merchant, &id)
        .await
        .unwrap();
    let kinds: Vec<_> = timeline.iter().map(|entry| entry.kind.as_str()).collect();
    for kind in [
        "created",
        "quote.fixed",
        "receipt.seen",
        "receipt.final",
        "status.paid",
        "journal.receipt_final",
        "journal.charge_paid",
        "receipt.reversed",
        "journal.receipt_reversed",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorg_that_keeps_the_payment_changes_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay_due(&id).await;
    world.mine("BTC", 2).await;
    world.expect(&world.state(&id).await, "paid");
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 2, &[])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.view(&id).await.receipts[0].confirmations, 3);
    let entries: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal_entries WHERE kind IN ('receipt_final', 'receipt_reversed')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(entries, 1);
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
async fn unpaid_charges_take_no_address_and_a_pick_takes_one(pool: PgPool) {
    let world = World::new(&pool).await;
    let count = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_addresses")
            .fetch_one(&pool)
            .await
            .unwrap();
        count
    };
    for _ in 0..20 {
        world.charge("10.00", "EUR").await;
    }
    assert_eq!(count().await, 0);
    let id = world.picked("10.00", "EUR", "BTC").await;
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    assert_eq!(count().await, 1);
    world.gateway.advance(900).await.unwrap();
    assert!(matches!(
        world.gateway.choose_method(&id, "LTC").await,
        Err(Error::Refused(_))
    ));
    assert_eq!(count().await, 1, "a refused pick takes none");
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

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_fresh_rate_nothing_is_quoted(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("DELETE FROM rate_observations")
        .execute(&pool)
        .await
        .unwrap();
    let id = world.charge("10.00", "EUR").await;
    assert!(matches!(
        world.gateway.choose_method(&id, "BTC").await,
        Err(Error::QuoteUnavailable { .. })
    ));
    world.expect(&world.state(&id).await, "created");
}
