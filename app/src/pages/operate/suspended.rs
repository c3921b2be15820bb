use domain::view::AmountText;
use domain::view::dashboard::Frame;
use domain::view::operate::{SuspendedDepositView, WayOut};
use leptos::prelude::*;

use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Amount, TextField, Timestamp};

const PATH: &str = "/app/operate/suspense";

/// One deposit in suspense, and the decision on it.
#[component]
pub fn SuspendedDepositPage(frame: Frame, view: SuspendedDepositView) -> impl IntoView {
    let SuspendedDepositView {
        operation_id,
        item,
        facts,
        release,
        address,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "address");
    let frame = with_notice(frame, notice);
    let title = format!("{} in suspense", item.what);
    let since = item
        .since
        .map(|since| view! { " since " <Timestamp at=since/> });
    let decision = match release {
        Some((fee, net)) => {
            let code = item.amount.code.clone();
            decide(operation_id, fee, net, code, address, wrong)
        }
        None => wait(item.way_out),
    };
    let facts = facts
        .into_iter()
        .map(|(name, value)| {
            view! { <div><dt>{name}</dt><dd><bdi class="url">{value}</bdi></dd></div> }
        })
        .collect_view();
    view! {
        <DashboardPage frame=frame title=title section=Section::Suspense>
            <p class="under-title"><bdi>{item.merchant}</bdi> {since}</p>
            <p>{item.story}</p>
            <dl class="facts">
                <div><dt>"Amount"</dt><dd><Amount of=item.amount/></dd></div>
                {facts}
            </dl>
            {decision}
            <p><a href=item.href>"Everything about this deposit"</a></p>
            <p><a href=PATH>"Back to suspense"</a></p>
        </DashboardPage>
    }
}

fn decide(
    operation_id: i64,
    fee: AmountText,
    net: AmountText,
    code: String,
    address: String,
    wrong: Option<String>,
) -> AnyView {
    let action = |verb: &str| format!("{PATH}/{operation_id}/{verb}");
    view! {
        <div class="columns">
            <section>
                <h2>"Release it"</h2>
                <form method="post" action=action("release") class="card">
                    <p>
                        "The merchant's " {code} " wallet is credited " <Amount of=net/>
                        "; the fee is " <Amount of=fee/> ". This cannot be undone."
                    </p>
                    <button class="btn">"Release"</button>
                </form>
            </section>
            <section>
                <h2>"Send it back"</h2>
                <form method="post" action=action("refund") novalidate class="card">
                    <TextField
                        name="address"
                        label="To this address"
                        value=address
                        hint="Of the coin that came. Ask the payer: the address it came from may be an exchange's."
                        error=wrong
                        mono=true
                    />
                    <p>"All of it goes back, without a fee. What is sent cannot be called back."</p>
                    <button class="btn-danger">"Send back"</button>
                </form>
            </section>
        </div>
    }
    .into_any()
}

fn wait(out: WayOut) -> AnyView {
    match out {
        WayOut::Wait { text } => view! { <p class="quiet">{text}</p> }.into_any(),
        WayOut::Charge { href } | WayOut::Deposit { href } => {
            view! { <p><a href=href>"Decide"</a></p> }.into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::view::checkout::Notice;
    use domain::view::operate::SuspenseItem;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn amount(amount: &str) -> AmountText {
        AmountText {
            amount: amount.to_owned(),
            code: "BTC".to_owned(),
        }
    }

    fn page(release: Option<(AmountText, AmountText)>) -> String {
        let text = "It leaves suspense when its refund is confirmed.".to_owned();
        let view = SuspendedDepositView {
            operation_id: 17,
            item: SuspenseItem {
                since: None,
                merchant_id: 1_000,
                merchant: "Café Riga".to_owned(),
                what: "Deposit 17".to_owned(),
                href: "/app/deposits/17?merchant=1000".to_owned(),
                story: "Not credited: too little.".to_owned(),
                amount: amount("0.00009000"),
                held: None,
                way_out: WayOut::Wait { text },
            },
            facts: Vec::new(),
            release,
            address: "bc1wrong".to_owned(),
            notice: Some(Notice {
                is_error: true,
                text: "Address must be a valid BTC address.".to_owned(),
                field: Some("address".to_owned()),
            }),
        };
        crate::render(move || view! { <SuspendedDepositPage frame=frame() view=view/> })
    }

    #[test]
    fn both_decisions_say_what_they_do_and_keep_what_was_typed() {
        let html = page(Some((amount("0.00000090"), amount("0.00008910"))));
        assert!(
            html.contains("action=\"/app/operate/suspense/17/release\""),
            "{html}"
        );
        assert!(
            html.contains("action=\"/app/operate/suspense/17/refund\""),
            "{html}"
        );
        assert!(html.contains("value=\"0.00008910\""), "{html}");
        assert!(html.contains("value=\"bc1wrong\""), "{html}");
        assert!(html.contains("id=\"address-error\""), "{html}");
    }

    #[test]
    fn what_is_decided_has_no_form() {
        let html = page(None);
        assert!(!html.contains("/release"), "{html}");
        assert!(html.contains("when its refund is confirmed"), "{html}");
    }
}
