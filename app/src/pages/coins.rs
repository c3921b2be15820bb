//! The public page about coins, `/coins`. It needs no sign-in and no script.

use domain::view::coins::{CoinItem, CoinsView};
use leptos::prelude::*;

use super::public::PublicPage;
use crate::ui::{Amount, Cell, EmptyState, HeadCell, RowHead, TableFrame};

/// The coins that can be paid with here.
#[component]
pub fn CoinsPage(view: CoinsView) -> impl IntoView {
    let CoinsView { coins, test_mode } = view;
    let content = if coins.is_empty() {
        view! { <EmptyState text="No coin is switched on here at the moment."/> }.into_any()
    } else {
        view! {
            {coin_table(&coins)}
            {address_table(coins)}
            <p><a href="/coins.csv" download="">"Export these coins (CSV)"</a></p>
        }
        .into_any()
    };
    view! {
        <PublicPage title="Supported coins – Exchequer" test_mode=test_mode>
            <h1>"Supported coins"</h1>
            <p>
                "A payment is final after the number of confirmations below. What a deposit address \
                receives below the minimum is not credited; payments of an order or an invoice have \
                no minimum."
            </p>
            <p><a href="/fees">"Fees and minimums"</a></p>
            {content}
        </PublicPage>
    }
}

fn coin_table(coins: &[CoinItem]) -> AnyView {
    let head = view! {
        <HeadCell label="Coin"/>
        <HeadCell label="Network"/>
        <HeadCell label="Smallest deposit" numeric=true/>
        <HeadCell label="Confirmations" numeric=true/>
        <HeadCell label="Large amounts"/>
    }
    .into_any();
    let rows = coins
        .iter()
        .cloned()
        .map(|coin| {
            let large = format!(
                "{} from {} EUR",
                coin.confirmations_large, coin.large_from_euros
            );
            view! {
                <tr role="row">
                    <RowHead label="Coin">
                        <strong>{coin.code}</strong> " " <span>{coin.name}</span>
                    </RowHead>
                    <Cell label="Network">{coin.network}</Cell>
                    <Cell label="Smallest deposit" numeric=true><Amount of=coin.minimum/></Cell>
                    <Cell label="Confirmations" numeric=true>{coin.confirmations}</Cell>
                    <Cell label="Large amounts">{large}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Minimums and confirmations"</h2>
            <TableFrame caption="Coins, their minimums and confirmations" caption_hidden=true head=head>
                {rows}
            </TableFrame>
        </section>
    }
    .into_any()
}

fn address_table(coins: Vec<CoinItem>) -> AnyView {
    let head = view! {
        <HeadCell label="Coin"/>
        <HeadCell label="Addresses begin with"/>
        <HeadCell label="Smallest deposit that is exchanged" numeric=true/>
    }
    .into_any();
    let rows = coins
        .into_iter()
        .map(|coin| {
            view! {
                <tr role="row">
                    <RowHead label="Coin">{coin.code}</RowHead>
                    <Cell label="Addresses begin with">
                        <code dir="ltr">{coin.address_form}</code>
                    </Cell>
                    <Cell label="Smallest deposit that is exchanged" numeric=true>
                        <Amount of=coin.minimum_exchange/>
                    </Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Addresses"</h2>
            <p>
                "Send a coin on its own network only. An address that is given to you begins as \
                below; the rest is yours alone."
            </p>
            <TableFrame caption="What addresses look like" caption_hidden=true head=head>
                {rows}
            </TableFrame>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_leads_to_the_fees_and_needs_no_script() {
        let coins = CoinsView {
            coins: Vec::new(),
            test_mode: true,
        };
        let html = crate::render(move || view! { <CoinsPage view=coins/> });
        assert!(html.contains("href=\"/fees\""), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
}
