use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::zmtp::tests::{announcement, publisher_greeting, publisher_ready};
use super::*;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who listens to a publisher that a test plays.
struct Scene {
    publisher: TcpListener,
    announcements: Arc<Announcements>,
    /// Of the announcements.
    news: watch::Receiver<u64>,
    /// Ends the listening when it is dropped.
    _shutdown: watch::Sender<bool>,
}

impl Scene {
    async fn begin() -> Self {
        let publisher = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let announcements = Arc::new(Announcements {
            pause_min: Duration::from_millis(1),
            pause_max: Duration::from_millis(4),
            ..Announcements::new(publisher.local_addr().unwrap().to_string())
        });
        let (shutdown, watched) = watch::channel(false);
        tokio::spawn(announcements.clone().listen(watched));
        Self {
            publisher,
            news: announcements.subscribe(),
            announcements,
            _shutdown: shutdown,
        }
    }

    async fn accept(&self) -> TcpStream {
        let accepted = timeout(PATIENCE, self.publisher.accept()).await;
        accepted.expect("somebody connects").unwrap().0
    }

    /// Somebody who connected and was greeted; the announcement that this is, was noticed.
    async fn greet(&mut self) -> TcpStream {
        let mut stream = self.accept().await;
        stream.write_all(&publisher_greeting()).await.unwrap();
        stream.write_all(&publisher_ready()).await.unwrap();
        self.notice().await;
        assert!(self.announcements.is_heard());
        stream
    }

    /// Waits for an announcement; answers how many there were.
    async fn notice(&mut self) -> u64 {
        let changed = timeout(PATIENCE, self.news.changed()).await;
        changed.expect("something is announced").unwrap();
        *self.news.borrow_and_update()
    }
}

#[tokio::test]
async fn each_announcement_is_noticed_whatever_it_says() {
    let mut scene = Scene::begin().await;
    let mut stream = scene.greet().await;
    for count in 2..5 {
        stream.write_all(&announcement()).await.unwrap();
        assert_eq!(scene.notice().await, count);
    }
    stream.write_all(b"\0\x06rubish").await.unwrap();
    assert_eq!(scene.notice().await, 5);
}

#[tokio::test]
async fn whoever_is_no_publisher_announces_nothing_and_is_left() {
    let mut scene = Scene::begin().await;
    let greeting = publisher_greeting();
    let half = [greeting.as_slice(), b"\x04\xff\x05READY".as_slice()].concat();
    let html = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for wrong in [&html[..0], &greeting[..30], &html[..], half.as_slice()] {
        let mut stream = scene.accept().await;
        stream.write_all(wrong).await.unwrap();
        stream.shutdown().await.unwrap();
        // Until the other side has gone, too.
        let mut said = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut said))
            .await
            .expect("it hangs up");
        assert!(!scene.news.has_changed().unwrap());
        assert!(!scene.announcements.is_heard());
    }
    // And the real one is heard afterwards.
    let mut stream = scene.greet().await;
    stream.write_all(&announcement()).await.unwrap();
    assert_eq!(scene.notice().await, 2);
}

#[tokio::test]
async fn a_publisher_that_goes_is_heard_when_it_is_back() {
    let mut scene = Scene::begin().await;
    for round in 1..4 {
        let mut stream = scene.greet().await;
        // A long frame, in the second round: it is as good as gone.
        if round == 2 {
            stream.write_all(b"\x02\0\0\0\x01").await.unwrap();
            let mut said = Vec::new();
            let _ = timeout(PATIENCE, stream.read_to_end(&mut said))
                .await
                .expect("it hangs up");
        }
        drop(stream);
        // Whoever connects again has noticed.
    }
    scene.greet().await;
    assert_eq!(*scene.news.borrow(), 4);
}

#[tokio::test]
async fn nobody_listens_after_the_end() {
    let publisher = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = publisher.local_addr().unwrap().to_string();
    let announcements = Arc::new(Announcements::new(address));
    let (shutdown, watched) = watch::channel(false);
    let listening = tokio::spawn(announcements.clone().listen(watched));
    let (mut stream, _) = publisher.accept().await.unwrap();
    shutdown.send(true).unwrap();
    timeout(PATIENCE, listening)
        .await
        .expect("it ends")
        .unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert!(!announcements.is_heard());
}
