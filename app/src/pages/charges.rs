//! The list of charges, `/app/charges` (ux §1.3, §1.6).

use domain::view::dashboard::{ChargeFilter, ChargeListView, ChargeRow, Frame};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use super::query::query;
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, Status, TableFrame,
    TextField, Timestamp,
};

const PATH: &str = "/app/charges";

/// Status words that can be asked for, in the order of a charge's life.
const STATUSES: [&str; 9] = [
    "created",
    "pending",
    "processing",
    "paid",
    "expired",
    "underpaid",
    "cancelled",
    "failed",
    "refunded",
];

/// Filters, their chips, the table, the neighbours.
#[component]
pub fn ChargesPage(frame: Frame, view: ChargeListView) -> impl IntoView {
    let ChargeListView {
        filter,
        currencies,
        rows,
        paging,
        never_used,
    } = view;
    let content = if never_used {
        view! {
            <EmptyState text="Charges appear here seconds after they are made.">
                <p class="quiet">"Make the first one with your test key; Home shows how."</p>
                <a class="btn" href="/app">"Go to Home"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        let chips = chips(&filter);
        let list = if rows.is_empty() {
            view! {
                <EmptyState text="No charges match.">
                    <a class="btn-2" href=PATH>"Clear filters"</a>
                </EmptyState>
            }
            .into_any()
        } else {
            view! {
                <ChargeTable rows=rows caption="Charges, newest first"/>
                <PageLinks of=paging what="charges" export="/app/charges.csv"/>
            }
            .into_any()
        };
        view! { {filters(filter, currencies)} {chips} {list} }.into_any()
    };
    view! {
        <DashboardPage frame=frame title="Charges" section=Section::Charges>
            {content}
        </DashboardPage>
    }
}

fn filters(filter: ChargeFilter, currencies: Vec<String>) -> AnyView {
    let ChargeFilter {
        q,
        status,
        currency,
        from,
        to,
        attention,
        limit,
    } = filter;
    let statuses = with_any("Any status", STATUSES.map(str::to_owned).to_vec());
    let currencies = with_any("Any currency", currencies);
    let sizes = ["25", "50", "100"]
        .map(|size| (size.to_owned(), size.to_owned()))
        .to_vec();
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <TextField
                    name="q"
                    label="Search"
                    kind="search"
                    value=q
                    hint="Order, transaction id, address or e-mail"
                />
                <SelectField name="status" label="Status" options=statuses selected=status/>
                <SelectField name="currency" label="Currency" options=currencies selected=currency/>
                <TextField name="from" label="From day" value=from hint="Year-month-day"/>
                <TextField name="to" label="To day" value=to hint="Year-month-day"/>
                <SelectField name="limit" label="Rows" options=sizes selected=limit.to_string()/>
                <label class="check">
                    <input type="checkbox" name="attention" value="1" checked=attention/>
                    <span>"Needs attention"</span>
                </label>
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn with_any(any: &str, values: Vec<String>) -> Vec<(String, String)> {
    let first = (String::new(), any.to_owned());
    std::iter::once(first)
        .chain(values.into_iter().map(|value| (value.clone(), value)))
        .collect()
}

/// One link for each filter in force: pressing it takes the filter away.
fn chips(filter: &ChargeFilter) -> Option<AnyView> {
    let attention = if filter.attention { "1" } else { "" };
    let limit = filter.limit.to_string();
    let pairs = [
        ("q", filter.q.as_str()),
        ("status", filter.status.as_str()),
        ("currency", filter.currency.as_str()),
        ("from", filter.from.as_str()),
        ("to", filter.to.as_str()),
        ("attention", attention),
    ];
    let chips: Vec<_> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(dropped, value)| {
            let kept: Vec<(&str, &str)> = pairs
                .iter()
                .copied()
                .filter(|(name, _)| name != dropped)
                .chain([("limit", limit.as_str())])
                .collect();
            let href = format!("{PATH}{}", query(&kept));
            let text = chip_text(dropped, value);
            view! {
                <li>
                    <a class="chip" href=href>
                        <span class="vh">"Remove filter "</span>
                        <bdi>{text}</bdi>
                        <span aria-hidden="true">" ✕"</span>
                    </a>
                </li>
            }
        })
        .collect();
    (!chips.is_empty()).then(|| {
        view! {
            <ul class="chips" aria-label="Filters in force">
                {chips}
                <li><a href=PATH>"Clear all"</a></li>
            </ul>
        }
        .into_any()
    })
}

fn chip_text(name: &str, value: &str) -> String {
    match name {
        "q" => format!("“{value}”"),
        "from" => format!("from {value}"),
        "to" => format!("to {value}"),
        "attention" => "needs attention".to_owned(),
        _ => value.to_owned(),
    }
}

/// Charges as a table; also on Home and in the inbox.
#[component]
pub(super) fn ChargeTable(
    rows: Vec<ChargeRow>,
    caption: &'static str,
    /// The heading above says the same.
    #[prop(optional)]
    caption_hidden: bool,
) -> impl IntoView {
    let head = view! {
        <HeadCell label="Order"/>
        <HeadCell label="Created"/>
        <HeadCell label="Customer"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Received" numeric=true/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <TableFrame caption=caption caption_hidden=caption_hidden head=head>{rows}</TableFrame>
    }
}

fn row(charge: ChargeRow) -> AnyView {
    let ChargeRow {
        public_id,
        created_at,
        customer,
        amount,
        received,
        method,
        status,
        needs_attention,
    } = charge;
    let href = format!("{PATH}/{public_id}");
    let received = match received {
        Some(received) => view! { <Amount of=received/> }.into_any(),
        None => view! { <span class="quiet">{method.unwrap_or_else(|| "–".to_owned())}</span> }
            .into_any(),
    };
    let attention = needs_attention.then(|| view! { " " <span class="flag">"needs you"</span> });
    view! {
        <tr role="row">
            <RowHead label="Order"><a class="id" href=href>{public_id}</a></RowHead>
            <Cell label="Created"><Timestamp at=created_at/></Cell>
            <Cell label="Customer"><bdi>{customer}</bdi></Cell>
            <Cell label="Amount" numeric=true><Amount of=amount/></Cell>
            <Cell label="Received" numeric=true>{received}</Cell>
            <Cell label="Status"><Status of=status/> {attention}</Cell>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> ChargeFilter {
        ChargeFilter {
            q: "a b".to_owned(),
            status: "paid".to_owned(),
            limit: 50,
            ..ChargeFilter::default()
        }
    }

    #[test]
    fn a_chip_takes_only_its_own_filter_away() {
        let html = crate::render(|| chips(&filter()));
        assert!(
            html.contains("href=\"/app/charges?status=paid&amp;limit=50\""),
            "{html}"
        );
        assert!(
            html.contains("href=\"/app/charges?q=a%20b&amp;limit=50\""),
            "{html}"
        );
        assert!(html.contains("Clear all"), "{html}");
    }

    #[test]
    fn no_filter_no_chips() {
        assert!(chips(&ChargeFilter::default()).is_none());
    }
}
