//! A database with a wire to it that can be cut.

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::database::Database;
use crate::wire::Wire;

pub struct Wired {
    database: Database,
    /// Of the simulator, which is never cut off.
    pub pool: PgPool,
    /// Of the gateway.
    pub through: PgPool,
    pub wire: Arc<Wire>,
}

impl Wired {
    pub async fn new() -> Self {
        let database = Database::new().await;
        let (server, name) = database.place();
        let (wire, through) = Wire::start(server, name);
        let through = PgPoolOptions::new()
            .max_connections(12)
            .connect_with(through.database(name))
            .await
            .unwrap();
        Self {
            pool: database.pool.clone(),
            through,
            wire: Arc::new(wire),
            database,
        }
    }

    pub async fn remove(self) {
        self.through.close().await;
        self.database.remove().await;
    }
}
