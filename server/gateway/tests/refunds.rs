//! Stories of money that goes back to a payer, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use gateway::Error;
use gateway::withdrawals::ReplacedOutcome::NotPaid;
use sqlx::PgPool;
use support::World;
use support::operations::STRANGER;

/// The same key on Litecoin's chain.
const STRANGER_LTC: &str = "ltc1qar0srrr7xfkvy5l643lydnw9re59gtzz24wl4s";

async fn refund(world: &World, id: &str, address: Option<&str>) -> Result<(), Error> {
    world
        .gateway
        .request_refund(
            world.merchant,
            id,
            address.map(str::to_owned),
            "merchant@demo.example".to_owned(),
            None,
            |_| (200, Vec::new()),
        )
        .await
        .map(|_| ())
}

async fn claim_state(world: &World) -> String {
    sqlx::query_scalar("SELECT state FROM refund_claims ORDER BY id DESC LIMIT 1")
        .fetch_one(world.gateway.pool())
        .await
        .unwrap()
}

/// A charge of 60 EUR of which half came in time.
async fn underpaid(world: &World) -> String {
    let id = world.picked("60.00", "EUR", "BTC").await;
    world.pay(&id, "0.0005").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    world.expect(&world.state(&id).await, "underpaid under inbox");
    id
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_underpayment_goes_back_whole_and_suspense_is_empty(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        50_000
    );
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    assert_eq!(claim_state(&world).await, "approved");
    world.audit().await;
    world.mine("BTC", 1).await;
    assert_eq!(claim_state(&world).await, "confirmed");
    world.expect(&world.state(&id).await, "underpaid under");
    assert_eq!(world.view(&id).await.resolution.word(), "refunded");
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    let kinds: Vec<String> = world
        .gateway
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
    // The charge's page shows how the money left the books, too.
    let page = world
        .gateway
        .charge_detail(world.merchant, &id)
        .await
        .unwrap();
    let entries: Vec<String> = page
        .journal
        .into_iter()
        .map(|line| line.entry_kind)
        .collect();
    assert!(
        entries
            .iter()
            .any(|kind| kind.starts_with("refund_settled")),
        "{entries:?}"
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_receipt_of_a_refund_says_what_came_and_what_went_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let token = world.gateway.page_token(&id);
    let page = || async {
        let view = world.gateway.checkout(&id, Some(&token)).await.unwrap();
        view.receipt_url
    };
    assert_eq!(page().await, None);
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    world.mine("BTC", 1).await;
    let link = format!("/pay/{id}/receipt?t={token}");
    assert_eq!(page().await, Some(link));
    let receipt = world
        .gateway
        .receipt(Some(world.merchant), &id, None)
        .await
        .unwrap();
    assert_eq!(receipt.refunded_text(), "Refunded");
    let payment = receipt.payment.unwrap();
    assert_eq!(payment.amount.to_string(), "0.00050000 BTC");
    let sent: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    let [back] = receipt.refunds.as_slice() else {
        panic!("{:?}", receipt.refunds)
    };
    assert_eq!(back.amount.to_string(), "0.00050000 BTC");
    assert_eq!(back.address.as_deref(), Some(STRANGER));
    assert_eq!(back.txid.as_deref(), Some(sent.as_str()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_the_excess_of_a_paid_charge_goes_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("60.00", "EUR", "BTC").await;
    world.pay(&id, "0.0015").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over inbox");
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over");
    assert_eq!(world.view(&id).await.resolution.word(), "none");
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    let again = refund(&world, &id, Some(STRANGER)).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_waits_for_the_payers_address(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    refund(&world, &id, None).await.unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(claim_state(&world).await, "approved");
    let token = world.gateway.page_token(&id);
    world
        .gateway
        .leave_refund_address(&id, Some(&token), STRANGER)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(claim_state(&world).await, "confirmed");
    world.audit().await;
}

/// The network had the refund, and another transaction took its coins: the money is in suspense again, and
/// whoever looks after the charge is told so.
#[sqlx::test(migrations = "../../migrations")]
async fn a_refund_that_came_to_nothing_waits_for_a_decision_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    world.gateway.advance(0).await.unwrap();
    assert_eq!(claim_state(&world).await, "sent");
    world.expect(&world.state(&id).await, "underpaid under");
    assert_eq!(world.view(&id).await.resolution.word(), "refunded");
    let (operation, txid): (i64, String) =
        sqlx::query_as("SELECT operation_id, txid FROM withdrawals")
            .fetch_one(&pool)
            .await
            .unwrap();
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    // More blocks than make any deposit final.
    world.mine("BTC", 6).await;
    world
        .gateway
        .end_replaced(
            operation,
            NotPaid,
            "looked at the chain",
            "admin@demo.example",
        )
        .await
        .unwrap();
    assert_eq!(claim_state(&world).await, "requested");
    world.expect(&world.state(&id).await, "underpaid under inbox");
    let view = world.view(&id).await;
    assert_eq!(view.resolution.word(), "none");
    assert_eq!(view.resolved_by, None);
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        50_000
    );
    world.audit().await;
    // Asked for again, it goes.
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "underpaid under");
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn coins_on_their_way_back_pay_nothing_any_more(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    let requoted = world.gateway.requote(&id).await;
    assert!(matches!(requoted, Err(Error::Conflict(_))), "{requoted:?}");
    let accepted = world
        .gateway
        .accept_charge(world.merchant, &id, "merchant".into(), None, |_| {
            (200, Vec::new())
        })
        .await;
    assert!(matches!(accepted, Err(Error::Conflict(_))), "{accepted:?}");
    world.mine("BTC", 1).await;
    // The other half comes late: with the first half it would have been enough.
    world.pay(&id, "0.0005").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "underpaid under late inbox");
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        50_000
    );
    refund(&world, &id, Some(STRANGER)).await.unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_refund_however_often_it_is_asked_for(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let asked = (0..20).map(|_| refund(&world, &id, Some(STRANGER)));
    futures::future::join_all(asked).await;
    world.mine("BTC", 1).await;
    let sent: i64 = sqlx::query_scalar("SELECT count(*) FROM operations WHERE kind = 'refund'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(sent, 1);
    world.audit().await;
}

/// Address and amount that the charge asks for now.
async fn asked(world: &World, id: &str) -> (String, String) {
    let payment = world.view(id).await.payment.unwrap();
    (payment.address, payment.due.shortest())
}

#[sqlx::test(migrations = "../../migrations")]
async fn coins_of_another_choice_that_went_back_do_not_pay_either(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("60.00", "EUR", "LTC").await;
    let (litecoin, due) = asked(&world, &id).await;
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    let (bitcoin, _) = asked(&world, &id).await;
    // The dust keeps Bitcoin chosen while the Litecoin comes.
    let dust = world.send(&bitcoin, "BTC", "0.00001").await;
    world.send(&litecoin, "LTC", &due).await;
    world.mine("LTC", 1).await;
    world
        .gateway
        .sandbox_replace(&dust, None, None)
        .await
        .unwrap();
    world.gateway.advance(900).await.unwrap();
    refund(&world, &id, Some(STRANGER_LTC)).await.unwrap();
    world.mine("LTC", 1).await;
    assert_eq!(claim_state(&world).await, "confirmed");
    assert_eq!(world.account(world.merchant, "suspense", "LTC").await, 0);
    let euros = world.balance("EUR").await;
    world.gateway.requote(&id).await.unwrap();
    // Nor by asking for the first coin again.
    let again = world.gateway.choose_method(&id, "LTC").await;
    assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    world.send(&litecoin, "LTC", "0.001").await;
    world.mine("LTC", 1).await;
    assert_ne!(world.view(&id).await.status.word(), "paid");
    assert_eq!(world.balance("EUR").await, euros);
    world.audit().await;
}
