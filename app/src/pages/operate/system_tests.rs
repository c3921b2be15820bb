use domain::view::system::{
    AttemptFigures, AuditFigures, AuditFound, Bucket, CheckFound, LastAudit, PoolFigures,
    WaitingWithdrawals,
};
use time::OffsetDateTime;

use super::*;
use crate::pages::frame::tests::frame;

fn figures() -> SystemFigures {
    SystemFigures {
        now: OffsetDateTime::UNIX_EPOCH + time::Duration::days(3),
        commits: CommitFigures::default(),
        committers: Vec::new(),
        admission: AdmissionFigures::default(),
        pool: PoolFigures {
            in_use: 1,
            idle: 2,
            most: 40,
        },
        attempts: AttemptFigures::default(),
        outbox: OutboxFigures {
            pending: 7,
            oldest_seconds: 7_200,
            ..OutboxFigures::default()
        },
        withdrawals: vec![WaitingWithdrawals {
            state: "queued",
            count: 4,
        }],
        followers: vec![FollowerFigures {
            chain: "BTC",
            state: "current",
            height: Some(101),
            lag: Some(0),
            at_tip: None,
            failures: 0,
        }],
        workers: Vec::new(),
        audit: AuditFigures::default(),
    }
}

fn last(violations: &[&str]) -> AuditFigures {
    AuditFigures {
        begun_at: None,
        last: Some(LastAudit {
            checked_at: OffsetDateTime::UNIX_EPOCH,
            asked_by: "admin@demo.example".to_owned(),
            took_ms: 12,
            found: AuditFound {
                postings: 9,
                accounts: 3,
                checks: vec![CheckFound {
                    name: "each currency sums to zero".to_owned(),
                    violations: violations.iter().map(|text| (*text).to_owned()).collect(),
                }],
            },
        }),
    }
}

fn page(figures: SystemFigures) -> String {
    let view = SystemView {
        started_at: OffsetDateTime::UNIX_EPOCH,
        figures,
        requests: RequestFigures {
            answered: 3,
            durations: Durations {
                buckets: vec![Bucket {
                    up_to_micros: Some(500),
                    count: 3,
                }],
                sum_micros: 900,
            },
            ..RequestFigures::default()
        },
    };
    crate::render(move || view! { <SystemPage frame=frame() view=view/> })
}

#[test]
fn a_healthy_server_raises_no_alarm_and_says_what_waits() {
    let html = page(figures());
    assert!(!html.contains("banner danger"), "{html}");
    assert!(html.contains("4 queued"), "{html}");
    assert!(html.contains("2 h"), "{html}");
    assert!(html.contains("within 0.5 ms"), "{html}");
    assert!(html.contains("The books were not audited yet."), "{html}");
    assert!(
        html.contains("action=\"/app/operate/system/audit\""),
        "{html}"
    );
    assert!(
        !html.contains("style=") && !html.contains("onclick"),
        "{html}"
    );
}

#[test]
fn an_exception_of_the_audit_is_said_first_and_shown_open() {
    let fine = page(SystemFigures {
        audit: last(&[]),
        ..figures()
    });
    assert!(!fine.contains("banner danger"), "{fine}");
    assert!(fine.contains("nothing found"), "{fine}");
    assert!(fine.contains("audit every night"), "three days old: {fine}");
    let broken = page(SystemFigures {
        audit: last(&["currency 3: the accounts sum to 1"]),
        ..figures()
    });
    assert!(broken.contains("Pay nothing out"), "{broken}");
    assert!(broken.contains("1 found an exception"), "{broken}");
    assert!(
        broken.contains("currency 3: the accounts sum to 1"),
        "{broken}"
    );
}

#[test]
fn workers_that_ended_or_are_stuck_and_a_full_pool_are_alarms() {
    let mut wrong = figures();
    wrong.workers = [
        ("deliveries", WorkerState::Running),
        ("expiry", WorkerState::Ended),
        ("withdrawals", WorkerState::Stuck),
    ]
    .map(|(name, state)| WorkerFigures {
        name: name.to_owned(),
        state,
    })
    .to_vec();
    wrong.pool.in_use = 40;
    let html = page(wrong);
    assert!(html.contains("Not running any more: expiry."), "{html}");
    assert!(html.contains("Stuck for minutes: withdrawals."), "{html}");
    assert!(html.contains("Every connection"), "{html}");
}

#[test]
fn each_committer_is_told_by_what_it_commits() {
    let committer = |name, batches| CommitterFigures {
        name,
        queued: 8,
        batches,
        batched_units: 5 * batches,
        last_batch: 3,
        refused: 1,
        commit_micros: 2_500 * batches,
    };
    let html = page(SystemFigures {
        committers: vec![committer("charges", 4), committer("grouped", 0)],
        ..figures()
    });
    let charges = "8 waiting; 20 in 4 batches, 3 in the newest, 2.5 ms each; 1 refused";
    assert!(html.contains("New charges"), "{html}");
    assert!(html.contains(charges), "{html}");
    assert!(html.contains("Exchanges and withdrawals"), "{html}");
    let none = "0 in 0 batches, 3 in the newest, \u{2013} each";
    assert!(html.contains(none), "{html}");
    assert!(!html.contains("Plain entries"), "{html}");
}

#[test]
fn lengths_of_time_are_short() {
    for (micros, expected) in [
        (500, "0.5 ms"),
        (1_000, "1 ms"),
        (2_500, "2.5 ms"),
        (250_000, "250 ms"),
        (2_500_000, "2.5 s"),
        (10_000_000, "10 s"),
    ] {
        assert_eq!(length(micros), expected);
    }
    assert_eq!(age(0), "0 s");
    assert_eq!(age(119), "119 s");
    assert_eq!(age(120), "2 min");
    assert_eq!(age(172_800), "2 days");
}
