//! A real receiver of webhooks: another system of the vendor's, which answers as it is told.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    thread,
};

use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::{eventually, http_text::Request};

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub body: Vec<u8>,
}

impl Told {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// What it says happened.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// What it says of it.
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// Whether somebody else's code (`standardwebhooks`) finds it signed with the secret, and new.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("webhook-id", &self.id), ("webhook-timestamp", &self.timestamp), ("webhook-signature", &self.signature)]
        {
            headers.insert(name, HeaderValue::from_str(value).expect("a header"));
        }
        let verifier = standardwebhooks::Webhook::new(secret).expect("a secret");
        verifier.verify(&self.body, &headers).is_ok()
    }
}

/// The receiver.
pub struct Hook {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Hook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (status, told) = (Arc::new(AtomicU16::new(204)), Arc::new(Mutex::default()));
        let hook = Self { address, status: Arc::clone(&status), told: Arc::clone(&told) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (status, told) = (Arc::clone(&status), Arc::clone(&told));
                thread::spawn(move || drop(answer(stream.expect("a connection"), &status, &told)));
            }
        });
        hook
    }

    pub fn url(&self) -> String {
        format!("http://{}/sluice", self.address)
    }

    /// Answers so from now on.
    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What came so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().expect("a lock").clone()
    }

    /// Waits until there are so many messages, and not more.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Told> {
        let told = eventually(20, "messages", || Some(self.told()).filter(|told| told.len() >= count));
        assert_eq!(told.len(), count, "{:?}", told.iter().map(Told::kind).collect::<Vec<_>>());
        told
    }
}

fn answer(mut stream: TcpStream, status: &AtomicU16, told: &Mutex<Vec<Told>>) -> std::io::Result<()> {
    let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
    assert_eq!((request.method.as_str(), request.header("content-type")), ("POST", Some("application/json")));
    let header = |name| request.header(name).expect("a header").to_owned();
    let message = Told {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: request.body.clone(),
    };
    told.lock().expect("a lock").push(message);
    let status = status.load(Ordering::SeqCst);
    let answer =
        format!("HTTP/1.1 {status} x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes())
}
