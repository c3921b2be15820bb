use std::collections::{BTreeMap, HashMap};

use domain::ledger::{AccountId, AccountKey, AccountKind, AccountState, JournalEntry, LedgerError};
use domain::ledger::{Movement, apply};
use futures::future::join_all;
use gateway::Error;
use proptest::collection::vec;
use sqlx::PgPool;
use uuid::Uuid;

use super::support::World;
use super::support::drawn::drawn;
use super::support::entries::resolved;
use super::{CURRENCY, entry, figures, house, wallet};

/// Tasks that hand in entries at the same time, and entries of each.
const TASKS: usize = 16;
const STEPS: usize = 40;

/// One of the things that happen to wallets. Each credits or debits the house, so its lines say in
/// which order everything was committed.
fn step(what: u8, from: i64, to: i64, amount: i128) -> JournalEntry {
    match what {
        0 => entry(&[(Movement::Post, house(), wallet(from), amount)]),
        1 => entry(&[(Movement::Post, wallet(from), house(), amount)]),
        2 => entry(&[
            (Movement::Post, wallet(from), house(), amount),
            (Movement::Post, house(), wallet(to), amount),
        ]),
        _ => entry(&[
            (Movement::Post, house(), wallet(from), 1),
            (Movement::Hold, wallet(from), house(), amount),
        ]),
    }
}

fn steps() -> Vec<Vec<JournalEntry>> {
    let step_of_one = (0u8..4, 1i64..5, 1i64..5, 1i128..2_000);
    drawn(&vec(vec(step_of_one, STEPS), TASKS))
        .into_iter()
        .map(|task| {
            task.into_iter()
                .map(|(what, from, to, amount)| step(what, from, to, amount))
                .collect()
        })
        .collect()
}

/// Whatever the order in which the committer took them: applied in that order, the accepted entries
/// give what the database shows.
#[sqlx::test(migrations = "../../migrations")]
async fn what_was_accepted_explains_every_account(pool: PgPool) {
    let world = World::new(&pool).await;
    let mut ids: HashMap<AccountKey, AccountId> = HashMap::new();
    for key in [wallet(1), wallet(2), wallet(3), wallet(4), house()] {
        let id = world.gateway.book().account_id(key).await.unwrap();
        ids.insert(key, id);
    }
    let mut model = before(&pool, &ids).await;
    let tasks = steps().into_iter().map(|steps| {
        let committer = world.gateway.postings().clone();
        async move {
            let mut accepted = Vec::new();
            let mut refused = Vec::new();
            // Ten of a task are under way at the same time.
            for some in steps.chunks(10) {
                let answers = join_all(some.iter().map(|entry| committer.submit(entry.clone())));
                for (entry, answer) in some.iter().zip(answers.await) {
                    match answer {
                        Ok(posted) => {
                            assert_eq!(posted.id, entry.id);
                            accepted.push(entry.clone());
                        }
                        Err(error) => refused.push((entry.id, error)),
                    }
                }
            }
            (accepted, refused)
        }
    });
    let mut accepted: HashMap<Uuid, JournalEntry> = HashMap::new();
    let mut refused = 0;
    for (some_accepted, some_refused) in join_all(tasks).await {
        accepted.extend(some_accepted.into_iter().map(|entry| (entry.id, entry)));
        for (id, error) in some_refused {
            refused += 1;
            assert!(
                matches!(error, Error::Ledger(LedgerError::InsufficientFunds { .. })),
                "{error:?}"
            );
            assert_eq!(super::booked(&pool, &[id]).await, [0]);
        }
    }
    assert!(
        accepted.len() > 50 && refused > 50,
        "{} accepted, {refused} refused",
        accepted.len()
    );
    let order = committed_order(&pool, ids[&house()]).await;
    assert_eq!(
        order.len(),
        accepted.len(),
        "acknowledged is durable, and the reverse"
    );
    for id in order {
        let entry = accepted
            .get(&id)
            .expect("only what was acknowledged is durable");
        apply(&mut model, &resolved(entry, |key| ids[&key]))
            .expect("the rule accepts it in this order");
    }
    for state in model.values() {
        let expected = (
            state.posted.to_string(),
            state.held.to_string(),
            state.version,
        );
        assert_eq!(figures(&pool, state.id).await, expected, "{:?}", state.id);
    }
    world.audit().await;
}

/// The accounts as the demo set left them.
async fn before(
    pool: &PgPool,
    ids: &HashMap<AccountKey, AccountId>,
) -> BTreeMap<AccountId, AccountState> {
    let mut model = BTreeMap::new();
    for (key, id) in ids {
        let (posted, held, version) = figures(pool, *id).await;
        let state = AccountState {
            id: *id,
            currency: CURRENCY,
            posted: posted.parse().unwrap(),
            held: held.parse().unwrap(),
            floor: (key.kind == AccountKind::Wallet).then_some(0),
            version,
        };
        model.insert(*id, state);
    }
    model
}

/// Entries of these tests in the order of the lines they left on an account.
async fn committed_order(pool: &PgPool, account: AccountId) -> Vec<Uuid> {
    sqlx::query_scalar(
        "SELECT l.entry_id FROM lines l JOIN journal_entries e ON e.id = l.entry_id
         WHERE l.account_id = $1 AND e.subject = 'test'
         GROUP BY l.entry_id ORDER BY min(l.version)",
    )
    .bind(account.0)
    .fetch_all(pool)
    .await
    .unwrap()
}
