//! Metrics for Prometheus, on a listener of their own (`EXCHEQUER_METRICS_LISTEN`): the router that
//! answers strangers does not have them.

mod exposition;
mod page;
pub mod requests;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use self::exposition::CONTENT_TYPE;
use crate::http::listening::{self, Limits};
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// Requests under way get this long when the process stops.
const GRACE: Duration = Duration::from_secs(1);

/// Connections at the same time, a collector's and some people's: they take no files from customers.
const CONNECTIONS_MAX: u16 = 32;

/// The one page.
pub fn router(state: AppState) -> Router {
    Router::new().route("/metrics", get(show)).with_state(state)
}

/// Serves the page until the process is asked to stop.
pub(crate) async fn serve(listener: TcpListener, state: AppState, shutdown: Shutdown) {
    let (mut asked, mut over) = (shutdown.clone(), shutdown);
    let limits = Limits::usual(CONNECTIONS_MAX);
    let stop = async move { asked.requested().await };
    let serving = listening::serve(listener, router(state), limits, stop);
    let out_of_grace = async move {
        over.requested().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = serving => {}
        () = out_of_grace => {}
    }
}

async fn show(State(state): State<AppState>) -> Response {
    let gateway = &state.gateway;
    let process = gateway.process_figures();
    let system = gateway
        .system_figures()
        .await
        .inspect_err(|error| tracing::warn!(%error, "the figures of the system cannot be read"))
        .ok();
    let text = page::text(state.started_at, &state.requests, &process, system.as_ref());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}
