//! What can be measured apart from the yardstick.

/// Rows that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The rows of entries and postings alone, without any rule.
    Floor,
    /// Transfers through the committer: uniform, one hot account, Zipf.
    Ledger,
    /// Money held, then paid out of the hold.
    Holds,
    /// One call a transaction.
    PerCall,
    /// Orders that a block pays.
    Payments,
    /// Orders created over HTTP.
    Orders,
    /// Times of single entries at half load and alone; measures the ledger, too.
    Latency,
    /// Jobs through the outbox's claim.
    Queue,
    /// Webhooks to a receiver on this machine.
    Deliveries,
    /// Pages of a long statement.
    Pages,
    /// Exchanges over HTTP.
    Exchanges,
    /// The checkout under viewers.
    Checkout,
    /// Payment to callback.
    Callbacks,
    /// Withdrawals over HTTP.
    Withdrawals,
    /// The proof of the books.
    Audit,
}

/// Which of them a run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// All of them when none is named.
    pub(super) fn of(only: &[Part]) -> Self {
        Self(only.to_vec())
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.0.is_empty()
            || self.0.contains(&part)
            || (part == Part::Ledger && self.0.contains(&Part::Latency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_named_means_all() {
        let all = Parts::of(&[]);
        assert!(all.has(Part::Floor) && all.has(Part::Audit));
    }

    #[test]
    fn only_what_is_named_and_what_it_needs() {
        let some = Parts::of(&[Part::Latency, Part::Audit]);
        assert!(some.has(Part::Latency) && some.has(Part::Audit) && some.has(Part::Ledger));
        assert!(!some.has(Part::Floor) && !some.has(Part::Holds));
        assert!(!Parts::of(&[Part::Ledger]).has(Part::Latency));
    }
}
