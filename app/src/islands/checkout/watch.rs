//! Keeps the page current in the browser: an event stream of whole snapshots, and asking every now
//! and then while the stream is down.
//!
//! A phone drops the stream in the background, so coming back to the page, or back on line, asks at
//! once (ux §0).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use domain::view::checkout::{CheckoutState, CheckoutView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

use super::{Feed, Leaving, Live, words};
use crate::islands::fetch::fetch_text;
use crate::islands::newest::Newest;

/// Pause before the first question while the stream is down, and the longest one.
const ASK_FIRST: Duration = Duration::from_secs(5);
const ASK_LONGEST: Duration = Duration::from_secs(30);

/// Seconds between two questions once the clock of the page has ended.
const OVERDUE_EVERY_SECONDS: i64 = 5;

/// How long a paid page waits before it follows the way back.
const LEAVE_AFTER_SECONDS: u32 = 10;

/// A payment older than this was not made just now: the page was opened again for its own sake and
/// must not run away.
const JUST_PAID_SECONDS: i64 = 120;

/// Starts everything; it runs as long as the page is open.
pub(super) fn start(live: Live) {
    let watch = Rc::new(Watch {
        live,
        ahead: Cell::new(0),
        newest: RefCell::new(Newest::new(live.view.with_untracked(|view| view.version))),
        stream: RefCell::new(None),
        question: Cell::new(None),
    });
    live.zone.set(Some(minutes_ahead_of_utc()));
    watch.set_clock(live.view.with_untracked(|view| view.now));
    live.ticking.set(true);
    watch.prepare_to_leave();
    watch.listen_again();

    let ticker = Rc::clone(&watch);
    set_interval(move || ticker.tick(), Duration::from_secs(1));
    for event in ["visibilitychange", "online", "pageshow", "focus"] {
        let watch = Rc::clone(&watch);
        let _ = window_event_listener_untyped(event, move |_| watch.come_back());
    }
}

struct Watch {
    live: Live,
    /// Seconds the instance clock is ahead of the browser's.
    ahead: Cell<i64>,
    newest: RefCell<Newest>,
    stream: RefCell<Option<EventSource>>,
    /// The next question while the stream is down.
    question: Cell<Option<TimeoutHandle>>,
}

impl Watch {
    fn set_clock(&self, instance_now: i64) {
        self.ahead.set(instance_now - browser_now());
        self.live.now.set(instance_now);
    }

    fn tick(self: &Rc<Self>) {
        let now = browser_now() + self.ahead.get();
        self.live.now.set(now);
        if now % OVERDUE_EVERY_SECONDS == 0 && self.is_overdue(now) {
            self.ask();
        }
        if let Leaving::In(seconds) = self.live.leaving.get_untracked() {
            match seconds.checked_sub(1) {
                Some(left) if left > 0 => self.live.leaving.set(Leaving::In(left)),
                _ => self.leave(),
            }
        }
    }

    /// The clock of the page has ended and the server has not said so yet.
    fn is_overdue(&self, now: i64) -> bool {
        self.live.view.with_untracked(|view| {
            matches!(
                view.state,
                CheckoutState::Awaiting | CheckoutState::PartlyPaid
            ) && view.clock_ends_at.is_some_and(|at| now >= at)
        })
    }

