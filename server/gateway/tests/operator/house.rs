//! Floors of the house, and its sum with all merchants.

use domain::view::operate::AuditFilter;
use gateway::Error;
use gateway::exchange::Pricing;
use gateway::operator::FloorChange;
use sqlx::PgPool;

use crate::BY;
use crate::support::World;
use crate::support::operations::blamed;
use crate::suspense::suspended;

fn floor(floor: &str, seen: &str) -> FloorChange {
    FloorChange {
        floor: floor.to_owned(),
        seen: seen.to_owned(),
        reason: "as much as the bank lends".to_owned(),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_floor_is_recorded_and_holds(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let form = gateway.floor_form("EUR").await.unwrap();
    assert_eq!((form.current, form.seen.as_str()), (None, "none"));
    let review = gateway.review_floor("EUR", &floor("-100", "none")).await;
    let row = review.unwrap().rows.remove(0);
    assert_eq!(
        (row.before.as_str(), row.after.as_str()),
        ("no limit", "-100.00 EUR")
    );
    let above = gateway.review_floor("EUR", &floor("0.01", "none")).await;
    assert_eq!(blamed(&above.unwrap_err()).0, "floor");

    gateway
        .change_floor("EUR", floor("-100", "none"), BY)
        .await
        .unwrap();
    let stale = gateway.change_floor("EUR", floor("-200", "none"), BY).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    let entry = gateway
        .audit_view(AuditFilter::default(), None)
        .await
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(entry.action, "floor.changed");
    assert!(entry.subject.starts_with("account:"));
    let said = |name: &str| {
        let value = entry.data.iter().find(|(known, _)| known == name);
        value.map(|(_, value)| value.as_str())
    };
    assert_eq!(said("before"), Some("no limit"));
    assert_eq!(said("after"), Some("-100.00 EUR"));
    assert_eq!(said("reason"), Some("as much as the bank lends"));

    // A bitcoin is worth more than a hundred euros.
    let refused = world
        .exchange("0.01", "BTC", "EUR", Pricing::Now, "1")
        .await;
    assert_eq!(blamed(&refused.unwrap_err()).0, "sender_amount");
    world
        .exchange("0.001", "BTC", "EUR", Pricing::Now, "2")
        .await
        .unwrap();
    let house = gateway.house_view("EUR", 1).await.unwrap();
    let liquidity = house
        .rows
        .iter()
        .find(|row| row.kind == "liquidity")
        .unwrap();
    assert_eq!(liquidity.balance, "-60.00");
    assert_eq!(liquidity.floor.as_deref(), Some("-100.00"));
    assert_eq!(liquidity.exposure.as_deref(), Some("40.00"));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_house_and_its_merchants_add_up_to_zero(pool: PgPool) {
    let world = World::new(&pool).await;
    suspended(&world).await;
    let address = world.address("BTC", Some("EUR"), "b").await;
    world.deposit(&address, "BTC", "0.01").await;
    let view = world.gateway.house_view("", 1).await.unwrap();
    assert!(view.sums.iter().all(|sum| sum.is_zero), "{:?}", view.sums);
    let bitcoin = view.sums.iter().find(|sum| sum.code == "BTC").unwrap();
    assert_eq!(bitcoin.others, "0.00009000");
    assert_eq!(bitcoin.total, "0.00000000");
    let kinds: Vec<&str> = view
        .rows
        .iter()
        .filter(|row| row.code == "BTC")
        .map(|row| row.kind.as_str())
        .collect();
    assert_eq!(kinds, ["chain_holdings", "liquidity", "test_funding"]);
    let export = world.gateway.export_house("BTC").await.unwrap();
    assert_eq!(export.rows.len(), 3);
    let unknown = world.gateway.house_view("XXX", 1).await;
    assert_eq!(blamed(&unknown.unwrap_err()).0, "currency");
}
