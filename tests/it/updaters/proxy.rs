//! A proxy on loopback that spoils downloads: slowly, with a wrong byte, or broken off. Everything else passes.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crate::harness::http_text::Request;

/// What happens to the body of a download.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault {
    /// The bit of this byte is flipped.
    pub flip_byte: Option<usize>,
    /// The connection is cut after so many bytes of the body.
    pub cut_after: Option<usize>,
    /// So many bytes, then a pause of 10 ms.
    pub bytes_per_10_ms: Option<usize>,
    /// So many downloads are spoilt; the others pass.
    pub times: usize,
}

/// A download that went through.
#[derive(Clone, Debug)]
pub struct Seen {
    pub range: Option<String>,
    pub if_range: Option<String>,
    /// Bytes of the body that were handed on.
    pub sent: usize,
}

#[derive(Default)]
struct Inner {
    upstream: Option<String>,
    fault: Fault,
    downloads: Vec<Seen>,
}

#[derive(Clone)]
pub struct Proxy {
    inner: Arc<Mutex<Inner>>,
    pub address: String,
}

impl Proxy {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap().to_string(), inner: Arc::default() };
        let inner = Arc::clone(&proxy.inner);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let inner = Arc::clone(&inner);
                thread::spawn(move || hand_on(client, &inner));
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where requests go, as `host:port`.
    pub fn to(&self, upstream: impl Into<String>) {
        self.inner.lock().unwrap().upstream = Some(upstream.into());
    }

    pub fn spoil(&self, fault: Fault) {
        self.inner.lock().unwrap().fault = fault;
    }

    pub fn downloads(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().downloads.clone()
    }
}

fn hand_on(mut client: TcpStream, inner: &Mutex<Inner>) -> io::Result<()> {
    let Some(request) = Request::read(&mut client)? else {
        return Ok(());
    };
    let upstream = inner.lock().unwrap().upstream.clone();
    let mut server = TcpStream::connect(upstream.ok_or(io::ErrorKind::NotConnected)?)?;
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&request.body)?;

    if !request.path().contains("/downloads/") {
        return io::copy(&mut server, &mut client).map(drop);
    }
    let (number, fault) = {
        let mut inner = inner.lock().unwrap();
        inner.downloads.push(Seen {
            range: request.header("range").map(str::to_owned),
            if_range: request.header("if-range").map(str::to_owned),
            sent: 0,
        });
        let fault = if inner.fault.times > 0 { inner.fault } else { Fault::default() };
        inner.fault.times = inner.fault.times.saturating_sub(1);
        (inner.downloads.len() - 1, fault)
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0_u8];
        server.read_exact(&mut byte)?;
        head.extend(byte);
    }
    client.write_all(&head)?;
    let mut sent = 0;
    let mut buffer = vec![0_u8; fault.bytes_per_10_ms.unwrap_or(64 * 1024)];
    loop {
        let read = server.read(&mut buffer)?;
        let end = fault.cut_after.map_or(read, |cut| read.min(cut.saturating_sub(sent)));
        let piece = &mut buffer[..end];
        if piece.is_empty() {
            return Ok(());
        }
        if let Some(byte) = fault.flip_byte.and_then(|at| piece.get_mut(at.checked_sub(sent)?)) {
            *byte ^= 1;
        }
        client.write_all(piece)?;
        sent += end;
        inner.lock().unwrap().downloads[number].sent = sent;
        if fault.bytes_per_10_ms.is_some() {
            thread::sleep(Duration::from_millis(10));
        }
    }
}
