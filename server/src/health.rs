//! Whether the process lives, whether it can do its work, and how it follows its chains.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};
use domain::view::chains::ChainState;
use domain::view::system::{WorkerFigures, WorkerState};
use gateway::Gateway;
use gateway::chain::ChainStatus;
use serde_json::{Value, json};

use crate::http::client::is_local;
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// How long the database may take to answer before it counts as away.
const DATABASE_LIMIT: Duration = Duration::from_secs(2);

/// `shutdown` makes the process unready before it stops to answer.
pub fn router(shutdown: Shutdown) -> Router<AppState> {
    Router::new()
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .layer(Extension(shutdown))
}

/// Answers as long as the process does.
async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Why no requests should be sent here. The word, and the names of workers, are all that leaves the machine;
/// the log has the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unready {
    ShuttingDown,
    Database,
    /// The schema lacks something this version needs.
    Migrations,
    /// These have ended although nobody asked them to, or are stuck.
    Workers(Vec<String>),
}

impl Unready {
    fn word(&self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting_down",
            Self::Database => "database",
            Self::Migrations => "migrations",
            Self::Workers(_) => "workers",
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({ "status": "unavailable", "reason": self.word() });
        if let Self::Workers(names) = self {
            body["workers"] = json!(names);
        }
        body
    }
}

/// Answers 503, with one word for the reason and the names of workers that are missed, when requests are better
/// sent elsewhere.
///
/// A chain that cannot be followed changes nothing here: everything else goes on being served.
async fn ready(
    State(state): State<AppState>,
    Extension(shutdown): Extension<Shutdown>,
) -> (StatusCode, Json<Value>) {
    // Asked first: a process that stops closes its connections, and is not broken.
    let asked = if shutdown.is_requested() {
        Err(Unready::ShuttingDown)
    } else {
        can_work(&state.gateway).await
    };
    match asked {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(why.body())),
    }
}

async fn can_work(gateway: &Gateway) -> Result<(), Unready> {
    let asking = async {
        gateway.clock().refresh(gateway.pool()).await?;
        gateway::schema_is_current(gateway.pool()).await
    };
    match tokio::time::timeout(DATABASE_LIMIT, asking).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => {
            tracing::warn!("the schema of the database is older than this version");
            return Err(Unready::Migrations);
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer");
            return Err(Unready::Database);
        }
        Err(_) => {
            tracing::warn!("the database does not answer in time");
            return Err(Unready::Database);
        }
    }
    let missed = missed(gateway.workers());
    if missed.is_empty() {
        Ok(())
    } else {
        Err(Unready::Workers(missed))
    }
}

/// Names of those that do not get on.
fn missed(workers: Vec<WorkerFigures>) -> Vec<String> {
    workers
        .into_iter()
        .filter(|worker| worker.state != WorkerState::Running)
        .map(|worker| {
            let state = worker.state.word();
            tracing::warn!(
                worker = worker.name,
                state,
                "a worker of this process is missed"
            );
            worker.name
        })
        .collect()
}

/// How every chain is followed: 200 with `ok`, or with `degraded` while one is not. What a node said
/// is told to this machine alone.
async fn health(State(state): State<AppState>, request: Request) -> (StatusCode, Json<Value>) {
    let with_errors = is_local(request.extensions(), request.headers());
    match state.gateway.chain_statuses().await {
        Ok(statuses) => (StatusCode::OK, Json(body(&statuses, with_errors))),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &gateway::Error) -> (StatusCode, Json<Value>) {
    tracing::warn!(%error, "the database does not answer");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Json(json!({ "status": "unavailable" })),
    )
}

fn body(statuses: &[ChainStatus], with_errors: bool) -> Value {
    let is_fine = statuses
        .iter()
        .all(|status| status.state != ChainState::Stopped);
    let chains: Vec<Value> = statuses
        .iter()
        .map(|status| chain(status, with_errors))
        .collect();
    json!({ "status": if is_fine { "ok" } else { "degraded" }, "chains": chains })
}

fn chain(status: &ChainStatus, with_errors: bool) -> Value {
    let following = &status.following;
    let trouble = following.trouble.as_ref();
    let mut chain = json!({
        "chain": status.code,
        "node": status.kind,
        "network": status.network,
        "state": status.state.words(),
        "height": following.height,
        "node_height": following.node_height,
        "lag": following.lag(),
        "announcements_heard": status.is_heard,
        "at_tip": following.at_tip.map(seconds),
        "failing_since": trouble.map(|trouble| seconds(trouble.since)),
    });
    if with_errors {
        chain["error"] = json!(trouble.map(|trouble| &trouble.error));
        chain["warning"] = json!(following.warning);
    }
    chain
}

/// Seconds since 1970, which programs that watch compare with their own clock.
fn seconds(at: time::OffsetDateTime) -> i64 {
    at.unix_timestamp()
}

#[cfg(test)]
mod tests {
    use gateway::chain::{Following, Trouble};
    use time::OffsetDateTime;

    use super::*;

    fn status(trouble: Option<Trouble>) -> ChainStatus {
        ChainStatus {
            code: "BTC",
            kind: "bitcoin-core",
            network: "regtest".to_owned(),
            state: match trouble {
                Some(_) => ChainState::Stopped,
                None => ChainState::AtTip,
            },
            following: Following {
                height: Some(7),
                node_height: Some(9),
                trouble,
                ..Following::default()
            },
            is_heard: Some(true),
        }
    }

    #[test]
    fn who_ended_or_is_stuck_is_named() {
        let workers = [
            ("deliveries", WorkerState::Running),
            ("expiry", WorkerState::Stuck),
            ("withdrawals", WorkerState::Ended),
        ]
        .map(|(name, state)| WorkerFigures {
            name: name.to_owned(),
            state,
        });
        let told = Unready::Workers(missed(workers.to_vec())).body();
        assert_eq!(
            told,
            json!({
                "status": "unavailable", "reason": "workers", "workers": ["expiry", "withdrawals"],
            })
        );
    }

    #[test]
    fn a_chain_that_fails_degrades_and_its_reason_stays_here() {
        let trouble = Trouble {
            error: "127.0.0.1:18443 refuses".to_owned(),
            since: OffsetDateTime::UNIX_EPOCH,
            failures: 3,
        };
        let statuses = [status(None), status(Some(trouble))];
        let told = body(&statuses, false);
        assert_eq!(told["status"], "degraded");
        assert_eq!(told["chains"][1]["failing_since"], 0);
        assert_eq!(told["chains"][0]["lag"], 2);
        assert_eq!(told["chains"][0]["announcements_heard"], true);
        assert!(!told.to_string().contains("18443"), "{told}");
        let here = body(&statuses, true);
        assert_eq!(here["chains"][1]["error"], "127.0.0.1:18443 refuses");
        assert_eq!(body(&statuses[..1], true)["status"], "ok");
    }
}
