//! Stories of refunds that a customer asks for through a mailed link, on real Postgres and the
//! simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use domain::view::claim::{ClaimOverReason, ClaimStage, ClaimStep, ClaimView};
use gateway::Error;
use gateway::charges::{ClaimLink, ClaimUse};
use sqlx::PgPool;
use support::World;
use support::operations::{STRANGER, blamed};

/// Another address of nobody here.
const OTHER: &str = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";

const DAY: i64 = 24 * 60 * 60;

/// A charge of 60 EUR of which half came in time.
async fn underpaid(world: &World) -> String {
    let id = world.picked("60.00", "EUR", "BTC").await;
    world.pay(&id, "0.0005").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    world.expect(&world.state(&id).await, "underpaid under inbox");
    id
}

/// The token of the newest mail's refund link.
async fn token(world: &World) -> String {
    let mails = world.gateway.list_mail(None, 50).await.unwrap();
    let link = mails
        .iter()
        .find_map(|mail| mail.text.lines().find(|line| line.contains("/refund/")))
        .unwrap();
    link.strip_prefix("http://127.0.0.1:3000/refund/")
        .unwrap()
        .to_owned()
}

async fn open(world: &World, token: &str) -> ClaimView {
    match world.gateway.claim(token).await.unwrap() {
        ClaimLink::Open(view) => *view,
        ClaimLink::Over(over) => panic!("over: {:?}", over.reason),
    }
}

async fn over(world: &World, token: &str) -> ClaimOverReason {
    match world.gateway.claim(token).await.unwrap() {
        ClaimLink::Over(over) => over.reason,
        ClaimLink::Open(view) => panic!("open: {:?}", view.stage),
    }
}

async fn step(world: &World, token: &str) -> (ClaimStep, Option<String>) {
    match open(world, token).await.stage {
        ClaimStage::Tracked {
            step,
            address,
            txid,
        } => {
            assert_eq!(address, STRANGER);
            (step, txid)
        }
        other => panic!("not tracked: {other:?}"),
    }
}

async fn approve(world: &World, id: &str) {
    world
        .gateway
        .request_refund(
            world.merchant,
            id,
            None,
            "merchant@demo.example".to_owned(),
            None,
            |_| (200, Vec::new()),
        )
        .await
        .unwrap();
}

