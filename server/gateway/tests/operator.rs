//! What the operator's pages stand on: suspense and its ways out, floors, terms, pins, the audit log.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use domain::view::operate::{AuditFilter, PinForm, SuspenseFilter, SuspenseView, WayOut};
use futures::future::join;
use gateway::Error;
use gateway::exchange::Pricing;
use gateway::operator::{FloorChange, MerchantTerms, SeenPin, TermsForm};
use sqlx::PgPool;
use support::World;
use support::operations::{STRANGER, blamed};

const BY: &str = "admin@demo.example";

/// All that is in suspense; its stories explain every unit.
async fn suspense(world: &World) -> SuspenseView {
    let all = SuspenseFilter::default();
    let view = world.gateway.suspense_view(all, 1).await.unwrap();
    for sum in &view.sums {
        assert_eq!(sum.difference, None, "{sum:?}");
    }
    view
}

/// Story and way out of each item, oldest first.
fn told(view: &SuspenseView) -> Vec<(&str, &str, &str)> {
    let out = |out: &WayOut| match out {
        WayOut::Charge { .. } => "charge",
        WayOut::Deposit { .. } => "deposit",
        WayOut::Wait { .. } => "wait",
    };
    view.rows
        .iter()
        .map(|item| {
            let amount = item.amount.amount.as_str();
            (item.story.as_str(), amount, out(&item.way_out))
        })
        .collect()
}

/// `action subject` of what was recorded, newest first.
async fn recorded(world: &World) -> Vec<String> {
    let filter = AuditFilter {
        actor: BY.to_owned(),
        ..AuditFilter::default()
    };
    let view = world.gateway.audit_view(filter, None).await.unwrap();
    view.rows
        .iter()
        .map(|row| format!("{} {}", row.action, row.subject))
        .collect()
}

/// Too little for the minimum: its operation's number.
async fn suspended(world: &World) -> i64 {
    let address = world.address("BTC", None, "a").await;
    world.deposit(&address, "BTC", "0.00009").await;
    world.operations().await.pop().unwrap().id
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_suspended_deposit_is_released_from_its_page(pool: PgPool) {
    let world = World::new(&pool).await;
    assert!(suspense(&world).await.is_empty);
    let id = suspended(&world).await;
    let view = suspense(&world).await;
    assert_eq!(
        told(&view),
        [(
            "Not credited: less than the smallest deposit, 0.00010000 BTC.",
            "0.00009000",
            "deposit"
        )]
    );
    let page = world.gateway.suspended_deposit(id).await.unwrap();
    let (fee, net) = page.release.unwrap();
    assert_eq!(
        (fee.amount.as_str(), net.amount.as_str()),
        ("0.00000090", "0.00008910")
    );
    world.gateway.release_deposit(id, BY).await.unwrap();
    assert_eq!(world.balance("BTC").await, "1.00008910");
    let view = suspense(&world).await;
    assert!(view.rows.is_empty() && view.is_empty);
    assert!(matches!(
        world.gateway.suspended_deposit(id).await,
        Err(Error::NotFound)
    ));
    assert_eq!(
        recorded(&world).await,
        [format!("deposit.released operation:{id}")]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_suspended_deposit_is_sent_back_and_stays_explained_on_its_way(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = suspended(&world).await;
    let wrong = world.gateway.refund_deposit(id, "nowhere", BY).await;
    assert_eq!(blamed(&wrong.unwrap_err()).0, "address");
    assert_eq!(told(&suspense(&world).await).len(), 1);

    world
        .gateway
        .refund_deposit(id, STRANGER, BY)
        .await
        .unwrap();
    let view = suspense(&world).await;
    assert_eq!(
        told(&view),
        [("It is being sent back.", "0.00009000", "wait")]
    );
    let held = view.rows.first().unwrap().held.clone().unwrap();
    assert_eq!(held.amount, "0.00009000");
    let page = world.gateway.suspended_deposit(id).await.unwrap();
    assert_eq!(page.release, None);
    let again = world.gateway.refund_deposit(id, STRANGER, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))));

    world.mine("BTC", 1).await;
    assert!(suspense(&world).await.is_empty);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn charges_and_reversals_have_their_stories(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "USD", "50000").await;
    let id = world.picked("149.98", "USD", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    let waits = suspense(&world).await;
    assert_eq!(told(&waits).first().map(|item| item.2), Some("wait"));
    world.gateway.advance(901).await.unwrap();
    let view = suspense(&world).await;
    assert_eq!(
        told(&view),
        [(
            "Time ran out with only part of it paid.",
            "0.00100000",
            "charge"
        )]
    );
    let href = format!("/app/charges/{id}?merchant={}", world.merchant);
    assert_eq!(view.rows.first().unwrap().href, href);

    let address = world.address("BTC", None, "a").await;
    let txid = world.deposit(&address, "BTC", "0.01").await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[txid])
        .await
        .unwrap();
    let filter = SuspenseFilter {
        q: "deposit".to_owned(),
        ..SuspenseFilter::default()
    };
    let none = world.gateway.suspense_view(filter, 1).await.unwrap();
    assert!(none.rows.is_empty() && !none.is_empty);
    let view = suspense(&world).await;
    let reversed = told(&view).into_iter().find(|item| item.1.starts_with('-'));
    assert_eq!(
        reversed,
        Some((
            "A credited deposit left the chain; the merchant kept the credit.",
            "-0.01000000",
            "wait"
        ))
    );
    let all = SuspenseFilter::default();
    let export = world.gateway.export_suspense(&all, None).await.unwrap();
    assert_eq!((export.rows.len(), export.next), (view.rows.len(), None));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_no_story_explains_is_shown_as_a_difference(pool: PgPool) {
    let world = World::new(&pool).await;
    suspended(&world).await;
    sqlx::query("UPDATE accounts SET posted = posted + 5 WHERE kind = 'suspense'")
        .execute(&pool)
        .await
        .unwrap();
    let all = SuspenseFilter::default();
    let view = world.gateway.suspense_view(all, 1).await.unwrap();
    let sum = view.sums.first().unwrap();
    assert_eq!(sum.explained, "0.00009000");
    assert_eq!(sum.difference.as_deref(), Some("0.00000005"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_withdrawal_that_does_not_arrive_is_sent_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let asked = world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    assert!(suspense(&world).await.stuck.is_empty());
    world.gateway.advance(3_601).await.unwrap();
    let view = suspense(&world).await;
    let stuck = view.stuck.first().unwrap();
    assert_eq!(
        (stuck.id, stuck.state.word.as_str()),
        (asked.id, "broadcast")
    );
    let path = format!("/app/operate/suspense/{}/rebroadcast", asked.id);
    assert_eq!(stuck.rebroadcast.as_deref(), Some(path.as_str()));
    world
        .gateway
        .rebroadcast_withdrawal(asked.id, BY)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert!(suspense(&world).await.stuck.is_empty());
    assert_eq!(
        recorded(&world).await,
        [format!("withdrawal.rebroadcast operation:{}", asked.id)]
    );
    world.audit().await;
}

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
