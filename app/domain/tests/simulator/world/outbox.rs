//! Events, in the order of what they are about, and a receiver that writes down what it was sent.

use std::collections::BTreeMap;

use crate::bugs::Bug;
use crate::script::Answer;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    Charge(usize),
    Deposit(usize),
    Withdrawal(usize),
    Exchange(usize),
}

#[derive(Debug, Clone)]
pub struct Event {
    pub about: Object,
    pub word: &'static str,
    pub delivered: bool,
}

#[derive(Clone, Default)]
pub struct Outbox {
    pub events: Vec<Event>,
    /// How often the receiver has each event.
    pub received: BTreeMap<usize, u32>,
}

impl Outbox {
    pub fn write(&mut self, about: Object, word: &'static str) {
        self.events.push(Event {
            about,
            word,
            delivered: false,
        });
    }

    /// The oldest event that is not out yet; what comes after it waits.
    pub fn next(&self) -> Option<usize> {
        self.events.iter().position(|event| !event.delivered)
    }

    pub fn deliver(&mut self, answer: Answer, bug: Option<Bug>) {
        let Some(index) = self.next() else { return };
        let (read, written_down) = match answer {
            Answer::Good => (true, true),
            Answer::Fails => (false, false),
            Answer::Hangs { read } => (read, bug == Some(Bug::HangCountsAsDelivered)),
            Answer::GoodThenCrash => (true, false),
        };
        if read {
            *self.received.entry(index).or_default() += 1;
        }
        self.events[index].delivered = written_down;
    }
}
