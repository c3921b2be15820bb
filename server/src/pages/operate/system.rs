use app::pages::SystemPage;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::view::system::{FigureRow, SystemView};
use gateway::auth::Permission;
use gateway::dashboard::ExportPage;
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::done;
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::notices::{Code, notice};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/operate/system";

/// Column names of an export of the figures.
const COLUMNS: [&str; 3] = ["figure", "of", "value"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SystemQuery {
    notice: String,
}

/// How the server is, with the last audit of the books.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<SystemQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let view = view(&state).await?;
    let frame = visitor.frame(&state.gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <SystemPage frame=frame view=view/> },
    ))
}

/// The same figures as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let name = csv::file_name("system", state.gateway.clock().now());
    let rows: Vec<Vec<String>> = rows(&view(&state).await?)
        .into_iter()
        .map(|row| vec![row.figure.to_owned(), row.of, row.value])
        .collect();
    let read = move |_: Option<i64>| {
        let rows = rows.clone();
        async move { Ok(ExportPage { rows, next: None }) }
    };
    csv::download(&name, &COLUMNS, read).await
}

/// The same figures as JSON.
pub(super) async fn export_json(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let view = view(&state).await?;
    let name = format!("system-{}.json", view.figures.now.date());
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Json(rows(&view))).into_response())
}

/// Audits the books.
pub(super) async fn audit(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    state.gateway.begin_audit(&visitor.actor()).await?;
    Ok(done(PATH, Code::BooksAudited))
}

async fn view(state: &AppState) -> Result<SystemView, Refusal> {
    Ok(SystemView {
        started_at: state.started_at,
        figures: state.gateway.system_figures().await?,
        requests: state.requests.figures(),
    })
}

/// Every figure as a row. Names are those of the metrics, without what they begin with.
fn rows(view: &SystemView) -> Vec<FigureRow> {
    let mut rows = Rows::default();
    let figures = &view.figures;
    rows.add("process_start", "", instant(view.started_at));
    rows.add("read_at", "", instant(figures.now));
    rows.add("http_requests", "", view.requests.answered);
    rows.add("http_failures", "", view.requests.failed);
    for (reason, count) in &view.requests.rejected {
        rows.add("http_rejections", reason, count);
    }
    let commits = &figures.commits;
    for (outcome, count) in [
        ("committed", commits.committed),
        ("refused", commits.refused),
        ("overloaded", commits.overloaded),
        ("failed", commits.failed),
    ] {
        rows.add("units", outcome, count);
    }
    for (share, per_mille) in [("50 %", 500), ("95 %", 950), ("99 %", 990)] {
        if let Some(micros) = commits.durations.within(per_mille) {
            rows.add("commit_within_microseconds", share, micros);
        }
        if let Some(micros) = view.requests.durations.within(per_mille) {
            rows.add("request_within_microseconds", share, micros);
        }
    }
    for committer in &figures.committers {
        for (figure, value) in [
            ("committer_queue_depth", committer.queued),
            ("committer_batches", committer.batches),
            ("committer_batched_units", committer.batched_units),
            ("committer_last_batch", committer.last_batch),
            ("committer_refused", committer.refused),
            ("committer_commit_microseconds", committer.commit_micros),
        ] {
            rows.add(figure, committer.name, value);
        }
    }
    let admission = figures.admission;
    rows.add("units_alone", "waiting", admission.waiting);
    rows.add("units_alone", "running", admission.running);
    rows.add("units_alone", "at most", admission.most);
    rows.add("units_alone", "admitted", admission.admitted);
    rows.add("units_alone", "turned away", admission.refused);
    let pool = figures.pool;
    rows.add("database_connections", "in use", pool.in_use);
    rows.add("database_connections", "idle", pool.idle);
    rows.add("database_connections", "at most", pool.most);
    let outbox = figures.outbox;
    rows.add("outbox_pending", "", outbox.pending);
    rows.add("outbox_retrying", "", outbox.retrying);
    rows.add("outbox_oldest_age_seconds", "", outbox.oldest_seconds);
    rows.add("outbox_lag_seconds", "", outbox.lag_seconds);
    rows.add("outbox_attempts_max", "", outbox.attempts_most);
    rows.add("outbox_given_up_day", "", outbox.given_up_today);
    rows.add("outbox_attempts", "delivered", figures.attempts.delivered);
    rows.add("outbox_attempts", "failed", figures.attempts.failed);
    rows.add("outbox_attempts", "given up", figures.attempts.given_up);
    for waiting in &figures.withdrawals {
        rows.add("withdrawals_waiting", waiting.state, waiting.count);
    }
    for follower in &figures.followers {
        rows.add("follower_state", follower.chain, follower.state);
        if let Some(height) = follower.height {
            rows.add("follower_height", follower.chain, height);
        }
        if let Some(lag) = follower.lag {
            rows.add("follower_lag_blocks", follower.chain, lag);
        }
        if let Some(at) = follower.at_tip {
            rows.add("follower_at_tip", follower.chain, instant(at));
        }
    }
    for worker in &figures.workers {
        rows.add("worker", &worker.name, worker.state.word());
    }
    if let Some(last) = &figures.audit.last {
        rows.add("audit_clean", "", last.found.is_clean());
        rows.add("audit_at", "", instant(last.checked_at));
        rows.add("audit_duration_milliseconds", "", last.took_ms);
        for check in &last.found.checks {
            rows.add("audit_violations", &check.name, check.violations.len());
        }
    }
    rows.0
}

#[derive(Default)]
struct Rows(Vec<FigureRow>);

impl Rows {
    fn add(&mut self, figure: &'static str, of: &str, value: impl std::fmt::Display) {
        self.0.push(FigureRow {
            figure,
            of: of.to_owned(),
            value: value.to_string(),
        });
    }
}

fn instant(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
