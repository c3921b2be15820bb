//! What the page of metrics holds. Label values are route templates, codes of chains, and words of
//! fixed lists: none comes from a request or names somebody.

use domain::view::system::{
    AdmissionFigures, AttemptFigures, CommitterFigures, OutboxFigures, PoolFigures, ProcessFigures,
    SystemFigures, WorkerFigures, WorkerState,
};
use time::OffsetDateTime;

use super::exposition::{Exposition, Family, seconds};
use super::requests::Requests;

/// Words of the states a chain can be in.
const CHAIN_STATES: [&str; 4] = ["starting", "catching up", "current", "failed"];

/// Everything this process knows, and what the database says if it answers.
pub(super) fn text(
    started_at: OffsetDateTime,
    requests: &Requests,
    process: &ProcessFigures,
    system: Option<&SystemFigures>,
) -> String {
    let mut page = Exposition::default();
    page.gauge(
        "process_start_time_seconds",
        "When the process began, seconds since 1970.",
    )
    .sample(&[], started_at.unix_timestamp());
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.gauge(
        "exchequer_build_info",
        "Always 1; the label says which version runs.",
    )
    .sample(&version, 1);
    page.gauge(
        "exchequer_database_up",
        "Whether the database answered while these figures were collected.",
    )
    .sample(&[], u8::from(system.is_some()));
    http(&mut page, requests);
    connections(&mut page, process.pool);
    commits(&mut page, process);
    attempts(&mut page, process.attempts);
    workers(&mut page, &process.workers);
    if let Some(system) = system {
        outbox(&mut page, system.outbox);
        withdrawals(&mut page, system);
        chains(&mut page, system);
        audit(&mut page, system);
    }
    page.into_text()
}

fn http(page: &mut Exposition, requests: &Requests) {
    let routes = requests.routes();
    let mut answered = page.counter("exchequer_http_requests_total", "Requests answered.");
    for route in &routes {
        for (method, class, count) in &route.answered {
            let labels = [
                ("route", route.route.as_str()),
                ("method", *method),
                ("status", *class),
            ];
            answered.sample(&labels, count);
        }
    }
    let mut took = page.histogram(
        "exchequer_http_request_duration_seconds",
        "Time until the head of the answer.",
    );
    for route in &routes {
        took.durations(&[("route", route.route.as_str())], &route.durations);
    }
    let mut rejected = page.counter(
        "exchequer_http_rejections_total",
        "Requests turned away, by reason.",
    );
    for (reason, count) in requests.rejected() {
        rejected.sample(&[("reason", reason)], count);
    }
}

fn connections(page: &mut Exposition, pool: PoolFigures) {
    page.gauge(
        "exchequer_database_connections",
        "Connections of this process to the database.",
    )
    .sample(&[("state", "in_use")], pool.in_use)
    .sample(&[("state", "idle")], pool.idle);
    page.gauge(
        "exchequer_database_connections_max",
        "Connections this process may have.",
    )
    .sample(&[], pool.most);
}

fn commits(page: &mut Exposition, process: &ProcessFigures) {
    let commits = &process.commits;
    page.counter(
        "exchequer_units_total",
        "Units of work of this process, by what became of them.",
    )
    .sample(&[("outcome", "committed")], commits.committed)
    .sample(&[("outcome", "refused")], commits.refused)
    .sample(&[("outcome", "overloaded")], commits.overloaded)
    .sample(&[("outcome", "failed")], commits.failed);
    page.histogram(
        "exchequer_commit_duration_seconds",
        "From the begin of a unit to its commit.",
    )
    .durations(&[], &commits.durations);
    committers(page, &process.committers);
    admission(page, &process.admission);
}

/// A committer that was not needed yet has no samples.
fn committers(page: &mut Exposition, running: &[CommitterFigures]) {
    of_each(
        running,
        page.gauge(
            "exchequer_committer_queue_depth",
            "Units that wait to be committed.",
        ),
        |committer| committer.queued,
    );
    of_each(
        running,
        page.gauge(
            "exchequer_committer_batch_size",
            "Units in the newest batch.",
        ),
        |committer| committer.last_batch,
    );
    of_each(
        running,
        page.counter("exchequer_committer_batches_total", "Batches committed."),
        |committer| committer.batches,
    );
    of_each(
        running,
        page.counter(
            "exchequer_committer_batched_units_total",
            "Units in all batches; by the number of batches it is their mean size.",
        ),
        |committer| committer.batched_units,
    );
    of_each(
        running,
        page.counter(
            "exchequer_committer_refused_total",
            "Units that were taken and answered with an error.",
        ),
        |committer| committer.refused,
    );
    let mut took = page.counter(
        "exchequer_committer_commit_seconds_total",
        "Time of all batches from their begin to their commit; by their number it is their mean time.",
    );
    for committer in running {
        let labels = [("committer", committer.name)];
        took.sample(&labels, seconds(committer.commit_micros));
    }
}

fn of_each(
    running: &[CommitterFigures],
    mut family: Family<'_>,
    figure: fn(&CommitterFigures) -> u64,
) {
    for committer in running {
        family.sample(&[("committer", committer.name)], figure(committer));
    }
}

/// Those of the instance itself pass no door, and are not among them.
fn admission(page: &mut Exposition, figures: &AdmissionFigures) {
    page.gauge(
        "exchequer_units_waiting",
        "Units for a transaction of their own that wait for their turn.",
    )
    .sample(&[], figures.waiting);
    page.gauge(
        "exchequer_units_running",
        "Units in a transaction of their own.",
    )
    .sample(&[], figures.running);
    page.gauge(
        "exchequer_units_running_max",
        "Units that may be in a transaction of their own.",
    )
    .sample(&[], figures.most);
    page.counter(
        "exchequer_units_admitted_total",
        "Units that got a transaction of their own.",
    )
    .sample(&[], figures.admitted);
    page.counter(
        "exchequer_units_turned_away_total",
        "Units that were turned away because too many waited; nothing was done.",
    )
    .sample(&[], figures.refused);
}

