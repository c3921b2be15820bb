//! The same of withdrawals, which share transactions with whatever else waits: one to a stranger is held in a
//! group, one to an address of this instance is a decision, held and settled at once.
//!
//! They wait for their merchant before they read any account, so who was first at the account's lock does not show
//! here.

use domain::ledger::{AccountKey, AccountKind};
use gateway::Error;
use gateway::withdrawals::NewWithdrawal;
use sqlx::PgPool;

use super::stand_in::Without;
use super::support::World;
use super::support::operations::STRANGER;
use super::{Barrier, left_by_lines, stand_in};

/// Of the bitcoin that the merchant has: once before anything is weakened, then all that is left.
const BEFORE: &str = "0.2";
const ALL: &str = "0.8";

#[derive(Debug, Clone, Copy)]
enum Receiver {
    Stranger,
    Neighbour,
}

impl Receiver {
    async fn address(self, world: &World, pool: &PgPool) -> String {
        match self {
            Self::Stranger => STRANGER.to_owned(),
            Self::Neighbour => {
                let other: i64 = sqlx::query_scalar(
                    "SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'",
                )
                .fetch_one(pool)
                .await
                .unwrap();
                world.address_of(other, "BTC", None, "till").await
            }
        }
    }

    /// Who commits it.
    fn committer(self) -> &'static str {
        match self {
            Self::Stranger => "grouped",
            Self::Neighbour => "decisions",
        }
    }

    /// How many of them were committed.
    fn committed(self, world: &World) -> u64 {
        let all = world.gateway.committers();
        all.into_iter()
            .find(|(name, _)| *name == self.committer())
            .map_or(0, |(_, stats)| stats.items)
    }
}

async fn withdraw(world: &World, address: &str, amount: &str) -> Result<(), Error> {
    let new = NewWithdrawal {
        address: address.to_owned(),
        foreign_id: None,
        ..world.withdrawal(amount, "BTC", "")
    };
    world.withdraw(new).await.map(drop)
}

/// The second of two that take all there is is refused, by this barrier.
async fn the_second_is_stopped(pool: PgPool, to: Receiver, without: Without, by: Barrier) {
    let world = World::new(&pool).await;
    let address = to.address(&world, &pool).await;
    // All accounts are known from now on: nothing looks for them through the view.
    withdraw(&world, &address, BEFORE).await.unwrap();
    let wallet = AccountKey {
        merchant: world.merchant,
        currency: world.currency("BTC").id,
        kind: AccountKind::Wallet,
        user_id: 0,
    };
    let id = world.gateway.book().account_id(wallet).await.unwrap();
    without.put_up(&pool).await;
    let before = to.committed(&world);
    withdraw(&world, &address, ALL).await.unwrap();
    assert_eq!(to.committed(&world), before + 1, "{to:?}");
    let second = withdraw(&world, &address, ALL).await;
    assert!(by.refused(&second), "{to:?}: {second:?}");
    stand_in::take_down(&pool).await;
    assert_eq!(left_by_lines(&pool, id).await, 0, "{to:?}");
    world.audit().await;
}

/// Two that both read the full balance, with the lines that stop the second one.
const ON_THE_SAME_READING: Without = Without {
    rule: false,
    lock: true,
    line: false,
    compare: false,
    check: false,
};

/// The same with the compare alone.
const WITHOUT_LINES: Without = Without {
    line: true,
    check: true,
    ..ON_THE_SAME_READING
};

/// Two that a rule without floors lets through.
const WITHOUT_FLOORS: Without = Without {
    rule: true,
    lock: false,
    ..ON_THE_SAME_READING
};

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_lock_the_line_stops_one_to_a_stranger(pool: PgPool) {
    let to = Receiver::Stranger;
    the_second_is_stopped(pool, to, ON_THE_SAME_READING, Barrier::Line).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_lock_the_line_stops_one_to_a_neighbour(pool: PgPool) {
    let to = Receiver::Neighbour;
    the_second_is_stopped(pool, to, ON_THE_SAME_READING, Barrier::Line).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_and_line_the_compare_stops_one_to_a_stranger(pool: PgPool) {
    let to = Receiver::Stranger;
    the_second_is_stopped(pool, to, WITHOUT_LINES, Barrier::Compare).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_lock_and_line_the_compare_stops_one_to_a_neighbour(pool: PgPool) {
    let to = Receiver::Neighbour;
    the_second_is_stopped(pool, to, WITHOUT_LINES, Barrier::Compare).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_rule_the_check_stops_one_to_a_stranger(pool: PgPool) {
    let to = Receiver::Stranger;
    the_second_is_stopped(pool, to, WITHOUT_FLOORS, Barrier::Check).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_the_rule_the_check_stops_one_to_a_neighbour(pool: PgPool) {
    let to = Receiver::Neighbour;
    the_second_is_stopped(pool, to, WITHOUT_FLOORS, Barrier::Check).await;
}
