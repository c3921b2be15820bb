//! Many small payments of one invoice.

use gateway::charges::Collection;
use gateway::invoices::{InvoiceKey, NewInvoice};
use serde_json::Value;
use sqlx::PgPool;

use super::{CODE, Yard};

/// Payments of dust, of this many satoshi each.
const GRAINS: u128 = 120;
const GRAIN: u128 = 1_000;

/// The address and the satoshi of an invoice whose clock runs.
async fn invoice(yard: &Yard) -> (String, u128) {
    let world = &yard.world;
    let new = NewInvoice {
        merchant_id: world.merchant,
        timer: true,
        title: "Consulting".to_owned(),
        description: String::new(),
        amount: world.money("106.75", "EUR"),
        sender_currency: Some(world.currency(CODE)),
        foreign_id: "dust".to_owned(),
        foreign_json: Value::String("dust".to_owned()),
        url_success: None,
        url_failed: None,
        email: None,
        collection: Collection::FillOrKill,
        details: None,
        created_by: "test".to_owned(),
    };
    let gateway = &world.gateway;
    gateway
        .create_invoice(new, None, |_| (201, Vec::new()))
        .await
        .unwrap();
    let key = InvoiceKey::ForeignId("dust");
    let view = gateway.find_invoice(world.merchant, key).await.unwrap();
    let payment = view.charge.payment.unwrap();
    let due = u128::try_from(payment.due.units()).unwrap();
    (payment.address, due)
}

/// Whoever sends dust does not make what is told any longer, and every grain is in the sums.
#[sqlx::test(migrations = "../../migrations")]
async fn an_event_tells_no_more_payments_than_there_is_room_for(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let (address, due) = invoice(&yard).await;
    let large = yard
        .chain
        .pay(&address, due - GRAINS * GRAIN)
        .await
        .unwrap();
    for _ in 0..GRAINS {
        yard.chain.pay(&address, GRAIN).await.unwrap();
    }
    yard.follow().await;
    let payload: Value =
        sqlx::query_scalar("SELECT payload FROM events WHERE type = 'charge.processing'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let told = &payload["invoice"];
    let receipts = told["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 100);
    assert!(receipts.iter().any(|receipt| receipt["txid"] == large));
    assert_eq!(told["remaining_amount"], "0");
    assert_eq!(told["received"]["amount"], "106.75");
    yard.world.audit().await;
}
