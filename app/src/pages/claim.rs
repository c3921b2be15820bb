//! A refund asked for through a mailed link (ux §1.18b): one column, plain forms.

use domain::view::claim::{ClaimStage, ClaimStep, ClaimView};
use leptos::prelude::*;

use super::claim_over::help;
use super::public::PublicPage;
use crate::ui::{Address, Amount, HiddenField, NoticeBanner, TextField, Timestamp, has_error};

/// Form field of the address; also the id that an error summary links to.
const FIELD: &str = "address";

/// What goes back and why, then the form, its review, or how far the refund has come.
#[component]
pub fn ClaimPage(view: ClaimView) -> impl IntoView {
    let notice = view
        .notice
        .clone()
        .map(|notice| view! { <NoticeBanner of=notice/> });
    let heading = match &view.stage {
        ClaimStage::Ask { .. } => "Get your money back",
        ClaimStage::Review { .. } => "Check the address",
        ClaimStage::Tracked { step, .. } => match step {
            ClaimStep::Requested => "Refund requested",
            ClaimStep::Approved => "Refund approved",
            ClaimStep::Sent => "Refund sent",
            ClaimStep::Confirmed => "Refund confirmed",
        },
    };
    let error = if has_error(view.notice.as_ref()) {
        "Error: "
    } else {
        ""
    };
    let title = format!("{error}{heading} – {}", view.brand.name);
    let shop = view.brand.name.clone();
    let body = match view.stage.clone() {
        ClaimStage::Ask { typed } => ask(&view, typed),
        ClaimStage::Review { address, typed } => review(&view, address, typed),
        ClaimStage::Tracked {
            step,
            address,
            txid,
        } => tracker(&view, step, address, txid),
    };
    let unconfirmed = view.unconfirmed.then(|| {
        view! {
            <p class="banner warn">
                "Part of your payment is still being confirmed by the network. It can be sent back \
                 after that."
            </p>
        }
    });
    let facts = view! {
        <dl class="facts">
            <div><dt>"Amount"</dt><dd><Amount of=view.amount.clone()/></dd></div>
            <div><dt>"Network fee"</dt><dd><Amount of=view.fee.clone()/></dd></div>
            <div><dt>"You receive"</dt><dd><Amount of=view.receives.clone()/></dd></div>
        </dl>
    };
    let ask_whom = help(&view.brand, &view.public_id);
    let why = view.why.clone();
    view! {
        <PublicPage title=title test_mode=view.test_mode>
            {notice}
            <p class="quiet"><bdi>{shop}</bdi></p>
            <h1>{heading}</h1>
            <p>{why}</p>
            {facts}
            {unconfirmed}
            {body}
            {ask_whom}
        </PublicPage>
    }
}

fn ask(view: &ClaimView, typed: String) -> AnyView {
    let error = view
        .notice
        .as_ref()
        .filter(|notice| notice.is_error && notice.field.as_deref() == Some(FIELD))
        .map(|notice| notice.text.clone());
    let approval = if view.approved {
        "The shop has approved this refund. It is sent as soon as you have confirmed an address."
    } else {
        "The shop is asked to approve; then it is sent."
    };
    let ClaimView {
        coin_name, network, ..
    } = view.clone();
    let until = view.expires_at;
    view! {
        <p>
            "It goes back in the coin it came in: give an address of " <strong>{coin_name}</strong>
            " on the network " <strong>{network}</strong> " that you control. " {approval}
        </p>
        <form method="post" action=view.path.clone() novalidate class="card">
            <TextField
                name=FIELD
                label="Your address for the refund"
                value=typed
                hint="Copy it from your wallet's page for receiving. An address of an exchange is \
                      often good for one payment only."
                error=error
                mono=true
            />
            <button class="btn" name="step" value="review">"Review"</button>
        </form>
        <p class="quiet">
            "This link takes one address, once, until " <Timestamp at=until/> "."
        </p>
    }
    .into_any()
}

fn review(view: &ClaimView, address: String, typed: String) -> AnyView {
    let rewritten = (address != typed).then(|| {
        view! {
            <p class="quiet">
                "You wrote the same address as " <Address value=typed.clone()/> "."
            </p>
        }
    });
    let sent = address.clone();
    view! {
        <p>"Compare it with your wallet, group by group:"</p>
        <p class="compare"><Address value=address/></p>
        {rewritten}
        <p>"Nothing has moved yet. What was sent to a wrong address cannot be called back."</p>
        <form method="post" action=view.path.clone() class="card">
            <HiddenField name=FIELD value=sent/>
            <button class="btn" name="step" value="confirm">"Request refund"</button>
            <button class="btn-2" name="step" value="edit">"Change it"</button>
        </form>
    }
    .into_any()
}

