//! Answers of the API that are small on the way and huge when they are unpacked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use carousel_core::exchange::Object;
use carousel_engine::Transport;
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};
use serde_json::json;

/// Bytes of the page.
pub(crate) const UNPACKED_BYTES: usize = 512 << 20;

/// Such answers, each with the name of its encoding.
pub(crate) fn bombs() -> [(&'static str, Vec<u8>); 2] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    write(&mut gzip);
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 5, 22);
    write(&mut brotli);
    [("gzip", gzip.finish().expect("gzip")), ("br", brotli.into_inner())]
}

fn write(encoder: &mut impl Write) {
    let piece = [b'a'; 1 << 16];
    encoder.write_all(br#"{"url":"https://good.example/","statusCode":200,"browserHtml":""#).expect("memory");
    for _ in 0..UNPACKED_BYTES / piece.len() {
        encoder.write_all(&piece).expect("memory");
    }
    encoder.write_all(br#""}"#).expect("memory");
}

/// Asks a server that answers with this for a page: why there is none.
pub(crate) fn fetch(encoding: &str, answer: &[u8]) -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1/", listener.local_addr().expect("an address"));
    let api = ZyteApi::new(ZyteOptions { url, ..ZyteOptions::new(ApiKey::new("key").expect("a key")) }).expect("a client");
    let params: Object = json!({"url": "https://good.example/", "browserHtml": true}).as_object().cloned().expect("an object");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, encoding, answer));
        let fetched = runtime.block_on(api.send(&params));
        // Its connections go with it, so that the server is not left writing.
        drop(api);
        drop(runtime);
        fetched.map(drop).map_err(|error| error.to_string())
    })
}

fn serve(listener: &TcpListener, encoding: &str, answer: &[u8]) {
    let (mut stream, _) = listener.accept().expect("a connection");
    read_request(&mut stream);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        answer.len()
    );
    // The client hangs up when it has had enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer));
}

/// The request's body is one JSON object, and nothing follows it.
fn read_request(stream: &mut TcpStream) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"}") {
        let read = stream.read(&mut part).expect("a request");
        assert!(read > 0, "the client hung up");
        request.extend_from_slice(&part[..read]);
    }
}
