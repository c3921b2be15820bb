//! Which of two snapshots is the newer one: they come by the stream and as answers, and one that was made
//! earlier may come later.
//!
//! The version of the charge tells, wherever it differs. It stays the same while confirmations are counted and
//! rates move, and a terminal has none: then what the page asked for before it was told something else counts as
//! older. Where that is wrong, the stream tells the rest; a clock would not do better, for several servers have
//! several.

/// The newest snapshot the page was told, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    version: i64,
    /// When it came, or was asked for.
    moment: u64,
    /// Questions asked and snapshots streamed so far.
    now: u64,
}

impl Newest {
    /// The page as the server sent it, with a charge of this version; any, and always the same, where there
    /// are no versions.
    pub(super) const fn new(version: i64) -> Self {
        Self {
            version,
            moment: 0,
            now: 0,
        }
    }

    /// The moment at which the page asks a question.
    pub(super) const fn ask(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// A snapshot has come by the stream; false when it is older.
    pub(super) const fn stream(&mut self, version: i64) -> bool {
        let moment = self.ask();
        self.answer(version, moment)
    }

    /// A snapshot has come that was asked for at `moment`; false when it is older.
    pub(super) const fn answer(&mut self, version: i64, moment: u64) -> bool {
        if version < self.version || (version == self.version && moment < self.moment) {
            return false;
        }
        self.version = version;
        self.moment = moment;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Newest;

    #[test]
    fn an_answer_of_an_older_version_is_ignored_whenever_it_was_asked_for() {
        let mut newest = Newest::new(3);
        let asked = newest.ask();
        assert!(newest.stream(4));
        assert!(!newest.answer(3, asked));
        let asked_again = newest.ask();
        assert!(!newest.answer(3, asked_again));
        assert!(newest.answer(4, asked_again));
    }

    #[test]
    fn a_newer_version_counts_however_long_it_took() {
        let mut newest = Newest::new(3);
        let asked = newest.ask();
        assert!(newest.stream(3));
        assert!(newest.answer(5, asked));
        // The stream has not read that yet.
        assert!(!newest.stream(4));
        assert!(newest.stream(5));
    }

    #[test]
    fn of_one_version_the_later_question_counts_and_the_stream_is_always_new() {
        let mut newest = Newest::new(3);
        let (first, second) = (newest.ask(), newest.ask());
        assert!(newest.answer(3, second));
        assert!(!newest.answer(3, first));
        let third = newest.ask();
        assert!(newest.stream(3));
        assert!(!newest.answer(3, third));
        assert!(newest.stream(3));
    }
}
