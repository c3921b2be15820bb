use domain::view::checkout::Notice;
use domain::view::dashboard::StatusPill;
use time::OffsetDateTime;

use super::*;
use crate::pages::frame::tests::frame;

fn groups(checked: bool) -> Vec<PermissionGroup> {
    vec![PermissionGroup {
        name: "Move money".to_owned(),
        choices: vec![PermissionChoice {
            word: "convert".to_owned(),
            text: "Exchange between wallets".to_owned(),
            checked,
        }],
    }]
}

fn pair(id: i64) -> KeyPairItem {
    KeyPairItem {
        id,
        name: format!("Shop {id}"),
        prefix: "0123456789ab".to_owned(),
        summary: "1 of 14 commands".to_owned(),
        created_at: OffsetDateTime::UNIX_EPOCH,
        created_by: None,
        last_used_at: None,
        revoked_at: None,
        status: StatusPill {
            word: "active".to_owned(),
            flags: Vec::new(),
        },
        groups: groups(true),
    }
}

fn view_of(live: Vec<KeyPairItem>) -> KeysView {
    KeysView {
        live,
        live_max: 2,
        revoked: Vec::new(),
        paging: Paging {
            previous: None,
            next: None,
            export: String::new(),
        },
        form: KeyForm {
            name: "Till".to_owned(),
            groups: groups(false),
        },
        notice: None,
    }
}

fn page(view: KeysView) -> String {
    crate::render(move || view! { <KeysPage frame=frame() view=view/> })
}

#[test]
fn each_live_pair_has_two_steps_to_its_end() {
    let html = page(view_of(vec![pair(7)]));
    assert!(html.contains("action=\"/app/keys/7/revoke\""), "{html}");
    assert!(
        html.contains("action=\"/app/keys/7/permissions\""),
        "{html}"
    );
    assert!(html.contains("1 of 2 key pairs"), "{html}");
    assert_eq!(html.matches(" checked").count(), 1, "{html}");
}

#[test]
fn no_form_where_no_pair_can_be_made() {
    let full = page(view_of(vec![pair(8), pair(7)]));
    assert!(!full.contains("Make the pair"), "{full}");
    assert!(page(view_of(Vec::new())).contains("Make the pair"));
}

#[test]
fn a_wrong_name_is_kept_and_blamed() {
    let notice = Notice {
        is_error: true,
        text: "Name is that of another live key pair.".to_owned(),
        field: Some("name".to_owned()),
    };
    let html = page(KeysView {
        notice: Some(notice),
        ..view_of(vec![pair(7)])
    });
    assert!(html.contains("id=\"name-error\""), "{html}");
    assert!(html.contains("value=\"Till\""), "{html}");
    assert!(html.contains("<title>TEST · Error: Key pairs"), "{html}");
}

#[test]
fn the_private_key_is_in_no_link_and_no_form() {
    let view = KeyCreatedView {
        name: "Till".to_owned(),
        public_key: "pub".to_owned(),
        private_key: "s3cr3t".to_owned(),
        summary: "rates and balances only".to_owned(),
    };
    let html = crate::render(move || view! { <KeyCreatedPage frame=frame() view=view/> });
    assert!(html.contains("data-copy=\"s3cr3t\""), "{html}");
    assert!(!html.contains("value=\"s3cr3t\""), "{html}");
    assert!(!html.contains("href=\"s3cr3t"), "{html}");
}
