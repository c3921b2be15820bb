//! Rates that are set by hand.

use domain::view::operate::PinForm;
use gateway::Error;
use gateway::exchange::Pricing;
use gateway::operator::SeenPin;
use sqlx::PgPool;

use crate::support::World;
use crate::{BY, recorded};

fn pin(rate: &str, minutes: &str) -> PinForm {
    PinForm {
        from: "BTC".to_owned(),
        to: "EUR".to_owned(),
        rate: rate.to_owned(),
        minutes: minutes.to_owned(),
    }
}

async fn rate(world: &World, pair: &str) -> String {
    let table = world.gateway.rate_table().await.unwrap();
    let found = table.into_iter().find(|(name, _)| name == pair);
    found.unwrap().1
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pin_overrules_until_it_ends(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let wrong = gateway.review_pin(&pin("0", "x"), "").await;
    let Err(Error::Invalid(fields)) = wrong else {
        panic!("accepted")
    };
    let fields: Vec<&str> = fields.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["rate", "minutes"]);

    let form = pin("8000", "60");
    let review = gateway.review_pin(&form, "").await.unwrap();
    let first = review.rows.first().unwrap();
    assert_eq!(
        (first.before.as_str(), first.after.as_str()),
        ("60000", "8000")
    );
    assert!(review.notes.first().unwrap().contains("86.67 % below"));
    gateway
        .pin_rate(&form, "", "sources are down", BY)
        .await
        .unwrap();
    assert_eq!(rate(&world, "BTC/EUR").await, "8000");
    assert_eq!(rate(&world, "EUR/BTC").await, "0.000125");
    world
        .exchange("0.01", "BTC", "EUR", Pricing::Now, "1")
        .await
        .unwrap();
    assert_eq!(world.balance("EUR").await, "10079.20000000");
    let stale = gateway.pin_rate(&form, "", "again", BY).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    let view = gateway.operator_rates("EUR", 1).await.unwrap();
    let pair = view
        .rows
        .iter()
        .find(|row| row.from == "BTC" && row.to == "EUR")
        .unwrap();
    let words: Vec<&str> = pair
        .sources
        .iter()
        .map(|source| source.status.word.as_str())
        .collect();
    assert_eq!(words, ["overruled", "current"]);
    assert!(pair.pinned_until.is_some());

    gateway.advance(3_600).await.unwrap();
    assert_eq!(rate(&world, "BTC/EUR").await, "60000");
    let pair = SeenPin {
        from: "BTC".to_owned(),
        to: "EUR".to_owned(),
        seen: String::new(),
    };
    let over = gateway.review_unpin(&pair, "").await;
    assert!(matches!(over, Err(Error::Conflict(_))), "{over:?}");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pin_is_ended_before_its_time(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    gateway
        .pin_rate(&pin("8000", "60"), "", "sources are down", BY)
        .await
        .unwrap();
    let mut pair = SeenPin {
        from: "BTC".to_owned(),
        to: "EUR".to_owned(),
        seen: String::new(),
    };
    let unseen = gateway.unpin_rate(&pair, "they are back", BY).await;
    assert!(matches!(unseen, Err(Error::Conflict(_))), "{unseen:?}");
    let review = gateway.review_unpin(&pair, "").await.unwrap();
    let first = review.rows.first().unwrap();
    assert_eq!(
        (first.before.as_str(), first.after.as_str()),
        ("8000", "60000")
    );
    let seen = review
        .hidden
        .iter()
        .find(|(name, _)| name == "seen")
        .unwrap();
    pair.seen.clone_from(&seen.1);
    gateway
        .unpin_rate(&pair, "they are back", BY)
        .await
        .unwrap();
    assert_eq!(rate(&world, "BTC/EUR").await, "60000");
    assert_eq!(
        rate(&world, "EUR/BTC").await,
        rate_of_one_euro(&world).await
    );
    assert_eq!(
        recorded(&world).await,
        ["rate.unpinned rate:BTC/EUR", "rate.pinned rate:BTC/EUR"]
    );
}

/// As test mode starts with it.
async fn rate_of_one_euro(world: &World) -> String {
    let view = world.gateway.operator_rates("BTC", 1).await.unwrap();
    let pair = view
        .rows
        .into_iter()
        .find(|row| row.from == "EUR" && row.to == "BTC")
        .unwrap();
    pair.sources.first().unwrap().rate.clone()
}
