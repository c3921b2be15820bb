//! The last audit of the books on the page of the system.

use domain::view::system::{AuditFigures, AuditFound};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::system::PATH;
use crate::ui::{Cell, EmptyState, HeadCell, RowHead, TableFrame, Timestamp};

/// An audit older than this is said to be old, seconds.
const AUDIT_IS_OLD: i64 = 2 * 86_400;

/// When they were audited last, what was found, and how to audit them now.
pub(super) fn audit_section(audit: AuditFigures, now: OffsetDateTime) -> AnyView {
    let AuditFigures { begun_at, last } = audit;
    let running = begun_at.map(|at| {
        view! {
            <p class="banner">
                "Somebody audits since " <Timestamp at=at/> ". Load the page again for the result."
            </p>
        }
    });
    let result = match last {
        None => view! { <EmptyState text="The books were not audited yet."/> }.into_any(),
        Some(last) => {
            let is_old = (now - last.checked_at).whole_seconds() > AUDIT_IS_OLD;
            let old = is_old.then_some(" That is some days ago: audit every night.");
            let took = format!("{} ms", last.took_ms);
            view! {
                <p>
                    "Audited last at " <Timestamp at=last.checked_at/> " in " {took} ", asked for by "
                    <bdi>{last.asked_by}</bdi> "." {old}
                </p>
                {checks(last.found)}
            }
            .into_any()
        }
    };
    let action = format!("{PATH}/audit");
    view! {
        <section>
            <h2>"Audit of the books"</h2>
            {running}
            {result}
            <form method="post" action=action class="card">
                <p>
                    "Asks the database every question that would find a mistake in the books. Changes \
                     nothing; large books take some minutes."
                </p>
                <button class="btn">"Audit now"</button>
            </form>
        </section>
    }
    .into_any()
}

fn checks(found: AuditFound) -> AnyView {
    let violated = found.violated();
    let summary = format!(
        "{} checks over {} postings and {} accounts: {}",
        found.checks.len(),
        found.postings,
        found.accounts,
        match violated {
            0 => "nothing found".to_owned(),
            1 => "1 found an exception".to_owned(),
            many => format!("{many} found exceptions"),
        }
    );
    let is_open = violated > 0;
    let head = view! {
        <HeadCell label="What should be true"/>
        <HeadCell label="Found"/>
    }
    .into_any();
    let rows = found
        .checks
        .into_iter()
        .map(|check| {
            let nothing = check.violations.is_empty().then_some("no exception");
            let violations = check
                .violations
                .into_iter()
                .map(|text| view! { <span class="output"><bdi>{text}</bdi></span> })
                .collect_view();
            view! {
                <tr role="row">
                    <RowHead label="What should be true">{check.name}</RowHead>
                    <Cell label="Found">{nothing} {violations}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details class="twin" open=is_open>
            <summary>{summary}</summary>
            <TableFrame caption="Checks of the last audit" caption_hidden=true head=head>
                {rows}
            </TableFrame>
        </details>
    }
    .into_any()
}
