//! The payment terminal, `/terminal` (ux §1.17).

use domain::view::AmountText;
use domain::view::terminal::TerminalView;
use leptos::prelude::*;

use super::shop_header::shop_header;
use crate::islands::{CopyButton, TerminalLive};
use crate::shell::{Shell, Stylesheet};
use crate::ui::{Address, Amount, Figure, Qr};

/// The whole page. What comes in while it is open is the island; what to pay stays.
#[component]
pub fn TerminalPage(view: TerminalView) -> impl IntoView {
    let shop = view.brand.name.clone();
    let title = format!("Pay {shop}");
    let test_mode = view.test_mode;
    let brand_stylesheet = view.brand.files.stylesheet.clone();
    let header = shop_header(&view.brand, test_mode);
    let back = view.back.clone().map(|href| {
        let text = format!("Back to {shop}");
        // In a frame the way back is the whole window's.
        let target = view.framed.then_some("_top");
        view! { <p><a class="btn-2" href=href target=target rel="noreferrer">{text}</a></p> }
    });
    let contact = view.brand.support_email.clone().map(|address| {
        let href = format!("mailto:{address}");
        view! { " at " <a href=href>{address}</a> }
    });
    let status = view.status.clone();
    let (status_url, events_url) = (view.status_url.clone(), view.events_url.clone());
    let self_url = view.self_url.clone();
    view! {
        <Shell
            title=title
            stylesheet=Stylesheet::Pay
            test_mode=test_mode
            live=true
            brand_stylesheet=brand_stylesheet
        >
            <a class="skip" href="#main">"Skip to the payment"</a>
            {header}
            <main id="main" class="pay" tabindex="-1">
                <h1>"Pay " <bdi>{shop.clone()}</bdi></h1>
                {ask(&view)}
                <TerminalLive status=status status_url=status_url events_url=events_url/>
                <noscript><p><a class="btn-2" href=self_url>"Check status"</a></p></noscript>
                {back}
                <section class="help">
                    <h2>"Help"</h2>
                    <p>"Ask " <bdi>{shop}</bdi> {contact} "."</p>
                </section>
            </main>
            <footer class="pay-foot">"Secured by Exchequer"</footer>
        </Shell>
    }
}

fn ask(view: &TerminalView) -> AnyView {
    let coin = view.coin.clone();
    let due = match view.amount.clone() {
        Some(amount) => {
            let label = format!("amount {amount}");
            view! {
                <div class="due">
                    <span class="due-label">"Send"</span>
                    <strong class="due-amount" data-copy=amount.amount.clone()>
                        <Figure value=amount.amount.clone()/>
                        " "
                        <span class="unit">{amount.code}</span>
                    </strong>
                    <CopyButton value=amount.amount what="Amount".to_owned() label=label/>
                </div>
            }
            .into_any()
        }
        None => view! {
            <p>"Send any amount of " {coin.clone()} ", at least " <Amount of=view.minimum.clone()/> "."</p>
        }
        .into_any(),
    };
    let wallet = view
        .uri
        .clone()
        .map(|href| view! { <a class="btn" href=href>"Open in wallet"</a> });
    let where_to = if view.network == view.coin_name {
        view.coin_name.clone()
    } else {
        format!("{} on {}", view.coin_name, view.network)
    };
    let label = format!("address {}", view.address);
    let rate = view
        .rate
        .clone()
        .map(|rate| exchange(rate, view.approximately.clone()));
    view! {
        <div class="panel">
            {due}
            {code(view)}
            {wallet}
            <dl class="facts">
                <div>
                    <dt>{where_to} " address"</dt>
                    <dd>
                        <Address value=view.address.clone()/>
                        <CopyButton
                            value=view.address.clone()
                            what="Address".to_owned()
                            label=label
                        />
                    </dd>
                </div>
                {rate}
            </dl>
        </div>
    }
    .into_any()
}

fn exchange(rate: String, about: Option<AmountText>) -> AnyView {
    let about = about.map(|amount| view! { " About " <Amount of=amount/> "." });
    view! {
        <div>
            <dt>"Rate now"</dt>
            <dd>{rate} "; exchanged when your payment arrives." {about}</dd>
        </div>
    }
    .into_any()
}

/// The QR code, which is a link as well; everything in it stands on the page as text.
fn code(view: &TerminalView) -> AnyView {
    let test = if view.test_mode { "TEST. " } else { "" };
    let label = format!("{test}QR code: pay {} to {}", view.coin, view.address);
    let stamp = view
        .test_mode
        .then(|| view! { <span class="stamp" aria-hidden="true">"TEST"</span> });
    let text = view.qr_text.clone();
    match view.uri.clone() {
        Some(href) => view! {
            <a class="qr-card" href=href>
                <Qr text=text label=label/>
                {stamp}
            </a>
        }
        .into_any(),
        None => view! {
            <div class="qr-card">
                <Qr text=text label=label/>
                {stamp}
            </div>
        }
        .into_any(),
    }
}
