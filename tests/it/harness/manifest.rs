//! Signed manifests, held against the public keys that the server shows.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Actor, Answer, Vendor};

/// The part of the signature's header that has this name.
pub fn part<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let header = answer.header("sluice-signature");
    let parts = header.split(", ").map(|part| part.split_once('=').unwrap());
    parts.into_iter().find(|(known, _)| *known == name).expect(name).1.trim_matches('"')
}

/// Checks a manifest against the public keys that the server shows.
#[track_caller]
pub fn verify(vendor: &Vendor, answer: &Answer) {
    let keys = vendor.anonymous().get("/.well-known/jwks.json").send().ok();
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == part(answer, "keyid")).expect("the key");
    assert_eq!((&key["kty"], &key["crv"], part(answer, "alg")), (&json!("OKP"), &json!("Ed25519"), "ed25519"));
    let point = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(part(answer, "signature")).unwrap();
    UnparsedPublicKey::new(&ED25519, point).verify(&answer.body, &signature).expect("a good signature");
}
