//! What a process knows of itself.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use gateway::Settings;
use gateway::outbox::{Outcome, deliver_due};
use server::testing::{PUBLIC_URL, TestApp};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{queue, sample, until, value};

/// So many connections to the test's database, which stay open once they are.
async fn connections(pool: &PgPool, most: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(most)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap()
}

/// Fails when what is in use and what is idle are taken for each other, or what may be for what is.
#[sqlx::test(migrations = "../migrations")]
async fn connections_are_told_by_what_they_do(pool: PgPool) {
    let own = connections(&pool, 4).await;
    let settings = Settings {
        database_connections: 17,
        ..Settings::test(PUBLIC_URL)
    };
    let app = TestApp::start_with(&own, settings).await;
    // A connection is given back by a task of the pool, those of the metrics, too.
    let figures_with_idle = async |count: usize| {
        until(|| async { own.num_idle() == count }).await;
        let text = app.metrics().await.text();
        ["in_use", "idle"].map(|state| {
            let series = format!("exchequer_database_connections{{state=\"{state}\"}}");
            value(&text, &series)
        })
    };
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(own.acquire().await.unwrap());
    }
    drop(held);
    assert_eq!(figures_with_idle(4).await, ["0", "4"]);
    let held = own.acquire().await.unwrap();
    assert_eq!(figures_with_idle(3).await, ["1", "3"]);
    drop(held);
    assert_eq!(figures_with_idle(4).await, ["0", "4"]);
    let most = sample(&app, "exchequer_database_connections_max").await;
    assert_eq!(most, 17);
}

/// Fails when who waits is told as one who runs, or who was turned away as one who was let in.
#[sqlx::test(migrations = "../migrations")]
async fn units_alone_are_told_by_where_they_are(pool: PgPool) {
    let own = connections(&pool, 10).await;
    let app = TestApp::start(&own).await;
    let figures = async || {
        let mut figures = Vec::new();
        for name in ["running", "waiting", "turned_away_total"] {
            figures.push(sample(&app, &format!("exchequer_units_{name}")).await);
        }
        figures
    };
    let admitted = async || sample(&app, "exchequer_units_admitted_total").await;
    let before = admitted().await;
    let (open, opened) = watch::channel(());
    let unit = || {
        let (book, mut opened) = (app.gateway().book().clone(), opened.clone());
        tokio::spawn(async move {
            book.commit::<(), _>(move |_unit| {
                Box::pin(async move {
                    let _ = opened.changed().await;
                    Ok(())
                })
            })
            .await
        })
    };
    let units: Vec<_> = (0..6).map(|_| unit()).collect();
    until(|| async { figures().await == [5, 1, 0] }).await;
    assert_eq!(admitted().await, before + 5);
    let most = sample(&app, "exchequer_units_running_max").await;
    assert_eq!(most, 5, "half of the pool");
    open.send_replace(());
    for each in units {
        each.await.unwrap().unwrap();
    }
    assert_eq!(figures().await, [0, 0, 0]);
    assert_eq!(admitted().await, before + 6);

    app.gateway().end_committers().await;
    assert!(unit().await.unwrap().is_err(), "nobody is let in any more");
    assert_eq!(figures().await, [0, 0, 1]);
    assert_eq!(admitted().await, before + 6);
    let overloaded = sample(&app, "exchequer_units_total{outcome=\"overloaded\"}").await;
    assert_eq!(overloaded, 1);
}

/// Answers each request with the status that its path names; where it is.
async fn receiver() -> String {
    async fn answer(Path(status): Path<u16>) -> StatusCode {
        StatusCode::from_u16(status).unwrap()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{status}", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Fails when the last attempt counts as one that is made again, or deliveries are counted instead of attempts.
#[sqlx::test(migrations = "../migrations")]
async fn attempts_are_told_by_their_outcome(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    app.demo().await;
    let base = receiver().await;
    let told = async || {
        let mut told = Vec::new();
        for outcome in ["delivered", "failed", "given_up"] {
            let series = format!("exchequer_outbox_attempts_total{{outcome=\"{outcome}\"}}");
            told.push(sample(&app, &series).await);
        }
        told
    };
    for (object, attempts, status) in [
        ("first", 0, 200),
        ("third", 2, 202),
        ("tenth", 9, 204),
        ("fails", 0, 500),
        ("fails again", 3, 404),
        ("fails for good", 9, 503),
    ] {
        queue(&pool, object, 60, 60, attempts).await;
        sqlx::query("UPDATE deliveries SET url = $1 WHERE object = $2")
            .bind(format!("{base}/{status}"))
            .bind(object)
            .execute(&pool)
            .await
            .unwrap();
    }
    assert_eq!(told().await, [0, 0, 0]);
    // All of them at once: none is due again by then.
    assert_eq!(deliver_due(app.gateway()).await.unwrap(), Outcome::Worked);
    assert_eq!(told().await, [3, 2, 1]);
}
