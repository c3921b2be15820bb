use super::*;

fn record(id: i64) -> LogRecord {
    LogRecord {
        id,
        created_at: OffsetDateTime::UNIX_EPOCH,
        delivered_at: None,
        event_id: format!("evt_{id}"),
        event_type: "charge.paid".to_owned(),
        object: "charge:17".to_owned(),
        format: "orders".to_owned(),
        url: "https://shop.example/hook".to_owned(),
        state: "pending".to_owned(),
        attempts: 1,
        next_attempt_at: None,
        last_status: Some(500),
        last_error: None,
        last_duration_ms: Some(12),
        public_id: Some("EX-A".to_owned()),
        operation_id: None,
        operation_kind: None,
    }
}

#[test]
fn a_row_leads_to_what_it_is_about() {
    let shown = item(record(5)).ok();
    let shown = shown.as_ref();
    assert_eq!(
        shown.and_then(|item| item.href.as_deref()),
        Some("/app/charges/EX-A")
    );
    assert_eq!(shown.and_then(|item| item.answer.as_deref()), Some("500"));
    let of = |kind: &str| {
        about(&LogRecord {
            public_id: None,
            operation_id: Some(9),
            operation_kind: Some(kind.to_owned()),
            ..record(5)
        })
    };
    assert_eq!(of("deposit_exchange").1.as_deref(), Some("/app/deposits/9"));
    assert_eq!(of("refund"), ("Operation 9".to_owned(), None));
}

#[test]
fn the_extra_row_is_cut_at_the_end_it_was_read_for() {
    let many = |count: i64| (1..=count).rev().map(record).collect::<Vec<_>>();
    let (rows, newer, older) = cut(many(PAGE + 1), Place::Newest);
    assert_eq!((rows.len(), newer, older), (25, false, true));
    assert_eq!(rows.last().map(|row| row.id), Some(2));
    let (rows, newer, older) = cut(many(PAGE + 1), Place::After(0));
    assert_eq!((rows.len(), newer, older), (25, true, true));
    assert_eq!(rows.first().map(|row| row.id), Some(25));
    let (rows, newer, older) = cut(many(3), Place::Before(4));
    assert_eq!((rows.len(), newer, older), (3, true, false));
}

#[test]
fn the_filter_becomes_its_query_again() {
    let filter = DeliveryFilter {
        state: "failed".to_owned(),
        event: String::new(),
    };
    assert_eq!(link(&filter, None), "?state=failed");
    assert_eq!(link(&filter, Some(("before", 7))), "?state=failed&before=7");
    assert_eq!(link(&DeliveryFilter::default(), None), "");
}

#[test]
fn each_wrong_part_of_a_filter_is_named() {
    let filter = DeliveryFilter {
        state: "sent".to_owned(),
        event: "charge.%".to_owned(),
    };
    let Err(Error::Invalid(wrong)) = check(&filter) else {
        panic!("accepted")
    };
    let fields: Vec<&str> = wrong.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["state", "event"]);
}
