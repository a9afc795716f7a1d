//! Requests that nobody would send who means well, written byte by byte from the paths of the API description, to a
//! really started server: every one gets a well-formed answer or a closed connection, no answer is a fault of the
//! server's own, and none says what it must not.

mod answer;

use std::{
    fmt,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{RngSeed, TestRunner},
};
use serde_json::{Value, json};

use self::answer::Wire;
use crate::{
    harness::{Actor as _, Server, Vendor, vendor::log_in_as},
    openapi::{
        example::{Example, LICENSE},
        operations,
    },
};

/// `SLUICE_FUZZ_CASES` asks for so many, of a new kind each time.
const CASES: u32 = 4_000;
const THREADS: u32 = 4;

/// After this a server that still waits for the rest is told that there is none.
const PATIENCE: Duration = Duration::from_millis(150);
/// No answer takes longer.
const LONGEST: Duration = Duration::from_secs(20);

/// Values for any place of a request.
const HOSTILE: [&str; 40] = [
    "",
    ".",
    "..",
    "../../../../etc/passwd",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fkeys.json",
    "..%5c..%5ckeys.json",
    "%2f",
    "%",
    "%0",
    "%zz",
    "%00",
    "office-maker%00",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "%c0%af",
    "%e0%80%af",
    "%ed%a0%80",
    "%f0%9f%98%80",
    "%0d%0aX-Injected:%201",
    "%0d%0a%0d%0a<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "%25%32%65",
    "{slug}",
    "${jndi:ldap://127.0.0.1/a}",
    "-1",
    "0",
    "18446744073709551616",
    "9223372036854775807",
    "1e309",
    "0199a0de-0000-7000-8000-0000000000a1",
    "{0199a0de-0000-7000-8000-0000000000a1}",
    "00000000-0000-0000-0000-000000000000",
    "office-maker",
    "13.0.0",
    "99999999999999999999.0.0",
    "+",
    "a b",
];

const METHODS: [&str; 14] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "G\u{c4}T", "",
    "GET GET",
];

/// Whole header lines.
const HEADERS: [&str; 62] = [
    "Range: bytes=0-0",
    "Range: bytes=-1",
    "Range: bytes=5-2",
    "Range: bytes=0-18446744073709551616",
    "Range: bytes=18446744073709551615-",
    "Range: bytes=0-,0-,0-,0-,0-,0-",
    "Range: bytes",
    "Range: \u{fc}=1",
    "If-Range: \"x\"",
    "If-Range: Mon, 32 Foo 2026 99:99:99 GMT",
    "If-Match: *",
    "If-Match: \"1\"",
    "If-Match: \"",
    "If-Match: W/\"9223372036854775808\", \"-1\"",
    "If-None-Match: *",
    "If-None-Match: ,,,\"",
    "If-Modified-Since: never",
    "Content-Length: 0",
    "Content-Length: -1",
    "Content-Length: +5",
    "Content-Length: 5, 6",
    "Content-Length: 18446744073709551616",
    "Content-Length: 99999999",
    "Content-Length: 0x10",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: \u{b}chunked",
    "Transfer-Encoding : chunked",
    "Content-Type: application/json",
    "Content-Type: text/csv",
    "Content-Type: ",
    "Content-Type: multipart/form-data; boundary=",
    "Content-Type: application/json; charset=\u{ff}",
    "Content-Encoding: gzip",
    "Content-Encoding: br, deflate",
    "Content-Digest: sha-256=:AAAA:",
    "Content-Digest: sha-256=:",
    "X-Signature: \ta",
    "Expect: 100-continue",
    "Expect: a miracle",
    "Accept: text/html;q=9",
    "Accept-Encoding: gzip, *;q=0",
    "Accept-Language: \u{1}\u{2}",
    "Accept-Language: de;q=0.000000001,x-,-,*",
    "Authorization:",
    "Authorization: Bearer",
    "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.",
    "Authorization: Basic !!!!",
    "Authorization: Basic Og==",
    "Authorization: License \u{0}",
    "Cookie: session=canary-of-the-cookie",
    "Host: evil.example",
    "Host: evil.example\r\nHost: other.example",
    "X-Forwarded-For: 10.0.0.1, \u{0}",
    "X-Forwarded-Host: evil.example",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "Upgrade: websocket\r\nConnection: upgrade",
    " folded: line",
    "no colon",
];

