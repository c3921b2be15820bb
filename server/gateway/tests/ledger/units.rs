//! Units that lock accounts themselves and book entry by entry.

use domain::ledger::{LedgerError, Movement};
use gateway::Error;
use sqlx::PgPool;

use super::support::World;
use super::{book, entry, figures, house, wallet};

/// Should the lock ever be missing, the compare-and-set on the version notices the stale read.
#[sqlx::test(migrations = "../../migrations")]
async fn a_version_that_moved_under_a_unit_rolls_it_back(pool: PgPool) {
    let world = World::new(&pool).await;
    book(&world, entry(&[(Movement::Post, house(), wallet(1), 100)]))
        .await
        .unwrap();
    let id = world.gateway.book().account_id(wallet(1)).await.unwrap();
    let spend = entry(&[(Movement::Post, wallet(1), house(), 60)]);
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
    let fund = entry(&[(Movement::Post, house(), wallet(1), 100)]);
    let again = fund.clone();
    let spend = |amount| entry(&[(Movement::Post, wallet(1), house(), amount)]);
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
