use domain::view::dashboard::Frame;
use domain::view::futures::{FuturesDetailView, FuturesItem};
use leptos::prelude::*;

use super::RATES;
use crate::islands::{CopyButton, Countdown};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Address, Amount, Qr, Status, Timestamp};

const OVER: &str =
    "The time is over: a deposit that comes now is exchanged at the rate of its moment.";

/// One promise: what it was, until when, where to pay, and what came of it.
#[component]
pub fn FuturesDetailPage(frame: Frame, view: FuturesDetailView) -> impl IntoView {
    let item = view.item.clone();
    let title = format!("Promise {}", item.id);
    let status = item.status.clone();
    let outcome = outcome(&view);
    let payment = payment(&view);
    let terms = view.terms;
    let ended = view.ended_at.map(|at| {
        view! { <div><dt>"Ended"</dt><dd><Timestamp at=at/></dd></div> }
    });
    let again = format!("{RATES}?address={}", view.address_id);
    view! {
        <DashboardPage frame=frame title=title section=Section::Futures live=true>
            <p class="under-title"><Status of=status/></p>
            {outcome}
            <div class="columns">
                {payment}
                <section>
                    <h2>"Promised"</h2>
                    <dl class="facts">
                        <div><dt>"Has to come"</dt><dd><Amount of=terms.give/></dd></div>
                        <div><dt>"Before the fee"</dt><dd><Amount of=item.get/></dd></div>
                        <div><dt>"Fee"</dt><dd><Amount of=terms.fee/></dd></div>
                        <div class="sum">
                            <dt>"Credited to you"</dt>
                            <dd><Amount of=terms.net/></dd>
                        </div>
                        <div><dt>"Price"</dt><dd>{terms.rate}</dd></div>
                        <div><dt>"Fixed"</dt><dd><Timestamp at=item.fixed_at/></dd></div>
                        <div><dt>"Until"</dt><dd><Timestamp at=item.release_at/></dd></div>
                        {ended}
                        <div><dt>"Reference"</dt><dd><bdi>{item.reference}</bdi></dd></div>
                    </dl>
                </section>
            </div>
            <p><a href=again>"Prices for this address now"</a></p>
        </DashboardPage>
    }
}

/// Where the promise stands, in a sentence.
fn outcome(view: &FuturesDetailView) -> AnyView {
    let deposit = view.deposit_id.map(|id| {
        let href = format!("/app/deposits/{id}");
        view! { <a href=href>"Deposit " {id}</a> }
    });
    match view.item.status.word.as_str() {
        "matched" => view! {
            <p>
                {deposit}
                " is the promised one. It was seen in time, so the price stands until it has its \
                confirmations."
            </p>
        }
        .into_any(),
        "settled" => {
            view! { <p>"Kept: " {deposit} " was exchanged at the promised price."</p> }.into_any()
        }
        "void" => {
            let why = view.void_text.clone().unwrap_or_default();
            view! { <p class="banner warn">"Void. " {why} " Nothing is held any more."</p> }
                .into_any()
        }
        _ if view.waits => {
            let (now, until) = (view.now, view.item.release_at);
            view! {
                <p>
                    "Waits for its deposit, which has to be seen by " <Timestamp at=until/> ". "
                    <Countdown
                        now=now.unix_timestamp()
                        ends_at=until.unix_timestamp()
                        over=OVER.to_owned()
                    />
                </p>
            }
            .into_any()
        }
        _ => view! { <p class="banner warn">{OVER}</p> }.into_any(),
    }
}

/// The address; with amount and QR code only while exactly that can still come.
fn payment(view: &FuturesDetailView) -> AnyView {
    let FuturesItem { give, address, .. } = view.item.clone();
    let link = format!("/app/addresses/{}", view.address_id);
    let copy_address = format!("address {address}");
    let ask = view.waits.then(|| {
        let label = format!("QR code: pay {give} to {address}");
        let qr = view! { <Qr text=view.qr_text.clone() label=label/> };
        let qr = match view.uri.clone() {
            Some(uri) => view! { <a class="qr-card" href=uri>{qr}</a> }.into_any(),
            None => view! { <div class="qr-card">{qr}</div> }.into_any(),
        };
        let (amount, copy_amount) = (give.amount.clone(), format!("amount {give}"));
        view! {
            {qr}
            <p>
                "Exactly " <Amount of=give.clone()/> " "
                <CopyButton value=amount what="Amount".to_owned() label=copy_amount/>
            </p>
        }
    });
    let faucet = (view.waits && view.test_mode).then(|| {
        let href = format!(
            "/app/faucet?address={address}&amount={}&currency={}",
            give.amount, give.code
        );
        view! { <p><a href=href>"Pay it from the faucet"</a></p> }
    });
    view! {
        <section>
            <h2>"Address"</h2>
            {ask}
            <p><Address value=address.clone()/></p>
            <CopyButton value=address.clone() what="Address".to_owned() label=copy_address/>
            <p><a href=link>"About this address"</a></p>
            {faucet}
        </section>
    }
    .into_any()
}
