//! What rows are about, and what their figures count.

use std::borrow::Cow;

/// Postings that the audit's time is told for.
pub(super) const AUDITED: u64 = 1_000_000;

/// What a row's figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    PerSecond,
    Milliseconds,
    /// Seconds for [`AUDITED`] postings.
    Seconds,
}

impl Unit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// Digits after the point in the table.
    pub(super) fn digits(self) -> u32 {
        match self {
            Self::PerSecond => 1,
            Self::Milliseconds => 2,
            Self::Seconds => 3,
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// For programs; never changes.
    pub(super) key: &'static str,
    /// For people.
    pub(super) label: &'static str,
    pub(super) unit: Unit,
}

/// The rate everything else is compared with.
pub(super) const TPCB: Subject = Subject {
    key: "tpcb",
    label: "TPC-B by pgbench",
    unit: Unit::PerSecond,
};

/// The time everything else is compared with.
pub(super) const TPCB_LATENCY: Subject = Subject {
    key: "tpcb_latency",
    label: "TPC-B by pgbench, average latency",
    unit: Unit::Milliseconds,
};

/// Rows without rules, which nothing can be faster than.
pub(super) const FLOOR: Subject = Subject {
    key: "floor",
    label: "floor: the rows alone",
    unit: Unit::PerSecond,
};

/// Half of it is the load under which latency is measured.
pub(super) const LEDGER_UNIFORM: Subject = Subject {
    key: "ledger_uniform",
    label: "ledger, uniform",
    unit: Unit::PerSecond,
};

/// What a row is called; that of a [`Subject`], or made up from what the command line named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// For programs.
    pub(super) key: Cow<'static, str>,
    /// For people.
    pub(super) label: Cow<'static, str>,
    pub(super) unit: Unit,
}

impl From<Subject> for Title {
    fn from(subject: Subject) -> Self {
        Self {
            key: subject.key.into(),
            label: subject.label.into(),
            unit: subject.unit,
        }
    }
}
