use domain::view::dashboard::Frame;
use domain::view::futures::{FuturesItem, FuturesListView};
use leptos::prelude::*;

use super::{PATH, RATES};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, ShortHash, Status,
    TableFrame, Timestamp,
};

/// The choice of an address, and the promises made.
#[component]
pub fn FuturesPage(frame: Frame, view: FuturesListView) -> impl IntoView {
    let FuturesListView {
        state,
        rows,
        paging,
        never_used,
        addresses,
        more_addresses,
    } = view;
    let list = if never_used {
        view! { <EmptyState text="Promises you make stand here, with the deposits that used them."/> }
            .into_any()
    } else if rows.is_empty() {
        view! {
            {filter(state)}
            <EmptyState text="No futures match.">
                <a class="btn-2" href=PATH>"Clear the filter"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filter(state)}
            {table(rows)}
            <PageLinks of=paging what="futures" export="/app/futures.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Futures" section=Section::Futures>
            <p class="under-title">
                "A promise exchanges one coming deposit at a price that is fixed now. Exactly the \
                promised amount has to be seen in time; any other is exchanged at the rate of its \
                moment."
            </p>
            {choose(addresses, more_addresses)}
            <section>
                <h2>"Promises"</h2>
                {list}
            </section>
        </DashboardPage>
    }
}

fn choose(addresses: Vec<(String, String)>, more: bool) -> AnyView {
    if addresses.is_empty() {
        return view! {
            <EmptyState text="A promise needs a deposit address that exchanges what it receives.">
                <a class="btn" href="/app/addresses">"Take an address"</a>
            </EmptyState>
        }
        .into_any();
    }
    let more = more.then(|| {
        view! {
            <p class="hint">
                "These are your newest ones. The page of an older one, under "
                <a href="/app/addresses">"Addresses"</a> ", leads to its prices too."
            </p>
        }
    });
    view! {
        <form method="get" action=RATES novalidate class="card">
            <SelectField name="address" label="Deposit address" options=addresses selected=""/>
            {more}
            <button class="btn">"See the prices"</button>
        </form>
    }
    .into_any()
}

fn filter(state: String) -> AnyView {
    let states = std::iter::once((String::new(), "Any state".to_owned()))
        .chain(
            domain::futures::FuturesState::ALL
                .map(|state| (state.word().to_owned(), state.word().to_owned())),
        )
        .collect();
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <SelectField name="state" label="State" options=states selected=state/>
                <button class="btn-2">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<FuturesItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Number"/>
        <HeadCell label="Fixed"/>
        <HeadCell label="Until"/>
        <HeadCell label="Address"/>
        <HeadCell label="Has to come" numeric=true/>
        <HeadCell label="Promised" numeric=true/>
        <HeadCell label="State"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <TableFrame caption="Promises, newest first" caption_hidden=true head=head>{rows}</TableFrame>
    }
    .into_any()
}

fn row(item: FuturesItem) -> AnyView {
    let FuturesItem {
        id,
        status,
        fixed_at,
        release_at,
        give,
        get,
        address,
        reference,
    } = item;
    let href = format!("{PATH}/{id}");
    view! {
        <tr role="row">
            <RowHead label="Number"><a href=href>{id}</a></RowHead>
            <Cell label="Fixed"><Timestamp at=fixed_at/></Cell>
            <Cell label="Until"><Timestamp at=release_at/></Cell>
            <Cell label="Address"><bdi>{reference}</bdi> " " <ShortHash value=address/></Cell>
            <Cell label="Has to come" numeric=true><Amount of=give/></Cell>
            <Cell label="Promised" numeric=true><Amount of=get/></Cell>
            <Cell label="State"><Status of=status/></Cell>
        </tr>
    }
    .into_any()
}
