//! What the operator's pages stand on: suspense and its ways out, floors, terms, pins, the audit log.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod house;
mod pins;
mod suspense;
mod terms;

use domain::view::operate::AuditFilter;

use self::support::World;

const BY: &str = "admin@demo.example";

/// `action subject` of what was recorded, newest first.
async fn recorded(world: &World) -> Vec<String> {
    let filter = AuditFilter {
        actor: BY.to_owned(),
        ..AuditFilter::default()
    };
    let view = world.gateway.audit_view(filter, None).await.unwrap();
    view.rows
        .iter()
        .map(|row| format!("{} {}", row.action, row.subject))
        .collect()
}
