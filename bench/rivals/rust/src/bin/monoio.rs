//! Answers 204 to whatever is asked, by monoio on io_uring, parsed by httparse: `engine-monoio PORT`.

use std::env;

use httparse::{Request, Status, EMPTY_HEADER};
use monoio::{
    io::{AsyncReadRent, AsyncWriteRentExt},
    net::{TcpListener, TcpStream},
};

const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\nDate: Tue, 01 Dec 2026 12:00:00 GMT\r\n\r\n";

/// The answers to all whole requests in `bytes`, how long they are, and whether one asks for the end.
fn answers(bytes: &[u8]) -> Option<(Vec<u8>, usize, bool)> {
    let (mut out, mut taken, mut ends) = (Vec::new(), 0, false);
    loop {
        let mut headers = [EMPTY_HEADER; 32];
        let mut request = Request::new(&mut headers);
        match request.parse(&bytes[taken..]).ok()? {
            Status::Partial => return Some((out, taken, ends)),
            Status::Complete(length) => taken += length,
        }
        out.extend_from_slice(ANSWER);
        ends |= request.headers.iter().any(|one| {
            one.name.eq_ignore_ascii_case("connection") && one.value.eq_ignore_ascii_case(b"close")
        });
    }
}

async fn serve(mut stream: TcpStream) -> Option<()> {
    let mut came = Vec::new();
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let (read, filled) = stream.read(buffer).await;
        buffer = filled;
        if read.ok()? == 0 {
            return None;
        }
        came.extend_from_slice(&buffer);
        let (out, taken, ends) = answers(&came)?;
        came.drain(..taken);
        if !out.is_empty() {
            stream.write_all(out).await.0.ok()?;
        }
        if ends {
            return None;
        }
        buffer.clear();
    }
}

#[monoio::main]
async fn main() {
    let port: u16 = env::args().nth(1).and_then(|one| one.parse().ok()).expect("PORT");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port that is free");
    while let Ok((stream, _)) = listener.accept().await {
        monoio::spawn(serve(stream));
    }
}
