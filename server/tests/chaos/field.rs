//! One database, two servers on it, and a shop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::crowd::{Crowd, lost_and_doubled};
use crate::programs::{Server, run};
use crate::report::Outcome;
use crate::shop::Shop;

/// Servers on the one database.
pub const SERVERS: usize = 2;

/// Where clients find a server. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bases(Arc<Mutex<Vec<String>>>);

impl Bases {
    pub fn of(bases: Vec<String>) -> Self {
        Self(Arc::new(Mutex::new(bases)))
    }

    pub fn one(&self, at: usize) -> String {
        let bases = self.0.lock().unwrap();
        bases[at % bases.len()].clone()
    }

    fn set(&self, at: usize, base: String) {
        self.0.lock().unwrap()[at] = base;
    }
}

pub struct Field {
    pub cluster: Cluster,
    /// `None` while it is dead.
    servers: Vec<Option<Server>>,
    pub bases: Bases,
    pub shop: Shop,
    crowds: usize,
}

impl Field {
    pub async fn start() -> Self {
        let cluster = Cluster::start().await;
        let set: Value = serde_json::from_str(&run(&cluster.url, &["demo", "--json"])).unwrap();
        let servers: Vec<Server> = (0..SERVERS)
            .map(|_| Server::start(&cluster.url, &[]))
            .collect();
        let bases = Bases::of(servers.iter().map(|server| server.base.clone()).collect());
        let shop = Shop::new(&set);
        shop.fund(&bases.one(0)).await;
        Self {
            cluster,
            servers: servers.into_iter().map(Some).collect(),
            bases,
            shop,
            crowds: 0,
        }
    }

    /// Clients of both servers.
    pub fn crowd(&mut self) -> Crowd {
        self.crowd_at(self.bases.clone())
    }

    pub fn crowd_at(&mut self, bases: Bases) -> Crowd {
        Crowd::start(self.shop.clone(), self.tag(), bases)
    }

    /// Beginning of keys that nobody else has.
    pub fn tag(&mut self) -> String {
        self.crowds += 1;
        format!("c{}", self.crowds)
    }

    pub fn kill_server(&mut self, at: usize) {
        self.servers[at] = None;
    }

    pub fn start_server(&mut self, at: usize) {
        let server = Server::start(&self.cluster.url, &[]);
        self.bases.set(at, server.base.clone());
        self.servers[at] = Some(server);
    }

    /// Everybody leaves, and what they were told is compared with what there is.
    pub async fn end(&self, crowd: Crowd, recovery: Duration) -> Outcome {
        let acks = crowd.leave().await;
        let pool = self.cluster.pool().await;
        let (lost, doubled) = lost_and_doubled(&pool, &acks).await;
        pool.close().await;
        run(&self.cluster.url, &["audit"]);
        Outcome {
            acked: acks.len(),
            lost,
            doubled,
            recovery,
        }
    }

    pub async fn stop(self) {
        drop(self.servers);
        self.cluster.stop().await;
    }
}
