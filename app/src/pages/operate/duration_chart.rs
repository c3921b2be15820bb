//! How often something took how long: bars drawn on the server, and the same as a table.

use domain::view::system::{Bucket, Durations};
use leptos::prelude::*;

use super::system::length;
use crate::ui::{Cell, HeadCell, RowHead, TableFrame};

/// Width of a bucket in the drawing; the height of the drawing is 1000.
const BUCKET_WIDTH: usize = 10;
/// Gap between two bars.
const GAP: usize = 2;
/// The least a bar is high, so that it can be seen.
const BAR_MIN: u64 = 12;

/// One bar for each length of time; nothing before anything was counted.
#[component]
pub(super) fn DurationChart(
    /// What was counted, in the plural.
    what: &'static str,
    of: Durations,
) -> impl IntoView {
    let count = of.count();
    if count == 0 {
        return ().into_any();
    }
    let most = of.buckets.iter().map(|bucket| bucket.count).max();
    let most = most.unwrap_or(0).max(1);
    let label =
        format!("{count} {what} by how long they took, shortest first; the table below has all");
    let view_box = format!("0 0 {} 1000", of.buckets.len().max(1) * BUCKET_WIDTH);
    let first = of.buckets.first().map(words).unwrap_or_default();
    let last = of.buckets.last().map(words).unwrap_or_default();
    let drawn = of
        .buckets
        .iter()
        .enumerate()
        .map(|(at, bucket)| {
            let height = height(bucket.count, most);
            let left = at * BUCKET_WIDTH + GAP / 2;
            let top = 1_000 - height;
            let width = BUCKET_WIDTH - GAP;
            view! { <rect x=left y=top width=width height=height></rect> }
        })
        .collect_view();
    let rows = of
        .buckets
        .iter()
        .map(|bucket| {
            let (time, count) = (words(bucket), bucket.count);
            view! {
                <tr role="row">
                    <RowHead label="Time">{time}</RowHead>
                    <Cell label="How many" numeric=true>{count}</Cell>
                </tr>
            }
        })
        .collect_view();
    let caption = format!("How long {what} took");
    let head = view! {
        <HeadCell label="Time"/>
        <HeadCell label="How many" numeric=true/>
    }
    .into_any();
    view! {
        <figure class="chart low">
            <svg role="img" aria-label=label viewBox=view_box preserveAspectRatio="none">
                {drawn}
            </svg>
            <figcaption>
                <span>{first}</span>
                <span>{last}</span>
            </figcaption>
        </figure>
        <details class="twin">
            <summary>"Show as table"</summary>
            <TableFrame caption=caption head=head>{rows}</TableFrame>
        </details>
    }
    .into_any()
}

/// Of 1000; what happened at all can be seen.
fn height(count: u64, most: u64) -> u64 {
    match count.saturating_mul(1_000) / most.max(1) {
        0 if count == 0 => 0,
        height => height.clamp(BAR_MIN, 1_000),
    }
}

fn words(bucket: &Bucket) -> String {
    bucket.up_to_micros.map_or_else(
        || "longer".to_owned(),
        |micros| format!("up to {}", length(micros)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_once_can_be_seen_beside_a_million() {
        assert_eq!(height(0, 1_000_000), 0);
        assert_eq!(height(1, 1_000_000), BAR_MIN);
        assert_eq!(height(500_000, 1_000_000), 500);
        assert_eq!(height(1_000_000, 1_000_000), 1_000);
    }
}
