//! A server that says what a test tells it to, in the wire names of the contract.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::http_text::Request;

pub const HELP: &str = "https://vendor.example/help/updates";

/// What the server says and what it heard.
pub struct Script {
    /// The one release.
    pub version: String,
    pub archive: Vec<u8>,
    pub artifact: Uuid,
    pub component: &'static str,
    /// Laid over the answer to a check.
    pub answer: Value,
    /// Laid over the artifact in the answer, but not in the manifest.
    pub artifact_lie: Value,
    /// Laid over the manifest before it is signed.
    pub manifest_lie: Value,
    /// Changed after signing.
    pub manifest_tampered: bool,
    /// So many downloads get 403 `url_expired`.
    pub expired_links: usize,
    pub etag: Option<String>,
    /// What reports are answered with.
    pub report_status: u16,
    pub reports: Vec<Value>,
    /// The queries of the checks.
    pub checks: Vec<String>,
    /// With which credentials they came.
    pub authorizations: Vec<Option<String>>,
    key: Arc<Ed25519KeyPair>,
}

#[derive(Clone)]
pub struct ScriptedServer {
    script: Arc<Mutex<Script>>,
    pub address: String,
}

impl ScriptedServer {
    /// Offers this archive as this version, under links that start with `public_url`.
    pub fn start(public_url: &str, version: &str, archive: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let script = Script {
            version: version.to_owned(),
            archive,
            artifact: Uuid::now_v7(),
            component: "standalone",
            answer: json!({}),
            artifact_lie: json!({}),
            manifest_lie: json!({}),
            manifest_tampered: false,
            expired_links: 0,
            etag: None,
            report_status: 202,
            reports: Vec::new(),
            checks: Vec::new(),
            authorizations: Vec::new(),
            key: Arc::new(Ed25519KeyPair::generate().unwrap()),
        };
        let server = Self { address: listener.local_addr().unwrap().to_string(), script: Arc::new(Mutex::new(script)) };
        let (script, public_url) = (Arc::clone(&server.script), public_url.to_owned());
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let (script, public_url) = (Arc::clone(&script), public_url.clone());
                thread::spawn(move || {
                    if let Ok(Some(request)) = Request::read(&mut client) {
                        let answer = script.lock().unwrap().answer_to(&request, &public_url);
                        let _ = answer.send(&mut client);
                    }
                });
            }
        });
        server
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Stage and outcome of the reports, in the order in which they came, without repetitions.
    pub fn story(&self) -> Vec<String> {
        let mut story: Vec<String> = Vec::new();
        for report in &self.script().reports {
            let stage = report["stage"].as_str().unwrap();
            let word = report["outcome"].as_str().map_or(stage.to_owned(), |outcome| format!("{stage}:{outcome}"));
            if story.last() != Some(&word) {
                story.push(word);
            }
        }
        story
    }

    /// The `error` of the last report.
    pub fn last_error(&self) -> Value {
        self.script().reports.last().map_or(Value::Null, |report| report["error"].clone())
    }

    pub fn jwk(&self) -> Value {
        self.script().jwk()
    }
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![("content-type", "application/json".into())], body: body.to_string().into_bytes() }
    }

    fn send(self, client: &mut TcpStream) -> std::io::Result<()> {
        let mut head =
            format!("HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        client.write_all(head.as_bytes())?;
        client.write_all(b"\r\n")?;
        client.write_all(&self.body)
    }
}

impl Script {
    fn answer_to(&mut self, request: &Request, public_url: &str) -> Reply {
        let authorization = request.header("authorization").map(str::to_owned);
        match (request.method.as_str(), request.path()) {
            ("GET", "/api/v1/check") => {
                self.checks.push(request.target.clone());
                self.authorizations.push(authorization);
                let current = request.parameter("version").unwrap();
                Reply::json(200, &self.check(&current, public_url))
            }
            ("GET", "/api/v1/subscription") => Reply::json(200, &json!({"status": "active", "ends_on": "2027-01-31"})),
            ("GET", "/.well-known/jwks.json") => Reply::json(200, &json!({"keys": [{"kty": "RSA"}, self.jwk()]})),
            ("POST", "/api/v1/reports") => {
                let report: Value = serde_json::from_slice(&request.body).unwrap();
                if self.report_status == 202 {
                    let accepted = json!({"run": report["run"], "stage": report["stage"], "help_url": HELP});
                    self.reports.push(report);
                    Reply::json(202, &accepted)
                } else {
                    Reply::json(self.report_status, &json!({"code": "scripted"}))
                }
            }
            ("GET", path) if path.ends_with("/manifest") => self.manifest(),
            ("GET", path) if path.contains("/downloads/") => {
                assert_eq!(authorization, None, "a signed link needs no license key");
                self.download(request)
            }
            _ => Reply::json(404, &json!({"code": "not_found"})),
        }
    }

    fn check(&self, current: &str, public_url: &str) -> Value {
        let newer = semver::Version::parse(&self.version).unwrap() > semver::Version::parse(current).unwrap();
        let mut answer = if newer {
            let mut artifact = json!({
                "id": self.artifact, "component": self.component, "platform": "linux", "arch": "x86_64", "kind": "archive",
                "filename": "program.tar.gz", "size": self.archive.len(), "sha256": sha256(&self.archive),
                "url": format!("{public_url}/api/v1/downloads/{}/program.tar.gz?token=t", self.artifact),
                "url_expires_at": "2030-01-01T00:00:00Z",
            });
            lay_over(&mut artifact, &self.artifact_lie);
            json!({
                "status": "update_available", "message": "Version 13 is available.",
                "update": {
                    "version": self.version, "mandatory": false, "applies_to": self.component,
                    "notes": [{"version": self.version, "locale": "en", "markdown": "Invoices in colour."}],
                    "artifact": artifact, "companions": [],
                },
                "help_url": HELP,
            })
        } else {
            json!({"status": "up_to_date", "message": "You have the newest version."})
        };
        lay_over(&mut answer, &self.answer);
        answer
    }

    fn manifest(&self) -> Reply {
        let mut manifest = json!({
            "schema": 1, "product": "office-maker", "version": self.version,
            "artifacts": [{
                "id": self.artifact, "component": self.component, "size": self.archive.len(), "sha256": sha256(&self.archive),
            }],
        });
        lay_over(&mut manifest, &self.manifest_lie);
        let mut body = manifest.to_string().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(&body));
        if self.manifest_tampered {
            body.push(b' ');
        }
        let header = format!("keyid=\"k1\", alg=\"ed25519\", signature=\"{signature}\"");
        Reply { status: 200, headers: vec![("sluice-signature", header)], body }
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x})
    }

    fn download(&mut self, request: &Request) -> Reply {
        if self.expired_links > 0 {
            self.expired_links -= 1;
            return Reply::json(403, &json!({"code": "url_expired", "title": "The link is too old."}));
        }
        let etag = self.etag.clone().unwrap_or_else(|| format!("\"{}\"", sha256(&self.archive)));
        let start = request
            .header("range")
            .filter(|_| request.header("if-range").is_none_or(|wanted| wanted == etag))
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match start {
            Some(start) => Reply {
                status: 206,
                headers: vec![
                    ("etag", etag),
                    ("content-range", format!("bytes {start}-{}/{}", self.archive.len() - 1, self.archive.len())),
                ],
                body: self.archive[start..].to_vec(),
            },
            None => Reply { status: 200, headers: vec![("etag", etag)], body: self.archive.clone() },
        }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lay_over(value: &mut Value, over: &Value) {
    for (name, new) in over.as_object().unwrap() {
        value[name] = new.clone();
    }
}
