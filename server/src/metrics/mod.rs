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
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// Requests under way get this long when the process stops.
const GRACE: Duration = Duration::from_secs(1);

/// The one page.
pub fn router(state: AppState) -> Router {
    Router::new().route("/metrics", get(show)).with_state(state)
}

/// Serves the page until the process is asked to stop.
pub(crate) async fn serve(listener: TcpListener, state: AppState, shutdown: Shutdown) {
    let (mut asked, mut over) = (shutdown.clone(), shutdown);
    let serving = axum::serve(listener, router(state))
        .with_graceful_shutdown(async move { asked.requested().await });
    let out_of_grace = async move {
        over.requested().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "metrics are not served any more");
            }
        }
        () = out_of_grace => {}
    }
}

async fn show(State(state): State<AppState>) -> Response {
    let gateway = &state.gateway;
    let pool = gateway.pool_figures();
    let system = gateway
        .system_figures()
        .await
        .inspect_err(|error| tracing::warn!(%error, "the figures of the system cannot be read"))
        .ok();
    let text = page::text(state.started_at, &state.requests, pool, system.as_ref());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}
