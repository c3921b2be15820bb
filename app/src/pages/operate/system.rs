use domain::view::dashboard::{Frame, Paging, StatusPill};
use domain::view::system::{
    AdmissionFigures, CommitFigures, CommitterFigures, Durations, FollowerFigures, OutboxFigures,
    RequestFigures, SystemFigures, SystemView, WorkerFigures, WorkerState,
};
use leptos::prelude::*;

use super::books_audit::audit_section;
use super::duration_chart::DurationChart;
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Cell, EmptyState, HeadCell, PageLinks, RowHead, Status, TableFrame, Timestamp};

/// Where the page is; what belongs to it is below.
pub(super) const PATH: &str = "/app/operate/system";

/// How the server is: what it answers, commits, delivers and follows, and the last audit of the books.
#[component]
pub fn SystemPage(frame: Frame, view: SystemView) -> impl IntoView {
    let SystemView {
        started_at,
        figures,
        requests,
    } = view;
    let alarms = alarms(&figures)
        .into_iter()
        .map(|text| view! { <p class="banner danger">{text}</p> })
        .collect_view();
    let SystemFigures {
        now,
        commits,
        committers,
        admission,
        pool,
        attempts: _,
        outbox,
        withdrawals,
        followers,
        workers,
        audit,
    } = figures;
    let connections = format!(
        "{} in use, {} idle, {} at most",
        pool.in_use, pool.idle, pool.most
    );
    let waiting: Vec<String> = withdrawals
        .iter()
        .map(|waiting| format!("{} {}", waiting.count, waiting.state))
        .collect();
    let paging = Paging {
        previous: None,
        next: None,
        export: String::new(),
    };
    let json = format!("{PATH}.json");
    view! {
        <DashboardPage frame=frame title="System" section=Section::System>
            <p class="under-title">
                "As of " <Timestamp at=now/> ". Counters begin with this process, at "
                <Timestamp at=started_at/> "."
            </p>
            {alarms}
            {audit_section(audit, now)}
            {request_section(requests)}
            {commit_section(commits, committers, admission, connections)}
            {outbox_section(outbox, waiting.join(", "))}
            {follower_section(followers)}
            {worker_section(workers)}
            <PageLinks of=paging what="figures" export="/app/operate/system.csv"/>
            <p><a class="export" href=json download="">"Export these figures (JSON)"</a></p>
        </DashboardPage>
    }
}

/// What somebody has to look at, one sentence each.
fn alarms(figures: &SystemFigures) -> Vec<String> {
    let mut alarms = Vec::new();
    if let Some(last) = &figures.audit.last
        && !last.found.is_clean()
    {
        alarms.push(
            "The last audit of the books found exceptions. Pay nothing out before it is known why."
                .to_owned(),
        );
    }
    let ended = named(&figures.workers, WorkerState::Ended);
    if !ended.is_empty() {
        alarms.push(format!(
            "Not running any more: {ended}. Start the server again."
        ));
    }
    let stuck = named(&figures.workers, WorkerState::Stuck);
    if !stuck.is_empty() {
        alarms.push(format!(
            "Stuck for minutes: {stuck}. Start the server again unless that ends by itself."
        ));
    }
    if figures.pool.in_use >= figures.pool.most {
        alarms.push("Every connection to the database is in use.".to_owned());
    }
    alarms
}

/// Names of the workers in this state.
fn named(workers: &[WorkerFigures], state: WorkerState) -> String {
    let names: Vec<&str> = workers
        .iter()
        .filter(|worker| worker.state == state)
        .map(|worker| worker.name.as_str())
        .collect();
    names.join(", ")
}

