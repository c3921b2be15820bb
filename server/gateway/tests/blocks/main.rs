//! A block's payments of charges are decided together: in as many statements for a hundred as for one, and
//! with the same outcome as one by one.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
#[allow(dead_code)]
#[path = "../committer/proxy.rs"]
mod proxy;

mod dust;
mod one_by_one;
#[cfg(unix)]
mod statements;
mod together;
mod unwritten;
mod vanished;
mod ways;

use gateway::chain::address::params;
use gateway::chain::follower;
use gateway::chain::simulated::SimChain;
use sqlx::PgPool;
use support::World;

const CODE: &str = "BTC";

/// A gateway in front of a chain that it does not hear of until it follows it.
pub struct Yard {
    pub world: World,
    pub chain: SimChain,
    pub pool: PgPool,
}

/// An order whose coin is picked: where it is paid, and with how many satoshi.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub address: String,
    pub due: u128,
}

impl Yard {
    pub async fn new(pool: &PgPool) -> Self {
        Self::before(pool, World::new(pool).await).await
    }

    /// `pool` leads straight to the database, however the world reaches it.
    pub async fn before(pool: &PgPool, world: World) -> Self {
        let name = format!("simulated chain {CODE}");
        let secret = world.gateway.instance().derive(&name);
        let chain = SimChain::open(pool.clone(), params(CODE).unwrap(), secret)
            .await
            .unwrap();
        Self {
            world,
            chain,
            pool: pool.clone(),
        }
    }

    /// Reads what the chain has done.
    pub async fn follow(&self) {
        let coin = self.world.currency(CODE);
        let progress = follower::sync(&self.world.gateway, coin).await.unwrap();
        assert!(progress.tip.is_some());
    }

    /// One block of all that waits.
    pub async fn mine(&self) {
        self.chain.mine(1).await.unwrap();
        self.follow().await;
    }

    pub async fn order(&self, euros: &str) -> Order {
        let id = self.world.picked(euros, "EUR", CODE).await;
        let payment = self.world.view(&id).await.payment.unwrap();
        Order {
            id,
            address: payment.address,
            due: u128::try_from(payment.due.units()).unwrap(),
        }
    }

    /// Nobody of ours has seen it yet.
    pub async fn pay(&self, order: &Order, raw: u128) -> String {
        self.chain.pay(&order.address, raw).await.unwrap()
    }

    pub async fn states(&self, orders: &[Order]) -> Vec<String> {
        let mut states = Vec::new();
        for order in orders {
            states.push(self.world.state(&order.id).await);
        }
        states
    }
}