/// Texts of requests that no answer and no log may have.
const CANARIES: [&str; 3] = ["canary-of-the-cookie", "canary-of-a-header", "canary-of-the-password"];

#[derive(Clone)]
struct Request {
    method: String,
    target: Vec<u8>,
    version: &'static str,
    headers: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.method.clone().into_bytes();
        bytes.push(b' ');
        bytes.extend(&self.target);
        bytes.extend(format!(" {}\r\n", self.version).bytes());
        for header in &self.headers {
            bytes.extend(header);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes();
        let shown: Vec<u8> = bytes.iter().copied().take(2000).collect();
        write!(formatter, "{} bytes: {}", bytes.len(), shown.escape_ascii())
    }
}

fn hostile() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![
        6 => select(&HOSTILE[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => (select(&["a", "%41", "../", "é", "9"][..]), 1_usize..20_000).prop_map(|(text, times)| text.repeat(times).into_bytes()),
        1 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| bytes.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()),
    ]
}

/// The query: that of the example, with something done to it.
fn query(example: &Example) -> BoxedStrategy<Vec<u8>> {
    let known: Vec<_> =
        example.query.iter().map(|(name, _)| name.clone()).chain(["after".to_owned(), "limit".to_owned()]).collect();
    let whole: Vec<u8> = example.target().split_once('?').map_or(vec![], |(_, query)| query.as_bytes().to_vec());
    let pair = (select(known), hostile()).prop_map(|(name, value)| [name.as_bytes(), b"=", &value].concat());
    let odd = (hostile(), hostile()).prop_map(|(name, value)| [&name[..], b"=", &value].concat());
    prop_oneof![
        4 => Just(whole.clone()),
        2 => vec(pair.clone(), 1..4).prop_map(|pairs| pairs.join(&b'&')),
        2 => pair.prop_map(move |pair| [&whole[..], b"&", &pair].concat()),
        1 => odd,
        1 => (hostile(), 1_usize..2_000).prop_map(|(text, times)| [&text[..text.len().min(8)], b"&"].concat().repeat(times)),
    ]
    .boxed()
}

/// The path: that of the example, with some of its parts replaced or more of them.
fn path(example: &Example) -> BoxedStrategy<Vec<u8>> {
    let whole = example.target().split('?').next().expect("a path").to_owned();
    let parts: Vec<Vec<u8>> = whole.split('/').map(|part| part.as_bytes().to_vec()).collect();
    prop_oneof![
        4 => Just(whole.clone().into_bytes()),
        4 => (any::<Index>(), hostile()).prop_map(move |(place, value)| {
            let mut parts = parts.clone();
            let place = place.index(parts.len());
            parts[place] = value;
            parts.join(&b'/')
        }),
        1 => hostile().prop_map(move |value| [whole.as_bytes(), b"/", &value].concat()),
        1 => prop_oneof![Just(b"*".to_vec()), Just(b"http://evil.example/api/v1/products".to_vec()), Just(b"//evil.example".to_vec()), hostile()],
    ]
    .boxed()
}

fn headers() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = prop_oneof![
        8 => select(&HEADERS[..]).prop_map(|line| line.as_bytes().to_vec()),
        1 => (select(&["Range", "If-Match", "Authorization", "Content-Digest", "Accept-Language", "X-Signature", "Content-Type"][..]), hostile())
            .prop_map(|(name, value)| [name.as_bytes(), b": ", &value].concat()),
        1 => Just(b"X-Odd: canary-of-a-header".to_vec()),
    ];
    prop_oneof![
        9 => vec(line, 0..4),
        1 => (0_usize..200).prop_map(|count| (0..count).map(|number| format!("X-{number}: canary-of-a-header").into_bytes()).collect()),
    ]
}

