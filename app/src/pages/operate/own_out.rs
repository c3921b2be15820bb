//! The form that books what the house took out of its accounts.

use leptos::prelude::*;

use crate::ui::TextField;

/// `wrong`: what was refused about its transaction.
pub(super) fn own_out(code: &str, wrong: Option<String>) -> AnyView {
    let action = format!("/app/operate/chains/{code}/own-funds-out");
    view! {
        <section>
            <h2>"Taken out"</h2>
            <p class="under-title">
                "Coins that the house moved away with a wallet that has the key, past this instance. The books have \
                 them until you say so."
            </p>
            <form method="get" action=action novalidate class="card">
                <TextField
                    name="txid"
                    id="out-txid"
                    label="Transaction that took them"
                    value=""
                    mono=true
                    hint="Its id; the amounts are read from the chain"
                    error=wrong
                />
                <label class="check">
                    <input type="checkbox" name="loss" value="yes"/>
                    <span>"It may be a loss: also what covers the wallets of others"</span>
                </label>
                <button class="btn-2">"Review taking out"</button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_never_said_by_itself() {
        let html = crate::render(|| own_out("ETH", None));
        assert!(
            html.contains("action=\"/app/operate/chains/ETH/own-funds-out\""),
            "{html}"
        );
        assert!(html.contains("name=\"loss\""), "{html}");
        assert!(!html.contains("checked"), "{html}");
    }

    #[test]
    fn a_refusal_stands_at_its_own_field() {
        let wrong = Some("The transaction has 3 of 8 blocks.".to_owned());
        let html = crate::render(move || own_out("ETH", wrong));
        assert!(html.contains("id=\"out-txid-error\""), "{html}");
        assert!(html.contains("name=\"txid\""), "{html}");
    }
}
