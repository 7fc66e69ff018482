//! Stands between the binary and the world, and refuses one call as AWS words it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What is refused, and with which code and words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusing {
    /// `ReceiveMessage` for instance.
    pub(super) call: &'static str,
    pub(super) code: &'static str,
    pub(super) words: &'static str,
}

/// Serves until the test ends, and refuses until it is told not to. Answers its URL.
pub(super) fn before(url: &str, refusing: Refusing) -> (String, Arc<AtomicBool>) {
    let refuses = Arc::new(AtomicBool::new(true));
    let is_on = Arc::clone(&refuses);
    let world = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (world, is_on) = (world.clone(), Arc::clone(&is_on));
            thread::spawn(move || {
                let refusing = Some(refusing).filter(|_| is_on.load(Ordering::SeqCst));
                pass(stream, &world, refusing)
            });
        }
    });
    (own, refuses)
}

/// One call: each connection is closed after it.
fn pass(mut client: TcpStream, world: &str, refusing: Option<Refusing>) -> Option<()> {
    let request = read(&mut client)?;
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let is_refused = |refusing: &Refusing| {
        head.contains(&format!("x-amz-target: amazonsqs.{}\r\n", refusing.call.to_ascii_lowercase()))
    };
    if let Some(refusing) = refusing.filter(is_refused) {
        let body = format!(r#"{{"__type":"com.amazonaws.sqs#{}","message":"{}"}}"#, refusing.code, refusing.words);
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        return client.write_all(format!("{head}{body}").as_bytes()).ok();
    }
    let mut upstream = TcpStream::connect(world).ok()?;
    let at = request.windows(2).position(|two| two == b"\r\n")? + 2;
    // The signature does not cover it.
    let request = [&request[..at], b"connection: close\r\n", &request[at..]].concat();
    upstream.write_all(&request).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()
}

fn read(client: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut some) = (Vec::new(), [0; 8_192]);
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            if bytes.len() >= at + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        match client.read(&mut some).ok()? {
            0 => return None,
            count => bytes.extend(&some[..count]),
        }
    }
}
