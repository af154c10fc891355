//! A model hub on loopback: HTTP/1.1 with `Range`, and faults on demand.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
};

use super::{DEADLINE, eventually};

/// What becomes of the first answer.
#[derive(Clone, Copy)]
enum Fault {
    /// The connection breaks after so many bytes of the body.
    Break(usize),
    /// Nothing more comes after so many bytes, and the connection stays open.
    Stall(usize),
    /// Nothing comes before [`Hub::release`].
    Hold,
}

/// Serves one file under every path.
pub struct Hub {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    content: Vec<u8>,
    fault: Fault,
    requests: Mutex<Vec<Request>>,
    released: (Mutex<bool>, Condvar),
}

#[derive(Clone)]
struct Request {
    path: String,
    range: Option<String>,
}

// === impl Hub ===

impl Hub {
    /// The first answer breaks off after `broken_after` bytes.
    pub fn start(content: Vec<u8>, broken_after: usize) -> Self {
        Hub::start_with(content, Fault::Break(broken_after))
    }

    /// The first answer stalls after `stalled_after` bytes.
    pub fn start_stalling(content: Vec<u8>, stalled_after: usize) -> Self {
        Hub::start_with(content, Fault::Stall(stalled_after))
    }

    /// Answers wait for [`Hub::release`].
    pub fn start_held(content: Vec<u8>) -> Self {
        Hub::start_with(content, Fault::Hold)
    }

    fn start_with(content: Vec<u8>, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let released = (Mutex::new(false), Condvar::new());
        let shared = Arc::new(Shared { content, fault, requests: Mutex::default(), released });
        let serving = shared.clone();
        // Ends with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = serving.clone();
                std::thread::spawn(move || shared.answer(stream));
            }
        });
        Hub { port, shared }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The paths that were asked for, in order.
    pub fn paths(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().iter().map(|request| request.path.clone()).collect()
    }

    /// The `Range` headers that came, in order.
    pub fn ranges(&self) -> Vec<Option<String>> {
        self.shared.requests.lock().unwrap().iter().map(|request| request.range.clone()).collect()
    }

    pub fn wait_for_request(&self) {
        eventually("the hub is asked", || !self.shared.requests.lock().unwrap().is_empty());
    }

    pub fn release(&self) {
        *self.shared.released.0.lock().unwrap() = true;
        self.shared.released.1.notify_all();
    }
}

// === impl Shared ===

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let Some(request) = read_request(&stream) else { return };
        let is_first = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() == 1
        };
        let total = self.content.len();
        let start =
            request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let (status, range) = match start {
            Some(start) => ("206 Partial Content", format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1)),
            None => ("200 OK", String::new()),
        };
        let body = &self.content[start.unwrap_or(0)..];
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{range}Connection: close\r\n\r\n", body.len());
        let limit = match self.fault {
            Fault::Break(limit) | Fault::Stall(limit) if is_first => limit.min(body.len()),
            Fault::Hold => {
                let (released, changed) = &self.released;
                let waited = changed.wait_timeout_while(released.lock().unwrap(), DEADLINE, |released| !*released);
                drop(waited.unwrap());
                body.len()
            }
            _ => body.len(),
        };
        let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..limit]));
        if is_first && matches!(self.fault, Fault::Stall(_)) {
            // Until the other side goes away.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
        let _ = written.and_then(|()| stream.shutdown(Shutdown::Both));
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>();
    let range = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("range").then(|| value.trim().to_owned())
    });
    Some(Request { path, range })
}
