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

/// As after a kill: what is left takes one more connection, then nobody is there.
#[tokio::test]
async fn a_server_that_was_just_ending_is_started_again() {
    let data_dir = data_dir("ending");
    let first = PrivatePostgres::start(&data_dir, None).await.unwrap();
    let pid_file = data_dir.join("postgres/postmaster.pid");
    let left = std::fs::read_to_string(&pid_file).unwrap();
    first.stop().await.unwrap();
    // The server itself may not be quite gone; this process is, for it was waited for.
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let (_, rest) = left.split_once('\n').unwrap();
    std::fs::write(&pid_file, format!("{}\n{rest}", gone.id())).unwrap();
    let socket = Socket::from_pid_file(&left).unwrap();
    let ending = tokio::net::UnixListener::bind(socket.file()).unwrap();
    let last = tokio::spawn(async move { ending.accept().await.map(drop) });
    let starting = PrivatePostgres::start(&data_dir, None);
    let second = tokio::time::timeout(std::time::Duration::from_secs(120), starting)
        .await
        .expect("it does not wait for a server that is gone")
        .unwrap();
    last.await.unwrap().unwrap();
    run(&second.url(), "select 1").await.unwrap();
    second.stop().await.unwrap();
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