fn body(example: &Example) -> BoxedStrategy<Vec<u8>> {
    let usual = example.bytes().unwrap_or_else(|| "{}".to_owned());
    let fields: Vec<String> = match &example.body {
        Some((_, Value::Object(fields))) => fields.keys().cloned().collect(),
        _ => vec!["password".to_owned()],
    };
    let values = select(
        &[
            "null",
            "-0",
            "1e999",
            "[]",
            "{}",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\u{202e}\"",
            "true",
            "99999999999999999999",
        ][..],
    );
    prop_oneof![
        4 => Just(usual.clone().into_bytes()),
        4 => (select(fields), values).prop_map(|(field, value)| format!("{{\"{field}\": {value}, \"password\": \"canary-of-the-password\"}}").into_bytes()),
        1 => (select(&["[", "{\"a\":", "\"", " "][..]), 1_usize..50_000).prop_map(|(text, times)| text.repeat(times).into_bytes()),
        1 => vec(any::<u8>(), 0..200),
        1 => Just(b"5\r\nhello\r\n0\r\n\r\n".to_vec()),
        1 => Just(b"FFFFFFFFFFFFFFFF1\r\nhello\r\n".to_vec()),
        1 => Just(b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n".to_vec()),
        1 => Just(format!("{usual}{usual}").into_bytes()),
    ]
    .boxed()
}

fn request(examples: Vec<Example>, credentials: Vec<String>) -> impl Strategy<Value = Request> {
    (select(examples), select(credentials)).prop_flat_map(|(example, credential)| {
        let method = example.method.to_string();
        let methods = prop_oneof![6 => Just(method), 1 => select(&METHODS[..]).prop_map(str::to_owned)];
        let versions = prop_oneof![20 => Just("HTTP/1.1"), 1 => Just("HTTP/1.0"), 1 => Just("HTTP/9.9"), 1 => Just("")];
        let kind = example.body.as_ref().map_or("application/json", |(kind, _)| kind.as_str()).to_owned();
        let framing = prop_oneof![6 => Just(true), 1 => Just(false)];
        (methods, path(&example), query(&example), versions, headers(), body(&example), framing).prop_map(
            move |(method, path, query, version, more, body, is_framed)| {
                let mut headers: Vec<Vec<u8>> = vec![b"Host: localhost".to_vec(), b"Connection: close".to_vec()];
                if !credential.is_empty() {
                    headers.push(format!("Authorization: {credential}").into_bytes());
                }
                if is_framed {
                    headers.push(format!("Content-Type: {kind}\r\nContent-Length: {}", body.len()).into_bytes());
                }
                headers.extend(more);
                let target = if query.is_empty() { path } else { [&path[..], b"?", &query].concat() };
                Request { method, target, version, headers, body }
            },
        )
    })
}

/// Sends it; what comes back until the server ends the connection.
fn send(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let writing = stream.try_clone().expect("the connection");
    let mut said = Vec::new();
    std::thread::scope(|scope| {
        // Written beside the reading: a server that has answered need not take the rest.
        scope.spawn(|| {
            let _ = (&writing).write_all(bytes);
        });
        let began = Instant::now();
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut buffer = [0; 16_384];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => said.extend(&buffer[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    assert!(began.elapsed() < LONGEST, "no end after {LONGEST:?}");
                    let _ = stream.shutdown(Shutdown::Write);
                }
                // What was not read of the request resets the connection.
                Err(_) => break,
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    });
    said
}

/// What must be so of every answer.
fn judge(request: &Request, said: &[u8], secrets: &[String]) -> Result<(), TestCaseError> {
    let show = || format!("{}", said.iter().copied().take(2000).collect::<Vec<u8>>().escape_ascii());
    let answers =
        Wire::read_all(&request.method, said).map_err(|error| TestCaseError::fail(format!("{error}: {}", show())))?;
    let text = String::from_utf8_lossy(said);
    for secret in secrets.iter().map(String::as_str).chain(CANARIES) {
        prop_assert!(!text.contains(secret), "`{secret}` came back: {}", show());
    }
    for answer in answers {
        prop_assert!(answer.status < 500, "{}", show());
        prop_assert!(answer.header("x-injected").is_none(), "{}", show());
        prop_assert!(!answer.header("location").is_some_and(|to| to.contains("evil.example")), "{}", show());
        if answer.status >= 400 && !answer.body.is_empty() {
            prop_assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", show());
            let problem: Value =
                serde_json::from_slice(&answer.body).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let code = problem["code"].as_str().unwrap_or_default();
            prop_assert!(
                sluice::services::Code::ALL.iter().any(|known| known.as_str() == code),
                "`{}`: {}",
                code,
                show()
            );
            prop_assert_eq!(problem["status"].as_u64(), Some(u64::from(answer.status)));
        } else if answer.status >= 400 && request.method != "HEAD" {
            // What is no HTTP never reaches anything of Sluice's own.
            prop_assert!(matches!(answer.status, 400 | 408 | 414 | 417 | 431), "an empty {}", show());
        }
    }
    Ok(())
}

#[test]
fn whatever_is_sent_is_answered_well_or_not_at_all() {
    let limits = [
        "limits.failures_per_address",
        "limits.logins_per_address",
        "limits.anonymous_per_address",
        "limits.requests_per_key",
        "limits.requests_per_token",
    ];
    let settings: Vec<_> = limits.iter().map(|limit| (*limit, "off")).chain([("server.body_timeout", "1s")]).collect();
    let mut server = Server::prepare(&settings);
    server.run_demo();
    let vendor = Vendor::of(server);
    let scopes = ["releases:write", "releases:publish", "stops:lift", "subscriptions:write"];
    let (_, token) = vendor.ci_with(&json!({"name": "pipeline", "scopes": scopes}));
    let (_, made) = vendor.colleague_with(&json!({"role": "viewer"}));
    let session = log_in_as(&vendor.anonymous(), &made).ok()["access_token"].as_str().unwrap().to_owned();
    let token = token["token"].as_str().unwrap().to_owned();
    let document = vendor.anonymous().get("/openapi.json").send().ok();
    let mut examples: Vec<_> = operations(&document).into_iter().map(Example::of).collect();
    // A link that is good, so that what is said of ranges is read.
    let offer = vendor.customer(LICENSE).check("office-maker", "12.4.0", &[("platform", "windows")]).ok();
    let link = offer["update"]["artifact"]["url"]
        .as_str()
        .expect("a link")
        .split_once("?token=")
        .expect("a token")
        .1
        .to_owned();
    for example in &mut examples {
        example.query.iter_mut().filter(|(name, _)| name == "token").for_each(|(_, value)| value.clone_from(&link));
    }
    let credentials =
        vec![String::new(), format!("License {LICENSE}"), format!("Bearer {token}"), format!("Bearer {session}")];
    let secrets = [LICENSE.to_owned(), token, session];
    let address = vendor.url().trim_start_matches("http://").to_owned();
    let asked: Option<u32> = std::env::var("SLUICE_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    // Several at once: much of the time is spent waiting.
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let config = ProptestConfig {
                cases: asked.unwrap_or(CASES) / THREADS,
                failure_persistence: None,
                rng_seed: asked.map_or(RngSeed::Fixed(thread.into()), |_| RngSeed::Random),
                max_shrink_iters: 500,
                ..ProptestConfig::default()
            };
            let asking = request(examples.clone(), credentials.clone());
            let judged = |request: Request| judge(&request, &send(&address, &request.bytes()), &secrets);
            scope.spawn(move || TestRunner::new(config).run(&asking, judged).unwrap_or_else(|found| panic!("{found}")));
        }
    });
    vendor.anonymous().get("/livez").send().expect(200);
    vendor.admin.get("/api/v1/admin/audit").send().expect(200);
    let log = vendor.log().join("\n");
    for secret in secrets.iter().map(String::as_str).chain(CANARIES).chain(["ERROR", "panicked"]) {
        assert!(!log.contains(secret), "the log has `{secret}`: {log}");
    }
}
