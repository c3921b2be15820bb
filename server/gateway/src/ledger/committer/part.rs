use super::Batch;
use super::queue::{Reply, Waiting};
use crate::Error;

/// Items that are tried together, and what was tried before.
pub(super) struct Part<B: Batch> {
    pub(super) items: Vec<B::Item>,
    replies: Vec<Reply<B::Done>>,
    /// Times the connection went away.
    pub(super) lost: u32,
    /// Times it lost against somebody else's locks.
    pub(super) contended: u32,
    /// A commit was not answered: some of it may be durable, now or a moment later.
    pub(super) unsure: bool,
}

impl<B: Batch> Part<B> {
    /// Those whose callers still wait: what nobody waits for any more need not begin.
    pub(super) fn of(waiting: Vec<Waiting<B>>) -> Self {
        let mut part = Self {
            items: Vec::with_capacity(waiting.len()),
            replies: Vec::with_capacity(waiting.len()),
            lost: 0,
            contended: 0,
            unsure: false,
        };
        for Waiting { item, reply } in waiting {
            if !reply.is_closed() {
                part.push(item, reply);
            }
        }
        part
    }

    /// A part like this one, with nothing in it.
    pub(super) fn like(&self) -> Self {
        Self {
            items: Vec::new(),
            replies: Vec::new(),
            lost: self.lost,
            contended: self.contended,
            unsure: self.unsure,
        }
    }

    pub(super) fn push(&mut self, item: B::Item, reply: Reply<B::Done>) {
        self.items.push(item);
        self.replies.push(reply);
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn halves(mut self) -> (Self, Self) {
        let middle = self.len() / 2;
        let mut second = self.like();
        second.items = self.items.split_off(middle);
        second.replies = self.replies.split_off(middle);
        (self, second)
    }

    pub(super) fn into_pairs(self) -> impl Iterator<Item = (B::Item, Reply<B::Done>)> + Send {
        self.items.into_iter().zip(self.replies)
    }

    /// The same error for everybody.
    pub(super) fn refuse(self, why: fn() -> Error) {
        for (_, reply) in self.into_pairs() {
            // Whoever does not wait any more need not know.
            let _ = reply.send(Err(why()));
        }
    }
}
