//! How far a transaction of ours is, and what a person can do about it.

use domain::view::payouts::PayoutDeed;
use leptos::prelude::*;

use crate::ui::Timestamp;

/// What a list asks a person to do: sign what stands at `href`, or see to the problem.
pub(super) fn to_do(href: String, waits_for_signature: bool, trouble: Option<String>) -> AnyView {
    if waits_for_signature {
        view! { <a href=href>"Sign it"</a> }.into_any()
    } else {
        problem(trouble).into_any()
    }
}

/// Why it is not on its way; nothing while it is.
pub(super) fn problem(text: Option<String>) -> Option<AnyView> {
    text.map(|text| view! { <bdi>{text}</bdi> }.into_any())
}

/// Who did what to it, a line each, in order.
pub(super) fn history(deeds: Vec<PayoutDeed>) -> AnyView {
    deeds.into_iter().map(deed).collect_view().into_any()
}

fn deed(deed: PayoutDeed) -> AnyView {
    let who = deed.who.map(|who| view! { " by " <bdi>{who}</bdi> });
    view! { <span class="output">{deed.what} {who} ", " <Timestamp at=deed.at/></span> }.into_any()
}

/// The form that makes a transaction with a higher fee; `what` says what that does.
pub(super) fn raise_fee(action: String, what: &'static str) -> AnyView {
    view! {
        <form method="post" action=action class="card">
            <p>{what}</p>
            <button class="btn-2">"Raise the fee"</button>
        </form>
    }
    .into_any()
}

/// The page of a withdrawal, for an operator.
pub(super) fn withdrawal_href(operation: i64, merchant: i64) -> String {
    format!("/app/withdrawals/{operation}?merchant={merchant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_asked_for_before_a_problem_is_told() {
        let asked = |waits| {
            let trouble = Some("<b>no answer</b>".to_owned());
            crate::render(move || to_do("/app/operate/payouts/7".to_owned(), waits, trouble))
        };
        let waiting = asked(true);
        assert!(
            waiting.contains("href=\"/app/operate/payouts/7\""),
            "{waiting}"
        );
        assert!(!waiting.contains("no answer"), "{waiting}");
        let stuck = asked(false);
        assert!(stuck.contains("no answer"), "{stuck}");
        assert!(
            !stuck.contains("<b>") && !stuck.contains("Sign it"),
            "{stuck}"
        );
    }
}
