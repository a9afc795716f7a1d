//! Tokens of other issuers, by the issuer's own answers over HTTP: which are believed, and how often it is asked.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice::{
    auth::issuer::{Claims, Expected, Issuers, PATIENCE, VerifyError},
    egress::Egress,
};
use tokio::runtime::Runtime;

use crate::harness::issuer::{Issuer, SigningKey};

const AUDIENCE: &str = "https://updates.vendor.example";

/// One who verifies, with a clock of its own.
struct Verifier {
    issuers: Issuers,
    runtime: Runtime,
    now: Timestamp,
}

impl Verifier {
    fn new() -> Self {
        Self::that_talks(true)
    }

    fn that_talks(to_private: bool) -> Self {
        let egress = Egress::new(PATIENCE, to_private, "auth.allow_private_issuers").unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { issuers: Issuers::new(egress), runtime, now: Timestamp::now() }
    }

    fn wait(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    fn verify(&self, issuer: &Issuer, token: &str) -> Result<Claims, VerifyError> {
        let url = issuer.url();
        self.runtime.block_on(self.issuers.verify(token, Expected { issuer: &url, audience: AUDIENCE }, self.now))
    }
}

/// The claims of a token that is good for a day.
fn lasting(issuer: &Issuer) -> Value {
    let mut claims = issuer.claims(AUDIENCE);
    claims["exp"] = json!(Timestamp::now().as_second() + 2 * 86_400);
    claims
}

fn unknown(error: &VerifyError) -> bool {
    matches!(error, VerifyError::UnknownKey { .. })
}

#[test]
fn tokens_of_every_key_type_are_accepted_unless_altered() {
    let keys = [SigningKey::rsa("rsa"), SigningKey::ec("ec"), SigningKey::ed("ed")];
    let issuer = Issuer::start(&keys.each_ref());
    let verifier = Verifier::new();
    let claims = issuer.claims(AUDIENCE);
    let mut tokens: Vec<_> = keys.iter().map(|key| key.token(&claims)).collect();
    tokens.push(keys[0].token_with(json!({"alg": "PS256"}), &claims));
    tokens.push(keys[0].token_with(json!({"typ": null}), &claims));
    for token in tokens {
        let found = verifier.verify(&issuer, &token).unwrap();
        assert_eq!(Value::Object(found), claims, "{token}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let altered = format!("{message}.{flipped}{}", &signature[1..]);
        assert_eq!(verifier.verify(&issuer, &altered).unwrap_err(), VerifyError::Signature);
    }
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn nothing_but_a_signature_of_the_issuers_own_key_will_do() {
    let (key, stranger) = (SigningKey::rsa("a"), SigningKey::rsa("a"));
    let issuer = Issuer::start(&[&key]);
    let verifier = Verifier::new();
    let claims = issuer.claims(AUDIENCE);
    let refused = |token: &str| verifier.verify(&issuer, token).unwrap_err();
    for algorithm in ["none", "None", "HS256", "HS512", "ES512", "RSA-OAEP", ""] {
        let token = key.token_with(json!({"alg": algorithm}), &claims);
        assert_eq!(refused(&token), VerifyError::Algorithm(algorithm.to_owned()));
    }
    assert!(unknown(&refused(&key.token_with(json!({"alg": "ES256"}), &claims))));
    assert_eq!(refused(&key.token_with(json!({"alg": "PS512"}), &claims)), VerifyError::Signature);
    // Brought along, and named.
    let brought = json!({"jwk": stranger.public(), "jku": "http://127.0.0.1:1/keys"});
    assert_eq!(refused(&stranger.token_with(brought, &claims)), VerifyError::Signature);
    assert_eq!(refused(&key.token_with(json!({"crit": ["b64"], "b64": false}), &claims)), VerifyError::Critical);
    for kind in ["at+jwt", "logout+jwt", "JOSE"] {
        assert_eq!(refused(&key.token_with(json!({"typ": kind}), &claims)), VerifyError::Type(kind.to_owned()));
    }
    let mut long = claims.clone();
    long["padding"] = json!("a".repeat(20_000));
    assert_eq!(refused(&key.token(&long)), VerifyError::TooLong);
    for text in ["", "a.b.c", "slk_0123", &key.token(&claims).replace('.', "..")] {
        assert_eq!(refused(text), VerifyError::Malformed, "{text}");
    }
}

#[test]
fn claims_count_only_once_verified_and_are_compared_exactly() {
    let key = SigningKey::ec("a");
    let issuer = Issuer::start(&[&key]);
    let verifier = Verifier::new();
    let now = verifier.now.as_second();
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims(AUDIENCE);
        claims[name] = value;
        verifier.verify(&issuer, &key.token(&claims)).map(drop)
    };
    assert_eq!(with("exp", json!(now + 60)), Ok(()));
    assert_eq!(with("exp", json!(now - 60)), Err(VerifyError::Expired));
    assert_eq!(with("nbf", json!(now + 60)), Err(VerifyError::NotYet));
    assert_eq!(with("iat", json!(now + 60)), Err(VerifyError::FromTheFuture));
    assert_eq!(with("aud", json!([AUDIENCE])), Ok(()));
    for audience in [json!("https://elsewhere.example"), json!([AUDIENCE, "https://elsewhere.example"])] {
        assert!(matches!(with("aud", audience), Err(VerifyError::Audience { .. })));
    }
    let slash = json!(format!("{}/", issuer.url()));
    assert!(matches!(with("iss", slash), Err(VerifyError::Issuer { .. })));
}

#[test]
fn a_new_key_is_fetched_for_its_first_token_and_an_old_one_goes() {
    let (old, new) = (SigningKey::rsa("old"), SigningKey::ec("new"));
    let issuer = Issuer::start(&[&old]);
    let mut verifier = Verifier::new();
    let claims = lasting(&issuer);
    verifier.verify(&issuer, &old.token(&claims)).unwrap();
    issuer.publishes(&[&old, &new]);
    verifier.wait(11);
    verifier.verify(&issuer, &new.token(&claims)).unwrap();
    assert_eq!(issuer.asked(), 2);
    issuer.publishes(&[&new]);
    verifier.wait(599);
    verifier.verify(&issuer, &old.token(&claims)).unwrap();
    verifier.wait(2);
    assert!(unknown(&verifier.verify(&issuer, &old.token(&claims)).unwrap_err()));
    assert_eq!(issuer.asked(), 3);
}

#[test]
fn keys_that_nobody_has_do_not_make_us_hammer_the_issuer() {
    let key = SigningKey::ec("a");
    let issuer = Issuer::start(&[&key]);
    let mut verifier = Verifier::new();
    let claims = lasting(&issuer);
    for tries in 1..=3 {
        // Many at once, of whom each names another key.
        let url = issuer.url();
        let tokens: Vec<_> =
            (0..20).map(|number| key.token_with(json!({"kid": format!("invented-{number}")}), &claims)).collect();
        let expected = Expected { issuer: &url, audience: AUDIENCE };
        verifier.runtime.block_on(async {
            let all = tokens.iter().map(|token| verifier.issuers.verify(token, expected, verifier.now));
            for refused in futures_util::future::join_all(all).await {
                assert!(unknown(&refused.unwrap_err()));
            }
        });
        assert_eq!(issuer.asked(), tries);
        // Whom the issuer does know is not kept waiting by them.
        verifier.verify(&issuer, &key.token(&claims)).unwrap();
        verifier.wait(11);
    }
}

#[test]
fn keys_last_a_day_while_their_issuer_is_away_and_rarely_asked() {
    let key = SigningKey::ed("a");
    let issuer = Issuer::start(&[&key]);
    let mut verifier = Verifier::new();
    let claims = lasting(&issuer);
    let away = VerifyError::NoKeys(issuer.url());
    issuer.answers(503);
    assert_eq!(verifier.verify(&issuer, &key.token(&claims)).unwrap_err(), away);
    issuer.answers(200);
    // It was asked just now.
    assert_eq!(verifier.verify(&issuer, &key.token(&claims)).unwrap_err(), away);
    verifier.wait(11);
    verifier.verify(&issuer, &key.token(&claims)).unwrap();
    for status in [500, 302, 404] {
        issuer.answers(status);
        verifier.wait(601);
        let asked = issuer.asked();
        for _ in 0..5 {
            verifier.verify(&issuer, &key.token(&claims)).unwrap();
        }
        assert_eq!(issuer.asked(), asked, "it does not get as far as the keys");
    }
    verifier.wait(86_400);
    assert_eq!(verifier.verify(&issuer, &key.token(&claims)).unwrap_err(), away);
    // A clock that was set back makes nothing new.
    verifier.wait(-3 * 86_400);
    assert_eq!(verifier.verify(&issuer, &key.token(&claims)).unwrap_err(), away);
}

#[test]
fn an_issuer_must_be_who_it_says_and_may_not_send_us_anywhere() {
    let key = SigningKey::ec("a");
    let mut issuer = Issuer::start(&[&key]);
    let no_keys = |issuer: &Issuer| {
        let refused = Verifier::new().verify(issuer, &key.token(&issuer.claims(AUDIENCE))).unwrap_err();
        assert_eq!(refused, VerifyError::NoKeys(issuer.url()));
    };
    issuer.says("issuer", "https://issuer.example");
    no_keys(&issuer);
    assert_eq!(issuer.asked(), 0);
    for (name, elsewhere) in [
        ("jwks_uri", "http://issuer.example/keys"),
        ("jwks_uri", "file:///etc/passwd"),
        ("token_endpoint", "http://issuer.example/token"),
        ("authorization_endpoint", "javascript:alert(1)"),
    ] {
        issuer = Issuer::start(&[&key]);
        issuer.says(name, elsewhere);
        no_keys(&issuer);
        assert_eq!(issuer.asked(), 0);
    }
    issuer = Issuer::start(&[&key]);
    issuer.pads(300 * 1024);
    no_keys(&issuer);
    issuer.pads(0);
    issuer.publishes(&[]);
    no_keys(&issuer);
    issuer.publishes(&[&key]);
    let claims = issuer.claims(AUDIENCE);
    Verifier::new().verify(&issuer, &key.token(&claims)).unwrap();
    // Where private addresses are not allowed, nobody is asked.
    let asked = issuer.asked();
    assert!(Verifier::that_talks(false).verify(&issuer, &key.token(&claims)).is_err());
    assert_eq!(issuer.asked(), asked);
}

#[test]
fn what_an_issuer_says_of_itself_is_there_for_single_sign_on() {
    let key = SigningKey::ec("a");
    let issuer = Issuer::start(&[&key]);
    let verifier = Verifier::new();
    let url = issuer.url();
    let found = verifier.runtime.block_on(verifier.issuers.discovery(&url, verifier.now)).unwrap();
    assert_eq!(found.authorization_endpoint, Some(format!("{url}/authorize")));
    // It came with the keys, which are there now too.
    verifier.verify(&issuer, &key.token(&issuer.claims(AUDIENCE))).unwrap();
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn a_token_without_a_key_id_is_accepted_where_one_key_exists() {
    let (key, other) = (SigningKey::ec("a"), SigningKey::ec("b"));
    let issuer = Issuer::start(&[&key]);
    let token = key.token_with(json!({"kid": null}), &issuer.claims(AUDIENCE));
    Verifier::new().verify(&issuer, &token).unwrap();
    issuer.publishes(&[&key, &other]);
    assert_eq!(Verifier::new().verify(&issuer, &token).unwrap_err(), VerifyError::KeyNotNamed(issuer.url()));
}
