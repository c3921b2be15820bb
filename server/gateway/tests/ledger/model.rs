//! What the database has is what the rule says, after every one of many commands that were drawn.

use std::collections::BTreeMap;

use domain::ledger::{AccountId, AccountKey, AccountKind, AccountState};
use domain::ledger::{Movement, apply};
use gateway::Error;
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed};
use sqlx::PgPool;
use uuid::Uuid;

use super::support::World;
use super::support::drawn::{drawn, drawn_by};
use super::support::entries::resolved;
use super::{book, entry, figures, house, wallet};

/// Who gives, who takes, how much, and what it is.
type Command = (usize, usize, i128, u8);

/// Four hundred entries, each of one to three legs.
fn commands() -> impl Strategy<Value = Vec<Vec<Command>>> {
    vec(vec((0usize..4, 0usize..4, 1i128..2_000, 0u8..5), 1..4), 400)
}

/// Fails when every run has the same commands, whatever `PROPTEST_RNG_SEED` says.
#[test]
fn commands_are_drawn_by_their_seed() {
    let by = |seed| {
        let config = Config {
            rng_seed: RngSeed::Fixed(seed),
            ..Config::default()
        };
        drawn_by(config, &commands())
    };
    assert_eq!(by(7), by(7));
    assert_ne!(by(7), by(8));
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
    let steps = drawn(&commands());
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
        let entry = entry(&legs);
        let by_key = |key: AccountKey| ids[keys.iter().position(|k| *k == key).unwrap()];
        let expected = apply(&mut model, &resolved(&entry, by_key));
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
