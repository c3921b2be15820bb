//! What came to accounts of ours that no payer is given, and the form that books it.

use domain::view::reconciliation::OwnCoin;
use leptos::prelude::*;

use crate::ui::{Cell, HeadCell, RowHead, ShortHash, TableFrame, TextField};

/// The list with a link for each that can be booked, and a form for a transaction that is not in it.
pub(super) fn own_coins(code: &str, coins: Vec<OwnCoin>, wrong: Option<String>) -> AnyView {
    let action = format!("/app/operate/chains/{code}/own-funds");
    let table = (!coins.is_empty()).then(|| table(code, &action, coins));
    view! {
        <section>
            <h2>"Own funds"</h2>
            <p class="under-title">
                "Coins that the house sends to its own accounts, to pay gas or withdrawals with. They are in no book \
                 until you say so."
            </p>
            {table}
            <form method="get" action=action novalidate class="card">
                <TextField
                    name="txid"
                    label="Transaction"
                    value=""
                    mono=true
                    hint="Its id; the amount is read from the chain"
                    error=wrong
                />
                <button class="btn-2">"Review booking"</button>
            </form>
        </section>
    }
    .into_any()
}

fn table(code: &str, action: &str, coins: Vec<OwnCoin>) -> AnyView {
    let head = view! {
        <HeadCell label="Transaction"/>
        <HeadCell label="Account"/>
        <HeadCell label="Coins" numeric=true/>
        <HeadCell label="State"/>
        <HeadCell label="Change"/>
    }
    .into_any();
    let rows = coins
        .into_iter()
        .map(|coin| {
            let amount = format!("{} {code}", coin.amount);
            // Hexadecimal digits alone, as the chain tables have them.
            let href = format!("{action}?txid={}", coin.txid);
            let label = format!("Book {}", coin.txid);
            let change = coin
                .can_change
                .then(|| view! { <a href=href aria-label=label>"Book"</a> });
            view! {
                <tr role="row">
                    <RowHead label="Transaction">
                        <span class="output"><bdi>{coin.txid}</bdi></span>
                    </RowHead>
                    <Cell label="Account"><ShortHash value=coin.address/></Cell>
                    <Cell label="Coins" numeric=true><span class="whole">{amount}</span></Cell>
                    <Cell label="State"><span class="whole">{coin.state}</span></Cell>
                    <Cell label="Change">{change}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame caption="What came to accounts of ours" head=head>{rows}</TableFrame>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(txid: &str, can_change: bool) -> OwnCoin {
        OwnCoin {
            txid: txid.to_owned(),
            address: "0xAbC".to_owned(),
            amount: "2".to_owned(),
            state: "in no book".to_owned(),
            can_change,
        }
    }

    #[test]
    fn only_what_can_be_booked_has_a_link() {
        let coins = vec![coin("0xaa", true), coin("0xbb", false)];
        let html = crate::render(move || own_coins("ETH", coins, None));
        assert!(
            html.contains("href=\"/app/operate/chains/ETH/own-funds?txid=0xaa\""),
            "{html}"
        );
        assert!(!html.contains("?txid=0xbb"), "{html}");
        assert!(html.contains("2 ETH"), "{html}");
    }

    #[test]
    fn a_refusal_stands_at_its_field() {
        let wrong = Some("The transaction has 3 of 8 blocks.".to_owned());
        let html = crate::render(move || own_coins("ETH", Vec::new(), wrong));
        assert!(html.contains("id=\"txid-error\""), "{html}");
        assert!(html.contains("method=\"get\""), "{html}");
    }
}
