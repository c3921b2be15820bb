//! Stories and races of withdrawals, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use futures::future::join_all;
use gateway::Error;
use gateway::withdrawals::{Decider, NewWithdrawal};
use sqlx::PgPool;
use support::World;
use support::operations::{STRANGER, blamed};

fn decider(name: &str, user_id: Option<i64>) -> Decider {
    Decider {
        name: name.to_owned(),
        user_id,
    }
}

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
async fn above_the_limit_another_person_decides(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0.1")
        .execute(&pool)
        .await
        .unwrap();
    let (asker, other): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT id FROM users WHERE email = 'merchant@demo.example'),
                (SELECT id FROM users WHERE email = 'manager@demo.example')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let new = NewWithdrawal {
        requested_user_id: Some(asker),
        ..world.withdrawal("0.2", "BTC", "1")
    };
    let view = world.withdraw(new.clone()).await.unwrap();
    assert_eq!(view.status.word(), "pending");
    world.mine("BTC", 1).await;
    assert_eq!(
        world.wallet("BTC").await,
        ("0.80000000".into(), "0.20000000".into())
    );
    let (gateway, merchant) = (&world.gateway, world.merchant);
    let own = gateway
        .approve_withdrawal(merchant, view.id, decider("merchant", Some(asker)))
        .await;
    assert!(matches!(own, Err(Error::Forbidden)), "{own:?}");
    gateway
        .approve_withdrawal(merchant, view.id, decider("manager", Some(other)))
        .await
        .unwrap();
    let again = gateway
        .approve_withdrawal(merchant, view.id, decider("manager", Some(other)))
        .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);

    let second = world
        .withdraw(NewWithdrawal {
            foreign_id: Some("2".into()),
            ..new
        })
        .await
        .unwrap();
    gateway
        .decline_withdrawal(merchant, second.id, decider("merchant", Some(asker)))
        .await
        .unwrap();
    assert_eq!(
        world.wallet("BTC").await,
        ("0.80000000".into(), "0.00000000".into())
    );
    assert_eq!(
        world.events(second.id).await,
        ["withdrawal.pending", "withdrawal.cancelled"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn approving_and_declining_at_once_does_one_of_the_two(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0")
        .execute(&pool)
        .await
        .unwrap();
    for n in 0..10 {
        let view = world
            .withdraw(world.withdrawal("0.01", "BTC", &n.to_string()))
            .await
            .unwrap();
        let (gateway, merchant) = (&world.gateway, world.merchant);
        let (yes, no) = tokio::join!(
            gateway.approve_withdrawal(merchant, view.id, decider("a", Some(1))),
            gateway.decline_withdrawal(merchant, view.id, decider("b", Some(2))),
        );
        assert!(yes.is_ok() != no.is_ok(), "{yes:?} {no:?}");
    }
    world.mine("BTC", 1).await;
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_limit_of_a_day_counts_what_was_asked_for(pool: PgPool) {
    let world = World::new(&pool).await;
    world.well_before_midnight().await;
    // A BTC is 60 000 EUR: two of them are 12 000 EUR, the third would be too much.
    sqlx::query("UPDATE merchants SET withdrawal_daily_limit = 15000")
        .execute(&pool)
        .await
        .unwrap();
    let both = ["1", "2", "3"].map(|n| world.withdraw(world.withdrawal("0.1", "BTC", n)));
    let mut words: Vec<String> = join_all(both)
        .await
        .into_iter()
        .map(|view| view.unwrap().status.word().to_owned())
        .collect();
    words.sort();
    assert_eq!(words, ["pending", "processing", "processing"]);
    world.gateway.advance(86_400).await.unwrap();
    let next = world
        .withdraw(world.withdrawal("0.1", "BTC", "4"))
        .await
        .unwrap();
    assert_eq!(next.status.word(), "processing");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_limit_of_a_day_is_of_all_currencies_together(pool: PgPool) {
    let world = World::new(&pool).await;
    world.well_before_midnight().await;
    sqlx::query("UPDATE merchants SET withdrawal_daily_limit = 6500")
        .execute(&pool)
        .await
        .unwrap();
    let first = world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    assert_eq!(first.status.word(), "processing");
    // 600 EUR that leave as bitcoin count like the bitcoin before.
    let exchanged = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "2")
    };
    let second = world.withdraw(exchanged).await.unwrap();
    assert_eq!(second.status.word(), "pending");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn to_one_of_our_own_addresses_it_is_there_at_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let other: i64 =
        sqlx::query_scalar("SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let address = world.address_of(other, "BTC", Some("EUR"), "a").await;
    let new = NewWithdrawal {
        address,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    let view = world.withdraw(new).await.unwrap();
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(view.transactions.first().unwrap().kind.word(), "internal");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.99000000".into(), "0.00000000".into())
    );
    let received = world.operations_of(other).await.pop().unwrap();
    assert_eq!(received.kind.word(), "deposit_exchange");
    assert_eq!(received.status.word(), "confirmed");
    assert_eq!(received.received_net.as_deref(), Some("594.00000000"));
    assert_eq!(
        world.events(view.id).await,
        ["withdrawal.processing", "withdrawal.confirmed"]
    );
    assert_eq!(
        world.events(received.id).await,
        ["deposit.not_confirmed", "deposit.confirmed"]
    );
    assert_eq!(world.account(0, "chain_holdings", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_can_be_paid_from_a_wallet_of_this_instance(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("60.00", "EUR", "BTC").await;
    let payment = world.view(&id).await.payment.unwrap();
    let new = NewWithdrawal {
        address: payment.address,
        amount: payment.due,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    world.withdraw(new).await.unwrap();
    world.expect(&world.state(&id).await, "paid");
    // A reorganisation has nothing to take away.
    world.mine("BTC", 2).await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 2, &[])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_forgotten_transaction_is_sent_again_and_paid_once(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world.gateway.sandbox_drop(&txid).await.unwrap();
    let state: String = sqlx::query_scalar("SELECT state FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(state, "built");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    let paid: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sim.txs WHERE NOT gone AND outputs::text LIKE '%' || $1 || '%'",
    )
    .bind(STRANGER)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(paid, 1);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_withdrawal_whose_coins_are_taken_stays_held_and_calls_for_a_person(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "processing");
    assert!(view.needs_attention);
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.10000000".into())
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_crash_between_building_and_sending_sends_the_same_bytes(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let before: (String, Vec<u8>) = sqlx::query_as("SELECT txid, raw FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    // As it stands when the process dies right after storing the bytes, and right after sending.
    for state in ["built", "broadcast"] {
        sqlx::query(
            "UPDATE withdrawals SET state = $1, next_attempt_at = now() - interval '1 day',
                 locked_until = NULL",
        )
        .bind(state)
        .execute(&pool)
        .await
        .unwrap();
        world.gateway.advance(0).await.unwrap();
    }
    let after: (String, Vec<u8>) = sqlx::query_as("SELECT txid, raw FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(before, after);
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
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

#[sqlx::test(migrations = "../../migrations")]
async fn an_exchange_on_its_way_gets_the_rate_of_its_approval(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 100")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    assert_eq!(asked.received.unwrap().amount, "0.00999999");
    let liquidity = world.account(0, "liquidity", "BTC").await;
    world.set_rate("BTC", "EUR", "75000").await;
    world.set_rate("EUR", "BTC", "0.0000133333").await;
    world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await
        .unwrap();
    let approved = world.operations().await.pop().unwrap();
    assert_eq!(approved.status.word(), "processing");
    assert_eq!(approved.received.unwrap().amount, "0.00799998");
    assert_eq!(approved.price.as_deref(), Some("0.0000133333"));
    assert_eq!(
        world.wallet("EUR").await,
        ("9394.00000000".into(), "606.00000000".into())
    );
    world.audit().await;
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    assert_eq!(
        world.account(0, "liquidity", "BTC").await,
        liquidity - 799_998
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_delivered_any_more_stays_pending(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 100")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    sqlx::query(
        "UPDATE accounts SET floor = posted - held WHERE kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("BTC").id)
    .execute(&pool)
    .await
    .unwrap();
    world.set_rate("EUR", "BTC", "0.00002").await;
    let refused = world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(world.told().await, ["withdrawal_exchange pending"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_settled_withdrawal_that_leaves_the_chain_is_sent_once_more(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, std::slice::from_ref(&txid))
        .await
        .unwrap();
    let view = world.operations().await.pop().unwrap();
    assert!(view.needs_attention);
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.00000000".into())
    );
    let subject: String = sqlx::query_scalar("SELECT subject FROM mails ORDER BY id DESC LIMIT 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(subject.ends_with("has left the chain"), "{subject}");
    // The operator may have it sent again as well; once it is back, there is nothing to send.
    let again = async || world.gateway.rebroadcast_withdrawal(view.id, "admin").await;
    again().await.unwrap();
    world.audit().await;
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert!(!view.needs_attention, "{view:?}");
    let late = again().await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let mined: String = sqlx::query_scalar("SELECT status FROM chain_txs WHERE txid = $1")
        .bind(&txid)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(mined, "confirmed");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_another_worker_has_under_way_is_in_the_next_block(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    // As between taking it and giving it to the network.
    sqlx::query("UPDATE withdrawals SET locked_until = clock_timestamp() + interval '1 second'")
        .execute(&pool)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_chain_of_a_withdrawal_that_was_just_asked_for_is_the_one_that_is_mined(pool: PgPool) {
    let world = World::new(&pool).await;
    let new = NewWithdrawal {
        convert_to: Some(world.currency("USDT")),
        address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into(),
        ..world.withdrawal("0.001", "BTC", "1")
    };
    world.withdraw(new).await.unwrap();
    let mined = world.gateway.sandbox_mine(None, None).await.unwrap();
    assert_eq!(mined.currency, "USDT");
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_internal_transfer_that_waits_is_told_on_its_way_once_it_is_approved(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        address: world.address("BTC", None, "a").await,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await
        .unwrap();
    assert_eq!(
        world.events(asked.id).await,
        [
            "withdrawal.pending",
            "withdrawal.processing",
            "withdrawal.confirmed"
        ]
    );
    world.audit().await;
}
