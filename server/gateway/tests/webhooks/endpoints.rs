//! Managed endpoints are switched off when they only fail or are gone, and their merchant is told.

use sqlx::PgPool;

use crate::support::World;
use crate::{Receiver, drain};

/// A managed endpoint that gets every event.
pub async fn endpoint(world: &World, url: &str) {
    sqlx::query(
        "INSERT INTO webhook_endpoints (merchant_id, url, format, secret, created_at)
         SELECT id, $2, 'standard', webhook_secret, now() FROM merchants WHERE id = $1",
    )
    .bind(world.merchant)
    .bind(url)
    .execute(world.gateway.pool())
    .await
    .unwrap();
}

/// Whether the one endpoint is active, and who was told that it is not.
async fn endpoint_state(world: &World) -> (String, Vec<String>) {
    let status: String = sqlx::query_scalar("SELECT status FROM webhook_endpoints")
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    let mails = world.gateway.list_mail(None, 50).await.unwrap();
    let told = mails
        .into_iter()
        .filter(|mail| mail.subject == "A webhook endpoint was switched off")
        .map(|mail| mail.to)
        .collect();
    (status, told)
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_endpoint_that_only_fails_is_switched_off_and_its_merchant_told_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500; 20]);
    endpoint(&world, &receiver.clone().start().await).await;
    world.charge("10.00", "EUR").await;
    drain(&world).await;
    assert_eq!(
        endpoint_state(&world).await,
        ("active".to_owned(), Vec::new())
    );
    sqlx::query("UPDATE webhook_endpoints SET failing_since = failing_since - interval '5 days'")
        .execute(&pool)
        .await
        .unwrap();
    world.gateway.advance(6).await.unwrap();
    world.gateway.advance(300).await.unwrap();
    let merchant = world.gateway.demo().await.unwrap().merchant.email;
    assert_eq!(
        endpoint_state(&world).await,
        ("disabled".to_owned(), vec![merchant])
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_endpoint_that_is_gone_is_switched_off_and_its_merchant_told(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([410]);
    endpoint(&world, &receiver.clone().start().await).await;
    world.charge("10.00", "EUR").await;
    drain(&world).await;
    let merchant = world.gateway.demo().await.unwrap().merchant.email;
    assert_eq!(
        endpoint_state(&world).await,
        ("disabled".to_owned(), vec![merchant])
    );
}
