use domain::view::dashboard::Frame;
use domain::view::operate::{OperatorRatesView, PairRow, PinForm, SourceRow};
use leptos::prelude::*;

use super::{blamed, currency_filter, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Cell, EmptyState, Figure, HeadCell, HiddenField, PageLinks, RowHead, SelectField, Status,
    TableFrame, TextField, Timestamp,
};

const PATH: &str = "/app/operate/rates";

/// Every pair with its sources, and the form that pins a rate.
#[component]
pub fn OperatorRatesPage(frame: Frame, view: OperatorRatesView) -> impl IntoView {
    let OperatorRatesView {
        now,
        currency,
        currencies,
        rows,
        stale,
        stale_after,
        paging,
        never_used,
        form,
        codes,
        notice,
    } = view;
    let wrong = ["rate", "minutes"].map(|field| blamed(notice.as_ref(), field));
    let frame = with_notice(frame, notice);
    let stopped = (stale > 0).then(|| {
        let what = if stale == 1 {
            "1 pair has no rate: nothing is quoted with it.".to_owned()
        } else {
            format!("{stale} pairs have no rate: nothing is quoted with them.")
        };
        view! { <p class="banner danger">{what}</p> }
    });
    let list = if never_used {
        view! { <EmptyState text="No source has said anything yet. Pin a rate below."/> }.into_any()
    } else if rows.is_empty() {
        view! {
            {currency_filter(PATH, currency, currencies)}
            <EmptyState text="No pair of this currency has a rate.">
                <a class="btn-2" href=PATH>"Show all pairs"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {currency_filter(PATH, currency, currencies)}
            {table(rows)}
            <PageLinks of=paging what="rates" export="/app/operate/rates.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Rate sources" section=Section::RateSources>
            <p class="under-title">
                "As of " <Timestamp at=now/> ". A source older than " {stale_after}
                " is stale; one that is far from the median is an outlier. Neither counts."
            </p>
            {stopped}
            {list}
            {pin(form, codes, wrong)}
        </DashboardPage>
    }
}

fn table(rows: Vec<PairRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Pair"/>
        <HeadCell label="Quoted with" numeric=true/>
        <HeadCell label="Sources"/>
        <HeadCell label="Pin"/>
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

fn row(pair: PairRow) -> AnyView {
    let PairRow {
        from,
        to,
        median,
        sources,
        pinned_until,
    } = pair;
    let name = format!("{from}/{to}");
    let median = match median {
        Some(median) => view! { <Figure value=median/> }.into_any(),
        None => view! { <strong>"no rate"</strong> }.into_any(),
    };
    let sources = sources.into_iter().map(source).collect_view();
    let pin = match pinned_until {
        Some(until) => {
            let label = format!("End the pin of {name}");
            view! {
                <span class="output">"until " <Timestamp at=until/></span>
                <form method="post" action="/app/operate/rates/unpin">
                    <HiddenField name="from" value=from/>
                    <HiddenField name="to" value=to/>
                    <button class="btn-2" name="step" value="review" aria-label=label>
                        "End it"
                    </button>
                </form>
            }
            .into_any()
        }
        None => {
            let href = format!("{PATH}?from={from}&to={to}#rate");
            let label = format!("Pin {name}");
            view! { <a href=href aria-label=label>"Pin"</a> }.into_any()
        }
    };
    view! {
        <tr role="row">
            <RowHead label="Pair">{name}</RowHead>
            <Cell label="Quoted with" numeric=true>{median}</Cell>
            <Cell label="Sources">{sources}</Cell>
            <Cell label="Pin">{pin}</Cell>
        </tr>
    }
    .into_any()
}

fn source(row: SourceRow) -> AnyView {
    let SourceRow {
        source,
        rate,
        age,
        deviation,
        status,
    } = row;
    let deviation = deviation.map(|deviation| format!(", {deviation}"));
    view! {
        <span class="output">
            {source} " " <Figure value=rate/> " "
            <span class="quiet">{age} {deviation}</span> " " <Status of=status/>
        </span>
    }
    .into_any()
}

fn pin(
    form: PinForm,
    codes: Vec<String>,
    [wrong_rate, wrong_minutes]: [Option<String>; 2],
) -> AnyView {
    let PinForm {
        from,
        to,
        rate,
        minutes,
    } = form;
    let options: Vec<(String, String)> =
        codes.into_iter().map(|code| (code.clone(), code)).collect();
    let targets = options.clone();
    view! {
        <section>
            <h2>"Pin a rate"</h2>
            <form method="post" action="/app/operate/rates/pin" novalidate class="card">
                <SelectField name="from" label="One unit of" options=options selected=from/>
                <SelectField name="to" label="In" options=targets selected=to/>
                <TextField
                    name="rate"
                    label="Rate"
                    value=rate
                    hint="Before our margin; the inverse pair is pinned too"
                    error=wrong_rate
                    inputmode="decimal"
                />
                <TextField
                    name="minutes"
                    label="Minutes until it ends"
                    value=minutes
                    hint="At most 10080, a week"
                    error=wrong_minutes
                    inputmode="numeric"
                />
                <button class="btn" name="step" value="review">"Review"</button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::dashboard::{Paging, StatusPill};
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(median: Option<&str>, pinned_until: Option<OffsetDateTime>) -> String {
        let source = SourceRow {
            source: "kraken".to_owned(),
            rate: "60000".to_owned(),
            age: "22 min".to_owned(),
            deviation: None,
            status: StatusPill {
                word: "stale".to_owned(),
                flags: Vec::new(),
            },
        };
        let view = OperatorRatesView {
            now: OffsetDateTime::UNIX_EPOCH,
            currency: String::new(),
            currencies: vec!["BTC".to_owned(), "EUR".to_owned()],
            stale: usize::from(median.is_none()),
            rows: vec![PairRow {
                from: "BTC".to_owned(),
                to: "EUR".to_owned(),
                median: median.map(str::to_owned),
                sources: vec![source],
                pinned_until,
            }],
            stale_after: "10 min".to_owned(),
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            never_used: false,
            form: PinForm::default(),
            codes: vec!["BTC".to_owned(), "EUR".to_owned()],
            notice: None,
        };
        crate::render(move || view! { <OperatorRatesPage frame=frame() view=view/> })
    }

    #[test]
    fn a_pair_without_a_rate_says_that_quoting_has_stopped() {
        let html = page(None, None);
        assert!(html.contains("1 pair has no rate"), "{html}");
        assert!(html.contains(">stale<"), "{html}");
        assert!(!page(Some("60000"), None).contains("has no rate"));
    }

    #[test]
    fn a_pin_can_be_ended() {
        let html = page(Some("50000"), Some(OffsetDateTime::UNIX_EPOCH));
        assert!(
            html.contains("action=\"/app/operate/rates/unpin\""),
            "{html}"
        );
    }
}
