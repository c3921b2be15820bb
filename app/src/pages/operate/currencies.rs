use domain::view::dashboard::Frame;
use domain::view::operate::{TermsControl, TermsEditView, TermsInput, TermsItem, TermsListView};
use leptos::prelude::*;

use super::with_notice;
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Cell, EmptyState, Figure, HeadCell, HiddenField, PageLinks, RowHead, SelectField, TableFrame,
    TextField, Timestamp,
};

const PATH: &str = "/app/operate/currencies";

/// What is asked for each currency, with a way to change it.
#[component]
pub fn TermsListPage(frame: Frame, view: TermsListView) -> impl IntoView {
    let TermsListView { q, rows, paging } = view;
    let list = if rows.is_empty() {
        view! {
            <EmptyState text="No currency matches.">
                <a class="btn-2" href=PATH>"Clear the search"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {table(rows)}
            <PageLinks of=paging what="currencies" export="/app/operate/currencies.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Currencies and fees" section=Section::Currencies>
            <p class="under-title">"Changes count at once, for what comes after them."</p>
            <search>
                <form method="get" action=PATH novalidate class="filters">
                    <TextField
                        name="q"
                        label="Search"
                        kind="search"
                        value=q
                        hint="Part of the code or the name"
                    />
                    <button class="btn">"Search"</button>
                </form>
            </search>
            {list}
        </DashboardPage>
    }
}

fn table(rows: Vec<TermsItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Currency"/>
        <HeadCell label="Deposit fee" numeric=true/>
        <HeadCell label="Exchange fee" numeric=true/>
        <HeadCell label="Withdrawal fee" numeric=true/>
        <HeadCell label="Smallest deposit" numeric=true/>
        <HeadCell label="Smallest exchange" numeric=true/>
        <HeadCell label="Smallest withdrawal" numeric=true/>
        <HeadCell label="Confirmations" numeric=true/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Currencies, coins first" head=head>{rows}</TableFrame> }.into_any()
}

fn row(item: TermsItem) -> AnyView {
    let href = format!("{PATH}/{}", item.code);
    let off = (!item.enabled).then(|| view! { " " <span class="flag">"off"</span> });
    let has_chain = item.confirmations.is_some();
    let minimum_deposit = if has_chain {
        view! { <Figure value=item.minimum_deposit/> }.into_any()
    } else {
        view! { <span class="quiet">"–"</span> }.into_any()
    };
    let deposit_fee = if has_chain {
        item.deposit_fee
    } else {
        "–".to_owned()
    };
    let confirmations = item.confirmations.unwrap_or_else(|| "–".to_owned());
    view! {
        <tr role="row">
            <RowHead label="Currency">
                <a href=href>{item.code}</a> " " <span class="quiet">{item.name}</span> {off}
            </RowHead>
            <Cell label="Deposit fee" numeric=true>{deposit_fee}</Cell>
            <Cell label="Exchange fee" numeric=true>{item.exchange_fee}</Cell>
            <Cell label="Withdrawal fee" numeric=true>{item.withdrawal_fee}</Cell>
            <Cell label="Smallest deposit" numeric=true>{minimum_deposit}</Cell>
            <Cell label="Smallest exchange" numeric=true>
                <Figure value=item.minimum_exchange/>
            </Cell>
            <Cell label="Smallest withdrawal" numeric=true>
                <Figure value=item.minimum_withdrawal/>
            </Cell>
            <Cell label="Confirmations" numeric=true>{confirmations}</Cell>
        </tr>
    }
    .into_any()
}

/// The form that edits the terms of one currency.
#[component]
pub fn TermsEditPage(frame: Frame, view: TermsEditView) -> impl IntoView {
    let TermsEditView {
        code,
        name,
        enabled,
        inputs,
        version,
        last_change,
        notice,
    } = view;
    let frame = with_notice(frame, notice);
    let title = format!("{code} fees and limits");
    let action = format!("{PATH}/{code}");
    let audit = format!("/app/operate/audit?subject=currency:{code}");
    let off = (!enabled).then_some(" It is switched off: nothing new begins in it.");
    let changed = match last_change {
        Some((by, at)) => view! {
            "Last changed by " <bdi>{by}</bdi> ", " <Timestamp at=at/> ". "
            <a href=audit>"All changes"</a>
        }
        .into_any(),
        None => "Never changed since it was set up.".into_any(),
    };
    let inputs = inputs.into_iter().map(input).collect_view();
    view! {
        <DashboardPage frame=frame title=title section=Section::Currencies>
            <p class="under-title">{name} ". " {changed} {off}</p>
            <form method="post" action=action novalidate class="card">
                <HiddenField name="version" value=version.to_string()/>
                {inputs}
                <button class="btn" name="step" value="review">"Review"</button>
                <a href=PATH>"Back to the currencies"</a>
            </form>
        </DashboardPage>
    }
}

fn input(input: TermsInput) -> AnyView {
    let inputmode = match input.control {
        TermsControl::Typed { inputmode } => inputmode,
        TermsControl::Chosen(options) => {
            let options = options
                .iter()
                .map(|(value, text)| ((*value).to_owned(), (*text).to_owned()))
                .collect();
            return view! {
                <SelectField
                    name=input.name
                    label=input.label
                    options=options
                    selected=input.value
                />
            }
            .into_any();
        }
    };
    view! {
        <TextField
            name=input.name
            label=input.label
            value=input.value
            hint=input.hint
            error=input.error
            inputmode=inputmode
        />
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::frame::tests::frame;

    #[test]
    fn a_wrong_value_is_shown_as_it_was_typed() {
        let view = TermsEditView {
            code: "BTC".to_owned(),
            name: "Bitcoin".to_owned(),
            enabled: true,
            inputs: vec![TermsInput {
                name: "deposit_fee_basis_points",
                label: "Deposit fee, %",
                hint: "Taken off what came, e.g. 0.99",
                value: "1,5".to_owned(),
                error: Some("Deposit fee, % must be a plain decimal number.".to_owned()),
                control: TermsControl::Typed {
                    inputmode: "decimal",
                },
            }],
            version: 7,
            last_change: None,
            notice: None,
        };
        let html = crate::render(move || view! { <TermsEditPage frame=frame() view=view/> });
        assert!(html.contains("value=\"1,5\""), "{html}");
        assert!(html.contains("aria-invalid=\"true\""), "{html}");
        assert!(html.contains("name=\"version\" value=\"7\""), "{html}");
    }
}
