//! The delivery log, `/app/deliveries`: every webhook and callback, and one of them (ux §1.10).

use domain::view::dashboard::Frame;
use domain::view::developers::{
    DeliveryDetailView, DeliveryFilter, DeliveryItem, DeliveryListView,
};
use leptos::prelude::*;

use super::charge::delivery;
use super::frame::{DashboardPage, Section};
use super::query::query;
use crate::ui::{
    Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, Status, TableFrame, Timestamp,
};

const PATH: &str = "/app/deliveries";

/// Filters, their chips, the log, the neighbours.
#[component]
pub fn DeliveriesPage(frame: Frame, view: DeliveryListView) -> impl IntoView {
    let DeliveryListView {
        filter,
        events,
        rows,
        paging,
        never_used,
        may_redeliver,
        notice,
    } = view;
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let content = if never_used {
        view! {
            <EmptyState text="What we report to your server stands here, with its answers, for 30 days.">
                <a class="btn" href="/app/callbacks">"Set a callback address"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        let chips = chips(&filter);
        let list = if rows.is_empty() {
            view! {
                <EmptyState text="No deliveries match.">
                    <a class="btn-2" href=PATH>"Clear filters"</a>
                </EmptyState>
            }
            .into_any()
        } else {
            view! {
                {table(rows, may_redeliver)}
                <PageLinks of=paging what="deliveries" export="/app/deliveries.csv"/>
            }
            .into_any()
        };
        view! { {filters(filter, events)} {chips} {list} }.into_any()
    };
    view! {
        <DashboardPage frame=frame title="Deliveries" section=Section::Deliveries>
            {content}
        </DashboardPage>
    }
}

fn filters(filter: DeliveryFilter, events: Vec<String>) -> AnyView {
    let states = ["pending", "delivered", "failed"].map(str::to_owned);
    let states = with_any("Any state", states.to_vec());
    let events = with_any("Any event", events);
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <SelectField name="event" label="Event" options=events selected=filter.event/>
                <SelectField name="state" label="State" options=states selected=filter.state/>
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
fn chips(filter: &DeliveryFilter) -> Option<AnyView> {
    let pairs = [
        ("event", filter.event.as_str()),
        ("state", filter.state.as_str()),
    ];
    let chips: Vec<_> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(dropped, value)| {
            let kept: Vec<(&str, &str)> = pairs
                .iter()
                .copied()
                .filter(|(name, _)| name != dropped)
                .collect();
            let href = format!("{PATH}{}", query(&kept));
            let text = (*value).to_owned();
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

fn table(rows: Vec<DeliveryItem>, may_redeliver: bool) -> AnyView {
    let head = view! {
        <HeadCell label="Number"/>
        <HeadCell label="Event"/>
        <HeadCell label="Created and delivered"/>
        <HeadCell label="State"/>
        <HeadCell label="Last answer"/>
        <HeadCell label="Again"/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|item| row(item, may_redeliver))
        .collect_view();
    view! { <TableFrame caption="Deliveries, newest first" head=head>{rows}</TableFrame> }
        .into_any()
}

fn row(item: DeliveryItem, may_redeliver: bool) -> AnyView {
    let detail = format!("{PATH}/{}", item.id);
    let action = format!("{PATH}/{}/redeliver", item.id);
    let again = format!(" {}, {}", item.event_type, item.about);
    let again = may_redeliver.then(|| {
        view! {
            <form method="post" action=action>
                <button class="btn-2">"Redeliver" <span class="vh">{again}</span></button>
            </form>
        }
    });
    let took = item
        .duration_ms
        .map(|took| view! { " " <span class="quiet">{took} " ms"</span> });
    let attempts = (item.attempts > 1)
        .then(|| view! { " " <span class="quiet">"attempt " {item.attempts}</span> });
    let answer = item.answer.clone().unwrap_or_else(|| "–".to_owned());
    let when = when(&item);
    view! {
        <tr role="row">
            <RowHead label="Number"><a href=detail>{item.id}</a></RowHead>
            <Cell label="Event">
                <span class="whole">{item.event_type}</span> " " {about(item.about, item.href)}
            </Cell>
            <Cell label="Created and delivered">
                <Timestamp at=item.created_at/> " " {when}
            </Cell>
            <Cell label="State"><Status of=item.status/></Cell>
            <Cell label="Last answer">{answer} {took} {attempts}</Cell>
            <Cell label="Again">{again}</Cell>
        </tr>
    }
    .into_any()
}

fn when(item: &DeliveryItem) -> AnyView {
    match (item.delivered_at, item.next_attempt_at) {
        (Some(at), _) => view! { "delivered " <Timestamp at=at/> }.into_any(),
        (None, Some(at)) => view! { "next attempt " <Timestamp at=at/> }.into_any(),
        (None, None) => view! { <span class="quiet">"given up"</span> }.into_any(),
    }
}

fn about(text: String, href: Option<String>) -> AnyView {
    match href {
        Some(href) => view! { <a href=href><bdi>{text}</bdi></a> }.into_any(),
        None => view! { <bdi>{text}</bdi> }.into_any(),
    }
}

/// One delivery with all its attempts.
#[component]
pub fn DeliveryPage(frame: Frame, view: DeliveryDetailView) -> impl IntoView {
    let DeliveryDetailView {
        item,
        headers,
        delivery: sent,
    } = view;
    let title = format!("Delivery {}", item.id);
    let when = when(&item);
    let headers = (!headers.is_empty()).then(|| {
        let lines: Vec<String> = headers
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        view! {
            <section>
                <h2>"Headers of the format"</h2>
                <pre tabindex="0">{lines.join("\n")}</pre>
                <p class="quiet">
                    "webhook-id, webhook-timestamp and webhook-signature are made for each attempt."
                </p>
            </section>
        }
    });
    view! {
        <DashboardPage frame=frame title=title section=Section::Deliveries>
            <p class="under-title"><Status of=item.status/></p>
            <dl class="facts">
                <div><dt>"About"</dt><dd>{about(item.about, item.href)}</dd></div>
                <div><dt>"Created"</dt><dd><Timestamp at=item.created_at/></dd></div>
                <div><dt>"Delivered, or next attempt"</dt><dd>{when}</dd></div>
                <div><dt>"Format"</dt><dd>{item.format}</dd></div>
            </dl>
            <section>
                <h2>"Attempts"</h2>
                {delivery(sent)}
            </section>
            {headers}
            <p><a href=PATH>"All deliveries"</a></p>
        </DashboardPage>
    }
}

#[cfg(test)]
#[path = "deliveries_tests.rs"]
mod tests;