    /// Opens the stream; each of its messages is a whole view.
    fn listen(self: &Rc<Self>) {
        let url = self
            .live
            .view
            .with_untracked(|view| view.events_url.clone());
        let Ok(stream) = EventSource::new(&url) else {
            self.lost();
            return;
        };
        let watch = Rc::clone(self);
        let opened = Closure::<dyn FnMut()>::new(move || watch.found()).into_js_value();
        stream.set_onopen(Some(opened.unchecked_ref()));
        let watch = Rc::clone(self);
        let failed = Closure::<dyn FnMut()>::new(move || watch.lost()).into_js_value();
        stream.set_onerror(Some(failed.unchecked_ref()));
        let watch = Rc::clone(self);
        let told = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let next = event.data().as_string();
            if let Some(next) = next.and_then(|json| read(&json))
                && watch.newest.borrow_mut().stream(next.version)
            {
                watch.adopt(next);
            }
        })
        .into_js_value();
        let listening = stream.add_event_listener_with_callback("snapshot", told.unchecked_ref());
        if listening.is_err() {
            self.lost();
        }
        *self.stream.borrow_mut() = Some(stream);
    }

    fn found(&self) {
        self.live.feed.set(Feed::Live);
        if let Some(question) = self.question.take() {
            question.clear();
        }
    }

    fn lost(self: &Rc<Self>) {
        if self.question.get().is_none() {
            self.live.feed.set(Feed::Reconnecting);
            self.ask_in(ASK_FIRST);
        }
    }

    fn ask_in(self: &Rc<Self>, pause: Duration) {
        let watch = Rc::clone(self);
        let question = set_timeout_with_handle(
            move || {
                watch.ask();
                watch.listen_again();
                watch.ask_in((pause * 2).min(ASK_LONGEST));
            },
            pause,
        );
        self.question.set(question.ok());
    }

    /// Opens the stream where there is none or the browser gave it up: then it does not come back
    /// by itself.
    fn listen_again(self: &Rc<Self>) {
        let closed = match self.stream.borrow().as_ref() {
            Some(stream) => stream.ready_state() == EventSource::CLOSED,
            None => true,
        };
        if closed && !self.is_over() {
            self.listen();
        }
    }

    fn come_back(self: &Rc<Self>) {
        if !document().hidden() {
            self.ask();
            self.listen_again();
        }
    }

    /// Fetches the view once.
    fn ask(self: &Rc<Self>) {
        let watch = Rc::clone(self);
        let moment = self.newest.borrow_mut().ask();
        let url = self
            .live
            .view
            .with_untracked(|view| view.snapshot_url.clone());
        spawn_local(async move {
            let Some(next) = fetch_text(&url).await.and_then(|json| read(&json)) else {
                return;
            };
            let is_newer = watch.newest.borrow_mut().answer(next.version, moment);
            if is_newer {
                watch.adopt(next);
            }
            if !watch.is_over() && watch.live.feed.get_untracked() != Feed::Live {
                watch
                    .live
                    .feed
                    .set(Feed::Asked(watch.live.now.get_untracked()));
            }
        });
    }

    /// Shows a snapshot that is the newest.
    fn adopt(&self, mut next: CheckoutView) {
        self.set_clock(next.now);
        let changed = self.live.view.with_untracked(|current| {
            if next.state == current.state {
                // A refused form is answered in the page, not in what comes after it.
                next.notice.clone_from(&current.notice);
            }
            next.now = current.now;
            next.version = current.version;
            next != *current
        });
        if changed {
            document().set_title(&page_title(&next));
            self.live.view.set(next);
        }
        self.prepare_to_leave();
        if self.is_over() {
            self.stop();
        }
    }

    fn stop(&self) {
        if let Some(stream) = self.stream.borrow().as_ref() {
            stream.close();
        }
        if let Some(question) = self.question.take() {
            question.clear();
        }
        self.live.feed.set(Feed::Still);
    }

    fn is_over(&self) -> bool {
        self.live
            .view
            .with_untracked(|view| view.is_settled() && !view.refund_possible)
    }

    /// Starts the way back once, and only when nothing is left to do on the page.
    fn prepare_to_leave(&self) {
        let now = self.live.now.get_untracked();
        let may_leave = self.live.view.with_untracked(|view| {
            view.state == CheckoutState::Paid
                && view.return_url.is_some()
                && !view.refund_possible
                && view.paid_at.is_some_and(|at| now - at < JUST_PAID_SECONDS)
        });
        if may_leave && self.live.leaving.get_untracked() == Leaving::NotYet {
            self.live.leaving.set(Leaving::In(LEAVE_AFTER_SECONDS));
        }
    }

    fn leave(&self) {
        self.live.leaving.set(Leaving::Stayed);
        if let Some(url) = self
            .live
            .view
            .with_untracked(|view| view.return_url.clone())
        {
            // When the browser refuses, the link is still there to press.
            let _ = window().location().set_href(&url);
        }
    }
}

fn read(json: &str) -> Option<CheckoutView> {
    serde_json::from_str(json).ok()
}

fn page_title(view: &CheckoutView) -> String {
    let title = words::document_title(view);
    if view.test_mode {
        format!("TEST · {title}")
    } else {
        title
    }
}

fn browser_now() -> i64 {
    js_sys::Date::now() as i64 / 1000
}

fn minutes_ahead_of_utc() -> i32 {
    -(js_sys::Date::new_0().get_timezone_offset() as i32)
}
