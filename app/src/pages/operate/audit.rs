use domain::view::dashboard::Frame;
use domain::view::operate::{AuditFilter, AuditRow, AuditView};
use leptos::prelude::*;

use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Cell, EmptyState, HeadCell, PageLinks, RowHead, TableFrame, TextField, Timestamp};

const PATH: &str = "/app/operate/audit";

/// Who did what to what, newest first.
#[component]
pub fn AuditPage(frame: Frame, view: AuditView) -> impl IntoView {
    let AuditView {
        filter,
        rows,
        paging,
        never_used,
    } = view;
    let list = if never_used {
        view! { <EmptyState text="What people decide here is written down, and never changed."/> }
            .into_any()
    } else if rows.is_empty() {
        view! {
            {filters(filter)}
            <EmptyState text="No entries match.">
                <a class="btn-2" href=PATH>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filters(filter)}
            {table(rows)}
            <PageLinks of=paging what="entries" export="/app/operate/audit.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Audit log" section=Section::AuditLog>
            {list}
        </DashboardPage>
    }
}

fn filters(filter: AuditFilter) -> AnyView {
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <TextField name="actor" label="Who" value=filter.actor hint="Part of the name"/>
                <TextField
                    name="action"
                    label="What"
                    value=filter.action
                    hint="How it begins, e.g. terms"
                />
                <TextField
                    name="subject"
                    label="About"
                    value=filter.subject
                    hint="Whole, e.g. operation:17"
                />
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<AuditRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Time"/>
        <HeadCell label="Who"/>
        <HeadCell label="What"/>
        <HeadCell label="About"/>
        <HeadCell label="Details"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Audit log, newest first" head=head>{rows}</TableFrame> }.into_any()
}

fn row(entry: AuditRow) -> AnyView {
    let details = entry
        .data
        .into_iter()
        .map(|(name, value)| {
            view! {
                <span class="output url"><span class="quiet">{name} ": "</span> <bdi>{value}</bdi></span>
            }
        })
        .collect_view();
    let about = format!("{PATH}?subject={}", escaped(&entry.subject));
    view! {
        <tr role="row">
            <RowHead label="Time"><Timestamp at=entry.at/></RowHead>
            <Cell label="Who"><bdi>{entry.actor}</bdi></Cell>
            <Cell label="What">{entry.action}</Cell>
            <Cell label="About"><a href=about><bdi>{entry.subject}</bdi></a></Cell>
            <Cell label="Details">{details}</Cell>
        </tr>
    }
    .into_any()
}

/// A subject within a query: most of its letters may stand as they are.
fn escaped(subject: &str) -> String {
    let mut text = String::new();
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::view::dashboard::Paging;
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    #[test]
    fn an_entry_tells_who_what_and_why() {
        let row = AuditRow {
            id: 7,
            at: OffsetDateTime::UNIX_EPOCH,
            actor: "admin@demo.example".to_owned(),
            action: "terms.changed".to_owned(),
            subject: "currency:BTC".to_owned(),
            data: vec![("reason".to_owned(), "<b>cheaper</b>".to_owned())],
        };
        let view = AuditView {
            filter: AuditFilter::default(),
            rows: vec![row],
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            never_used: false,
        };
        let html = crate::render(move || view! { <AuditPage frame=frame() view=view/> });
        assert!(html.contains("terms.changed"), "{html}");
        assert!(html.contains("?subject=currency:BTC"), "{html}");
        assert!(
            html.contains("&lt;b>cheaper") || html.contains("&lt;b&gt;cheaper"),
            "{html}"
        );
    }

    #[test]
    fn a_subject_cannot_end_the_query() {
        assert_eq!(escaped("a&b=c #"), "a%26b%3Dc%20%23");
    }
}
