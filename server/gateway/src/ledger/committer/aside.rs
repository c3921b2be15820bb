use std::time::Duration;

use tokio::time::Instant;

use super::Batch;
use super::part::Part;

/// Items that lost against somebody else's locks, each until its pause is over. Nobody else waits for
/// that.
pub(super) struct Aside<B: Batch> {
    parts: Vec<(Instant, Part<B>)>,
}

impl<B: Batch> Aside<B> {
    pub(super) fn new() -> Self {
        Self { parts: Vec::new() }
    }

    pub(super) fn put(&mut self, part: Part<B>, pause: Duration) {
        self.parts.push((Instant::now() + pause, part));
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The one whose pause was over first, if any is.
    pub(super) fn due(&mut self) -> Option<Part<B>> {
        let (place, due) = self
            .parts
            .iter()
            .map(|(due, _)| *due)
            .enumerate()
            .min_by_key(|(_, due)| *due)?;
        (due <= Instant::now()).then(|| self.parts.swap_remove(place).1)
    }

    /// When the next pause is over.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.parts.iter().map(|(due, _)| *due).min()
    }
}
