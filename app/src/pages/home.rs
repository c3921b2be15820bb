//! Home, `/app` (ux §1.2): what needs someone, what there is, what came.

use domain::view::dashboard::{AttentionItem, Frame, HomeView, ReceivedChart, WalletRow};
use leptos::prelude::*;

use super::charges::ChargeTable;
use super::frame::{DashboardPage, Section};
use super::query::query;
use crate::islands::CopyButton;
use crate::ui::{BarChart, EmptyState, Figure};

/// Days a chart can span.
const SPANS: [u32; 3] = [7, 30, 90];

/// Everything is in the first answer: no panel loads afterwards.
#[component]
pub fn HomePage(frame: Frame, view: HomeView) -> impl IntoView {
    let HomeView {
        attention,
        wallets,
        chart,
        latest,
        first_order_curl,
    } = view;
    let attention = (!attention.is_empty()).then(|| attention_strip(attention));
    let latest = match first_order_curl {
        Some(curl) => first_order(curl),
        None => view! {
            <ChargeTable rows=latest caption="Latest charges" caption_hidden=true/>
            <p><a href="/app/charges">"All charges"</a></p>
        }
        .into_any(),
    };
    let cards = wallets.into_iter().map(wallet_card).collect_view();
    view! {
        <DashboardPage frame=frame title="Home" section=Section::Home live=true>
            {attention}
            <section>
                <h2>"Balances"</h2>
                <ul class="wallets">{cards}</ul>
            </section>
            {received(chart)}
            <section>
                <h2>"Latest charges"</h2>
                {latest}
            </section>
        </DashboardPage>
    }
}

fn attention_strip(items: Vec<AttentionItem>) -> AnyView {
    let items = items
        .into_iter()
        .map(|AttentionItem { text, count, href }| {
            view! { <li><a href=href><span class="badge">{count}</span> " " {text}</a></li> }
        })
        .collect_view();
    view! {
        <section class="attention">
            <h2>"Needs you"</h2>
            <ul>{items}</ul>
        </section>
    }
    .into_any()
}

fn wallet_card(wallet: WalletRow) -> AnyView {
    let WalletRow {
        id,
        name,
        code,
        available,
        held,
        balance,
        ..
    } = wallet;
    let href = format!("/app/wallets/{id}");
    view! {
        <li class="wallet">
            <p class="wallet-name"><a href=href>{name}</a></p>
            <p class="wallet-figure">
                <Figure value=available/> " " <span class="unit">{code}</span>
            </p>
            <dl>
                <div><dt>"Held"</dt><dd><Figure value=held/></dd></div>
                <div><dt>"Balance"</dt><dd><Figure value=balance/></dd></div>
            </dl>
        </li>
    }
    .into_any()
}

fn received(chart: ReceivedChart) -> AnyView {
    let spans = SPANS
        .into_iter()
        .map(|span| {
            let days = span.to_string();
            let href = format!(
                "/app{}",
                query(&[("days", days.as_str()), ("currency", chart.code.as_str())])
            );
            choice(href, format!("{days} days"), span == chart.days)
        })
        .collect_view();
    let days = chart.days.to_string();
    let codes = (chart.codes.len() > 1).then(|| {
        chart
            .codes
            .iter()
            .map(|code| {
                let href = format!(
                    "/app{}",
                    query(&[("days", days.as_str()), ("currency", code.as_str())])
                );
                choice(href, code.clone(), *code == chart.code)
            })
            .collect_view()
    });
    let (total, code) = (chart.total.clone(), chart.code.clone());
    view! {
        <section>
            <h2>"Received"</h2>
            <ul class="choices" aria-label="What the chart shows">{spans} {codes}</ul>
            <p class="chart-total"><Figure value=total/> " " <span class="unit">{code}</span></p>
            <BarChart of=chart/>
        </section>
    }
    .into_any()
}

fn choice(href: String, text: String, is_current: bool) -> impl IntoView {
    let current = is_current.then_some("true");
    view! { <li><a href=href aria-current=current>{text}</a></li> }
}

fn first_order(curl: String) -> AnyView {
    let copied = curl.clone();
    let shown = curl.clone();
    view! {
        <EmptyState text="Charges appear here seconds after they are made. Make a test order:">
            <pre tabindex="0" data-copy=shown>{curl}</pre>
            <CopyButton value=copied what="Command".to_owned() label="the command".to_owned()/>
        </EmptyState>
    }
    .into_any()
}
