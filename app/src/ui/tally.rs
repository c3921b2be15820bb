//! Confirmations as tally notches.

use leptos::prelude::*;

/// Notches drawn at most; beyond that the words say enough.
const NOTCHES_MAX: u32 = 12;

/// `1 of 2 confirmations`, with one notch for each that is needed.
#[component]
pub fn Tally(done: u32, required: u32) -> impl IntoView {
    view! {
        <span class="tally">
            <Notches done=done required=required/>
            <span>{tally_text(done, required)}</span>
        </span>
    }
}

/// The notches alone, where the words stand elsewhere: decoration.
#[component]
pub fn Notches(done: u32, required: u32) -> impl IntoView {
    let reached = done.min(required);
    let notches = (0..required.min(NOTCHES_MAX))
        .map(|at| {
            let class = if at < reached { "cut" } else { "open" };
            view! { <i class=class></i> }
        })
        .collect_view();
    view! { <span class="notches" aria-hidden="true">{notches}</span> }
}

fn tally_text(done: u32, required: u32) -> String {
    let noun = if required == 1 {
        "confirmation"
    } else {
        "confirmations"
    };
    format!("{} of {required} {noun}", done.min(required))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_no_further_than_needed() {
        assert_eq!(tally_text(0, 1), "0 of 1 confirmation");
        assert_eq!(tally_text(1, 2), "1 of 2 confirmations");
        assert_eq!(tally_text(9, 6), "6 of 6 confirmations");
    }
}
