//! A withdrawal is filled in, looked at, and only then made (ux §1.7).

use domain::view::dashboard::Frame;
use domain::view::operations::{WithdrawForm, WithdrawFormView, WithdrawReviewView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{Address, Amount, HiddenField, SelectField, TextField};

const PATH: &str = "/app/withdrawals/new";

/// The form.
#[component]
pub fn WithdrawPage(frame: Frame, view: WithdrawFormView) -> impl IntoView {
    let WithdrawFormView {
        form,
        wallets,
        coins,
        notice,
    } = view;
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let coins = std::iter::once((String::new(), "The coin of the wallet".to_owned()))
        .chain(coins.into_iter().map(|code| (code.clone(), code)))
        .collect();
    view! {
        <DashboardPage frame=frame title="New withdrawal" section=Section::Withdrawals>
            <form method="post" action=PATH novalidate class="card">
                <SelectField
                    name="currency"
                    label="From wallet"
                    options=wallets
                    selected=form.currency
                />
                <TextField
                    name="amount"
                    label="Amount"
                    value=form.amount
                    inputmode="decimal"
                    hint="In the wallet's currency; fees are on top"
                />
                <SelectField
                    name="convert_to"
                    label="Receiver gets"
                    options=coins
                    selected=form.convert_to
                />
                <TextField name="address" label="Receiver's address" value=form.address mono=true/>
                <TextField
                    name="reference"
                    label="Reference (optional)"
                    value=form.reference
                    hint="Your own; one reference makes one withdrawal"
                />
                <button class="btn">"Review"</button>
            </form>
        </DashboardPage>
    }
}

/// What would happen.
#[component]
pub fn WithdrawReviewPage(frame: Frame, view: WithdrawReviewView) -> impl IntoView {
    let WithdrawReviewView {
        form,
        key,
        total,
        requested,
        fees,
        receiver,
        rate,
        receiver_before,
        address,
        internal,
        needs_approval,
    } = view;
    let fees = fees
        .into_iter()
        .map(|(name, fee)| view! { <div><dt>{name}</dt><dd><Amount of=fee/></dd></div> })
        .collect_view();
    let expected = receiver.amount.clone();
    let converted = rate.is_some().then(|| {
        view! { <p>"It is exchanged at the rate of the moment; a change is shown to you first."</p> }
    });
    let rate = rate.map(|rate| view! { <div><dt>"Rate"</dt><dd>{rate}</dd></div> });
    let changed = receiver_before.map(|before| {
        view! {
            <p class="banner warn">
                "The rate has changed. Before it the receiver would have got " {before}
                "; nothing has moved yet."
            </p>
        }
    });
    let internal = internal.then(|| {
        view! { <p>"The address is one of this instance: the money is there at once."</p> }
    });
    let approval = needs_approval.then(|| {
        view! {
            <p class="banner warn">
                "This is above your limit: the money is held, and another person has to approve."
            </p>
        }
    });
    view! {
        <DashboardPage frame=frame title="Review the withdrawal" section=Section::Withdrawals>
            {changed}
            {approval}
            <dl class="facts">
                <div><dt>"Amount"</dt><dd><Amount of=requested/></dd></div>
                {fees}
                <div><dt>"Debited in all"</dt><dd><Amount of=total/></dd></div>
                {rate}
                <div><dt>"Receiver gets"</dt><dd><Amount of=receiver/></dd></div>
                <div><dt>"To"</dt><dd><Address value=address/></dd></div>
            </dl>
            {converted}
            {internal}
            <p>"Nothing has moved yet. What was sent to a wrong address cannot be called back."</p>
            <form method="post" action=PATH class="card">
                {fields(&form)}
                <HiddenField name="key" value=key/>
                <HiddenField name="expected" value=expected/>
                <button class="btn" name="step" value="confirm">"Withdraw"</button>
                <button class="btn-2" name="step" value="edit">"Change it"</button>
            </form>
        </DashboardPage>
    }
}

fn fields(form: &WithdrawForm) -> AnyView {
    let WithdrawForm {
        currency,
        amount,
        convert_to,
        address,
        reference,
    } = form.clone();
    view! {
        <HiddenField name="currency" value=currency/>
        <HiddenField name="amount" value=amount/>
        <HiddenField name="convert_to" value=convert_to/>
        <HiddenField name="address" value=address/>
        <HiddenField name="reference" value=reference/>
    }
    .into_any()
}
