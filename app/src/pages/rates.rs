//! The rates a merchant is quoted, `/app/rates`, and what futures cost for one of its addresses.

use domain::view::dashboard::Frame;
use domain::view::developers::{FuturesTiers, RateItem, RatesView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, Figure, HeadCell, HiddenField, PageLinks, RowHead, SelectField,
    Status, TableFrame, TextField, Timestamp,
};

const PATH: &str = "/app/rates";

/// Every pair, then the futures of one address.
#[component]
pub fn RatesPage(frame: Frame, view: RatesView) -> impl IntoView {
    let RatesView {
        now,
        currency,
        currencies,
        rows,
        paging,
        never_used,
        stale_after,
        address,
        futures,
        notice,
    } = view;
    let wrong_address = notice
        .clone()
        .filter(|notice| notice.field.as_deref() == Some("address"))
        .map(|notice| notice.text);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let kept = currency.clone();
    let list = if never_used {
        view! { <EmptyState text="Rates stand here once the operator has set a source of them."/> }
            .into_any()
    } else if rows.is_empty() {
        view! {
            {filter(currency, currencies)}
            <EmptyState text="No pair of this currency has a rate.">
                <a class="btn-2" href=PATH>"Show all pairs"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filter(currency, currencies)}
            {table(rows)}
            <PageLinks of=paging what="rates" export="/app/rates.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Rates" section=Section::Rates>
            <p class="under-title">
                "As of " <Timestamp at=now/> ". A rate older than " {stale_after}
                " is stale: nothing is quoted with it."
            </p>
            {list}
            <section>
                <h2>"Futures"</h2>
                {futures_form(kept, address, wrong_address)}
                {futures.map(tiers)}
            </section>
        </DashboardPage>
    }
}

fn filter(currency: String, currencies: Vec<String>) -> AnyView {
    let options = std::iter::once((String::new(), "Any currency".to_owned()))
        .chain(currencies.into_iter().map(|code| (code.clone(), code)))
        .collect();
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <SelectField
                    name="currency"
                    label="Currency"
                    options=options
                    selected=currency
                />
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn table(rows: Vec<RateItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Pair"/>
        <HeadCell label="Rate" numeric=true/>
        <HeadCell label="In 24 hours" numeric=true/>
        <HeadCell label="Age"/>
        <HeadCell label="Source"/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <TableFrame caption="What one unit of the first currency is worth in the second" head=head>
            {rows}
        </TableFrame>
    }
    .into_any()
}

fn row(rate: RateItem) -> AnyView {
    let pair = format!("{}/{}", rate.from, rate.to);
    let change = rate.change.unwrap_or_else(|| "–".to_owned());
    view! {
        <tr role="row">
            <RowHead label="Pair">{pair}</RowHead>
            <Cell label="Rate" numeric=true>
                <Figure value=rate.rate/> " " <span class="unit">{rate.to}</span>
            </Cell>
            <Cell label="In 24 hours" numeric=true><span class="num">{change}</span></Cell>
            <Cell label="Age">{rate.age}</Cell>
            <Cell label="Source">{rate.sources}</Cell>
            <Cell label="Status"><Status of=rate.status/></Cell>
        </tr>
    }
    .into_any()
}

fn futures_form(currency: String, address: String, wrong: Option<String>) -> AnyView {
    let kept =
        (!currency.is_empty()).then(|| view! { <HiddenField name="currency" value=currency/> });
    view! {
        <p class="under-title">
            "A promise to exchange one coming deposit at a fixed price. Here you see what it would \
            cost now; it is made under " <a href="/app/futures">"Futures"</a> " or through the API."
        </p>
        <form method="get" action=PATH novalidate class="card">
            {kept}
            <TextField
                name="address"
                label="Deposit address"
                value=address
                hint="One of yours that exchanges what it receives"
                error=wrong
                mono=true
            />
            <button class="btn-2">"Show the prices"</button>
        </form>
    }
    .into_any()
}

fn tiers(futures: FuturesTiers) -> AnyView {
    let FuturesTiers {
        address,
        pair,
        release_at,
        tiers,
    } = futures;
    let head = view! {
        <HeadCell label="Receive up to"/>
        <HeadCell label="Price" numeric=true/>
    }
    .into_any();
    let rows = tiers
        .into_iter()
        .map(|(size, price)| {
            let price = match price {
                Some(price) => view! { <Figure value=price/> }.into_any(),
                None => view! { <span class="quiet">"not now"</span> }.into_any(),
            };
            view! {
                <tr role="row">
                    <RowHead label="Receive up to"><Amount of=size/></RowHead>
                    <Cell label="Price" numeric=true>{price}</Cell>
                </tr>
            }
        })
        .collect_view();
    let caption = format!("Futures prices, {pair}");
    view! {
        <p>
            "For " <bdi dir="ltr" class="hash">{address}</bdi> ". The deposit would have to be seen \
            by " <Timestamp at=release_at/> "."
        </p>
        <TableFrame caption=caption head=head>{rows}</TableFrame>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::dashboard::{Paging, StatusPill};
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(rows: Vec<RateItem>, futures: Option<FuturesTiers>) -> String {
        let view = RatesView {
            now: OffsetDateTime::UNIX_EPOCH,
            currency: String::new(),
            currencies: vec!["BTC".to_owned(), "EUR".to_owned()],
            never_used: false,
            rows,
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            stale_after: "10 min".to_owned(),
            address: String::new(),
            futures,
            notice: None,
        };
        crate::render(move || view! { <RatesPage frame=frame() view=view/> })
    }

    #[test]
    fn a_stale_rate_says_so() {
        let rate = RateItem {
            from: "BTC".to_owned(),
            to: "EUR".to_owned(),
            rate: "60000.00000000".to_owned(),
            mid: "60000".to_owned(),
            change: None,
            age: "22 min".to_owned(),
            observed_at: OffsetDateTime::UNIX_EPOCH,
            sources: "pinned".to_owned(),
            status: StatusPill {
                word: "stale".to_owned(),
                flags: Vec::new(),
            },
        };
        let html = page(vec![rate], None);
        assert!(html.contains(">stale<"), "{html}");
        assert!(html.contains("BTC/EUR"), "{html}");
    }

    #[test]
    fn a_tier_that_cannot_be_served_has_no_price() {
        let size = domain::view::AmountText {
            amount: "10000.00".to_owned(),
            code: "EUR".to_owned(),
        };
        let futures = FuturesTiers {
            address: "bc1q".to_owned(),
            pair: "BTC/EUR".to_owned(),
            release_at: OffsetDateTime::UNIX_EPOCH,
            tiers: vec![(size, None)],
        };
        assert!(page(Vec::new(), Some(futures)).contains("not now"));
    }
}
