//! The private Postgres as a process sees it. These need Postgres' programs, like the product.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sqlx::{Connection, PgConnection};

use super::*;

/// A data folder of its own per test; removed by the test when all went well.
fn data_dir(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("exchequer-{name}-{}", std::process::id()));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    dir
}

async fn run(url: &str, sql: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn the_last_process_to_leave_stops_the_server() {
    let data_dir = data_dir("last");
    let serve = PrivatePostgres::start(&data_dir, None).await.unwrap();
    let demo = PrivatePostgres::start(&data_dir, None).await.unwrap();
    let url = serve.url();
    assert_eq!(demo.url(), url);

    serve.stop().await.unwrap();
    run(&url, "select 1")
        .await
        .expect("demo still uses the server");
    demo.stop().await.unwrap();
    assert!(
        run(&url, "select 1").await.is_err(),
        "nobody uses the server any more"
    );
    std::fs::remove_dir_all(&data_dir).unwrap();
}

#[tokio::test]
async fn a_restart_finds_what_was_written_and_a_server_left_running() {
    let data_dir = data_dir("restart");
    let first = PrivatePostgres::start(&data_dir, None).await.unwrap();
    run(&first.url(), "create table kept (id int)")
        .await
        .unwrap();
    first.stop().await.unwrap();

    let killed = PrivatePostgres::start(&data_dir, None).await.unwrap();
    drop(killed);
    let second = PrivatePostgres::start(&data_dir, None).await.unwrap();
    run(&second.url(), "insert into kept values (1)")
        .await
        .unwrap();
    let url = second.url();
    second.stop().await.unwrap();
    assert!(
        run(&url, "select 1").await.is_err(),
        "the server left running was taken over"
    );
    std::fs::remove_dir_all(&data_dir).unwrap();
}

#[tokio::test]
async fn a_folder_without_programs_is_named_in_the_error() {
    let data_dir = data_dir("empty");
    let refused = PrivatePostgres::start(&data_dir, Some(Path::new("/nonexistent"))).await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("/nonexistent") && message.contains("DATABASE_URL"),
        "{message}"
    );
    std::fs::remove_dir_all(&data_dir).unwrap();
}
