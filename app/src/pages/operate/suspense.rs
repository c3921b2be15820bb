use domain::view::dashboard::Frame;
use domain::view::operate::{SuspenseFilter, SuspenseItem, SuspenseSum, SuspenseView, WayOut};
use leptos::prelude::*;

use super::stuck::stuck_withdrawals;
use super::{choices, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, Figure, HeadCell, PageLinks, RowHead, SelectField, TableFrame,
    TextField, Timestamp,
};

const PATH: &str = "/app/operate/suspense";

/// Every unit that belongs to nobody yet, with its story and a way out, and withdrawals that are
/// stuck.
#[component]
pub fn SuspensePage(frame: Frame, view: SuspenseView) -> impl IntoView {
    let SuspenseView {
        filter,
        currencies,
        rows,
        sums,
        paging,
        is_empty,
        stuck,
        notice,
    } = view;
    let frame = with_notice(frame, notice);
    let list = if is_empty {
        view! { <EmptyState text="Nothing is in suspense: every unit belongs to somebody."/> }
            .into_any()
    } else if rows.is_empty() {
        view! {
            {filters(filter, currencies)}
            <EmptyState text="Nothing in suspense matches.">
                <a class="btn-2" href=PATH>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filters(filter, currencies)}
            {table(rows)}
            <PageLinks of=paging what="items" export="/app/operate/suspense.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Suspense" section=Section::Suspense>
            <p class="under-title">
                "Money that came and belongs to no wallet yet, oldest first, and what gets it out."
            </p>
            {balance(sums)}
            {list}
            {stuck_withdrawals(stuck)}
        </DashboardPage>
    }
}

fn balance(sums: Vec<SuspenseSum>) -> Option<AnyView> {
    if sums.is_empty() {
        return None;
    }
    let unexplained = sums.iter().any(|sum| sum.difference.is_some()).then(|| {
        view! {
            <p class="banner danger">
                "The stories below do not explain all of it. Run the audit of the books before \
                anything is released."
            </p>
        }
    });
    let head = view! {
        <HeadCell label="Currency"/>
        <HeadCell label="In the accounts" numeric=true/>
        <HeadCell label="Explained" numeric=true/>
        <HeadCell label="Difference" numeric=true/>
    }
    .into_any();
    let rows = sums
        .into_iter()
        .map(|sum| {
            let difference = match sum.difference {
                Some(difference) => {
                    view! { <strong><Figure value=difference/></strong> }.into_any()
                }
                None => view! { <span class="quiet">"none"</span> }.into_any(),
            };
            view! {
                <tr role="row">
                    <RowHead label="Currency">{sum.code}</RowHead>
                    <Cell label="In the accounts" numeric=true><Figure value=sum.accounts/></Cell>
                    <Cell label="Explained" numeric=true><Figure value=sum.explained/></Cell>
                    <Cell label="Difference" numeric=true>{difference}</Cell>
                </tr>
            }
        })
        .collect_view();
    Some(
        view! {
            {unexplained}
            <TableFrame caption="Suspense by currency" head=head>{rows}</TableFrame>
        }
        .into_any(),
    )
}

fn filters(filter: SuspenseFilter, currencies: Vec<String>) -> AnyView {
    let codes = choices::codes("Any coin", currencies);
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <TextField
                    name="q"
                    label="Search"
                    kind="search"
                    value=filter.q
                    hint="Merchant, charge or number of a deposit"
                />
                <SelectField name="currency" label="Coin" options=codes selected=filter.currency/>
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<SuspenseItem>) -> AnyView {
    let head = view! {
        <HeadCell label="What"/>
        <HeadCell label="Since"/>
        <HeadCell label="Merchant"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Story"/>
        <HeadCell label="Way out"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="In suspense, oldest first" head=head>{rows}</TableFrame> }
        .into_any()
}

fn row(item: SuspenseItem) -> AnyView {
    let since = item.since.map(|since| view! { <Timestamp at=since/> });
    let held = item.held.map(|held| {
        view! { <span class="output quiet">"on its way back: " <Amount of=held/></span> }
    });
    view! {
        <tr role="row">
            <RowHead label="What"><a class="id" href=item.href>{item.what}</a></RowHead>
            <Cell label="Since">{since}</Cell>
            <Cell label="Merchant"><bdi>{item.merchant}</bdi></Cell>
            <Cell label="Amount" numeric=true><Amount of=item.amount/> {held}</Cell>
            <Cell label="Story">{item.story}</Cell>
            <Cell label="Way out">{way_out(item.way_out)}</Cell>
        </tr>
    }
    .into_any()
}

fn way_out(out: WayOut) -> AnyView {
    match out {
        WayOut::Charge { href } => view! { <a href=href>"Accept or refund"</a> }.into_any(),
        WayOut::Deposit { href } => view! { <a href=href>"Release or refund"</a> }.into_any(),
        WayOut::Wait { text } => view! { <span class="quiet">{text}</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use domain::view::AmountText;
    use domain::view::dashboard::Paging;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(difference: Option<&str>, way_out: WayOut) -> String {
        let item = SuspenseItem {
            since: None,
            merchant_id: 1_000,
            merchant: "Café Riga".to_owned(),
            what: "Deposit 17".to_owned(),
            href: "/app/deposits/17?merchant=1000".to_owned(),
            story: "Not credited: less than the smallest deposit.".to_owned(),
            amount: AmountText {
                amount: "0.00009000".to_owned(),
                code: "BTC".to_owned(),
            },
            held: None,
            way_out,
        };
        let sum = SuspenseSum {
            code: "BTC".to_owned(),
            accounts: "0.00009000".to_owned(),
            explained: "0.00009000".to_owned(),
            difference: difference.map(str::to_owned),
        };
        let view = SuspenseView {
            filter: SuspenseFilter::default(),
            currencies: vec!["BTC".to_owned()],
            rows: vec![item],
            sums: vec![sum],
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            is_empty: false,
            stuck: Vec::new(),
            notice: None,
        };
        crate::render(move || view! { <SuspensePage frame=frame() view=view/> })
    }

    #[test]
    fn a_deposit_has_its_way_out() {
        let href = "/app/operate/suspense/17".to_owned();
        let html = page(None, WayOut::Deposit { href });
        assert!(html.contains("href=\"/app/operate/suspense/17\""), "{html}");
        assert!(!html.contains("do not explain"), "{html}");
    }

    #[test]
    fn what_nobody_explains_is_said() {
        let text = "It ends by itself.".to_owned();
        let html = page(Some("1.00000000"), WayOut::Wait { text });
        assert!(html.contains("do not explain"), "{html}");
    }
}
