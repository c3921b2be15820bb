//! A database for one run, thrown away after it: a script that is shrunk is run many times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::wire::Wire;

static MADE: AtomicU32 = AtomicU32::new(0);

pub struct Database {
    /// Of the simulator, which is never cut off.
    pub pool: PgPool,
    /// Of the gateway.
    pub through: PgPool,
    pub wire: Arc<Wire>,
    server: PgConnectOptions,
    name: String,
}

impl Database {
    /// Made on the server that `DATABASE_URL` names, with every migration.
    pub async fn new() -> Self {
        let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres for tests");
        let server: PgConnectOptions = url.parse().unwrap();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("exchequer_simulator_{}_{number}", std::process::id());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        let (wire, through) = Wire::start(&server, &name);
        let direct = pool_of(4, server.clone().database(&name)).await;
        sqlx::migrate!("../../migrations")
            .run(&direct)
            .await
            .unwrap();
        Self {
            pool: direct,
            through: pool_of(12, through.database(&name)).await,
            wire: Arc::new(wire),
            server,
            name,
        }
    }

    pub async fn remove(self) {
        self.through.close().await;
        self.pool.close().await;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        execute(&self.server, statement).await;
    }
}

async fn pool_of(connections: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await
        .unwrap()
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection = PgConnection::connect_with(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
