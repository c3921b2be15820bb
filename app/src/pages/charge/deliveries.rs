//! Webhook deliveries of a charge: each with its attempts and a way to send it again (ux §1.10).

use domain::view::dashboard::{AttemptRow, DeliveryRow};
use leptos::prelude::*;

use crate::ui::{Cell, HeadCell, RowHead, TableFrame, Timestamp};

/// One block for each delivery.
pub(in crate::pages) fn deliveries(rows: Vec<DeliveryRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let rows = rows.into_iter().map(delivery).collect_view();
    Some(
        view! {
            <section>
                <h2>"Webhooks"</h2>
                {rows}
            </section>
        }
        .into_any(),
    )
}

pub(in crate::pages) fn delivery(row: DeliveryRow) -> AnyView {
    let DeliveryRow {
        id,
        event_id,
        event_type,
        url,
        state,
        next_attempt_at,
        body,
        attempts,
    } = row;
    let action = format!("/app/deliveries/{id}/redeliver");
    let next = next_attempt_at.map(|at| view! { " · next attempt " <Timestamp at=at/> });
    let again = format!(" {event_type} of {event_id}");
    let caption = format!("Attempts to deliver {event_type}, {event_id}");
    let attempts = if attempts.is_empty() {
        view! { <p class="quiet">"No attempt yet."</p> }.into_any()
    } else {
        attempt_table(caption, attempts)
    };
    view! {
        <article class="delivery">
            <h3>{event_type}</h3>
            <p>
                <span class="flag">{state}</span>
                " to "
                <bdi dir="ltr" class="url">{url}</bdi>
                {next}
            </p>
            <p class="quiet">"Event " <bdi dir="ltr" class="id">{event_id}</bdi></p>
            {attempts}
            <details class="more">
                <summary>"Body as sent"</summary>
                <pre tabindex="0">{body}</pre>
            </details>
            <form method="post" action=action>
                <button class="btn-2">"Redeliver" <span class="vh">{again}</span></button>
            </form>
        </article>
    }
    .into_any()
}

fn attempt_table(caption: String, attempts: Vec<AttemptRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Attempt"/>
        <HeadCell label="At"/>
        <HeadCell label="Answer"/>
        <HeadCell label="Took" numeric=true/>
    }
    .into_any();
    let rows = attempts.into_iter().map(attempt).collect_view();
    view! { <TableFrame caption=caption caption_hidden=true head=head>{rows}</TableFrame> }
        .into_any()
}

fn attempt(row: AttemptRow) -> AnyView {
    let AttemptRow {
        number,
        at,
        status,
        duration_ms,
        error,
        response_head,
    } = row;
    let answer = match (status, error) {
        (Some(status), _) => format!("{status}"),
        (None, Some(error)) => error,
        (None, None) => "no answer".to_owned(),
    };
    let head = (!response_head.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>"Answer of attempt " {number}</summary>
                <pre tabindex="0">{response_head}</pre>
            </details>
        }
    });
    view! {
        <tr role="row">
            <RowHead label="Attempt">{number}</RowHead>
            <Cell label="At"><Timestamp at=at/></Cell>
            <Cell label="Answer">{answer} {head}</Cell>
            <Cell label="Took" numeric=true>{duration_ms} " ms"</Cell>
        </tr>
    }
    .into_any()
}
