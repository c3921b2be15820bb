//! The case of more requests than a server can serve.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use sqlx::{Connection, PgConnection};

use crate::crowd::{Mix, answer, wait_for};
use crate::field::{Bases, Field};
use crate::programs::Server;
use crate::report::{Outcome, Strain};
use crate::shop::{Kind, Said, Wish};

/// Connections of the server to its database.
const CONNECTIONS: usize = 2;

/// Requests at once to it.
const TOO_MANY: usize = 12;

/// Answers that are measured of each, at least.
const MEASURED: usize = 200;

/// Who cannot be served in time is told to come again, and then gets what was asked for, once. How long the
/// others wait is measured beside what they wait when nobody is too many.
pub async fn overload(field: &mut Field) -> Outcome {
    let connections = CONNECTIONS.to_string();
    let settings = [("EXCHEQUER_DB_CONNECTIONS", connections.as_str())];
    let server = Server::start(&field.cluster.url, &settings);
    let here = Bases::of(vec![server.base.clone()]);
    let few = field.crowd_of(here.clone(), Mix::Everything, CONNECTIONS);
    few.more(MEASURED).await;
    let normal = few.log().spread();
    let before = field.end(few, Duration::ZERO).await;

    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    let mut held = connection.begin().await.unwrap();
    sqlx::query("LOCK TABLE charges IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let (shop, base, tag) = (field.shop.clone(), server.base.clone(), field.tag());
    let wishes: Vec<Wish> = (0..TOO_MANY)
        .map(|number| field.shop.order(format!("{tag}-{number}"), Kind::Order))
        .collect();
    let answered = AtomicUsize::new(0);
    let (shop, base, answered) = (&shop, &base, &answered);
    let asked = wishes.iter().map(|wish| async move {
        let said = shop.ask(base, wish).await;
        answered.fetch_add(1, Ordering::SeqCst);
        said
    });
    // Those that wait for the lock are answered when it is gone.
    let release = async {
        wait_for(|| answered.load(Ordering::SeqCst) >= TOO_MANY / 2).await;
        held.rollback().await.unwrap();
        Instant::now()
    };
    let (said, since) = tokio::join!(join_all(asked), release);
    let told_to_wait = said
        .iter()
        .filter(|said| matches!(said, Said::Later(status, Some(1..)) if status.as_u16() == 503));
    assert!(
        told_to_wait.count() >= TOO_MANY / 2,
        "nobody was told to wait"
    );
    let crowd = field.crowd_of(here, Mix::Everything, TOO_MANY);
    let recovery = crowd.recovery(since).await;
    crowd.more(MEASURED).await;
    let strained = crowd.log().spread();
    // Where there are connections.
    let elsewhere = Bases::of(vec![field.bases.one(0)]);
    for wish in &wishes {
        let again = answer(shop, &elsewhere, wish, 0).await;
        assert!(again.is_some(), "{wish:?} is refused");
    }
    let mut outcome = field.end(crowd, recovery).await;
    outcome.add(&before);
    outcome.strain = Some(Strain {
        what: "answers to acknowledged requests",
        normal,
        strained,
    });
    drop(server);
    outcome
}
