//! Money that belongs to nobody yet, and its ways out.

use domain::view::operate::{SuspenseFilter, SuspenseView, WayOut};
use gateway::Error;
use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::{STRANGER, blamed};
use crate::{BY, recorded};

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

/// Too little for the minimum: its operation's number.
pub async fn suspended(world: &World) -> i64 {
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
