//! The hosted checkout, `/pay/{EX-…}` (ux §1.18).

use domain::view::AmountText;
use domain::view::checkout::{CheckoutView, InvoiceBlock, ItemLine};
use leptos::prelude::*;

use super::shop_header::shop_header;
use crate::islands::{CheckoutLive, checkout_title};
use crate::shell::{Shell, Stylesheet};
use crate::ui::{Figure, NoticeBanner, has_error};

/// The whole page. What changes while it is open is the island; order and help stay.
#[component]
pub fn CheckoutPage(view: CheckoutView) -> impl IntoView {
    let test_mode = view.test_mode;
    let error = if has_error(view.notice.as_ref()) {
        "Error: "
    } else {
        ""
    };
    let title = format!("{error}{}", checkout_title(&view));
    let brand_stylesheet = view.brand.files.stylesheet.clone();
    let header = shop_header(&view.brand, test_mode);
    let notice = view
        .notice
        .clone()
        .map(|notice| view! { <NoticeBanner of=notice/> });
    let order = match &view.invoice {
        Some(invoice) => invoice_details(invoice, &view.total),
        None => order(&view),
    };
    let help = help(&view);
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
                {notice}
                <CheckoutLive checkout=view/>
                {order}
                {help}
            </main>
            <footer class="pay-foot">"Secured by Exchequer"</footer>
        </Shell>
    }
}

fn order(view: &CheckoutView) -> AnyView {
    let items = view
        .items
        .iter()
        .map(|item| line(item.clone()))
        .collect_view();
    let other = view.other_charges.clone().map(|amount| {
        view! { <li><span>"Other charges"</span> <Figure value=amount/></li> }
    });
    let customer = view.customer_name.clone().map(|name| {
        view! { <p class="for">"For " <bdi>{name}</bdi></p> }
    });
    let total = view.total.clone();
    view! {
        <details class="order" open>
            <summary>"Order details"</summary>
            {customer}
            <ul class="items">
                {items}
                {other}
                <li class="sum">
                    <span>"Total"</span>
                    <span>
                        <Figure value=total.amount/> " " <span class="unit">{total.code}</span>
                    </span>
                </li>
            </ul>
        </details>
    }
    .into_any()
}

/// From whom, for what, by when (ux §1.19).
fn invoice_details(invoice: &InvoiceBlock, total: &AmountText) -> AnyView {
    let InvoiceBlock {
        title,
        description,
        number,
        customer,
        due_date,
        lines,
        tax,
        shipping,
        note,
    } = invoice.clone();
    let fact = |label: &'static str, value: Option<String>| {
        value.map(|value| view! { <div><dt>{label}</dt><dd><bdi>{value}</bdi></dd></div> })
    };
    let sum = |label: &'static str, value: Option<String>| {
        value.map(|value| view! { <li><span>{label}</span> <Figure value=value/></li> })
    };
    let text = |text: String| (!text.is_empty()).then(|| view! { <p dir="auto">{text}</p> });
    let total = total.clone();
    view! {
        <details class="order" open>
            <summary>"Invoice"</summary>
            <h2 dir="auto">{title}</h2>
            {text(description)}
            <dl class="facts">
                {fact("Number", number)} {fact("For", customer)} {fact("Due", due_date)}
            </dl>
            <ul class="items">
                {lines.into_iter().map(line).collect_view()}
                {sum("Shipping", shipping)}
                {sum("Tax", tax)}
                <li class="sum">
                    <span>"Total"</span>
                    <span>
                        <Figure value=total.amount/> " " <span class="unit">{total.code}</span>
                    </span>
                </li>
            </ul>
            {text(note)}
        </details>
    }
    .into_any()
}

fn line(item: ItemLine) -> impl IntoView {
    let ItemLine {
        name,
        price,
        quantity,
        total,
    } = item;
    let count = (quantity != 1)
        .then(|| view! { <span class="count">{quantity} " × " <Figure value=price/></span> });
    view! {
        <li>
            <span><bdi>{name}</bdi> {count}</span>
            <Figure value=total/>
        </li>
    }
}

