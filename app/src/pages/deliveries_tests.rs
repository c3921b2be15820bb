use domain::view::dashboard::{Paging, StatusPill};
use time::OffsetDateTime;

use super::*;
use crate::pages::frame::tests::frame;

fn item(id: i64) -> DeliveryItem {
    DeliveryItem {
        id,
        created_at: OffsetDateTime::UNIX_EPOCH,
        delivered_at: None,
        event_id: "evt_1".to_owned(),
        event_type: "charge.paid".to_owned(),
        about: "EX-A".to_owned(),
        href: Some("/app/charges/EX-A".to_owned()),
        format: "orders".to_owned(),
        url: "https://shop.example/hook".to_owned(),
        status: StatusPill {
            word: "failed".to_owned(),
            flags: Vec::new(),
        },
        attempts: 9,
        answer: Some("500".to_owned()),
        duration_ms: Some(31),
        next_attempt_at: None,
    }
}

fn page(rows: Vec<DeliveryItem>, filter: DeliveryFilter, never_used: bool) -> String {
    let view = DeliveryListView {
        filter,
        events: vec!["charge.paid".to_owned()],
        rows,
        paging: Paging {
            previous: None,
            next: None,
            export: String::new(),
        },
        never_used,
        may_redeliver: true,
        notice: None,
    };
    crate::render(move || view! { <DeliveriesPage frame=frame() view=view/> })
}

#[test]
fn a_row_leads_to_its_subject_and_can_be_sent_again() {
    let html = page(vec![item(5)], DeliveryFilter::default(), false);
    for part in [
        "href=\"/app/deliveries/5\"",
        "href=\"/app/charges/EX-A\"",
        "action=\"/app/deliveries/5/redeliver\"",
        "href=\"/app/deliveries.csv\"",
        "given up",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn nothing_found_is_not_nothing_there() {
    let filter = DeliveryFilter {
        state: "failed".to_owned(),
        event: "charge.paid".to_owned(),
    };
    let html = page(Vec::new(), filter, false);
    assert!(html.contains("No deliveries match."), "{html}");
    assert!(
        html.contains("href=\"/app/deliveries?state=failed\""),
        "{html}"
    );
    let never = page(Vec::new(), DeliveryFilter::default(), true);
    assert!(never.contains("href=\"/app/callbacks\""), "{never}");
}
