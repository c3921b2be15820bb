//! The public page about fees, `/fees`, with worked examples. It needs no sign-in and no script.

use domain::view::coins::{FeeExample, FeeItem, FeesView};
use leptos::prelude::*;

use super::public::PublicPage;
use crate::ui::{
    Amount, Cell, EmptyState, Figure, HeadCell, PageLinks, RowHead, TableFrame, TextField,
};

const PATH: &str = "/fees";

/// What each currency costs, with worked examples.
#[component]
pub fn FeesPage(view: FeesView) -> impl IntoView {
    let FeesView {
        q,
        rows,
        paging,
        examples,
        test_mode,
    } = view;
    let list = if rows.is_empty() {
        view! {
            <EmptyState text="No currency matches.">
                <a class="btn-2" href=PATH>"Show all currencies"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {fee_table(&rows)}
            {minimum_table(rows)}
            <PageLinks of=paging what="fees" export="/fees.csv"/>
        }
        .into_any()
    };
    view! {
        <PublicPage title="Fees – Exchequer" test_mode=test_mode>
            <h1>"Fees and minimums"</h1>
            <p>
                "Fees are taken in the currency they are told in, and shown before you agree. The \
                fee on payments of orders and invoices is agreed with each merchant."
            </p>
            <p><a href="/coins">"Supported coins"</a></p>
            {worked(examples)}
            <section>
                <h2>"By currency"</h2>
                {search(q)}
                {list}
            </section>
        </PublicPage>
    }
}

fn worked(examples: Vec<FeeExample>) -> Option<AnyView> {
    if examples.is_empty() {
        return None;
    }
    let examples = examples
        .into_iter()
        .map(|FeeExample { title, lines }| {
            let last = lines.len().saturating_sub(1);
            let lines = lines
                .into_iter()
                .enumerate()
                .map(|(at, (name, amount))| {
                    let class = if at == last { "sum" } else { "line" };
                    view! { <div class=class><dt>{name}</dt><dd><Amount of=amount/></dd></div> }
                })
                .collect_view();
            view! { <div><h3>{title}</h3><dl class="figures">{lines}</dl></div> }
        })
        .collect_view();
    Some(
        view! {
            <section>
                <h2>"Worked examples"</h2>
                {examples}
            </section>
        }
        .into_any(),
    )
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
                    hint="Code or name of a currency"
                />
                <button class="btn">"Search"</button>
            </form>
        </search>
    }
    .into_any()
}

fn fee_table(rows: &[FeeItem]) -> AnyView {
    let head = view! {
        <HeadCell label="Currency"/>
        <HeadCell label="Deposit"/>
        <HeadCell label="Exchange"/>
        <HeadCell label="Withdrawal"/>
    }
    .into_any();
    let rows = rows
        .iter()
        .cloned()
        .map(|fee| {
            view! {
                <tr role="row">
                    <RowHead label="Currency">
                        <strong>{fee.code}</strong> " " <span>{fee.name}</span>
                    </RowHead>
                    <Cell label="Deposit">{fee.deposit}</Cell>
                    <Cell label="Exchange">{fee.exchange}</Cell>
                    <Cell label="Withdrawal">{fee.withdrawal}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! { <TableFrame caption="Fees" head=head>{rows}</TableFrame> }.into_any()
}

fn minimum_table(rows: Vec<FeeItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Currency"/>
        <HeadCell label="Deposit" numeric=true/>
        <HeadCell label="Exchange" numeric=true/>
        <HeadCell label="Withdrawal" numeric=true/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|fee| {
            view! {
                <tr role="row">
                    <RowHead label="Currency">{fee.code}</RowHead>
                    <Cell label="Deposit" numeric=true><Figure value=fee.minimum_deposit/></Cell>
                    <Cell label="Exchange" numeric=true>
                        <Figure value=fee.minimum_exchange/>
                    </Cell>
                    <Cell label="Withdrawal" numeric=true>
                        <Figure value=fee.minimum_withdrawal/>
                    </Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <TableFrame caption="Smallest amounts" head=head>{rows}</TableFrame>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::AmountText;
    use domain::view::dashboard::Paging;

    use super::*;

    fn amount(amount: &str, code: &str) -> AmountText {
        AmountText {
            amount: amount.to_owned(),
            code: code.to_owned(),
        }
    }

    #[test]
    fn an_example_ends_in_its_result() {
        let example = FeeExample {
            title: "Deposit: on 100.00 EUR you keep 99.00 EUR".to_owned(),
            lines: vec![
                ("Comes in".to_owned(), amount("100.00", "EUR")),
                ("Deposit fee, 1 %".to_owned(), amount("-1.00", "EUR")),
                ("You keep".to_owned(), amount("99.00", "EUR")),
            ],
        };
        let view = FeesView {
            q: String::new(),
            rows: Vec::new(),
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            examples: vec![example],
            test_mode: false,
        };
        let html = crate::render(move || view! { <FeesPage view=view/> });
        assert!(html.contains("<div class=\"sum\"><dt>You keep"), "{html}");
        assert_eq!(html.matches("class=\"sum\"").count(), 1, "{html}");
        assert!(html.contains("href=\"/coins\""), "{html}");
        assert!(html.contains("No currency matches."), "{html}");
    }
}
