//! A wallet's statement, `/app/wallets/{id}` (ux §1.4): a snapshot, with the instant it was made.

use domain::view::dashboard::{Frame, StatementRow, StatementView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{Cell, EmptyState, Figure, HeadCell, PageLinks, RowHead, TableFrame, Timestamp};

/// The figures of now, then the lines, newest first.
#[component]
pub fn StatementPage(frame: Frame, view: StatementView) -> impl IntoView {
    let StatementView {
        wallet,
        as_of,
        rows,
        lines_total,
        paging,
    } = view;
    let title = format!("{} statement", wallet.name);
    let code = wallet.code.clone();
    let lines = if rows.is_empty() {
        view! { <EmptyState text="Nothing has been booked here yet."/> }.into_any()
    } else {
        table(&code, rows)
    };
    let count = if lines_total == 1 {
        "1 line".to_owned()
    } else {
        format!("{lines_total} lines")
    };
    let credit = wallet.credit_limit.clone().map(|limit| {
        view! { <div><dt>"Credit limit"</dt><dd><Figure value=limit/></dd></div> }
    });
    let export = format!("/app/wallets/{}/statement.csv", wallet.id);
    view! {
        <DashboardPage frame=frame title=title section=Section::Wallets>
            <p class="under-title">
                "As of " <Timestamp at=as_of/> ", " {count} ", amounts in " {code}
            </p>
            <dl class="figures">
                <div><dt>"Available"</dt><dd><Figure value=wallet.available/></dd></div>
                <div><dt>"Held"</dt><dd><Figure value=wallet.held/></dd></div>
                <div class="sum"><dt>"Balance"</dt><dd><Figure value=wallet.balance/></dd></div>
                {credit}
            </dl>
            {lines}
            <PageLinks of=paging what="statement lines" export=export/>
            <p class="quiet">"Amounts are exact to the last digit the books keep."</p>
        </DashboardPage>
    }
}

fn table(code: &str, rows: Vec<StatementRow>) -> AnyView {
    let caption = format!("Statement lines, {code}, newest first");
    let head = view! {
        <HeadCell label="Line"/>
        <HeadCell label="Date"/>
        <HeadCell label="What"/>
        <HeadCell label="Reference"/>
        <HeadCell label="Debit" numeric=true/>
        <HeadCell label="Credit" numeric=true/>
        <HeadCell label="Balance" numeric=true/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption=caption head=head>{rows}</TableFrame> }.into_any()
}

fn row(line: StatementRow) -> AnyView {
    let StatementRow {
        version,
        at,
        kind,
        reference,
        href,
        debit,
        credit,
        balance,
    } = line;
    let reference = match href {
        Some(href) => view! { <a class="id" href=href>{reference}</a> }.into_any(),
        None => view! { <bdi dir="ltr" class="id">{reference}</bdi> }.into_any(),
    };
    view! {
        <tr role="row">
            <RowHead label="Line">{version}</RowHead>
            <Cell label="Date"><Timestamp at=at/></Cell>
            <Cell label="What">{kind}</Cell>
            <Cell label="Reference">{reference}</Cell>
            <Cell label="Debit" numeric=true>{figure(debit)}</Cell>
            <Cell label="Credit" numeric=true>{figure(credit)}</Cell>
            <Cell label="Balance" numeric=true><Figure value=balance/></Cell>
        </tr>
    }
    .into_any()
}

/// An empty side of a line is left empty, as in any ledger.
fn figure(value: Option<String>) -> Option<AnyView> {
    value.map(|value| view! { <Figure value=value/> }.into_any())
}
