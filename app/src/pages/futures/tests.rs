use domain::view::AmountText;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::futures::{
    FuturesDetailView, FuturesItem, FuturesListView, FuturesRatesView, FuturesReviewView,
    TermsFields, TermsText,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::pages::frame::tests::frame;

const ADDRESS: &str = "bc1qufgy354j3kmvuch987xe4s40836x3h0lg8f5nq";

fn amount(amount: &str, code: &str) -> AmountText {
    AmountText {
        amount: amount.to_owned(),
        code: code.to_owned(),
    }
}

fn item(state: &str) -> FuturesItem {
    FuturesItem {
        id: 5,
        status: StatusPill {
            word: state.to_owned(),
            flags: Vec::new(),
        },
        fixed_at: OffsetDateTime::UNIX_EPOCH,
        release_at: OffsetDateTime::UNIX_EPOCH,
        give: amount("0.01200000", "BTC"),
        get: amount("600.00", "EUR"),
        address: ADDRESS.to_owned(),
        reference: "customer 7".to_owned(),
    }
}

fn terms(give: &str, rate: &str) -> TermsText {
    TermsText {
        give: amount(give, "BTC"),
        fee: amount("6.00", "EUR"),
        net: amount("594.00", "EUR"),
        rate: rate.to_owned(),
    }
}

fn detail(state: &str, waits: bool) -> String {
    let view = FuturesDetailView {
        item: item(state),
        terms: terms("0.01200000", "1 BTC = 50000.00000000 EUR"),
        now: OffsetDateTime::UNIX_EPOCH,
        waits,
        ended_at: None,
        address_id: 7,
        uri: Some(format!("bitcoin:{ADDRESS}?amount=0.012")),
        qr_text: ADDRESS.to_owned(),
        deposit_id: (state == "settled").then_some(31),
        void_text: (state == "void").then(|| "No deposit came.".to_owned()),
        test_mode: true,
    };
    crate::render(move || view! { <FuturesDetailPage frame=frame() view=view/> })
}

#[test]
fn the_amount_is_asked_for_only_while_it_can_still_come() {
    let open = detail("open", true);
    assert!(
        open.contains("href=\"bitcoin:") && open.contains("timer"),
        "{open}"
    );
    for (state, said) in [
        ("open", "The time is over"),
        ("void", "No deposit came."),
        ("settled", "href=\"/app/deposits/31\""),
    ] {
        let html = detail(state, false);
        assert!(!html.contains("href=\"bitcoin:"), "{state}: {html}");
        assert!(html.contains(said), "{state}: {html}");
    }
}

#[test]
fn a_tier_that_cannot_be_served_has_no_form() {
    let view = FuturesRatesView {
        address_id: 7,
        address: ADDRESS.to_owned(),
        reference: "customer 7".to_owned(),
        pair: "BTC/EUR".to_owned(),
        target: "EUR".to_owned(),
        now: OffsetDateTime::UNIX_EPOCH,
        release_at: OffsetDateTime::UNIX_EPOCH,
        tiers: vec![
            (amount("5.00", "EUR"), Some("50000.00000000".to_owned())),
            (amount("10000.00", "EUR"), None),
        ],
        limit_euros: 10_000,
        typed: String::new(),
        may_act: true,
        notice: None,
    };
    let reader = FuturesRatesView {
        may_act: false,
        ..view.clone()
    };
    let html = crate::render(move || view! { <FuturesRatesPage frame=frame() view=view/> });
    assert!(html.contains("not now"), "{html}");
    // The one that can be served, and the one for another amount.
    assert_eq!(
        html.matches("action=\"/app/futures/review\"").count(),
        2,
        "{html}"
    );
    let html = crate::render(move || view! { <FuturesRatesPage frame=frame() view=reader/> });
    assert!(!html.contains("/app/futures/review"), "{html}");
}

#[test]
fn other_terms_than_before_stand_beside_them() {
    let view = FuturesReviewView {
        address_id: 7,
        address: ADDRESS.to_owned(),
        key: "k".to_owned(),
        get: amount("600.00", "EUR"),
        terms: terms("0.01500000", "1 BTC = 40000.00000000 EUR"),
        fields: TermsFields::default(),
        before: Some(terms("0.01200000", "1 BTC = 50000.00000000 EUR")),
        lock_time: "100 minutes (6000 s)".to_owned(),
        release_at: OffsetDateTime::UNIX_EPOCH,
        replaces: Some(4),
    };
    let html = crate::render(move || view! { <FuturesReviewPage frame=frame() view=view/> });
    for part in [
        "The rate has changed",
        "0.01200000 BTC",
        "1 BTC = 50000.00000000 EUR",
        "value=\"0.01500000\"",
        "href=\"/app/futures/4\"",
        "100 minutes (6000 s)",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn the_list_leads_to_each_promise_and_its_export() {
    let view = FuturesListView {
        state: "open".to_owned(),
        rows: vec![item("open")],
        paging: Paging {
            previous: None,
            next: None,
            export: "?state=open".to_owned(),
        },
        never_used: false,
        addresses: Vec::new(),
        more_addresses: false,
    };
    let html = crate::render(move || view! { <FuturesPage frame=frame() view=view/> });
    for part in [
        "href=\"/app/futures/5\"",
        "href=\"/app/futures.csv?state=open\"",
        "Take an address",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}
