//! What is asked for: figures, references, and what is refused.

use futures::future::join_all;
use gateway::withdrawals::NewWithdrawal;
use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::blamed;

#[sqlx::test(migrations = "../../migrations")]
async fn money_is_held_then_leaves_with_its_block(pool: PgPool) {
    let world = World::new(&pool).await;
    let asked = world
        .withdraw(world.withdrawal("0.4", "BTC", "1"))
        .await
        .unwrap();
    assert_eq!(asked.status.word(), "processing");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.60000000".into(), "0.40000000".into())
    );
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.60000000".into(), "0.00000000".into())
    );
    assert!(view.transactions.first().unwrap().txid.is_some());
    assert_eq!(
        world.events(view.id).await,
        ["withdrawal.processing", "withdrawal.confirmed"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn fifty_withdrawals_of_the_whole_balance_are_one(pool: PgPool) {
    let world = World::new(&pool).await;
    let all = (0..50).map(|n| world.withdraw(world.withdrawal("1", "BTC", &n.to_string())));
    let results = join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(
            blamed(error),
            ("amount", "is more than your BTC wallet has available")
        );
    }
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    assert_eq!(world.balance("BTC").await, "0.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_reference_is_one_withdrawal(pool: PgPool) {
    let world = World::new(&pool).await;
    let same = (0..20).map(|_| world.withdraw(world.withdrawal("0.01", "BTC", "122929")));
    let ids: Vec<i64> = join_all(same)
        .await
        .into_iter()
        .map(|view| view.unwrap().id)
        .collect();
    assert!(ids.iter().all(|id| Some(id) == ids.first()));
    let other = world
        .withdraw(world.withdrawal("0.02", "BTC", "122929"))
        .await
        .unwrap_err();
    assert_eq!(blamed(&other).0, "foreign_id");
    assert_eq!(world.balance("BTC").await, "0.99000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_held_for_what_cannot_be_sent(pool: PgPool) {
    let world = World::new(&pool).await;
    let base = || world.withdrawal("0.01", "BTC", "1");
    let cases: Vec<(NewWithdrawal, &str)> = vec![
        (
            NewWithdrawal {
                address: "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp".into(),
                ..base()
            },
            "address",
        ),
        (
            NewWithdrawal {
                address: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx".into(),
                ..base()
            },
            "address",
        ),
        (
            NewWithdrawal {
                tag: Some("7".into()),
                ..base()
            },
            "tag",
        ),
        (
            NewWithdrawal {
                amount: world.money("100", "EUR"),
                ..base()
            },
            "currency",
        ),
        (
            NewWithdrawal {
                convert_to: Some(world.currency("EUR")),
                ..base()
            },
            "convert_to",
        ),
        (
            NewWithdrawal {
                amount: world.money("0.00001", "BTC"),
                ..base()
            },
            "amount",
        ),
        (
            NewWithdrawal {
                amount: world.money("2", "BTC"),
                ..base()
            },
            "amount",
        ),
    ];
    for (new, field) in cases {
        let error = world.withdraw(new).await.unwrap_err();
        assert_eq!(blamed(&error).0, field, "{error:?}");
    }
    assert_eq!(
        world.wallet("BTC").await,
        ("1.00000000".into(), "0.00000000".into())
    );
    assert!(world.operations().await.is_empty());
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn euros_leave_as_bitcoin(pool: PgPool) {
    let world = World::new(&pool).await;
    let new = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "1")
    };
    let view = world.withdraw(new).await.unwrap();
    assert_eq!(view.kind.word(), "withdrawal_exchange");
    // 1 % on top on the fiat side.
    assert_eq!(view.sent.amount, "606.00000000");
    assert_eq!(view.requested_amount, "600.00000000");
    let received = view.received.unwrap();
    assert_eq!(received.currency, "BTC");
    assert_eq!(
        world.wallet("EUR").await,
        ("9394.00000000".into(), "606.00000000".into())
    );
    world.mine("BTC", 1).await;
    assert_eq!(
        world.wallet("EUR").await,
        ("9394.00000000".into(), "0.00000000".into())
    );
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn coins_that_cannot_be_paid_out_go_to_the_rounding_account(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "USDT", "60123.4567").await;
    let new = NewWithdrawal {
        convert_to: Some(world.currency("USDT")),
        address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into(),
        ..world.withdrawal("0.001", "BTC", "1")
    };
    let view = world.withdraw(new).await.unwrap();
    assert_eq!(view.received.unwrap().amount, "59.52222200");
    world.mine("USDT", 1).await;
    assert_eq!(world.account(0, "rounding", "USDT").await, 13);
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_review_holds_nothing_and_says_what_would_happen(pool: PgPool) {
    let world = World::new(&pool).await;
    let review = world
        .gateway
        .review_withdrawal(&world.withdrawal("0.5", "BTC", "1"))
        .await
        .unwrap();
    assert_eq!(review.sender_total, world.money("0.5", "BTC"));
    assert!(!review.internal && !review.needs_approval);
    let too_much = world
        .gateway
        .review_withdrawal(&world.withdrawal("1.5", "BTC", "1"))
        .await
        .unwrap_err();
    assert_eq!(blamed(&too_much).0, "amount");
    assert!(world.operations().await.is_empty());
}
