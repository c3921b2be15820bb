//! Status pills: a shape, the word that is used everywhere, and a colour, in this order of weight.

use domain::view::dashboard::StatusPill;
use leptos::prelude::*;

/// What a status means to the reader; picks shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// Nothing to do yet, or nothing more will come.
    Waiting,
    Seen,
    Warn,
    Late,
    Paid,
    Danger,
    Over,
}

impl StatusKind {
    /// Kind of a charge's status word; an unknown word is shown as waiting.
    pub fn of(word: &str) -> Self {
        match word {
            "processing" | "seen" | "confirming" | "not_confirmed" | "matched" | "catching up"
            | "on its way" => Self::Seen,
            "underpaid" | "stale" | "outlier" | "unclear" => Self::Warn,
            "refunded" => Self::Late,
            "paid" | "delivered" | "final" | "confirmed" | "settled" | "active" | "current" => {
                Self::Paid
            }
            "cancelled" | "failed" | "dropped" | "reversed" | "number taken" | "left the chain" => {
                Self::Danger
            }
            "expired" | "void" | "revoked" | "overruled" | "given back" => Self::Over,
            _ => Self::Waiting,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Waiting => "pill idle",
            Self::Seen => "pill seen",
            Self::Warn => "pill warn",
            Self::Late => "pill late",
            Self::Paid => "pill paid",
            Self::Danger => "pill danger",
            Self::Over => "pill over",
        }
    }

    /// Path of the glyph in a 16 × 16 box, drawn as a line.
    fn glyph(self) -> &'static str {
        match self {
            Self::Waiting => "M8 3a5 5 0 1 0 .01 0z",
            Self::Seen => "M3 3v10M7 3v10M11 3v10",
            Self::Warn => "M8 2.5L14 13H2zM8 6.5v3M8 11v.5",
            Self::Late => "M3 8a5 5 0 1 1 1.5 3.5M3 4v4h4",
            Self::Paid => "M2.5 8.5l3.5 4 7.5-9",
            Self::Danger => "M3.5 3.5l9 9M12.5 3.5l-9 9",
            Self::Over => "M3 8h10",
        }
    }
}

/// The status of a charge with its flags.
#[component]
pub fn Status(of: StatusPill) -> impl IntoView {
    let kind = StatusKind::of(&of.word);
    let flags = of
        .flags
        .into_iter()
        .map(|flag| view! { " " <span class="flag">{flag}</span> })
        .collect_view();
    view! {
        <span class="status">
            <span class=kind.class()>
                <svg viewBox="0 0 16 16" aria-hidden="true">
                    <path d=kind.glyph()></path>
                </svg>
                <span>{of.word.replace('_', " ")}</span>
            </span>
            {flags}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_word_has_its_kind() {
        for (word, kind) in [
            ("created", StatusKind::Waiting),
            ("pending", StatusKind::Waiting),
            ("processing", StatusKind::Seen),
            ("paid", StatusKind::Paid),
            ("expired", StatusKind::Over),
            ("underpaid", StatusKind::Warn),
            ("cancelled", StatusKind::Danger),
            ("failed", StatusKind::Danger),
            ("refunded", StatusKind::Late),
        ] {
            assert_eq!(StatusKind::of(word), kind, "{word}");
        }
    }
}
