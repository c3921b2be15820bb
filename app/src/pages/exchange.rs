//! Exchange: ask for a rate, look at it, take it (ux §1.8). An offer is never silently re-priced.

use domain::view::dashboard::Frame;
use domain::view::operations::{ExchangeForm, ExchangeFormView, ExchangeQuoteView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use super::operations::past_exchanges;
use crate::islands::Countdown;
use crate::ui::{Amount, HiddenField, SelectField, TextField, Timestamp};

const PATH: &str = "/app/exchange";

/// The form, and what was exchanged before.
#[component]
pub fn ExchangePage(frame: Frame, view: ExchangeFormView) -> impl IntoView {
    let ExchangeFormView {
        form,
        wallets,
        notice,
        past,
    } = view;
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    view! {
        <DashboardPage frame=frame title="Exchange" section=Section::Exchange>
            <form method="post" action=PATH novalidate class="card">
                <SelectField
                    name="from"
                    label="You send"
                    options=wallets.clone()
                    selected=form.from
                />
                <TextField
                    name="give"
                    label="Amount you send"
                    value=form.give
                    inputmode="decimal"
                    hint="This, or the amount you get"
                />
                <SelectField name="to" label="You get" options=wallets selected=form.to/>
                <TextField
                    name="get"
                    label="Amount you get"
                    value=form.get
                    inputmode="decimal"
                    hint="Before the fee"
                />
                <button class="btn">"See the rate"</button>
            </form>
            {past_exchanges(past)}
        </DashboardPage>
    }
}

/// One offer.
#[component]
pub fn ExchangeQuotePage(frame: Frame, view: ExchangeQuoteView) -> impl IntoView {
    let ExchangeQuoteView {
        id,
        key,
        give,
        fee,
        total,
        get,
        rate,
        now,
        fixed_at,
        release_at,
        expired,
        rate_before,
        form,
    } = view;
    let before = rate_before.map(|rate| {
        view! { <p class="banner warn">"The rate has changed. Before it was " {rate} "."</p> }
    });
    let action = if expired {
        again(&id, form, "btn")
    } else {
        choices(&id, key, form)
    };
    let held = if expired {
        view! { <p class="banner warn">"This rate does not stand any more; nothing was exchanged."</p> }
            .into_any()
    } else {
        view! {
            <p>
                "This rate is held until " <Timestamp at=release_at/> ". "
                <Countdown
                    now=now.unix_timestamp()
                    ends_at=release_at.unix_timestamp()
                    over="This rate does not stand any more: ask for a new one.".to_owned()
                />
            </p>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Review the exchange" section=Section::Exchange live=true>
            {before}
            <dl class="facts">
                <div><dt>"You send"</dt><dd><Amount of=give/></dd></div>
                <div><dt>"You get"</dt><dd><Amount of=get/></dd></div>
                <div><dt>"Fee"</dt><dd><Amount of=fee/></dd></div>
                <div><dt>"Debited in all"</dt><dd><Amount of=total/></dd></div>
                <div><dt>"Rate"</dt><dd>{rate}</dd></div>
                <div><dt>"Fixed"</dt><dd><Timestamp at=fixed_at/></dd></div>
            </dl>
            {held}
            {action}
        </DashboardPage>
    }
}

fn choices(id: &str, key: String, form: ExchangeForm) -> AnyView {
    let action = format!("{PATH}/{id}/confirm");
    view! {
        <form method="post" action=action class="card">
            <HiddenField name="key" value=key/>
            <button class="btn" name="pricing" value="fixed">"Exchange at this rate"</button>
            <p class="hint">"Refused when the rate does not stand any more."</p>
            <button class="btn-2" name="pricing" value="now">"Exchange at the current rate"</button>
            <p class="hint">"Whatever it is at that moment."</p>
        </form>
        {again(id, form, "btn-2")}
    }
    .into_any()
}

fn again(id: &str, form: ExchangeForm, class: &'static str) -> AnyView {
    view! {
        <form method="post" action=PATH class="card">
            <HiddenField name="before" value=id.to_owned()/>
            <HiddenField name="from" value=form.from/>
            <HiddenField name="to" value=form.to/>
            <HiddenField name="give" value=form.give/>
            <HiddenField name="get" value=form.get/>
            <button class=class>"Get a new rate"</button>
        </form>
    }
    .into_any()
}
