//! The server: from a free port to an orderly end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use gateway::Gateway;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::commands::{close, demo_text, print};
use crate::config::Config;
use crate::database::Database;
use crate::http::listening::{self, Limits};
use crate::metrics;
use crate::router::router;
use crate::shutdown::Shutdown;
use crate::state::{AppState, Edge};

/// Requests get this long to finish what they have begun.
const GRACE: Duration = Duration::from_secs(7);

/// What was decided at their end is written to whoever asked in this time.
const GRACE_OF_ANSWERS: Duration = Duration::from_secs(2);

/// Workers, who were told at the same time, get this much longer.
const GRACE_OF_WORKERS: Duration = Duration::from_secs(2);

/// Characters from which on a static key cannot be guessed.
const STATIC_KEY_CHARS: usize = 32;

/// Serves until the process is asked to stop.
///
/// The port is taken first: a second server on the same port ends before it touches the database.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signal();
    let listener = listen(config.listen, "EXCHEQUER_LISTEN").await?;
    let for_metrics = match config.metrics_listen {
        Some(address) => Some(listen(address, "EXCHEQUER_METRICS_LISTEN").await?),
        None => None,
    };
    let public_url = config.public_url_at(listener.local_addr()?);
    let listeners = Listeners {
        public: listener,
        metrics: for_metrics,
    };
    let database = Database::start(&config.database).await?;
    let served = serve_on(listeners, &config, public_url, &database, shutdown).await;
    let stopped = database.stop().await;
    served.and(stopped)
}

/// The ports of a server.
pub(crate) struct Listeners {
    pub(crate) public: TcpListener,
    /// For the operator's monitoring; everybody who reaches it is answered.
    pub(crate) metrics: Option<TcpListener>,
}

async fn serve_on(
    listeners: Listeners,
    config: &Config,
    public_url: String,
    database: &Database,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let gateway = database.open(config, public_url.clone()).await?;
    gateway
        .note_public_url()
        .await
        .context("the database cannot be written to")?;
    let welcome = welcome(&gateway, &public_url).await?;
    if let Err(error) = print(&welcome) {
        // Whoever started us does not listen; customers may.
        tracing::warn!(%error, "standard output cannot be written to");
    }
    warn_of_weak_key(config);
    warn_of_open_metrics(config);
    answer(listeners, config.clone(), gateway, shutdown).await
}

/// Answers requests and works on what is due until the process is asked to stop, then gives the
/// connections to the database back.
pub(crate) async fn answer(
    listeners: Listeners,
    config: Config,
    gateway: Gateway,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let workers = gateway.spawn_workers(shutdown.receiver());
    let edge = Edge {
        sandbox_public: config.sandbox_public,
        trusted_proxies: config.trusted_proxies,
    };
    let state = AppState::new(gateway.clone(), edge);
    let metrics = listeners
        .metrics
        .map(|listener| tokio::spawn(metrics::serve(listener, state.clone(), shutdown.clone())));
    let app = router(state, &config.site_root, shutdown.clone());
    let (mut asked, drain) = (shutdown.clone(), config.drain);
    let stop = async move {
        asked.requested().await;
        // Whoever sends requests here sees at `/health/ready` that they should go elsewhere.
        sleep(drain).await;
    };
    let mut server = pin!(listening::serve(
        listeners.public,
        app,
        Limits::for_strangers(),
        stop
    ));
    let mut in_time = tokio::select! {
        () = &mut server => true,
        () = out_of_grace(shutdown, drain) => false,
    };
    if !in_time {
        // Whoever waits to be committed is committed or refused now, and has to hear of it.
        gateway.end_committers().await;
        in_time = timeout(GRACE_OF_ANSWERS, server).await.is_ok();
    }
    if !in_time {
        tracing::warn!("some requests did not end in time");
    }
    finish(workers.into_iter().chain(metrics).collect()).await;
    close(&gateway).await;
    tracing::info!("stopped");
    Ok(())
}

/// Metrics name nobody, but tell how busy and how well a server is.
fn warn_of_open_metrics(config: &Config) {
    if let Some(address) = config.metrics_listen.filter(|it| !it.ip().is_loopback()) {
        tracing::warn!(
            %address,
            "metrics are answered to everybody who reaches this address: EXCHEQUER_METRICS_LISTEN \
             should be one of this machine or of a network of your own"
        );
    }
}

/// The static key opens every merchant's wallets, so a guess must be hopeless.
fn warn_of_weak_key(config: &Config) {
    let weak = |key: &String| key.len() < STATIC_KEY_CHARS;
    if config.static_key.as_ref().is_some_and(weak) {
        tracing::warn!(
            "EXCHEQUER_STATIC_KEY is short: use at least {STATIC_KEY_CHARS} random characters"
        );
    }
}

async fn out_of_grace(mut shutdown: Shutdown, drain: Duration) {
    shutdown.requested().await;
    sleep(drain + GRACE).await;
}

/// What is printed once the server answers: where it is and, in test mode, how to get in.
async fn welcome(gateway: &Gateway, public_url: &str) -> anyhow::Result<String> {
    if !gateway.settings().test_mode {
        return Ok(public_url.to_owned());
    }
    let set = gateway
        .demo()
        .await
        .context("the demo accounts cannot be made")?;
    let set = serde_json::to_value(set)?;
    Ok(format!("{public_url}\n{}", demo_text(&set)))
}

/// Workers end by themselves once the shutdown is requested; one that does not is left behind.
async fn finish(workers: Vec<JoinHandle<()>>) {
    let all = futures::future::join_all(workers);
    if timeout(GRACE_OF_WORKERS, all).await.is_err() {
        tracing::warn!("some workers did not end in time");
    }
}

async fn listen(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                "another program is using this port: stop it, or choose another with"
            }
            ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege: choose a higher one with"
            }
            ErrorKind::AddrNotAvailable => {
                "this machine does not have this address: choose another with"
            }
            _ => "choose another with",
        };
        anyhow::anyhow!("cannot listen on {address}: {advice} {setting} ({error})")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_told_with_what_to_do() {
        let any = "127.0.0.1:0".parse().unwrap();
        let first = listen(any, "EXCHEQUER_LISTEN").await.unwrap();
        let address = first.local_addr().unwrap();
        let again = listen(address, "EXCHEQUER_LISTEN").await;
        let message = again.unwrap_err().to_string();
        assert!(message.contains(&address.to_string()), "{message}");
        assert!(message.contains("EXCHEQUER_LISTEN"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
