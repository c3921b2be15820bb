use domain::view::dashboard::Frame;
use domain::view::operations::{OperationDetailView, OperationItem, OperationPart};
use leptos::prelude::*;

use super::section;
use crate::pages::charge::{deliveries, journal};
use crate::pages::frame::DashboardPage;
use crate::ui::{
    Address, Amount, Cell, HeadCell, RowHead, ShortHash, Status, TableFrame, Timestamp,
};

/// One operation with everything that explains it, and the decision it waits for.
#[component]
pub fn OperationPage(frame: Frame, view: OperationDetailView) -> impl IntoView {
    let OperationDetailView {
        list,
        item,
        facts,
        parts,
        error,
        journal: lines,
        deliveries: sent,
        can_decide,
    } = view;
    let noun = match list {
        domain::view::operations::OperationList::Deposits => "Deposit",
        domain::view::operations::OperationList::Withdrawals => "Withdrawal",
        domain::view::operations::OperationList::Exchanges => "Exchange",
    };
    let title = format!("{noun} {}", item.id);
    let path = format!("{}/{}", list.path(), item.id);
    let error = error.map(|error| {
        view! { <p class="banner warn">"This is unusual: " {error} "."</p> }
    });
    let decide = can_decide.then(|| decision(&path));
    let figures = figures(item);
    let facts = facts
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div> })
        .collect_view();
    view! {
        <DashboardPage frame=frame title=title section=section(list)>
            {error}
            {figures}
            {decide}
            <section>
                <h2>"Details"</h2>
                <dl class="facts">{facts}</dl>
            </section>
            {movements(parts)}
            {journal(lines)}
            {deliveries(sent)}
        </DashboardPage>
    }
}

fn figures(item: OperationItem) -> AnyView {
    let OperationItem {
        at,
        status,
        address,
        sent,
        received,
        fee,
        ..
    } = item;
    let figure = |name: &'static str, amount: Option<domain::view::AmountText>| {
        amount.map(|amount| {
            view! { <div><dt>{name}</dt><dd><Amount of=amount/></dd></div> }
        })
    };
    let address = address.map(|address| {
        view! { <div><dt>"Address"</dt><dd><Address value=address/></dd></div> }
    });
    view! {
        <p><Status of=status/> " since " <Timestamp at=at/></p>
        <dl class="facts">
            {figure("Amount", Some(sent))}
            {figure("Received", received)}
            {figure("Fee", fee)}
            {address}
        </dl>
    }
    .into_any()
}

fn decision(path: &str) -> AnyView {
    view! {
        <section class="card">
            <h2>"Your decision"</h2>
            <p>
                "This withdrawal is above the limit. The money is held; it leaves when you approve and \
                is free again when you decline. An exchange on its way is made at the rate of the moment \
                you approve."
            </p>
            <form method="post" action=format!("{path}/approve")>
                <button class="btn">"Approve"</button>
            </form>
            <form method="post" action=format!("{path}/decline")>
                <button class="btn-2">"Decline"</button>
            </form>
        </section>
    }
    .into_any()
}

fn movements(parts: Vec<OperationPart>) -> Option<AnyView> {
    if parts.is_empty() {
        return None;
    }
    let head = view! {
        <HeadCell label="Over"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Into" numeric=true/>
        <HeadCell label="Transaction"/>
        <HeadCell label="Confirmations" numeric=true/>
    }
    .into_any();
    let rows = parts
        .into_iter()
        .map(|part| {
            let into = part.amount_to.map(|amount| view! { <Amount of=amount/> });
            let txid = part.txid.map(|txid| view! { <ShortHash value=txid/> });
            view! {
                <tr role="row">
                    <RowHead label="Over">{part.kind}</RowHead>
                    <Cell label="Amount" numeric=true><Amount of=part.amount/></Cell>
                    <Cell label="Into" numeric=true>{into}</Cell>
                    <Cell label="Transaction">{txid}</Cell>
                    <Cell label="Confirmations" numeric=true>{part.confirmations}</Cell>
                </tr>
            }
        })
        .collect_view();
    Some(
        view! {
            <section>
                <h2>"Movements"</h2>
                <TableFrame caption="Movements" caption_hidden=true head=head>{rows}</TableFrame>
            </section>
        }
        .into_any(),
    )
}
