//! Refund links that lead no further: whom to ask, and no amount (ux §1.18b).

use domain::view::Brand;
use domain::view::claim::{ClaimOver, ClaimOverReason};
use leptos::prelude::*;

use super::public::PublicPage;

/// Whom to ask; without any amount.
pub(super) fn help(brand: &Brand, public_id: &str) -> AnyView {
    let (shop, id) = (brand.name.clone(), public_id.to_owned());
    let contact = brand.support_email.clone().map(|address| {
        let href = format!("mailto:{address}?subject=Order%20{public_id}");
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

/// A link that leads no further.
#[component]
pub fn ClaimOverPage(view: ClaimOver) -> impl IntoView {
    let (title, text) = match view.reason {
        ClaimOverReason::Expired => (
            "This refund link has expired",
            "Nothing is lost: the shop can send you a new one.",
        ),
        ClaimOverReason::Elsewhere => (
            "An address was given already",
            "It came another way than through this link: on the page of the payment, or from the \
             shop. It cannot be changed here. If it was not you, ask the shop at once.",
        ),
        ClaimOverReason::Declined => (
            "This refund was declined",
            "The shop has decided against it. Ask the shop why.",
        ),
        ClaimOverReason::Accepted => (
            "Your payment was accepted",
            "The money was taken as payment of your order, so there is nothing to send back.",
        ),
        ClaimOverReason::NothingNow => (
            "There is nothing to send back now",
            "Your payment is going on, or has just changed. Open this link again later.",
        ),
    };
    let help = help(&view.brand, &view.public_id);
    let document_title = format!("{title} – Exchequer");
    view! {
        <PublicPage title=document_title test_mode=view.test_mode>
            <h1>{title}</h1>
            <p>{text}</p>
            {help}
        </PublicPage>
    }
}

/// A link that nobody has; the same for every one of them.
#[component]
pub fn ClaimUnknownPage(test_mode: bool) -> impl IntoView {
    view! {
        <PublicPage title="Unknown refund link – Exchequer" test_mode=test_mode>
            <h1>"This refund link is not known"</h1>
            <p>
                "It may be incomplete, or a newer message has replaced it: use the link of the \
                 newest one."
            </p>
            <p>"If that does not help, ask the shop you paid and name your order."</p>
        </PublicPage>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_over_shows_no_amount() {
        for reason in [
            ClaimOverReason::Expired,
            ClaimOverReason::Elsewhere,
            ClaimOverReason::Declined,
            ClaimOverReason::Accepted,
            ClaimOverReason::NothingNow,
        ] {
            let over = ClaimOver {
                brand: Brand {
                    name: "Café Riga".to_owned(),
                    accent: None,
                    support_email: Some("help@riga.example".to_owned()),
                    files: domain::view::BrandFiles::default(),
                },
                test_mode: false,
                public_id: "EX-4K7QZ2MX3A".to_owned(),
                reason,
            };
            let html = crate::render(move || view! { <ClaimOverPage view=over/> });
            assert!(html.contains("help@riga.example"), "{reason:?}");
            assert!(!html.contains("class=\"num\""), "{reason:?}");
        }
    }
}
