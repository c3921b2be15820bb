use domain::view::dashboard::Frame;
use domain::view::invoices::{InvoiceFilter, InvoiceItem, InvoiceListView};
use leptos::prelude::*;

use super::{NEW, PATH};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, Status, TableFrame,
    TextField, Timestamp,
};

/// Words a status filter takes; `overdue` is told by a flag.
const STATUSES: [&str; 10] = [
    "created",
    "pending",
    "processing",
    "paid",
    "overdue",
    "expired",
    "underpaid",
    "cancelled",
    "failed",
    "refunded",
];

/// All invoices, whoever made them.
#[component]
pub fn InvoicesPage(frame: Frame, view: InvoiceListView) -> impl IntoView {
    let InvoiceListView {
        filter,
        rows,
        paging,
        never_used,
    } = view;
    let content = if never_used {
        view! {
            <EmptyState text="An invoice has a page of its own where your customer pays it with any coin.">
                <a class="btn" href=NEW>"Write an invoice"</a>
            </EmptyState>
        }
        .into_any()
    } else if rows.is_empty() {
        view! {
            {filters(filter)}
            <EmptyState text="No invoices match.">
                <a class="btn-2" href=PATH>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filters(filter)}
            {table(rows)}
            <PageLinks of=paging what="invoices" export="/app/invoices.csv"/>
        }
        .into_any()
    };
    let first = (!never_used).then(|| view! { <p><a class="btn" href=NEW>"New invoice"</a></p> });
    view! {
        <DashboardPage frame=frame title="Invoices" section=Section::Invoices>
            {first}
            {content}
        </DashboardPage>
    }
}

fn filters(filter: InvoiceFilter) -> AnyView {
    let statuses = std::iter::once((String::new(), "Any status".to_owned()))
        .chain(STATUSES.map(|word| (word.to_owned(), word.to_owned())))
        .collect();
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <TextField
                    name="q"
                    label="Search"
                    kind="search"
                    value=filter.q
                    hint="Number, title, customer or e-mail"
                />
                <SelectField name="status" label="Status" options=statuses selected=filter.status/>
                <TextField name="from" label="From day" value=filter.from hint="Year-month-day"/>
                <TextField name="to" label="To day" value=filter.to hint="Year-month-day"/>
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<InvoiceItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Number"/>
        <HeadCell label="Created"/>
        <HeadCell label="Customer"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Received" numeric=true/>
        <HeadCell label="Due"/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Invoices, newest first" head=head>{rows}</TableFrame> }.into_any()
}

fn row(item: InvoiceItem) -> AnyView {
    let InvoiceItem {
        code,
        number,
        customer,
        created_at,
        amount,
        received,
        due_date,
        status,
    } = item;
    let href = format!("{PATH}/{code}");
    let received = match received {
        Some(received) => view! { <Amount of=received/> }.into_any(),
        None => view! { <span class="quiet">"–"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <RowHead label="Number"><a href=href><bdi>{number}</bdi></a></RowHead>
            <Cell label="Created"><Timestamp at=created_at/></Cell>
            <Cell label="Customer"><bdi>{customer}</bdi></Cell>
            <Cell label="Amount" numeric=true><Amount of=amount/></Cell>
            <Cell label="Received" numeric=true>{received}</Cell>
            <Cell label="Due">{due_date}</Cell>
            <Cell label="Status"><Status of=status/></Cell>
        </tr>
    }
    .into_any()
}
