//! A real issuer of tokens: it publishes its keys over HTTP, and counts who asks for them. What it signs need not be
//! right.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::http_text::Request;

/// A key that an issuer signs with.
pub struct SigningKey {
    pub id: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl SigningKey {
    pub fn rsa(id: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self { id: id.to_owned(), pair: Pair::Rsa(Box::new(pair)) }
    }

    pub fn ec(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { id: id.to_owned(), pair: Pair::Ec(Box::new(pair)) }
    }

    pub fn ed(id: &str) -> Self {
        Self { id: id.to_owned(), pair: Pair::Ed(Box::new(Ed25519KeyPair::generate().expect("a key"))) }
    }

    /// The algorithm that it is used with unless a test says otherwise.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// The key as the issuer publishes it.
    pub fn public(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                json!({"kty": "RSA", "kid": self.id, "use": "sig",
                       "n": encoded(n.big_endian_without_leading_zero()), "e": encoded(e.big_endian_without_leading_zero())})
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "x": encoded(x), "y": encoded(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": encoded(pair.public_key())})
            }
        }
    }

    /// The public key as openssl writes it: what a careless verifier would take for the secret of an HMAC.
    fn public_pem(&self) -> String {
        let Pair::Rsa(pair) = &self.pair else { panic!("no RSA key") };
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a key");
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (&self.pair, algorithm) {
            (_, "none") => Vec::new(),
            (_, "HS256") => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.public_pem().as_bytes());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            (Pair::Rsa(pair), _) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("a signature");
                signature
            }
            (Pair::Ec(pair), _) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            (Pair::Ed(pair), _) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token of these claims, with what is added to its header or put in the place of what it has.
    pub fn token_with(&self, header: Value, claims: &Value) -> String {
        let mut whole = json!({"alg": self.algorithm(), "kid": self.id, "typ": "JWT"});
        whole.as_object_mut().expect("an object").extend(header.as_object().expect("an object").clone());
        whole.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let message = format!("{}.{}", encoded(whole.to_string()), encoded(claims.to_string()));
        let signature = self.sign(whole["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", encoded(signature))
    }

    /// A token of these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(json!({}), claims)
    }
}

/// What it answers.
struct Answers {
    discovery: Value,
    keys: Value,
    cache_control: String,
    status: u16,
    /// How much white space comes before the keys.
    padding: usize,
    /// How often it was asked for its keys.
    asked: usize,
}

/// The issuer.
pub struct Issuer {
    address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
}

impl Issuer {
    /// Starts one with these keys.
    pub fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}");
        let answers = Arc::new(Mutex::new(Answers {
            discovery: json!({
                "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize"),
            }),
            keys: Value::Null,
            cache_control: "max-age=600".to_owned(),
            status: 200,
            padding: 0,
            asked: 0,
        }));
        let issuer = Self { address, answers: Arc::clone(&answers) };
        issuer.publishes(keys);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let answers = Arc::clone(&answers);
                thread::spawn(move || drop(answer(stream.expect("a connection"), &answers)));
            }
        });
        issuer
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn set(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().expect("a lock"));
    }

    /// These are its keys from now on.
    pub fn publishes(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.set(|answers| answers.keys = json!({"keys": keys}));
    }

    /// It says this of itself from now on.
    pub fn says(&self, name: &str, value: &str) {
        self.set(|answers| answers.discovery[name] = json!(value));
    }

    /// It answers with this status from now on.
    pub fn answers(&self, status: u16) {
        self.set(|answers| answers.status = status);
    }

    /// Its key set is this much longer from now on.
    pub fn pads(&self, padding: usize) {
        self.set(|answers| answers.padding = padding);
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.answers.lock().expect("a lock").asked
    }

    /// The claims of a token that is good for the next five minutes, and has not been seen before.
    pub fn claims(&self, audience: &str) -> Value {
        self.claims_at(audience, Timestamp::now())
    }

    /// The same by another clock.
    pub fn claims_at(&self, audience: &str, now: Timestamp) -> Value {
        let now = now.as_second();
        json!({
            "iss": self.url(), "aud": audience, "sub": "repo:vendor/app:ref:refs/tags/v1.0.0", "jti": uuid::Uuid::new_v4(),
            "iat": now, "nbf": now, "exp": now + 300,
        })
    }
}

fn answer(mut stream: TcpStream, answers: &Mutex<Answers>) -> std::io::Result<()> {
    let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
    let mut answers = answers.lock().expect("a lock");
    let body = match request.path() {
        "/.well-known/openid-configuration" => answers.discovery.to_string(),
        _ => {
            answers.asked += 1;
            format!("{}{}", " ".repeat(answers.padding), answers.keys)
        }
    };
    let head = format!(
        "HTTP/1.1 {} x\r\nlocation: /elsewhere\r\ncache-control: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answers.status,
        answers.cache_control,
        body.len()
    );
    drop(answers);
    stream.write_all(format!("{head}{body}").as_bytes())
}
