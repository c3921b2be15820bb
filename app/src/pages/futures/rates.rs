use domain::view::AmountText;
use domain::view::dashboard::Frame;
use domain::view::futures::FuturesRatesView;
use leptos::prelude::*;

use super::{PATH, REVIEW};
use crate::islands::Countdown;
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Address, Amount, Cell, Figure, HeadCell, HiddenField, RowHead, TableFrame, TextField, Timestamp,
};

/// What a promise for one address costs now, step by step.
#[component]
pub fn FuturesRatesPage(frame: Frame, view: FuturesRatesView) -> impl IntoView {
    let FuturesRatesView {
        address_id,
        address,
        reference,
        pair,
        target,
        now,
        release_at,
        tiers,
        limit_euros,
        typed,
        may_act,
        notice,
    } = view;
    let wrong = notice
        .clone()
        .filter(|notice| notice.field.as_deref() == Some("receiver_amount"))
        .map(|notice| notice.text);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let title = format!("Futures prices, {pair}");
    let prices = if tiers.is_empty() {
        view! {
            <p class="banner warn">
                "There is no rate for this pair right now, so nothing can be promised. Try again in \
                a moment."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p>
                "A promise made at these prices is fixed until " <Timestamp at=release_at/> ". "
                <Countdown
                    now=now.unix_timestamp()
                    ends_at=release_at.unix_timestamp()
                    over="These prices are old: load the page again.".to_owned()
                />
            </p>
            {table(address_id, &pair, tiers, may_act)}
        }
        .into_any()
    };
    let other = may_act.then(|| other(address_id, target, limit_euros, typed, wrong));
    view! {
        <DashboardPage frame=frame title=title section=Section::Futures live=true>
            <dl class="facts">
                <div><dt>"Address"</dt><dd><Address value=address/></dd></div>
                <div><dt>"Reference"</dt><dd><bdi>{reference}</bdi></dd></div>
            </dl>
            {prices}
            {other}
            <p><a href=PATH>"Choose another address"</a></p>
        </DashboardPage>
    }
}

fn table(
    address_id: i64,
    pair: &str,
    tiers: Vec<(AmountText, Option<String>)>,
    may_act: bool,
) -> AnyView {
    let choice = may_act.then(|| view! { <HeadCell label="Promise"/> });
    let head = view! {
        <HeadCell label="You get"/>
        <HeadCell label="Price" numeric=true/>
        {choice}
    }
    .into_any();
    let rows = tiers
        .into_iter()
        .map(|(size, price)| tier(address_id, size, price, may_act))
        .collect_view();
    let caption = format!("Prices of {pair} by what you get, before the fee");
    view! { <TableFrame caption=caption head=head>{rows}</TableFrame> }.into_any()
}

fn tier(address_id: i64, size: AmountText, price: Option<String>, may_act: bool) -> AnyView {
    let form = may_act.then(|| {
        let form = price.is_some().then(|| {
            let (amount, named) = (size.amount.clone(), format!(" {size}"));
            view! {
                <form method="post" action=REVIEW>
                    <HiddenField name="address" value=address_id.to_string()/>
                    <HiddenField name="receiver_amount" value=amount/>
                    <button class="btn-2">"Review" <span class="vh">{named}</span></button>
                </form>
            }
        });
        view! { <Cell label="Promise">{form}</Cell> }
    });
    let price = match price {
        Some(price) => view! { <Figure value=price/> }.into_any(),
        None => view! { <span class="quiet">"not now"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <RowHead label="You get"><Amount of=size/></RowHead>
            <Cell label="Price" numeric=true>{price}</Cell>
            {form}
        </tr>
    }
    .into_any()
}

fn other(
    address_id: i64,
    target: String,
    limit_euros: u32,
    typed: String,
    wrong: Option<String>,
) -> AnyView {
    view! {
        <section>
            <h2>"Another amount"</h2>
            <p class="under-title">"In " {target} ", worth at most " {limit_euros} " EUR."</p>
            <form method="post" action=REVIEW novalidate class="card">
                <HiddenField name="address" value=address_id.to_string()/>
                <TextField
                    name="receiver_amount"
                    label="Amount you get"
                    value=typed
                    inputmode="decimal"
                    hint="Before the fee"
                    error=wrong
                />
                <button class="btn">"Review"</button>
            </form>
        </section>
    }
    .into_any()
}
