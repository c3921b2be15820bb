//! The real server with its workers, in this process, beside what is measured of it.

use std::future::Future;
use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use gateway::Gateway;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Plan, Site};
use crate::config::Config;
use crate::database::Database;
use crate::serve::{Listeners, answer};
use crate::shutdown::Shutdown;

/// Serves on a free port of the loopback interface while `work` measures, and stops in order, whatever
/// came of it.
///
/// # Errors
/// What `work` fails with; the server broke off, or the bench was interrupted.
pub(super) async fn during<T>(
    database_url: &str,
    config: &Config,
    plan: Plan,
    shutdown: Shutdown,
    work: impl AsyncFnOnce(&Site, &Gateway) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let database = Database::Named(database_url.to_owned());
    let gateway = database.open(config, config.public_url_at(address)).await?;
    let site = Site {
        address,
        demo: gateway.demo().await?,
        plan,
        stop: shutdown.clone(),
    };
    let (stop, stopping) = watch::channel(false);
    let server = tokio::spawn(answer(
        Listeners {
            public: listener,
            metrics: None,
        },
        config.clone(),
        gateway.clone(),
        Shutdown::following(stopping),
    ));
    let measured = unless_interrupted(&shutdown, work(&site, &gateway)).await;
    // A server that ended by itself does not listen any more.
    let _ = stop.send(true);
    let served = server.await.context("the server under test broke off");
    let told = measured?;
    served??;
    Ok(told)
}

/// What `work` comes to, unless the bench is interrupted before.
///
/// # Errors
/// What `work` fails with, or that it was interrupted.
pub(super) async fn unless_interrupted<T>(
    shutdown: &Shutdown,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut shutdown = shutdown.clone();
    tokio::select! {
        done = work => done,
        () = shutdown.requested() => bail!("interrupted"),
    }
}
