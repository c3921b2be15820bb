//! The database of a process: one that was named, or a private one that starts on demand.

use std::sync::Arc;

use anyhow::Context;
use gateway::{Gateway, Options};

use crate::config::{Config, DatabaseSetting};
use crate::dialects::WebhookBodies;
use crate::postgres::PrivatePostgres;

/// A database that can be connected to as long as this lives.
pub enum Database {
    /// Somebody else's Postgres.
    Named(String),
    /// Ours; other processes may be using it too.
    Private(PrivatePostgres),
}

impl Database {
    /// Starts the private Postgres unless a database was named. One that is running already, for a
    /// server beside this command, is used as it is.
    pub async fn start(setting: &DatabaseSetting) -> anyhow::Result<Self> {
        match setting {
            DatabaseSetting::Url(url) => Ok(Self::Named(url.clone())),
            DatabaseSetting::Private { data_dir, bin_dir } => {
                let postgres = PrivatePostgres::start(data_dir, bin_dir.as_deref())
                    .await
                    .context("the private database cannot be started")?;
                Ok(Self::Private(postgres))
            }
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Named(url) => url.clone(),
            Self::Private(postgres) => postgres.url(),
        }
    }

    /// Brings the schema up to date and opens the instance in it.
    pub async fn open(&self, config: &Config, public_url: String) -> anyhow::Result<Gateway> {
        let database_url = self.url();
        gateway::migrate(&database_url)
            .await
            .context("the database cannot be brought up to date")?;
        let options = Options {
            database_url,
            settings: config.gateway_settings(public_url),
            renderer: Arc::new(WebhookBodies),
        };
        Gateway::open(options)
            .await
            .context("the instance cannot be opened")
    }

    /// Stops the private Postgres when nobody else uses it.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Named(_) => Ok(()),
            Self::Private(postgres) => postgres
                .stop()
                .await
                .context("the private database did not stop"),
        }
    }
}