fn help(view: &CheckoutView) -> AnyView {
    let shop = view.brand.name.clone();
    let id = view.public_id.clone();
    let contact = view.brand.support_email.clone().map(|address| {
        let href = format!("mailto:{address}?subject=Order%20{}", view.public_id);
        view! { " at " <a href=href>{address}</a> }
    });
    view! {
        <section class="help">
            <h2>"Help"</h2>
            <p>
                "Ask " <bdi>{shop}</bdi> {contact} " and name order "
                <bdi dir="ltr" class="id">{id}</bdi> "."
            </p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::islands::checkout::sample;
    use domain::view::checkout::CheckoutState;

    const STATES: [CheckoutState; 12] = [
        CheckoutState::ChooseMethod,
        CheckoutState::Awaiting,
        CheckoutState::PartlyPaid,
        CheckoutState::Seen,
        CheckoutState::Confirming,
        CheckoutState::Paid,
        CheckoutState::ExpiredUnpaid,
        CheckoutState::ExpiredUnderpaid,
        CheckoutState::LateFunds,
        CheckoutState::Cancelled,
        CheckoutState::Failed,
        CheckoutState::Refunded,
    ];

    fn page(state: CheckoutState) -> String {
        crate::render(move || view! { <CheckoutPage view=sample::view(state)/> })
    }

    #[test]
    fn every_state_is_one_document_with_one_heading_and_one_status() {
        for state in STATES {
            let html = page(state);
            assert!(html.starts_with("<!DOCTYPE html>"), "{state:?}");
            assert_eq!(html.matches("<h1").count(), 1, "{state:?}");
            assert_eq!(html.matches("role=\"status\"").count(), 1, "{state:?}");
            assert_eq!(html.matches("<leptos-island").count(), 1, "{state:?}");
            assert!(!html.contains("http-equiv"), "{state:?}");
        }
    }

    #[test]
    fn a_payer_whose_money_came_is_not_asked_again() {
        for state in [
            CheckoutState::Seen,
            CheckoutState::Confirming,
            CheckoutState::LateFunds,
        ] {
            let html = page(state);
            assert!(!html.contains("class=\"qr\""), "{state:?}");
            assert!(!html.contains("Open in wallet"), "{state:?}");
        }
    }

    #[test]
    fn late_money_is_completed_only_where_it_is_not_enough() {
        let shown = |can_requote| {
            let view = CheckoutView {
                can_requote,
                ..sample::view(CheckoutState::LateFunds)
            };
            crate::render(move || view! { <CheckoutPage view=view/> })
        };
        let enough = shown(false);
        assert!(enough.contains("please do not pay again"), "{enough}");
        assert!(!enough.contains("name=\"requote\""), "{enough}");
        let short = shown(true);
        assert!(short.contains("Pay the rest at a new rate"), "{short}");
        assert!(!short.contains("do not pay again"), "{short}");
    }

    #[test]
    fn calling_it_off_is_offered_before_money_came_and_asks_once_more() {
        for state in STATES {
            let html = page(state);
            let before_money =
                matches!(state, CheckoutState::ChooseMethod | CheckoutState::Awaiting);
            let asks = html.contains("Cancel this order");
            let posts = html.contains("name=\"cancel\"");
            assert_eq!((asks, posts), (before_money, before_money), "{state:?}");
        }
    }

    #[test]
    fn paying_works_without_scripts() {
        let html = page(CheckoutState::ChooseMethod);
        assert!(
            html.contains("action=\"/pay/EX-4K7QZ2MX3A?t=abc\""),
            "{html}"
        );
        assert!(html.contains("value=\"BTC\" checked"), "{html}");
        let html = page(CheckoutState::Awaiting);
        assert!(html.contains("href=\"/pay/EX-4K7QZ2MX3A?t=abc\""), "{html}");
        assert!(html.contains("until 12:14 UTC"), "{html}");
    }

    #[test]
    fn an_invoice_shows_its_lines_and_no_customer_without_the_token() {
        let invoice = InvoiceBlock {
            title: "Consulting <b>".to_owned(),
            description: "November".to_owned(),
            number: Some("2026-17".to_owned()),
            customer: None,
            due_date: Some("2026-12-11".to_owned()),
            lines: vec![ItemLine {
                name: "Hours".to_owned(),
                price: "80.00".to_owned(),
                quantity: 3,
                total: "240.00".to_owned(),
            }],
            tax: Some("50.40".to_owned()),
            shipping: None,
            note: String::new(),
        };
        let view = CheckoutView {
            invoice: Some(invoice),
            ..sample::view(CheckoutState::ChooseMethod)
        };
        let html = crate::render(move || view! { <CheckoutPage view=view/> });
        for text in [
            "Consulting &lt;b&gt;",
            "2026-17",
            "2026-12-11",
            "50.40",
            "Hours",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(!html.contains("<dt>For</dt>"), "{html}");
    }

    #[test]
    fn the_title_says_the_state_and_that_it_is_a_test() {
        assert!(page(CheckoutState::Paid).contains("<title>TEST · Paid – Café Riga</title>"));
    }
}
