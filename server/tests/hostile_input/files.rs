//! Nothing beside the built site is ever served, however its place is written.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use server::router::router;
use server::shutdown::Shutdown;
use server::state::{AppState, Edge};
use server::testing::TestApp;
use sqlx::PgPool;
use tower::ServiceExt;

/// In every file that is not for strangers.
const SECRET: &str = "words that open everything";

/// Ways that people have found out of a folder.
const WAYS: [&str; 22] = [
    "/pkg/../secret",
    "/pkg/../../key",
    "/pkg/./../secret",
    "/pkg//../secret",
    "/pkg/%2e%2e/secret",
    "/pkg/%2e%2e/%2e%2e/key",
    "/pkg/.%2e/secret",
    "/pkg/..%2fsecret",
    "/pkg/..%2f..%2fkey",
    "/pkg/%2e%2e%2fsecret",
    "/pkg/%252e%252e/secret",
    "/pkg/..%5csecret",
    "/pkg/..%00/secret",
    "/pkg/....//secret",
    "/pkg/..;/secret",
    "/pkg/%c0%ae%c0%ae/secret",
    "/pkg/app.css/../../secret",
    "/pkg/app.css%00/../../secret",
    "/boot.js/../secret",
    "/boot.js%2f..%2fsecret",
    "/secret",
    "/../key",
];

/// A built site with secrets beside and above it; it goes with its test.
struct Site(PathBuf);

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Site {
    fn build() -> Self {
        let name = format!("exchequer-site-{}", uuid::Uuid::now_v7().simple());
        let site = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(site.root().join("pkg")).unwrap();
        fs::write(site.root().join("pkg/app.css"), "body {}").unwrap();
        fs::write(site.root().join("boot.js"), "start()").unwrap();
        fs::write(site.root().join("secret"), SECRET).unwrap();
        fs::write(site.0.join("key"), SECRET).unwrap();
        site
    }

    fn root(&self) -> PathBuf {
        self.0.join("site")
    }
}

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[sqlx::test(migrations = "../migrations")]
async fn files_beside_the_site_are_served_to_nobody(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let site = Site::build();
    let state = AppState::new(app.gateway().clone(), Edge::default());
    let router = router(state, &site.root(), Shutdown::never());
    let served = get(&router, "/pkg/app.css").await;
    assert_eq!(served, (200, "body {}".to_owned()));
    let absolute = site.0.join("key");
    let absolute = absolute.to_str().unwrap();
    let mut ways: Vec<String> = WAYS.iter().map(|way| (*way).to_owned()).collect();
    ways.push(format!("/pkg/{absolute}"));
    ways.push(format!("/pkg/{}", absolute.replace('/', "%2f")));
    assert!(Path::new(absolute).is_absolute(), "{absolute}");
    for way in ways {
        let (status, text) = get(&router, &way).await;
        assert!((400..500).contains(&status), "{way}: {status}");
        assert!(!text.contains(SECRET), "{way}");
    }
}