/// State, address and whether the link was used, of every claim.
async fn claims(world: &World) -> Vec<(String, Option<String>, bool)> {
    sqlx::query_as(
        "SELECT state, address, token_used_at IS NOT NULL FROM refund_claims ORDER BY id",
    )
    .fetch_all(world.gateway.pool())
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mailed_link_ends_in_a_withdrawal_from_suspense(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let token = token(&world).await;
    let asked = open(&world, &token).await;
    assert_eq!(asked.amount.to_string(), "0.00050000 BTC");
    assert_eq!(asked.receives, asked.amount);
    assert_eq!(asked.fee.to_string(), "0.00000000 BTC");
    assert!(asked.why.contains(&id) && asked.why.contains("less than"));
    assert!(!asked.unconfirmed && !asked.approved);
    assert!(matches!(asked.stage, ClaimStage::Ask { .. }));

    let upper = STRANGER.to_uppercase();
    let reviewed = world.gateway.review_claim(&token, &upper).await.unwrap();
    let ClaimLink::Open(reviewed) = reviewed else {
        panic!("over")
    };
    let expected = ClaimStage::Review {
        address: STRANGER.to_owned(),
        typed: upper,
    };
    assert_eq!(reviewed.stage, expected);
    assert_eq!(
        claims(&world).await,
        [("requested".to_owned(), None, false)],
        "a review changes nothing"
    );

    let used = world.gateway.use_claim(&token, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Taken);
    assert_eq!(step(&world, &token).await, (ClaimStep::Requested, None));
    // Nothing leaves before the shop approves.
    world.mine("BTC", 1).await;
    assert_eq!(step(&world, &token).await, (ClaimStep::Requested, None));

    approve(&world, &id).await;
    assert_eq!(step(&world, &token).await, (ClaimStep::Approved, None));
    world.mine("BTC", 1).await;
    let (last, txid) = step(&world, &token).await;
    assert_eq!(last, ClaimStep::Confirmed);
    assert!(txid.is_some());
    assert_eq!(open(&world, &token).await.amount, asked.amount);
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn twenty_posts_use_a_link_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    approve(&world, &id).await;
    let token = token(&world).await;
    let posts = (0..20).map(|at| {
        let address = if at % 2 == 0 { STRANGER } else { OTHER };
        world.gateway.use_claim(&token, address)
    });
    let done: Vec<ClaimUse> = futures::future::join_all(posts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let count = |what: ClaimUse| done.iter().filter(|each| **each == what).count();
    assert_eq!(count(ClaimUse::Taken), 1, "{done:?}");
    assert_eq!(count(ClaimUse::Again), 9, "{done:?}");
    assert_eq!(count(ClaimUse::UsedUp), 10, "{done:?}");
    world.mine("BTC", 1).await;
    let sent: i64 = sqlx::query_scalar("SELECT count(*) FROM operations WHERE kind = 'refund'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(sent, 1);
    let left = world
        .gateway
        .charge_timeline(world.merchant, &id)
        .await
        .unwrap()
        .into_iter()
        .filter(|entry| entry.kind == "refund_address.left")
        .count();
    assert_eq!(left, 1);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_the_hash_of_a_token_is_kept(pool: PgPool) {
    let world = World::new(&pool).await;
    underpaid(&world).await;
    let token = token(&world).await;
    assert_eq!(token.len(), 43);
    let kept: bool =
        sqlx::query_scalar("SELECT token_hash = sha256(convert_to($1, 'UTF8')) FROM refund_claims")
            .bind(&token)
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(kept);
    let unknown = "A".repeat(43);
    for token in ["", "x", "\0", unknown.as_str(), &token[..42]] {
        let shown = world.gateway.claim(token).await;
        assert!(matches!(shown, Err(Error::NotFound)), "{token:?}");
        let used = world.gateway.use_claim(token, STRANGER).await;
        assert!(matches!(used, Err(Error::NotFound)), "{token:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wrong_address_does_not_use_the_link(pool: PgPool) {
    let world = World::new(&pool).await;
    underpaid(&world).await;
    let token = token(&world).await;
    // Nothing, a wrong checksum, another network, another coin.
    for wrong in [
        "",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx",
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    ] {
        let reviewed = world.gateway.review_claim(&token, wrong).await;
        assert_eq!(blamed(&reviewed.unwrap_err()).0, "address", "{wrong}");
        let used = world.gateway.use_claim(&token, wrong).await;
        assert_eq!(blamed(&used.unwrap_err()).0, "address", "{wrong}");
    }
    assert_eq!(
        claims(&world).await,
        [("requested".to_owned(), None, false)]
    );
    let used = world.gateway.use_claim(&token, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Taken);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_ends_after_thirty_days(pool: PgPool) {
    let world = World::new(&pool).await;
    underpaid(&world).await;
    let token = token(&world).await;
    world.gateway.advance(30 * DAY - 60).await.unwrap();
    open(&world, &token).await;
    world.gateway.advance(60).await.unwrap();
    assert_eq!(over(&world, &token).await, ClaimOverReason::Expired);
    let used = world.gateway.use_claim(&token, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Over);
    assert_eq!(
        claims(&world).await,
        [("requested".to_owned(), None, false)]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_left_elsewhere_closes_the_link(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let token = token(&world).await;
    let page = world.gateway.page_token(&id);
    world
        .gateway
        .leave_refund_address(&id, Some(&page), OTHER)
        .await
        .unwrap();
    assert_eq!(over(&world, &token).await, ClaimOverReason::Elsewhere);
    let used = world.gateway.use_claim(&token, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Over);
    assert_eq!(
        claims(&world).await,
        [("requested".to_owned(), Some(OTHER.to_owned()), false)]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_without_an_address_mails_a_new_link(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let first = token(&world).await;
    approve(&world, &id).await;
    let second = token(&world).await;
    assert_ne!(first, second);
    let shown = world.gateway.claim(&first).await;
    assert!(matches!(shown, Err(Error::NotFound)), "{shown:?}");
    assert!(open(&world, &second).await.approved);
    let used = world.gateway.use_claim(&second, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Taken);
    world.mine("BTC", 1).await;
    assert_eq!(step(&world, &second).await.0, ClaimStep::Confirmed);
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_what_was_too_much_is_offered_of_a_paid_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.0025").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over inbox");
    let view = open(&world, &token(&world).await).await;
    assert_eq!(view.amount.to_string(), "0.00050000 BTC");
    assert_eq!(
        view.why,
        format!("You sent 0.0005 BTC more than order {id} needed.")
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn money_that_pays_after_all_is_not_offered(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = underpaid(&world).await;
    let token = token(&world).await;
    world.gateway.requote(&id).await.unwrap();
    assert_eq!(over(&world, &token).await, ClaimOverReason::NothingNow);
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(over(&world, &token).await, ClaimOverReason::Accepted);
    let used = world.gateway.use_claim(&token, STRANGER).await.unwrap();
    assert_eq!(used, ClaimUse::Over);
    world.audit().await;
}
