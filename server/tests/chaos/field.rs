//! One database, several servers on it, a shop, and who hears of what happens there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::cluster::Cluster;
use crate::crowd::{CLIENTS, Crowd, Mix, try_until_it_works};
use crate::hook::Hook;
use crate::oracle;
use crate::programs::{Server, run};
use crate::report::Outcome;
use crate::shop::{Kind, Shop};
use crate::telling::{self, Told};

/// Path of the receiver at which callbacks and the orders of clients are told.
const CALLBACKS: &str = "hook";

/// Servers on the one database.
pub const SERVERS: usize = 3;

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
    /// Another merchant's program, of which clients know nothing.
    pub neighbour: Shop,
    /// Whoever takes callbacks.
    pub hook: Hook,
    crowds: usize,
}

impl Field {
    pub async fn start() -> Self {
        Self::on(Cluster::start().await).await
    }

    pub async fn on(cluster: Cluster) -> Self {
        let hook = Hook::start().await;
        let set: Value = serde_json::from_str(&run(&cluster.url, &["demo", "--json"])).unwrap();
        let servers: Vec<Server> = (0..SERVERS)
            .map(|_| Server::start(&cluster.url, &[]))
            .collect();
        let bases = Bases::of(servers.iter().map(|server| server.base.clone()).collect());
        let shop = Shop::new(&set, hook.url(CALLBACKS));
        let other = json!({ "merchant": set["merchant2"] });
        let neighbour = Shop::new(&other, hook.url(CALLBACKS));
        shop.fund(&bases.one(0)).await;
        let field = Self {
            cluster,
            servers: servers.into_iter().map(Some).collect(),
            bases,
            shop,
            neighbour,
            hook,
            crowds: 0,
        };
        field.call_back_again().await;
        field
    }

    /// Where callbacks go from now on.
    pub async fn call_back(&self, url: &str) {
        let mut connection = PgConnection::connect(&self.cluster.url).await.unwrap();
        sqlx::query("UPDATE merchants SET callback_url = $1")
            .bind(url)
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// To the one who takes them.
    pub async fn call_back_again(&self) {
        self.call_back(&self.hook.url(CALLBACKS)).await;
    }

    /// Clients of all servers.
    pub fn crowd(&mut self) -> Crowd {
        self.crowd_at(self.bases.clone())
    }

    pub fn crowd_at(&mut self, bases: Bases) -> Crowd {
        self.crowd_of(bases, Mix::Everything, CLIENTS)
    }

    pub fn crowd_of(&mut self, bases: Bases, mix: Mix, clients: usize) -> Crowd {
        Crowd::start(self.shop.clone(), self.tag(), bases, mix, clients)
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

    /// Payments that came are final then. A server that is busy may say to come again.
    pub async fn mine(&self) {
        try_until_it_works(|attempt| async move { self.shop.mine(&self.bases.one(attempt)).await })
            .await;
    }

    /// Everybody leaves, and what they were told is compared with what there is.
    pub async fn end(&self, crowd: Crowd, recovery: Duration) -> Outcome {
        let log = crowd.leave().await;
        self.mine().await;
        let pool = self.cluster.pool().await;
        let (looking, base) = (&pool, self.hook.base());
        // What nobody has sent was not marked too early, either.
        try_until_it_works(|_| async move { telling::is_all_sent(looking, base).await }).await;
        let is_heard = |told: &Told| self.hook.has_heard(&told.webhook, &told.of);
        let (marked, unheard) = telling::marked(&pool, base, is_heard).await;
        assert!(marked > 0, "nobody was ever told of anything");
        let mut faults = oracle::requests(&pool, &log).await;
        faults += unheard;
        faults += oracle::payments(&pool, &log.acks).await;
        faults += oracle::withdrawals(&pool).await;
        faults += oracle::times(&pool).await;
        faults += oracle::deadlocks(&pool, &self.cluster.log()).await;
        // What nobody has sent was not sent twice, either.
        if log.acks.iter().any(|ack| ack.wish.kind == Kind::Withdrawal) {
            try_until_it_works(|_| async move { oracle::is_any_sent(looking).await }).await;
        }
        pool.close().await;
        run(&self.cluster.url, &["audit"]);
        Outcome {
            acked: log.acks.len(),
            paid: log.acks.iter().filter(|ack| ack.txid.is_some()).count(),
            refused: log.refused.len(),
            faults,
            recovery,
            strain: None,
        }
    }

    pub async fn stop(self) {
        drop(self.servers);
        drop(self.hook);
        self.cluster.stop().await;
    }
}
