//! A database for one run, thrown away after it: a script that is shrunk is run many times.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

static MADE: AtomicU32 = AtomicU32::new(0);

pub struct Database {
    pub pool: PgPool,
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
        let pool = PgPoolOptions::new()
            .max_connections(12)
            .connect_with(server.clone().database(&name))
            .await
            .unwrap();
        sqlx::migrate!("../../migrations").run(&pool).await.unwrap();
        Self { pool, server, name }
    }

    /// How the server is reached, and what the database is called there.
    pub fn place(&self) -> (&PgConnectOptions, &str) {
        (&self.server, &self.name)
    }

    pub async fn remove(self) {
        self.pool.close().await;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        execute(&self.server, statement).await;
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection = PgConnection::connect_with(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
