//! Picking a coin.

use domain::view::AmountText;
use domain::view::checkout::{CheckoutView, MethodOption};
use leptos::prelude::*;

use super::cancel::cancel;
use super::ended::contact;
use crate::ui::Amount;

/// The first choice, or the plain truth when nothing can be quoted.
pub(super) fn choose(view: &CheckoutView) -> AnyView {
    if view
        .methods
        .iter()
        .any(|method| method.unavailable.is_none())
    {
        return view! {
            <div class="panel">
                {form(view, "Continue", "btn")}
                {cancel(view)}
            </div>
        }
        .into_any();
    }
    let retry = view.page_url.clone();
    view! {
        <div class="panel">
            <p>"We cannot quote a rate right now. Nothing was taken."</p>
            {(!view.methods.is_empty()).then(|| form(view, "Continue", "btn"))}
            <a class="btn" href=retry>"Try again"</a>
            {cancel(view)}
            {contact(view)}
        </div>
    }
    .into_any()
}

/// Another coin instead of the one that was picked; nothing when there is no other.
pub(super) fn change(view: &CheckoutView) -> Option<AnyView> {
    let picked = view.payment.as_ref().map(|payment| payment.coin.as_str());
    let others = view
        .methods
        .iter()
        .any(|method| Some(method.code.as_str()) != picked);
    others.then(|| {
        view! {
            <details class="more">
                <summary>"Pay another way"</summary>
                {form(view, "Change method", "btn-2")}
            </details>
        }
        .into_any()
    })
}

fn form(view: &CheckoutView, button: &'static str, class: &'static str) -> AnyView {
    let first_open = view
        .methods
        .iter()
        .find(|method| method.unavailable.is_none());
    let can_submit = first_open.is_some();
    let picked = match &view.payment {
        Some(payment) => Some(payment.coin.clone()),
        None => first_open.map(|method| method.code.clone()),
    };
    let options = view
        .methods
        .iter()
        .map(|method| option(method.clone(), picked.as_ref() == Some(&method.code)))
        .collect_view();
    let action = view.page_url.clone();
    view! {
        <form method="post" action=action novalidate class="methods">
            <fieldset>
                <legend>"How do you want to pay?"</legend>
                {options}
            </fieldset>
            {can_submit.then(|| view! { <button class=class>{button}</button> })}
        </form>
    }
    .into_any()
}

fn option(method: MethodOption, checked: bool) -> AnyView {
    let MethodOption {
        code,
        name,
        network,
        approximate,
        unavailable,
    } = method;
    let disabled = unavailable.is_some();
    let network = (network != name).then(|| view! { <span class="network">{network}</span> });
    let price = match (unavailable, approximate) {
        (Some(reason), _) => view! { <span class="reason">{reason}</span> }.into_any(),
        (None, Some(amount)) => {
            let of = AmountText {
                amount,
                code: code.clone(),
            };
            view! { <span class="price">"≈ " <Amount of=of/></span> }.into_any()
        }
        (None, None) => ().into_any(),
    };
    view! {
        <label class="method">
            <input type="radio" name="method" value=code checked=checked disabled=disabled/>
            <span class="coin">{name} " " {network}</span>
            {price}
        </label>
    }
    .into_any()
}
