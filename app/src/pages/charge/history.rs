//! What happened to a charge, and how it stands in the books.

use domain::view::dashboard::{JournalLineRow, TimelineRow};
use leptos::prelude::*;

use crate::ui::{Amount, Cell, HeadCell, RowHead, TableFrame, Timestamp};

/// Every event, oldest first.
pub(in crate::pages) fn timeline(rows: Vec<TimelineRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|TimelineRow { at, kind, text }| {
            view! {
                <li>
                    <Timestamp at=at/>
                    <span>{text}</span>
                    <code>{kind}</code>
                </li>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Timeline"</h2>
            <ol class="timeline">{rows}</ol>
        </section>
    }
    .into_any()
}

/// Postings of its journal entries.
pub(in crate::pages) fn journal(rows: Vec<JournalLineRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let head = view! {
        <HeadCell label="Entry"/>
        <HeadCell label="Date"/>
        <HeadCell label="Debit"/>
        <HeadCell label="Credit"/>
        <HeadCell label="Amount" numeric=true/>
    }
    .into_any();
    let rows = rows.into_iter().map(line).collect_view();
    Some(
        view! {
            <section>
                <h2>"Journal"</h2>
                <TableFrame caption="Journal lines" caption_hidden=true head=head>
                    {rows}
                </TableFrame>
            </section>
        }
        .into_any(),
    )
}

fn line(row: JournalLineRow) -> impl IntoView {
    let JournalLineRow {
        at,
        entry_id,
        entry_kind,
        debit,
        credit,
        amount,
    } = row;
    view! {
        <tr role="row">
            <RowHead label="Entry"><span title=entry_id>{entry_kind}</span></RowHead>
            <Cell label="Date"><Timestamp at=at/></Cell>
            <Cell label="Debit">{debit}</Cell>
            <Cell label="Credit">{credit}</Cell>
            <Cell label="Amount" numeric=true><Amount of=amount/></Cell>
        </tr>
    }
}