fn fact(name: &'static str, value: impl ToString) -> AnyView {
    let value = value.to_string();
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

/// `3 s`, `4 min`, `2 h`, `5 days`; never below zero.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `95 % within 5 ms`, or a dash before anything was counted.
fn share(durations: &Durations, per_mille: u64) -> String {
    if durations.count() == 0 {
        return "\u{2013}".to_owned();
    }
    durations.within(per_mille).map_or_else(
        || "longer than 10 s".to_owned(),
        |micros| format!("within {}", length(micros)),
    )
}

/// `0.5 ms`, `250 ms`, `10 s`.
pub(super) fn length(micros: u64) -> String {
    match micros {
        0..1_000 => format!("0.{} ms", micros / 100),
        1_000..1_000_000 if micros.is_multiple_of(1_000) => format!("{} ms", micros / 1_000),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ if micros.is_multiple_of(1_000_000) => format!("{} s", micros / 1_000_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

fn request_section(requests: RequestFigures) -> AnyView {
    let RequestFigures {
        answered,
        failed,
        rejected,
        durations,
    } = requests;
    let turned_away: Vec<String> = rejected
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| format!("{count} {}", reason.replace('_', " ")))
        .collect();
    let turned_away = if turned_away.is_empty() {
        "none".to_owned()
    } else {
        turned_away.join(", ")
    };
    view! {
        <section>
            <h2>"Requests"</h2>
            <dl class="facts">
                {fact("Answered", answered)}
                {fact("Failed on our side", failed)}
                {fact("Turned away", turned_away)}
                {fact("Half of them", share(&durations, 500))}
                {fact("99 of 100", share(&durations, 990))}
            </dl>
            <DurationChart what="requests" of=durations/>
        </section>
    }
    .into_any()
}

fn commit_section(
    commits: CommitFigures,
    committers: Vec<CommitterFigures>,
    admission: AdmissionFigures,
    connections: String,
) -> AnyView {
    let batches = committers
        .iter()
        .map(|committer| fact(in_words(committer.name), batched(committer)))
        .collect_view();
    let CommitFigures {
        committed,
        refused,
        overloaded,
        failed,
        durations,
    } = commits;
    view! {
        <section>
            <h2>"Units of work"</h2>
            <dl class="facts">
                {fact("Committed", committed)}
                {fact("Refused by a rule", refused)}
                {fact("Turned away", overloaded)}
                {fact("Failed", failed)}
                {fact("Half of them", share(&durations, 500))}
                {fact("99 of 100", share(&durations, 990))}
                {batches}
                {fact("Waiting for a turn alone", admission.waiting)}
                {fact("Got no turn alone", admission.refused)}
                {fact("Connections to the database", connections)}
            </dl>
            <DurationChart what="commits" of=durations/>
        </section>
    }
    .into_any()
}

/// What a committer commits.
fn in_words(name: &'static str) -> &'static str {
    match name {
        "postings" => "Plain entries",
        "charges" => "New charges",
        "grouped" => "Exchanges and withdrawals",
        "decisions" => "Decisions",
        other => other,
    }
}

/// What waits for a committer, and what it has done so far.
fn batched(committer: &CommitterFigures) -> String {
    let CommitterFigures {
        name: _,
        queued,
        batches,
        batched_units,
        last_batch,
        refused,
        commit_micros,
    } = committer;
    let mean = commit_micros
        .checked_div(*batches)
        .map_or_else(|| "\u{2013}".to_owned(), length);
    format!(
        "{queued} waiting; {batched_units} in {batches} batches, {last_batch} in the newest, {mean} each; \
         {refused} refused"
    )
}

fn outbox_section(outbox: OutboxFigures, withdrawals: String) -> AnyView {
    view! {
        <section>
            <h2>"What waits"</h2>
            <dl class="facts">
                {fact("Deliveries", outbox.pending)}
                {fact("Tried before", outbox.retrying)}
                {fact("Oldest", age(outbox.oldest_seconds))}
                {fact("Due for", age(outbox.lag_seconds))}
                {fact("Most attempts", outbox.attempts_most)}
                {fact("Given up in 24 hours", outbox.given_up_today)}
                {fact("Withdrawals", withdrawals)}
            </dl>
        </section>
    }
    .into_any()
}

fn number(number: Option<i64>) -> String {
    number.map_or_else(|| "\u{2013}".to_owned(), |number| number.to_string())
}

fn follower_section(followers: Vec<FollowerFigures>) -> AnyView {
    if followers.is_empty() {
        return view! {
            <section>
                <h2>"Chains"</h2>
                <EmptyState text="No chain is connected."/>
            </section>
        }
        .into_any();
    }
    let head = view! {
        <HeadCell label="Chain"/>
        <HeadCell label="State"/>
        <HeadCell label="Height" numeric=true/>
        <HeadCell label="Behind" numeric=true/>
        <HeadCell label="Last current"/>
    }
    .into_any();
    let rows = followers
        .into_iter()
        .map(|follower| {
            let pill = StatusPill {
                word: follower.state.to_owned(),
                flags: Vec::new(),
            };
            let (height, behind) = (number(follower.height), number(follower.lag));
            let at_tip = match follower.at_tip {
                Some(at) => view! { <Timestamp at=at/> }.into_any(),
                None => "not by this process".into_any(),
            };
            view! {
                <tr role="row">
                    <RowHead label="Chain">{follower.chain}</RowHead>
                    <Cell label="State"><Status of=pill/></Cell>
                    <Cell label="Height" numeric=true>{height}</Cell>
                    <Cell label="Behind" numeric=true>{behind}</Cell>
                    <Cell label="Last current">{at_tip}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Chains"</h2>
            <TableFrame caption="How the chains are followed" head=head>{rows}</TableFrame>
            <p><a href="/app/operate/chains">"More about the chains and their nodes"</a></p>
        </section>
    }
    .into_any()
}

fn worker_section(workers: Vec<WorkerFigures>) -> AnyView {
    if workers.is_empty() {
        return ().into_any();
    }
    let running = named(&workers, WorkerState::Running);
    view! {
        <section>
            <h2>"Workers"</h2>
            <p>"Running: " {running} "."</p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
#[path = "system_tests.rs"]
mod tests;
