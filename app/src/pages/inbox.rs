//! The exceptions inbox, `/app/inbox`: charges with money that nobody has explained yet.

use domain::view::dashboard::{Frame, InboxRow, InboxView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, Status, TableFrame, Timestamp,
};

/// The reason first: it decides what to do.
#[component]
pub fn InboxPage(frame: Frame, view: InboxView) -> impl IntoView {
    let InboxView { rows, paging } = view;
    let content = if rows.is_empty() {
        view! {
            <EmptyState text="Late, short or excess payments wait here until you decide.">
                <a class="btn-2" href="/app/charges">"All charges"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { {table(rows)} <PageLinks of=paging what="inbox entries" export="/app/inbox/export.csv"/> }.into_any()
    };
    view! {
        <DashboardPage frame=frame title="Inbox" section=Section::Inbox>{content}</DashboardPage>
    }
}

fn table(rows: Vec<InboxRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Order"/>
        <HeadCell label="Why it is here"/>
        <HeadCell label="Created"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Received" numeric=true/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Charges that wait for a decision" head=head>{rows}</TableFrame> }
        .into_any()
}

fn row(entry: InboxRow) -> AnyView {
    let InboxRow { charge, reason } = entry;
    let href = format!("/app/charges/{}", charge.public_id);
    let received = charge
        .received
        .map(|received| view! { <Amount of=received/> });
    view! {
        <tr role="row">
            <RowHead label="Order"><a class="id" href=href>{charge.public_id}</a></RowHead>
            <Cell label="Why it is here">{reason}</Cell>
            <Cell label="Created"><Timestamp at=charge.created_at/></Cell>
            <Cell label="Amount" numeric=true><Amount of=charge.amount/></Cell>
            <Cell label="Received" numeric=true>{received}</Cell>
            <Cell label="Status"><Status of=charge.status/></Cell>
        </tr>
    }
    .into_any()
}
