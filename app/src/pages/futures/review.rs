use domain::view::dashboard::Frame;
use domain::view::futures::{FuturesReviewView, TermsFields, TermsText};
use leptos::prelude::*;

use super::{CONFIRM, PATH, RATES};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Address, Amount, HiddenField, Timestamp, spoken};

/// What a promise would be. Nothing is held; other terms than the ones seen before stand beside
/// those.
#[component]
pub fn FuturesReviewPage(frame: Frame, view: FuturesReviewView) -> impl IntoView {
    let FuturesReviewView {
        address_id,
        address,
        key,
        get,
        terms,
        fields,
        before,
        lock_time,
        release_at,
        replaces,
    } = view;
    let changed = before.is_some().then(|| {
        view! {
            <p class="banner warn">
                "The rate has changed since you looked, so nothing was promised. Compare the terms \
                before you confirm."
            </p>
        }
    });
    let replaces = replaces.map(|id| {
        let href = format!("{PATH}/{id}");
        view! {
            <p class="banner warn">
                <a href=href>"Promise " {id}</a>
                " stands for this address; it ends when you confirm this one."
            </p>
        }
    });
    let was = |of: fn(TermsText) -> String| {
        let before = before.clone().map(of);
        before.map(|text| view! { <span class="quiet">"before: " {text}</span> })
    };
    let (give, fee) = (was(|t| spoken(&t.give)), was(|t| spoken(&t.fee)));
    let (net, rate) = (was(|t| spoken(&t.net)), was(|t| t.rate));
    let back = format!("{RATES}?address={address_id}");
    view! {
        <DashboardPage frame=frame title="Review the promise" section=Section::Futures>
            {changed}
            {replaces}
            <dl class="facts">
                <div><dt>"Has to come"</dt><dd><Amount of=terms.give/> {give}</dd></div>
                <div><dt>"You get, before the fee"</dt><dd><Amount of=get/></dd></div>
                <div><dt>"Fee"</dt><dd><Amount of=terms.fee/> {fee}</dd></div>
                <div><dt>"Credited to you"</dt><dd><Amount of=terms.net/> {net}</dd></div>
                <div><dt>"Price"</dt><dd>{terms.rate} {rate}</dd></div>
                <div><dt>"Fixed for"</dt><dd>{lock_time}</dd></div>
                <div><dt>"Confirmed now, until"</dt><dd><Timestamp at=release_at/></dd></div>
                <div><dt>"To"</dt><dd><Address value=address/></dd></div>
            </dl>
            <p>
                "Nothing is held yet; another price is shown to you first. Once you confirm, exactly \
                this amount has to be seen in time: any other, more or less, ends the promise and is \
                exchanged at the rate of its moment."
            </p>
            <form method="post" action=CONFIRM class="card">
                {hidden(address_id, key, fields)}
                <button class="btn">"Fix this price"</button>
                <a class="btn-2" href=back>"Back to the prices"</a>
            </form>
        </DashboardPage>
    }
}

fn hidden(address_id: i64, key: String, fields: TermsFields) -> AnyView {
    let TermsFields {
        receiver_amount,
        sender_amount,
        fee_amount,
        price,
    } = fields;
    view! {
        <HiddenField name="address" value=address_id.to_string()/>
        <HiddenField name="key" value=key/>
        <HiddenField name="receiver_amount" value=receiver_amount/>
        <HiddenField name="sender_amount" value=sender_amount/>
        <HiddenField name="fee_amount" value=fee_amount/>
        <HiddenField name="price" value=price/>
    }
    .into_any()
}
