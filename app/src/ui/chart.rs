//! A bar chart that is drawn on the server and says everything again as a table.

use domain::view::dashboard::{DayTotal, ReceivedChart};
use leptos::prelude::*;

use super::{Cell, Figure, HeadCell, RowHead, TableFrame};

/// Width of one day in the drawing; the height of the drawing is 1000.
const DAY_WIDTH: usize = 10;
/// Gap between two bars.
const GAP: usize = 2;
/// The least a bar with money on it is high, so that it can be seen.
const BAR_MIN: u32 = 12;

/// Money received a day, one bar each.
#[component]
pub fn BarChart(of: ReceivedChart) -> impl IntoView {
    let ReceivedChart {
        code,
        bars,
        total,
        days,
        ..
    } = of;
    let label = format!("Received in the last {days} days: {total} {code} in all");
    let view_box = format!("0 0 {} 1000", bars.len().max(1) * DAY_WIDTH);
    let first = bars.first().map(|bar| bar.day.clone()).unwrap_or_default();
    let last = bars.last().map(|bar| bar.day.clone()).unwrap_or_default();
    let drawn = bars
        .iter()
        .enumerate()
        .map(|(at, bar)| view_of_bar(at, bar))
        .collect_view();
    view! {
        <figure class="chart">
            <svg
                role="img"
                aria-label=label
                viewBox=view_box
                preserveAspectRatio="none"
            >
                {drawn}
            </svg>
            <figcaption>
                <time datetime=first.clone()>{first.clone()}</time>
                <time datetime=last.clone()>{last.clone()}</time>
            </figcaption>
        </figure>
        <details class="twin">
            <summary>"Show as table"</summary>
            <TwinTable code=code bars=bars/>
        </details>
    }
}

fn view_of_bar(at: usize, bar: &DayTotal) -> impl IntoView + use<> {
    let height = match bar.per_mille.min(1000) {
        0 => 0,
        height => height.max(BAR_MIN),
    };
    let left = at * DAY_WIDTH + GAP / 2;
    let top = 1000 - height;
    let width = DAY_WIDTH - GAP;
    view! { <rect x=left y=top width=width height=height></rect> }
}

#[component]
fn TwinTable(code: String, bars: Vec<DayTotal>) -> impl IntoView {
    let caption = format!("Received a day, {code}");
    let rows = bars
        .into_iter()
        .map(|bar| {
            let DayTotal {
                day,
                paid_count,
                amount,
                ..
            } = bar;
            view! {
                <tr role="row">
                    <RowHead label="Day">
                        <time datetime=day.clone()>{day.clone()}</time>
                    </RowHead>
                    <Cell label="Paid charges" numeric=true>{paid_count}</Cell>
                    <Cell label="Amount" numeric=true>
                        <Figure value=amount/>
                    </Cell>
                </tr>
            }
        })
        .collect_view();
    let head = view! {
        <HeadCell label="Day"/>
        <HeadCell label="Paid charges" numeric=true/>
        <HeadCell label="Amount" numeric=true/>
    }
    .into_any();
    view! { <TableFrame caption=caption head=head>{rows}</TableFrame> }
}