fn outbox(page: &mut Exposition, figures: OutboxFigures) {
    let OutboxFigures {
        pending,
        retrying,
        oldest_seconds,
        lag_seconds,
        attempts_most,
        given_up_today,
    } = figures;
    page.gauge("exchequer_outbox_pending", "Deliveries that wait.")
        .sample(&[], pending);
    page.gauge(
        "exchequer_outbox_retrying",
        "Deliveries that wait and were tried before.",
    )
    .sample(&[], retrying);
    page.gauge(
        "exchequer_outbox_oldest_age_seconds",
        "Age of the oldest delivery that waits.",
    )
    .sample(&[], oldest_seconds);
    page.gauge(
        "exchequer_outbox_lag_seconds",
        "How long the delivery that is due longest has been due.",
    )
    .sample(&[], lag_seconds);
    page.gauge(
        "exchequer_outbox_attempts_max",
        "Most attempts that a waiting delivery had.",
    )
    .sample(&[], attempts_most);
    page.gauge(
        "exchequer_outbox_given_up_day",
        "Deliveries that were given up within the last 24 hours.",
    )
    .sample(&[], given_up_today);
}

fn attempts(page: &mut Exposition, figures: AttemptFigures) {
    page.counter(
        "exchequer_outbox_attempts_total",
        "Attempts of this process, by outcome.",
    )
    .sample(&[("outcome", "delivered")], figures.delivered)
    .sample(&[("outcome", "failed")], figures.failed)
    .sample(&[("outcome", "given_up")], figures.given_up);
}

fn withdrawals(page: &mut Exposition, system: &SystemFigures) {
    let mut withdrawals = page.gauge(
        "exchequer_withdrawals_waiting",
        "Withdrawals that are not over, by state.",
    );
    for waiting in &system.withdrawals {
        withdrawals.sample(&[("state", waiting.state)], waiting.count);
    }
}

fn workers(page: &mut Exposition, workers: &[WorkerFigures]) {
    let count = |state: WorkerState| {
        workers
            .iter()
            .filter(|worker| worker.state == state)
            .count()
    };
    let missing = count(WorkerState::Ended);
    page.gauge(
        "exchequer_workers",
        "Workers and committers of this process that run.",
    )
    .sample(&[], workers.len().saturating_sub(missing));
    page.gauge(
        "exchequer_workers_missing",
        "Workers and committers of this process that ended although nobody asked them to.",
    )
    .sample(&[], missing);
    page.gauge(
        "exchequer_workers_stuck",
        "Workers that run, but have come to the end of no step for longer than one should take.",
    )
    .sample(&[], count(WorkerState::Stuck));
}

fn chains(page: &mut Exposition, system: &SystemFigures) {
    let mut state = page.gauge(
        "exchequer_follower_state",
        "1 for the state in which the following of a chain is.",
    );
    for follower in &system.followers {
        for word in CHAIN_STATES {
            let labels = [("chain", follower.chain), ("state", word)];
            state.sample(&labels, u8::from(word == follower.state));
        }
    }
    let mut height = page.gauge("exchequer_follower_height", "Our best block.");
    for follower in &system.followers {
        if let Some(best) = follower.height {
            height.sample(&[("chain", follower.chain)], best);
        }
    }
    let mut lag = page.gauge(
        "exchequer_follower_lag_blocks",
        "Blocks the node has and we have not.",
    );
    for follower in &system.followers {
        if let Some(blocks) = follower.lag {
            lag.sample(&[("chain", follower.chain)], blocks);
        }
    }
    let mut at_tip = page.gauge(
        "exchequer_follower_at_tip_timestamp_seconds",
        "When our best block was last the node's, as this process saw it; instance clock.",
    );
    for follower in &system.followers {
        if let Some(at) = follower.at_tip {
            at_tip.sample(&[("chain", follower.chain)], at.unix_timestamp());
        }
    }
    let mut failures = page.gauge(
        "exchequer_follower_failures",
        "Failures in a row of the following of a chain.",
    );
    for follower in &system.followers {
        failures.sample(&[("chain", follower.chain)], follower.failures);
    }
}

/// Without an audit there is nothing to say: a missing metric is what an alarm watches for.
fn audit(page: &mut Exposition, system: &SystemFigures) {
    let Some(last) = &system.audit.last else {
        return;
    };
    page.gauge(
        "exchequer_audit_clean",
        "Whether the last audit of the books found nothing.",
    )
    .sample(&[], u8::from(last.found.is_clean()));
    page.gauge(
        "exchequer_audit_violated_checks",
        "Checks of the last audit that found an exception.",
    )
    .sample(&[], last.found.violated());
    page.gauge(
        "exchequer_audit_timestamp_seconds",
        "When the last audit ended; instance clock.",
    )
    .sample(&[], last.checked_at.unix_timestamp());
    page.gauge(
        "exchequer_audit_age_seconds",
        "How long ago the last audit ended.",
    )
    .sample(&[], (system.now - last.checked_at).whole_seconds().max(0));
    let took = u64::try_from(last.took_ms).unwrap_or(0);
    page.gauge(
        "exchequer_audit_duration_seconds",
        "How long the last audit took.",
    )
    .sample(&[], seconds(took.saturating_mul(1_000)));
}
