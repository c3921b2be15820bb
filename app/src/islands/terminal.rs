//! What has come to the terminal's address, while the page is open.

use domain::view::dashboard::StatusPill;
use domain::view::terminal::{TerminalPayment, TerminalState, TerminalStatus};
use leptos::prelude::*;

use crate::ui::{Amount, ShortHash, Status, Timestamp};

/// The sentence and the latest payments; follows the stream, asks while there is none.
#[island]
pub fn TerminalLive(
    status: TerminalStatus,
    status_url: String,
    events_url: String,
) -> impl IntoView {
    let current = RwSignal::new(status);
    start(current, status_url, events_url);
    view! {
        <p role="status" class="live">{move || current.get().sentence}</p>
        {move || payments(current.get().payments)}
    }
}

fn payments(rows: Vec<TerminalPayment>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let rows = rows.into_iter().map(row).collect_view();
    Some(
        view! {
            <section>
                <h2>"Payments to this address"</h2>
                <ul class="items">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

fn row(payment: TerminalPayment) -> AnyView {
    let pill = StatusPill {
        word: payment.state.word().to_owned(),
        flags: Vec::new(),
    };
    let depth = (payment.state == TerminalState::Confirming).then(|| {
        format!(
            " {} of {}",
            payment.confirmations, payment.confirmations_required
        )
    });
    view! {
        <li>
            <span>
                <Amount of=payment.amount/> " " <Timestamp at=payment.at/> " "
                <ShortHash value=payment.txid/>
            </span>
            <span><Status of=pill/> {depth}</span>
        </li>
    }
    .into_any()
}

#[cfg(not(feature = "hydrate"))]
fn start(_current: RwSignal<TerminalStatus>, _status_url: String, _events_url: String) {}

#[cfg(feature = "hydrate")]
use browser::start;

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use domain::view::terminal::TerminalStatus;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::Closure;
    use web_sys::{EventSource, MessageEvent};

    use crate::islands::fetch::fetch_text;
    use crate::islands::newest::Newest;

    /// Pause between two questions while the stream is down.
    const ASK_EVERY: Duration = Duration::from_secs(10);

    /// What has come to an address has no version: when it was asked for decides.
    const UNVERSIONED: i64 = 0;

    pub(super) fn start(current: RwSignal<TerminalStatus>, status_url: String, events_url: String) {
        let adopt = move |status: TerminalStatus| {
            if current.get_untracked() != status {
                current.set(status);
            }
        };
        let newest = Rc::new(RefCell::new(Newest::new(UNVERSIONED)));
        // A browser opens a stream that broke off again by itself; one that was refused it gives up.
        let stream = EventSource::new(&events_url).ok();
        if let Some(stream) = &stream {
            let newest = Rc::clone(&newest);
            let told = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                let next = event.data().as_string();
                if let Some(next) = next.and_then(|json| read(&json))
                    && newest.borrow_mut().stream(UNVERSIONED)
                {
                    adopt(next);
                }
            })
            .into_js_value();
            let _ = stream.add_event_listener_with_callback("snapshot", told.unchecked_ref());
        }
        let ask = move || {
            let open = stream
                .as_ref()
                .is_some_and(|stream| stream.ready_state() == EventSource::OPEN);
            if open || document().hidden() {
                return;
            }
            let url = status_url.clone();
            let newest = Rc::clone(&newest);
            let moment = newest.borrow_mut().ask();
            spawn_local(async move {
                // The stream may be open again by now, and have told more.
                if let Some(next) = fetch_text(&url).await.and_then(|json| read(&json))
                    && newest.borrow_mut().answer(UNVERSIONED, moment)
                {
                    adopt(next);
                }
            });
        };
        set_interval(ask, ASK_EVERY);
    }

    fn read(json: &str) -> Option<TerminalStatus> {
        serde_json::from_str(json).ok()
    }
}
