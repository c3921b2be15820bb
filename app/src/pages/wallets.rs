//! All wallets, `/app/wallets` (ux §1.4).

use domain::view::dashboard::{Frame, WalletRow};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{Cell, EmptyState, Figure, HeadCell, RowHead, TableFrame};

/// One row a wallet, its three figures in its own unit.
#[component]
pub fn WalletsPage(frame: Frame, wallets: Vec<WalletRow>) -> impl IntoView {
    let content = if wallets.is_empty() {
        view! {
            <EmptyState text="A wallet holds what you are paid in one currency.">
                <p class="quiet">"Wallets are created through the API, one for each currency."</p>
            </EmptyState>
        }
        .into_any()
    } else {
        table(wallets)
    };
    view! {
        <DashboardPage frame=frame title="Wallets" section=Section::Wallets>
            {content}
        </DashboardPage>
    }
}

fn table(wallets: Vec<WalletRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Wallet"/>
        <HeadCell label="Currency"/>
        <HeadCell label="Type"/>
        <HeadCell label="Available" numeric=true/>
        <HeadCell label="Held" numeric=true/>
        <HeadCell label="Balance" numeric=true/>
    }
    .into_any();
    let rows = wallets.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Wallets by currency" head=head>{rows}</TableFrame> }.into_any()
}

fn row(wallet: WalletRow) -> AnyView {
    let WalletRow {
        id,
        name,
        code,
        kind,
        available,
        held,
        balance,
        credit_limit,
        user_id,
    } = wallet;
    let href = format!("/app/wallets/{id}");
    let owner = user_id.map(|user| view! { <span class="quiet">" customer " {user}</span> });
    let credit = credit_limit.map(|limit| view! { " of " <Figure value=limit/> " credit" });
    view! {
        <tr role="row">
            <RowHead label="Wallet"><a href=href>{name}</a> {owner}</RowHead>
            <Cell label="Currency">{code}</Cell>
            <Cell label="Type">{kind} {credit}</Cell>
            <Cell label="Available" numeric=true><Figure value=available/></Cell>
            <Cell label="Held" numeric=true><Figure value=held/></Cell>
            <Cell label="Balance" numeric=true><Figure value=balance/></Cell>
        </tr>
    }
    .into_any()
}
