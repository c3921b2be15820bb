use domain::view::dashboard::Frame;
use domain::view::operate::{CurrencySum, FloorView, HouseRow, HouseView};
use leptos::prelude::*;

use super::{blamed, currency_filter, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Cell, EmptyState, Figure, HeadCell, HiddenField, PageLinks, RowHead, TableFrame, TextField,
};

const PATH: &str = "/app/operate/house";

/// Every account of the house, and the proof that each currency adds up to zero.
#[component]
pub fn HousePage(frame: Frame, view: HouseView) -> impl IntoView {
    let HouseView {
        currency,
        currencies,
        rows,
        sums,
        paging,
        never_used,
        notice,
    } = view;
    let frame = with_notice(frame, notice);
    let content = if never_used {
        view! {
            <EmptyState text="House accounts come into being with the first payment."/>
        }
        .into_any()
    } else if rows.is_empty() {
        view! {
            {currency_filter(PATH, currency, currencies)}
            <EmptyState text="The house has no account in this currency.">
                <a class="btn-2" href=PATH>"Show all accounts"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {currency_filter(PATH, currency, currencies)}
            {accounts(rows)}
            <PageLinks of=paging what="accounts" export="/app/operate/house.csv"/>
            {proof(sums)}
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="House accounts" section=Section::House>
            <p class="under-title">
                "Balances are credits less debits: what we owe is above zero, what we hold is below."
            </p>
            {content}
        </DashboardPage>
    }
}

fn accounts(rows: Vec<HouseRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Account"/>
        <HeadCell label="For"/>
        <HeadCell label="Balance" numeric=true/>
        <HeadCell label="Held" numeric=true/>
        <HeadCell label="Floor" numeric=true/>
        <HeadCell label="Still allowed below zero" numeric=true/>
        <HeadCell label="Change"/>
    }
    .into_any();
    let rows = rows.into_iter().map(account).collect_view();
    view! { <TableFrame caption="House accounts by currency" head=head>{rows}</TableFrame> }
        .into_any()
}

fn account(row: HouseRow) -> AnyView {
    let HouseRow {
        code,
        kind,
        purpose,
        balance,
        held,
        floor,
        exposure,
        edit,
    } = row;
    let name = format!("{code} {}", kind.replace('_', " "));
    let limit = |value: Option<String>| match value {
        Some(value) => view! { <Figure value=value/> }.into_any(),
        None => view! { <span class="quiet">"no limit"</span> }.into_any(),
    };
    let label = format!("Change the floor of {name}");
    let edit = edit.map(|href| view! { <a href=href aria-label=label>"Floor"</a> });
    view! {
        <tr role="row">
            <RowHead label="Account">{name}</RowHead>
            <Cell label="For">{purpose}</Cell>
            <Cell label="Balance" numeric=true><Figure value=balance/></Cell>
            <Cell label="Held" numeric=true><Figure value=held/></Cell>
            <Cell label="Floor" numeric=true>{limit(floor)}</Cell>
            <Cell label="Still allowed below zero" numeric=true>{limit(exposure)}</Cell>
            <Cell label="Change">{edit}</Cell>
        </tr>
    }
    .into_any()
}

fn proof(sums: Vec<CurrencySum>) -> AnyView {
    let broken = sums.iter().any(|sum| !sum.is_zero).then(|| {
        view! {
            <p class="banner danger">
                "A currency does not add up to zero. Run the audit of the books before any money \
                moves."
            </p>
        }
    });
    let head = view! {
        <HeadCell label="Currency"/>
        <HeadCell label="House" numeric=true/>
        <HeadCell label="Wallets of merchants" numeric=true/>
        <HeadCell label="Their suspense and debts" numeric=true/>
        <HeadCell label="Together" numeric=true/>
    }
    .into_any();
    let rows = sums
        .into_iter()
        .map(|sum| {
            view! {
                <tr role="row">
                    <RowHead label="Currency">{sum.code}</RowHead>
                    <Cell label="House" numeric=true><Figure value=sum.house/></Cell>
                    <Cell label="Wallets of merchants" numeric=true>
                        <Figure value=sum.wallets/>
                    </Cell>
                    <Cell label="Their suspense and debts" numeric=true>
                        <Figure value=sum.others/>
                    </Cell>
                    <Cell label="Together" numeric=true><Figure value=sum.total/></Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"All accounts together"</h2>
            {broken}
            <TableFrame caption="Sum of all accounts by currency" caption_hidden=true head=head>
                {rows}
            </TableFrame>
        </section>
    }
    .into_any()
}

/// The form that changes the floor of our liquidity in one currency.
#[component]
pub fn FloorPage(frame: Frame, view: FloorView) -> impl IntoView {
    let FloorView {
        code,
        balance,
        held,
        current,
        floor,
        seen,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "floor");
    let frame = with_notice(frame, notice);
    let title = format!("{code} liquidity floor");
    let action = format!("{PATH}/{code}");
    let current = match current {
        Some(current) => view! { <Figure value=current/> }.into_any(),
        None => "no limit".into_any(),
    };
    view! {
        <DashboardPage frame=frame title=title section=Section::House>
            <p class="under-title">
                "Exchanges into " {code} " are refused where they would take our liquidity below its \
                floor."
            </p>
            <dl class="figures">
                <div><dt>"Balance"</dt><dd><Figure value=balance/></dd></div>
                <div><dt>"Held"</dt><dd><Figure value=held/></dd></div>
                <div><dt>"Floor"</dt><dd>{current}</dd></div>
            </dl>
            <form method="post" action=action novalidate class="card">
                <HiddenField name="seen" value=seen/>
                <TextField
                    name="floor"
                    label="Lowest balance"
                    value=floor
                    hint="E.g. -1000 to lend up to a thousand; empty for no limit"
                    error=wrong
                />
                <button class="btn" name="step" value="review">"Review"</button>
                <a href=PATH>"Back to the house accounts"</a>
            </form>
        </DashboardPage>
    }
}

#[cfg(test)]
mod tests {
    use domain::view::dashboard::Paging;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(total: &str, is_zero: bool) -> String {
        let row = HouseRow {
            code: "EUR".to_owned(),
            kind: "liquidity".to_owned(),
            purpose: "Our side of every exchange".to_owned(),
            balance: "-80.00".to_owned(),
            held: "0.00".to_owned(),
            floor: None,
            exposure: None,
            edit: Some("/app/operate/house/EUR".to_owned()),
        };
        let sum = CurrencySum {
            code: "EUR".to_owned(),
            house: "-80.00".to_owned(),
            wallets: "80.00".to_owned(),
            others: "0.00".to_owned(),
            total: total.to_owned(),
            is_zero,
        };
        let view = HouseView {
            currency: String::new(),
            currencies: vec!["EUR".to_owned()],
            rows: vec![row],
            sums: vec![sum],
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            never_used: false,
            notice: None,
        };
        crate::render(move || view! { <HousePage frame=frame() view=view/> })
    }

    #[test]
    fn an_account_without_a_floor_says_so() {
        let html = page("0.00", true);
        assert!(html.contains("no limit"), "{html}");
        assert!(html.contains("href=\"/app/operate/house/EUR\""), "{html}");
        assert!(!html.contains("does not add up"), "{html}");
    }

    #[test]
    fn a_broken_currency_is_called_broken() {
        assert!(page("1.00", false).contains("does not add up"));
    }
}