fn tracker(view: &ClaimView, now: ClaimStep, address: String, txid: Option<String>) -> AnyView {
    let steps = ClaimStep::ALL
        .into_iter()
        .map(|step| {
            let class = if step <= now { "done" } else { "open" };
            let current = (step == now).then_some("step");
            let said = if step <= now { "done" } else { "not yet" };
            view! {
                <li class=class aria-current=current>
                    {step_text(step)} <span class="vh">{format!(": {said}")}</span>
                </li>
            }
        })
        .collect_view();
    let txid = txid.map(|txid| {
        view! {
            <div>
                <dt>"Transaction"</dt>
                <dd><bdi dir="ltr" class="addr" translate="no">{txid}</bdi></dd>
            </div>
        }
    });
    let next = match now {
        ClaimStep::Requested => "The shop has been asked. Nothing more is needed from you.",
        ClaimStep::Approved => "It waits to be sent to the network.",
        ClaimStep::Sent => "It is on the network and waits for confirmations.",
        ClaimStep::Confirmed => "It has arrived.",
    };
    let again = (now != ClaimStep::Confirmed).then(|| {
        let href = view.path.clone();
        view! { <p><a class="btn-2" href=href>"Check status"</a></p> }
    });
    view! {
        <p role="status">{next}</p>
        <ol class="steps">{steps}</ol>
        <dl class="facts">
            <div><dt>"To"</dt><dd><Address value=address/></dd></div>
            {txid}
        </dl>
        {again}
    }
    .into_any()
}

fn step_text(step: ClaimStep) -> &'static str {
    match step {
        ClaimStep::Requested => "Requested",
        ClaimStep::Approved => "Approved by the shop",
        ClaimStep::Sent => "Sent",
        ClaimStep::Confirmed => "Confirmed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::view::checkout::Notice;
    use domain::view::{AmountText, Brand};
    use time::OffsetDateTime;

    const ADDRESS: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

    fn view(stage: ClaimStage) -> ClaimView {
        let amount = |amount: &str| AmountText {
            amount: amount.to_owned(),
            code: "BTC".to_owned(),
        };
        ClaimView {
            brand: Brand {
                name: "Café Riga".to_owned(),
                accent: None,
                support_email: Some("help@riga.example".to_owned()),
                files: domain::view::BrandFiles::default(),
            },
            test_mode: true,
            public_id: "EX-4K7QZ2MX3A".to_owned(),
            path: "/refund/token".to_owned(),
            why: "You sent 0.0005 BTC more than order EX-4K7QZ2MX3A needed.".to_owned(),
            amount: amount("0.00050000"),
            fee: amount("0.00000000"),
            receives: amount("0.00050000"),
            coin_name: "Bitcoin".to_owned(),
            network: "Bitcoin".to_owned(),
            unconfirmed: false,
            approved: false,
            expires_at: OffsetDateTime::UNIX_EPOCH,
            stage,
            notice: None,
        }
    }

    fn page(view: ClaimView) -> String {
        crate::render(move || view! { <ClaimPage view=view/> })
    }

    #[test]
    fn the_form_says_what_is_wrong_and_keeps_what_was_typed() {
        let typed = "nowhere".to_owned();
        let asked = ClaimView {
            notice: Some(Notice {
                is_error: true,
                text: "Your address must be a valid BTC address.".to_owned(),
                field: Some("address".to_owned()),
            }),
            ..view(ClaimStage::Ask { typed })
        };
        let html = page(asked);
        for text in [
            "<title>TEST · Error: Get your money back",
            "action=\"/refund/token\"",
            "value=\"nowhere\"",
            "href=\"#address\"",
            "value=\"0.00050000\"",
            "You receive",
            "help@riga.example",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
    }

    #[test]
    fn the_review_shows_the_address_in_groups() {
        let html = page(view(ClaimStage::Review {
            address: ADDRESS.to_owned(),
            typed: ADDRESS.to_owned(),
        }));
        assert!(html.contains("<span>bc1q</span>"), "{html}");
        assert!(html.contains("value=\"confirm\""), "{html}");
        assert!(!html.contains("You wrote"), "{html}");
    }

    #[test]
    fn the_tracker_has_four_steps_and_no_form() {
        for (at, step) in ClaimStep::ALL.into_iter().enumerate() {
            let html = page(view(ClaimStage::Tracked {
                step,
                address: ADDRESS.to_owned(),
                txid: None,
            }));
            assert_eq!(html.matches("class=\"done\"").count(), at + 1, "{step:?}");
            assert_eq!(html.matches("aria-current").count(), 1, "{step:?}");
            assert!(!html.contains("<form"), "{step:?}");
        }
    }
}
