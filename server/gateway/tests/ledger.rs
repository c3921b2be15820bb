//! The book on real Postgres against the pure model, under concurrency, and with barriers removed.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use domain::ledger::{
    AccountId, AccountKey, AccountKind, AccountState, EntryKind, HOUSE, JournalEntry, LedgerError,
    Leg, Movement, apply,
};
use gateway::Error;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::PgPool;
use support::World;
use uuid::Uuid;

fn wallet(merchant: i64) -> AccountKey {
    AccountKey {
        merchant,
        currency: 145,
        kind: AccountKind::Wallet,
        user_id: 0,
    }
}

fn house() -> AccountKey {
    AccountKey {
        merchant: HOUSE,
        currency: 145,
        kind: AccountKind::Liquidity,
        user_id: 0,
    }
}

fn entry(legs: Vec<(Movement, AccountKey, AccountKey, i128)>) -> JournalEntry {
    let id = Uuid::now_v7();
    JournalEntry {
        id,
        merchant: HOUSE,
        kind: EntryKind::TestFunding,
        subject: "test".into(),
        dedupe: id.to_string(),
        legs: legs
            .into_iter()
            .map(|(movement, debit, credit, amount)| Leg {
                id: Uuid::now_v7(),
                movement,
                debit,
                credit,
                amount,
                label: "test",
            })
            .collect(),
    }
}

async fn book(world: &World, entry: JournalEntry) -> Result<(), Error> {
    world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.post(entry);
                Ok(())
            })
        })
        .await
}

