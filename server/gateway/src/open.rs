use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};
use tokio::sync::broadcast;

use crate::auth::KnownKeys;
use crate::chain::Chains;
use crate::chain::address::COINS;
use crate::clock::Clock;
use crate::currencies::Currencies;
use crate::ledger::Book;
use crate::outbox::{AddressGuard, AttemptTally, Fanout, Render, Sender};
use crate::roster::Roster;
use crate::settings::Settings;
use crate::{Behalf, Error, Gateway, Inner, Instance, Result};

/// Connections apart from the main pool that make missing accounts.
const MAKERS_OF_ACCOUNTS: u32 = 2;

/// Connections of simulated chains, for all of them together: their own, as a node's are, for who sends on one
/// holds a connection of the main pool meanwhile. Whoever has one waits for nobody but those who change the same
/// chain, and whoever wants one for those who have them.
const OF_SIMULATED_CHAINS: u32 = 4;

/// How long anybody waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that was not used for this long is tried before it is used: a round trip each time
/// would cost more than it tells of one that answered a moment ago.
const TRIED_AFTER: Duration = Duration::from_millis(100);

/// Statements that each connection keeps prepared. There are some hundred; those of a batch must not
/// drop out.
const STATEMENTS_KEPT: usize = 512;

/// The parameter of a database's address that says otherwise.
const STATEMENTS_SETTING: &str = "statement-cache-capacity=";

/// How many changed charges a slow live page may be behind before it reads afresh.
const CHANGED_BACKLOG: usize = 1_024;

/// The schema of this version.
static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// What opening an instance takes.
pub struct Options {
    pub database_url: String,
    pub settings: Settings,
    pub renderer: Arc<dyn Render>,
}

/// Connections apart from the main pool: those that make missing accounts, and one per coin, whose chain's
/// follower holds its lock with it. A follower waits for the main pool while it holds its one; a unit of
/// work waits for the others only, which wait for nothing: no circle, however small the pools.
fn side_connections(coins: usize) -> Result<u32> {
    Ok(MAKERS_OF_ACCOUNTS.saturating_add(u32::try_from(coins)?))
}

/// Brings the schema up to date.
pub async fn migrate(database_url: &str) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(database_url)
        .await?;
    MIGRATOR.run(&pool).await.map_err(Error::internal)?;
    pool.close().await;
    Ok(())
}

/// Whether the schema has everything this version needs. What a newer version added beside it is
/// none of this one's business.
///
/// # Errors
/// The database's.
pub async fn schema_is_current(pool: &PgPool) -> Result<bool> {
    let applied = crate::instance::store::applied_migrations(pool).await?;
    Ok(MIGRATOR
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .all(|migration| applied.contains(&migration.version)))
}

impl Gateway {
    /// Opens a database whose schema is up to date; makes the instance row at first start.
    pub async fn open(options: Options) -> Result<Self> {
        let connect = PgConnectOptions::from_str(&options.database_url)?;
        // Whoever sits behind a pooler switches them off in the address.
        let connect = if options.database_url.contains(STATEMENTS_SETTING) {
            connect
        } else {
            connect.statement_cache_capacity(STATEMENTS_KEPT)
        };
        let pool = PgPoolOptions::new()
            .max_connections(options.settings.database_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(crate::instance::store::end_when_idle(connection))
            })
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for >= TRIED_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect)
            .await?;
        Self::open_with_pool(pool, options.settings, options.renderer).await
    }

    /// The same on a pool that exists.
    pub async fn open_with_pool(
        pool: PgPool,
        settings: Settings,
        renderer: Arc<dyn Render>,
    ) -> Result<Self> {
        let side_pool = PgPoolOptions::new()
            .max_connections(side_connections(COINS.len())?)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        // Connected and tried as those of the main pool are.
        let of_simulated = pool
            .options()
            .clone()
            .max_connections(OF_SIMULATED_CHAINS)
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        let clock = Clock::default();
        let instance = Instance::open(&pool, settings.test_mode).await?;
        clock.refresh(&pool).await?;
        let currencies = Currencies::load(&pool).await?;
        let chains = Chains::open(
            &pool,
            &of_simulated,
            &instance,
            &currencies,
            &settings.chains,
            settings.test_mode,
        )
        .await?;
        let book = Book::new(
            pool.clone(),
            side_pool.clone(),
            clock.clone(),
            Fanout::new(renderer.clone()),
        );
        let own_book = book.of_the_instance();
        let guard = Arc::new(AddressGuard::new(
            settings.webhook_allow_private,
            Vec::new(),
        ));
        let sender = Sender::with_timeouts(guard.clone(), settings.webhook_timeouts)
            .map_err(Error::internal)?;
        let (changed, _) = broadcast::channel(CHANGED_BACKLOG);
        let inner = Inner {
            pool,
            side_pool,
            of_simulated,
            clock,
            currencies,
            instance,
            settings,
            book,
            own_book,
            known_keys: KnownKeys::default(),
            seen_wallets: Arc::default(),
            static_key: OnceLock::new(),
            new_charges: OnceLock::new(),
            chains,
            renderer,
            sender,
            guard,
            changed,
            attempts: AttemptTally::default(),
            roster: Roster::default(),
        };
        Ok(Self(Arc::new(inner), Behalf::Caller))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn another_coin_is_another_connection() {
        let of = |coins| side_connections(coins).unwrap();
        assert_eq!(of(COINS.len() + 1), of(COINS.len()) + 1);
    }
}
