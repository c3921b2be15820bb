use domain::view::dashboard::Frame;
use domain::view::operations::{OperationFilter, OperationItem, OperationList, OperationListView};
use leptos::prelude::*;

use super::{noun, section, title};
use crate::pages::frame::DashboardPage;
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, ShortHash, Status,
    TableFrame, TextField, Timestamp,
};

/// The list with its filters; withdrawals that wait for a decision come first.
#[component]
pub fn OperationsPage(frame: Frame, view: OperationListView) -> impl IntoView {
    let list = view.list;
    let heading = title(list);
    let first = (list == OperationList::Withdrawals && view.may_act)
        .then(|| view! { <p><a class="btn" href="/app/withdrawals/new">"New withdrawal"</a></p> });
    view! {
        <DashboardPage frame=frame title=heading section=section(list)>
            {first}
            {content(view)}
        </DashboardPage>
    }
}

/// The exchanges of a merchant, below the form that makes new ones.
pub(in crate::pages) fn past_exchanges(view: OperationListView) -> AnyView {
    view! {
        <section>
            <h2>"Exchanges"</h2>
            {content(view)}
        </section>
    }
    .into_any()
}

fn content(view: OperationListView) -> AnyView {
    let OperationListView {
        list,
        filter,
        currencies,
        rows,
        waiting,
        paging,
        never_used,
        ..
    } = view;
    if never_used {
        return empty(list);
    }
    let queue = (!waiting.is_empty()).then(|| {
        view! {
            <section>
                <h2>"Waiting for your decision"</h2>
                {operation_table(list, "Withdrawals that wait for a decision", true, waiting)}
            </section>
        }
    });
    let table = if rows.is_empty() {
        let text = format!("No {} match.", noun(list));
        view! {
            <EmptyState text=text>
                <a class="btn-2" href=list.path()>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        let caption = match list {
            OperationList::Deposits => "Deposits, newest first",
            OperationList::Withdrawals => "Withdrawals, newest first",
            OperationList::Exchanges => "Exchanges, newest first",
        };
        let export = format!("{}.csv", list.path());
        view! {
            {operation_table(list, caption, false, rows)}
            <PageLinks of=paging what=noun(list) export=export/>
        }
        .into_any()
    };
    view! { {queue} {filters(list, filter, currencies)} {table} }.into_any()
}

fn empty(list: OperationList) -> AnyView {
    let (text, more) = match list {
        OperationList::Deposits => (
            "Deposits appear here seconds after a customer pays one of your addresses.",
            view! { <a class="btn" href="/app/addresses">"Take an address"</a> }.into_any(),
        ),
        OperationList::Withdrawals => (
            "Send coins from any of your wallets to any address.",
            view! { <p class="quiet">"The first one is made with the button above."</p> }
                .into_any(),
        ),
        OperationList::Exchanges => (
            "Exchange what you hold into what you need.",
            view! { <p class="quiet">"Your exchanges will stand here."</p> }.into_any(),
        ),
    };
    view! { <EmptyState text=text>{more}</EmptyState> }.into_any()
}

fn filters(list: OperationList, filter: OperationFilter, currencies: Vec<String>) -> AnyView {
    let any = |text: &str| (String::new(), text.to_owned());
    let words: &[&str] = match list {
        OperationList::Deposits => &["not_confirmed", "confirmed", "cancelled"],
        OperationList::Withdrawals => &["pending", "processing", "confirmed", "cancelled"],
        OperationList::Exchanges => &["confirmed", "cancelled"],
    };
    let statuses = std::iter::once(any("Any status"))
        .chain(
            words
                .iter()
                .map(|word| ((*word).to_owned(), word.replace('_', " "))),
        )
        .collect();
    let codes = std::iter::once(any("Any currency"))
        .chain(currencies.into_iter().map(|code| (code.clone(), code)))
        .collect();
    view! {
        <search>
            <form method="get" action=list.path() novalidate class="filters">
                <TextField
                    name="reference"
                    label="Reference"
                    value=filter.reference
                    hint="Your own, whole"
                />
                <SelectField name="status" label="Status" options=statuses selected=filter.status/>
                <SelectField name="currency" label="Currency" options=codes selected=filter.currency/>
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

/// Operations as a table.
pub(in crate::pages) fn operation_table(
    list: OperationList,
    caption: &'static str,
    caption_hidden: bool,
    rows: Vec<OperationItem>,
) -> AnyView {
    let (given, got) = match list {
        OperationList::Deposits => ("Came", "Credited"),
        OperationList::Withdrawals => ("Debited", "Receiver gets"),
        OperationList::Exchanges => ("Given", "Received"),
    };
    let head = view! {
        <HeadCell label="Number"/>
        <HeadCell label="Date"/>
        <HeadCell label="Reference"/>
        <HeadCell label=given numeric=true/>
        <HeadCell label=got numeric=true/>
        <HeadCell label="Fee" numeric=true/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|item| row(list, given, got, item))
        .collect_view();
    view! {
        <TableFrame caption=caption caption_hidden=caption_hidden head=head>{rows}</TableFrame>
    }
    .into_any()
}

fn row(
    list: OperationList,
    given: &'static str,
    got: &'static str,
    item: OperationItem,
) -> AnyView {
    let OperationItem {
        id,
        at,
        status,
        reference,
        address,
        sent,
        received,
        fee,
        needs_attention,
    } = item;
    let href = format!("{}/{id}", list.path());
    let amount = |amount: Option<domain::view::AmountText>| match amount {
        Some(amount) => view! { <Amount of=amount/> }.into_any(),
        None => view! { <span class="quiet">"–"</span> }.into_any(),
    };
    let address = address.map(|address| view! { " " <ShortHash value=address/> });
    let attention =
        needs_attention.then(|| view! { " " <span class="flag">"needs attention"</span> });
    view! {
        <tr role="row">
            <RowHead label="Number"><a href=href>{id}</a></RowHead>
            <Cell label="Date"><Timestamp at=at/></Cell>
            <Cell label="Reference"><bdi>{reference}</bdi> {address}</Cell>
            <Cell label=given numeric=true><Amount of=sent/></Cell>
            <Cell label=got numeric=true>{amount(received)}</Cell>
            <Cell label="Fee" numeric=true>{amount(fee)}</Cell>
            <Cell label="Status"><Status of=status/> {attention}</Cell>
        </tr>
    }
    .into_any()
}