async fn figures(pool: &PgPool, id: AccountId) -> (String, String, i64) {
    sqlx::query_as("SELECT posted::text, held::text, version FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Random commands on a handful of accounts; after each the database equals the pure model.
#[sqlx::test(migrations = "../../migrations")]
async fn the_database_equals_the_model(pool: PgPool) {
    let world = World::new(&pool).await;
    let keys = [wallet(1), wallet(2), wallet(3), house()];
    let mut ids = Vec::new();
    for key in keys {
        ids.push(world.gateway.book().account_id(key).await.unwrap());
    }
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let steps = proptest::collection::vec(
        proptest::collection::vec((0usize..4, 0usize..4, 1i128..2_000, 0u8..5), 1..4),
        400,
    )
    .new_tree(&mut runner)
    .unwrap()
    .current();
    let mut model: BTreeMap<AccountId, AccountState> = ids
        .iter()
        .zip(keys)
        .map(|(id, key)| {
            let floor = (key.kind == AccountKind::Wallet).then_some(0);
            let state = AccountState {
                id: *id,
                currency: 145,
                posted: 0,
                held: 0,
                floor,
                version: 0,
            };
            (*id, state)
        })
        .collect();
    let mut holds: Vec<(Uuid, i128, usize)> = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    for step in steps {
        let mut legs = Vec::new();
        let mut taken = Vec::new();
        for (debit, credit, amount, what) in step {
            let leg = match (what, holds.last().copied()) {
                (0..=2, _) | (4, None) => (Movement::Post, keys[debit], keys[credit], amount),
                (3, _) => (Movement::Hold, keys[debit], keys[credit], amount),
                (_, Some((hold, held, by))) => {
                    taken.push(holds.pop().unwrap());
                    let to = if by == 3 { keys[0] } else { keys[3] };
                    if amount % 2 == 0 {
                        (Movement::Void { hold, held }, keys[by], to, held)
                    } else {
                        (
                            Movement::Settle { hold, held },
                            keys[by],
                            to,
                            amount.min(held),
                        )
                    }
                }
                (_, None) => continue,
            };
            legs.push(leg);
        }
        if legs.is_empty() {
            continue;
        }
        let entry = entry(legs);
        let by_key = |key: AccountKey| ids[keys.iter().position(|k| *k == key).unwrap()];
        let resolved = JournalEntry {
            id: entry.id,
            merchant: entry.merchant,
            kind: entry.kind,
            subject: entry.subject.clone(),
            dedupe: entry.dedupe.clone(),
            legs: entry
                .legs
                .iter()
                .map(|leg| Leg {
                    id: leg.id,
                    movement: leg.movement,
                    debit: by_key(leg.debit),
                    credit: by_key(leg.credit),
                    amount: leg.amount,
                    label: leg.label,
                })
                .collect(),
        };
        let expected = apply(&mut model, &resolved);
        let found = book(&world, entry.clone()).await;
        match (expected, found) {
            (Ok(_), Ok(())) => {
                accepted += 1;
                for leg in &entry.legs {
                    if leg.movement == Movement::Hold {
                        let by = keys.iter().position(|key| *key == leg.debit).unwrap();
                        holds.push((leg.id, leg.amount, by));
                    }
                }
            }
            (Err(expected), Err(Error::Ledger(found))) => {
                refused += 1;
                assert_eq!(expected, found);
                holds.extend(taken);
            }
            (expected, found) => panic!("model {expected:?}, database {found:?}"),
        }
        for id in &ids {
            let state = &model[id];
            let expected = (
                state.posted.to_string(),
                state.held.to_string(),
                state.version,
            );
            assert_eq!(figures(&pool, *id).await, expected);
        }
    }
    assert!(
        accepted > 50 && refused > 50,
        "{accepted} accepted, {refused} refused"
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn fifty_parallel_spends_of_the_whole_balance_pay_once(pool: PgPool) {
    let world = World::new(&pool).await;
    book(
        &world,
        entry(vec![(Movement::Post, house(), wallet(1), 100)]),
    )
    .await
    .unwrap();
    let spends = (0..50).map(|_| {
        book(
            &world,
            entry(vec![(Movement::Post, wallet(1), house(), 100)]),
        )
    });
    let results = futures::future::join_all(spends).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results {
        assert!(matches!(
            result,
            Ok(()) | Err(Error::Ledger(LedgerError::InsufficientFunds { .. }))
        ));
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn entries_that_cross_each_other_do_not_deadlock(pool: PgPool) {
    let world = World::new(&pool).await;
    for merchant in [1, 2, 3] {
        let fund = entry(vec![(Movement::Post, house(), wallet(merchant), 1_000_000)]);
        book(&world, fund).await.unwrap();
    }
    let cross = (0..120i64).map(|i| {
        let (a, b, c) = (
            wallet(i % 3 + 1),
            wallet((i + 1) % 3 + 1),
            wallet((i + 2) % 3 + 1),
        );
        book(
            &world,
            entry(vec![(Movement::Post, a, b, 7), (Movement::Post, b, c, 5)]),
        )
    });
    for result in futures::future::join_all(cross).await {
        result.unwrap();
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_hold_resolves_at_most_once(pool: PgPool) {
    let world = World::new(&pool).await;
    book(
        &world,
        entry(vec![(Movement::Post, house(), wallet(1), 100)]),
    )
    .await
    .unwrap();
    let hold = entry(vec![(Movement::Hold, wallet(1), house(), 60)]);
    let (id, held) = (hold.legs[0].id, 60);
    book(&world, hold).await.unwrap();
    book(
        &world,
        entry(vec![(Movement::Hold, wallet(1), house(), 40)]),
    )
    .await
    .unwrap();
    let ends = (0..20).map(|i| {
        let movement = if i % 2 == 0 {
            Movement::Settle { hold: id, held }
        } else {
            Movement::Void { hold: id, held }
        };
        book(&world, entry(vec![(movement, wallet(1), house(), 60)]))
    });
    let results = futures::future::join_all(ends).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_fact_is_booked_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let fact = || JournalEntry {
        dedupe: "one".into(),
        ..entry(vec![(Movement::Post, house(), wallet(1), 100)])
    };
    let results = futures::future::join_all((0..10).map(|_| book(&world, fact()))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Ok(()) | Err(Error::AlreadyBooked))),
        "{results:?}"
    );
    world.audit().await;
}

/// The database refuses what the code would never ask for.
#[sqlx::test(migrations = "../../migrations")]
async fn postings_cannot_be_changed_and_floors_not_broken(pool: PgPool) {
    let world = World::new(&pool).await;
    book(
        &world,
        entry(vec![(Movement::Post, house(), wallet(1), 100)]),
    )
    .await
    .unwrap();
    for statement in [
        "UPDATE postings SET amount = 1",
        "DELETE FROM postings",
        "TRUNCATE postings",
        "UPDATE journal_entries SET kind = 'x'",
        "DELETE FROM accounts",
        "UPDATE accounts SET posted = posted - 1000 WHERE kind = 'wallet' AND merchant_id = 1",
    ] {
        assert!(
            sqlx::query(statement).execute(&pool).await.is_err(),
            "{statement}"
        );
    }
    world.audit().await;
}

/// Should the lock ever be missing, the compare-and-set on the version notices the stale read.
#[sqlx::test(migrations = "../../migrations")]
async fn a_version_that_moved_under_a_unit_rolls_it_back(pool: PgPool) {
    let world = World::new(&pool).await;
    book(
        &world,
        entry(vec![(Movement::Post, house(), wallet(1), 100)]),
    )
    .await
    .unwrap();
    let id = world.gateway.book().account_id(wallet(1)).await.unwrap();
    let spend = entry(vec![(Movement::Post, wallet(1), house(), 60)]);
    let spent = world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.lock_accounts(&[wallet(1), house()]).await?;
                unit.try_post(&spend)?;
                // Stands for a writer that got past the lock: the row moves between read and write.
                sqlx::query("UPDATE accounts SET version = version + 1 WHERE id = $1")
                    .bind(id.0)
                    .execute(unit.conn())
                    .await?;
                Ok(())
            })
        })
        .await;
    assert!(matches!(spent, Err(Error::Internal(_))), "{spent:?}");
    assert_eq!(
        figures(&pool, id).await,
        ("100".into(), "0".into(), 1),
        "nothing of it was booked"
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn accounts_are_never_locked_out_of_order(pool: PgPool) {
    let world = World::new(&pool).await;
    let first = world.gateway.book().account_id(wallet(1)).await.unwrap();
    let second = world.gateway.book().account_id(wallet(2)).await.unwrap();
    assert!(first < second);
    let backwards = world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.lock_accounts(&[wallet(2)]).await?;
                unit.lock_accounts(&[wallet(1), wallet(2)]).await
            })
        })
        .await;
    assert!(
        matches!(backwards, Err(Error::Internal(_))),
        "{backwards:?}"
    );
    let forwards = world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.lock_accounts(&[wallet(1)]).await?;
                unit.lock_accounts(&[wallet(1), wallet(2)]).await
            })
        })
        .await;
    assert!(forwards.is_ok(), "{forwards:?}");
}

/// What the rule refuses changes nothing, and what follows is judged on what is left.
#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_entry_does_not_end_its_unit(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.gateway.book().account_id(wallet(1)).await.unwrap();
    let fund = entry(vec![(Movement::Post, house(), wallet(1), 100)]);
    let again = fund.clone();
    let spend = |amount| entry(vec![(Movement::Post, wallet(1), house(), amount)]);
    let spends = [spend(60), spend(60), spend(40)];
    let found = world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.lock_accounts(&[wallet(1), house()]).await?;
                unit.try_post(&fund)?;
                let again = unit.try_post(&again);
                let spends = spends.map(|spend| unit.try_post(&spend));
                Ok((again, spends))
            })
        })
        .await;
    let (again, spends) = found.unwrap();
    assert!(matches!(again, Err(Error::AlreadyBooked)), "{again:?}");
    assert!(
        matches!(
            spends,
            [
                Ok(()),
                Err(Error::Ledger(LedgerError::InsufficientFunds {
                    short: 20,
                    ..
                })),
                Ok(())
            ]
        ),
        "{spends:?}"
    );
    assert_eq!(figures(&pool, id).await, ("0".into(), "0".into(), 3));
    world.audit().await;
}
