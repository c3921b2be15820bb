//! Deposit addresses: take one, find one, show it to a payer.

use domain::view::dashboard::Frame;
use domain::view::operations::{AddressDetailView, AddressItem, AddressListView, OperationList};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use super::operations::operation_table;
use crate::islands::CopyButton;
use crate::ui::{
    Address, Cell, EmptyState, HeadCell, PageLinks, Qr, RowHead, SelectField, ShortHash,
    TableFrame, TextField, Timestamp,
};

const PATH: &str = "/app/addresses";

/// The form that takes one, and all that were taken.
#[component]
pub fn AddressesPage(frame: Frame, view: AddressListView) -> impl IntoView {
    let AddressListView {
        q,
        rows,
        paging,
        never_used,
        coins,
        targets,
        notice,
        may_act,
    } = view;
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let take = may_act.then(|| take(coins, targets));
    let list = if never_used {
        view! {
            <EmptyState text="An address receives one coin for one purpose of yours, as often as you like.">
                <p class="quiet">"Give each customer one of their own."</p>
            </EmptyState>
        }
        .into_any()
    } else if rows.is_empty() {
        view! {
            {search(q)}
            <EmptyState text="No addresses match.">
                <a class="btn-2" href=PATH>"Clear the search"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {search(q)}
            {table(rows)}
            <PageLinks of=paging what="addresses" export="/app/addresses.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Addresses" section=Section::Addresses>
            {take}
            {list}
        </DashboardPage>
    }
}

fn take(coins: Vec<String>, targets: Vec<String>) -> AnyView {
    let coins = coins.into_iter().map(|code| (code.clone(), code)).collect();
    let targets = std::iter::once((String::new(), "Keep the coin".to_owned()))
        .chain(targets.into_iter().map(|code| (code.clone(), code)))
        .collect();
    view! {
        <section>
            <h2>"Take an address"</h2>
            <form method="post" action=PATH novalidate class="card">
                <SelectField name="currency" label="Coin" options=coins selected=""/>
                <SelectField name="convert_to" label="Exchange into" options=targets selected=""/>
                <TextField
                    name="foreign_id"
                    label="Reference"
                    value=""
                    hint="Yours, e.g. a customer number; the same one gives the same address"
                />
                <button class="btn">"Take"</button>
            </form>
        </section>
    }
    .into_any()
}

fn search(q: String) -> AnyView {
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <TextField
                    name="q"
                    label="Search"
                    kind="search"
                    value=q
                    hint="Address, reference or label"
                />
                <button class="btn">"Search"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<AddressItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Address"/>
        <HeadCell label="Coin"/>
        <HeadCell label="Reference"/>
        <HeadCell label="Label"/>
        <HeadCell label="Deposits" numeric=true/>
        <HeadCell label="Taken"/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|item| {
            let href = format!("{PATH}/{}", item.id);
            let into = item.convert_to.map(|code| view! { " → " {code} });
            view! {
                <tr role="row">
                    <RowHead label="Address">
                        <a href=href><ShortHash value=item.address/></a>
                    </RowHead>
                    <Cell label="Coin">{item.coin} {into}</Cell>
                    <Cell label="Reference"><bdi>{item.reference}</bdi></Cell>
                    <Cell label="Label"><bdi>{item.label}</bdi></Cell>
                    <Cell label="Deposits" numeric=true>{item.deposits}</Cell>
                    <Cell label="Taken"><Timestamp at=item.created_at/></Cell>
                </tr>
            }
        })
        .collect_view();
    view! { <TableFrame caption="Addresses, newest first" head=head>{rows}</TableFrame> }.into_any()
}

/// One address, ready to be shown to a payer.
#[component]
pub fn AddressPage(frame: Frame, view: AddressDetailView) -> impl IntoView {
    let AddressDetailView {
        item,
        uri,
        qr_text,
        deposits,
        test_mode,
        may_act,
    } = view;
    let title = format!("{} address", item.coin);
    let label = format!("QR code: {} address {}", item.coin, item.address);
    let qr = view! { <Qr text=qr_text label=label/> };
    let qr = match uri {
        Some(uri) => view! { <a class="qr-card" href=uri>{qr}</a> }.into_any(),
        None => view! { <div class="qr-card">{qr}</div> }.into_any(),
    };
    let into = item.convert_to.clone().map(|code| {
        let href = format!("/app/futures/rates?address={}", item.id);
        view! {
            <div>
                <dt>"Exchanged into"</dt>
                <dd>{code} " " <a href=href>"Fix the price of a deposit"</a></dd>
            </div>
        }
    });
    let copy_label = format!("address {}", item.address);
    let action = format!("{PATH}/{}/label", item.id);
    let rename = may_act.then(|| {
        let value = item.label.clone();
        view! {
            <form method="post" action=action novalidate class="card">
                <TextField name="label" label="Label" value=value prose=true/>
                <button class="btn-2">"Save the label"</button>
            </form>
        }
    });
    let faucet = test_mode.then(|| {
        let href = format!(
            "/app/faucet?address={}&currency={}",
            item.address, item.coin
        );
        view! { <p><a href=href>"Pay it from the faucet"</a></p> }
    });
    let deposits = (!deposits.is_empty()).then(|| {
        view! {
            <section>
                <h2>"Latest deposits"</h2>
                {operation_table(OperationList::Deposits, "Latest deposits", true, deposits)}
            </section>
        }
    });
    view! {
        <DashboardPage frame=frame title=title section=Section::Addresses live=true>
            <div class="columns">
                <section>
                    {qr}
                    <p><Address value=item.address.clone()/></p>
                    <CopyButton
                        value=item.address.clone()
                        what="Address".to_owned()
                        label=copy_label
                    />
                    {faucet}
                </section>
                <section>
                    <dl class="facts">
                        <div><dt>"Coin"</dt><dd>{item.coin}</dd></div>
                        {into}
                        <div><dt>"Reference"</dt><dd><bdi>{item.reference}</bdi></dd></div>
                        <div><dt>"Taken"</dt><dd><Timestamp at=item.created_at/></dd></div>
                    </dl>
                    {rename}
                </section>
            </div>
            {deposits}
        </DashboardPage>
    }
}
