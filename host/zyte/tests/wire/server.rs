//! A server that does what a script says, connection by connection, and remembers what it was sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What to do when the next request has come in. After the last step of a connection it is closed.
pub(crate) enum Step {
    /// Writes these bytes.
    Reply(Vec<u8>),
    /// Writes these bytes and closes the connection at once; the client learns of it while it is idle.
    ReplyAndClose(Vec<u8>),
    /// Never answers.
    Silence,
    /// Closes without a byte.
    Close,
    /// Resets the connection without a byte.
    Reset,
}

pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<(usize, String)>>>,
    closed: Arc<Notify>,
}

impl Server {
    /// Listens, and serves the n-th connection by the n-th script. A connection without a script is closed.
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(Notify::new());
        let server = Self { url, requests: Arc::clone(&requests), closed: Arc::clone(&closed) };
        tokio::spawn(async move {
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.unwrap();
                let (requests, closed) = (Arc::clone(&requests), Arc::clone(&closed));
                tokio::spawn(async move {
                    serve(stream, script, |request| requests.lock().unwrap().push((number, request))).await;
                    closed.notify_one();
                });
            }
        });
        server
    }

    /// The base address to give to a client.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    /// The requests so far, each with the number of its connection.
    pub(crate) fn requests(&self) -> Vec<(usize, String)> {
        self.requests.lock().unwrap().clone()
    }

    /// The number of the connection of each request so far.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.requests().into_iter().map(|(connection, _)| connection).collect()
    }

    /// Waits until the server has closed one more connection.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }
}

async fn serve(mut stream: TcpStream, script: Vec<Step>, mut seen: impl FnMut(String)) {
    for step in script {
        let Some(request) = read_request(&mut stream).await else { return };
        seen(request);
        match step {
            Step::Reply(bytes) => stream.write_all(&bytes).await.unwrap(),
            Step::ReplyAndClose(bytes) => return stream.write_all(&bytes).await.unwrap(),
            Step::Silence => {
                // Ends when the client hangs up.
                let _ = stream.read(&mut [0]).await;
                return;
            }
            Step::Close => return,
            Step::Reset => return stream.set_zero_linger().unwrap(),
        }
    }
    let _ = stream.shutdown().await;
}

/// Head and body of a request as they came; none where the client hung up.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(name, value)| name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap()));
        if body.len() >= length.unwrap_or(0) {
            return Some(text.into_owned());
        }
    }
}
