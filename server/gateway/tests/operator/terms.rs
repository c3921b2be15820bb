//! Terms of currencies and merchants, and of two editors one that is told.

use std::time::Duration;

use futures::future::join;
use gateway::Error;
use gateway::operator::{MerchantTerms, TermsForm};
use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::blamed;
use crate::{BY, recorded};

/// The form of a currency's terms as its page fills it in.
async fn terms_form(world: &World, code: &str) -> TermsForm {
    let view = world.gateway.terms_form(code).await.unwrap();
    let mut form: TermsForm = view
        .inputs
        .into_iter()
        .map(|input| (input.name.to_owned(), input.value))
        .collect();
    form.insert("version".to_owned(), view.version.to_string());
    form
}

#[sqlx::test(migrations = "../../migrations")]
async fn terms_change_at_once_and_only_from_what_was_seen(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let mut form = terms_form(&world, "BTC").await;
    let same = gateway.review_terms("BTC", &form, "").await;
    assert_eq!(blamed(&same.unwrap_err()).0, "terms");
    form.insert("minimum_deposit".to_owned(), "0.00005".to_owned());
    form.insert("deposit_fee_basis_points".to_owned(), "50".to_owned());
    let review = gateway.review_terms("BTC", &form, "").await.unwrap();
    let rows: Vec<(&str, &str)> = review
        .rows
        .iter()
        .map(|row| (row.before.as_str(), row.after.as_str()))
        .collect();
    assert_eq!(
        rows,
        [("0.00010000 BTC", "0.00005000 BTC"), ("1 %", "50 %")]
    );
    assert!(
        review
            .notes
            .iter()
            .any(|note| note.contains("50.00000000 BTC"))
    );

    let no_reason = gateway.change_terms("BTC", form.clone(), " ", BY).await;
    assert_eq!(blamed(&no_reason.unwrap_err()).0, "reason");
    assert!(recorded(&world).await.is_empty());
    gateway
        .change_terms("BTC", form.clone(), "small payers", BY)
        .await
        .unwrap();
    // The same form was filled in from terms that are no more.
    form.insert("confirmations".to_owned(), "2".to_owned());
    let stale = gateway
        .change_terms("BTC", form.clone(), "reorgs", BY)
        .await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    assert_eq!(recorded(&world).await, ["terms.changed currency:BTC"]);

    let address = world.address("BTC", None, "a").await;
    world.deposit(&address, "BTC", "0.00009").await;
    assert_eq!(world.balance("BTC").await, "1.00004500");
    let (_, at) = gateway
        .terms_form("BTC")
        .await
        .unwrap()
        .last_change
        .unwrap();
    assert!(at <= gateway.clock().now());
    assert!(matches!(
        gateway.terms_form("XXX").await,
        Err(Error::NotFound)
    ));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_currency_is_switched_off_and_on_everywhere(pool: PgPool) {
    let world = World::new(&pool).await;
    let other = World::new(&pool).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let workers = other.gateway.spawn_workers(stopped);
    let address = world.address("LTC", None, "a").await;
    for (word, offered) in [("no", false), ("yes", true)] {
        let mut form = terms_form(&world, "LTC").await;
        form.insert("enabled".to_owned(), word.to_owned());
        let review = world.gateway.review_terms("LTC", &form, "").await.unwrap();
        assert_eq!(review.rows.len(), 1, "{review:?}");
        assert!(review.notes.iter().any(|note| note.contains("LTC")));
        world
            .gateway
            .change_terms("LTC", form, "its node is being moved", BY)
            .await
            .unwrap();
        let is_offered = |world: &World| {
            let currencies = world.gateway.currencies();
            currencies.enabled_by_code("LTC").is_some()
        };
        assert_eq!(is_offered(&world), offered);
        // The other process hears of it.
        let heard = async {
            while is_offered(&other) != offered {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), heard)
            .await
            .unwrap();
        // What comes all the same is booked.
        world.deposit(&address, "LTC", "1").await;
    }
    assert_eq!(world.told().await, ["deposit confirmed"; 2]);
    stop.send(true).unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_merchant_s_terms_are_changed_with_a_reason_and_from_what_was_seen(pool: PgPool) {
    let world = World::new(&pool).await;
    let (gateway, id) = (&world.gateway, world.merchant);
    let form = gateway.merchant_terms_form(id).await.unwrap();
    let terms = MerchantTerms {
        fee: "0.5".to_owned(),
        withdrawal_limit: "0.05".to_owned(),
        daily_limit: String::new(),
        seen: form.seen,
        reason: "agreed by mail".to_owned(),
    };
    let review = gateway.review_merchant_terms(id, &terms).await.unwrap();
    assert_eq!(review.rows.len(), 2, "{review:?}");
    let no_reason = MerchantTerms {
        reason: String::new(),
        ..terms.clone()
    };
    let refused = gateway.change_merchant_terms(id, no_reason, BY).await;
    assert_eq!(blamed(&refused.unwrap_err()).0, "reason");
    gateway
        .change_merchant_terms(id, terms.clone(), BY)
        .await
        .unwrap();
    let stale = MerchantTerms {
        fee: "2".to_owned(),
        ..terms
    };
    let stale = gateway.change_merchant_terms(id, stale, BY).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    assert_eq!(
        recorded(&world).await,
        [format!("merchant.terms_changed merchant:{id}")]
    );
    let asked = world
        .withdraw(world.withdrawal("0.06", "BTC", "1"))
        .await
        .unwrap();
    assert_eq!(asked.status.word(), "pending");
    let all = gateway.merchants_view("", 1).await.unwrap();
    let one = gateway.merchants_view(&id.to_string(), 1).await.unwrap();
    assert!(all.rows.len() > 1 && one.rows.len() == 1, "{all:?}");
    assert_eq!(one.rows[0].fee, "0.5 %");
    let none = gateway.merchants_view("nobody", 9).await.unwrap();
    assert!(none.rows.is_empty());
    assert!(matches!(
        gateway.merchant_terms_form(1).await,
        Err(Error::NotFound)
    ));
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_editors_one_is_told(pool: PgPool) {
    let world = World::new(&pool).await;
    let edit = async |fee: &str| {
        let mut form = terms_form(&world, "EUR").await;
        form.insert("exchange_fee_basis_points".to_owned(), fee.to_owned());
        form
    };
    let (one, two) = (edit("0.5").await, edit("0.7").await);
    let (first, second) = join(
        world.gateway.change_terms("EUR", one, "cheaper", BY),
        world.gateway.change_terms("EUR", two, "cheaper", BY),
    )
    .await;
    assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    let lost = first.and(second).unwrap_err();
    assert!(matches!(lost, Error::Conflict(_)), "{lost:?}");
    assert_eq!(recorded(&world).await, ["terms.changed currency:EUR"]);
}
