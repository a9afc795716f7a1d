//! License keys as people type them, API tokens, sessions and the tokens of links: what was not made here is never
//! taken, and what was made here is not taken once a letter of it is another.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::{Corpus, fuzz_target};
use sluice::{
    auth::{
        api_token,
        session::{Session, Sessions},
    },
    domain::{
        id::{ArtifactId, LicenseKeyId, UserId},
        license_key::{LicenseKey, Reading, check_imported},
    },
    signing::{
        KeyFile, KeyRing,
        link::{Grant, LinkError},
    },
};
use uuid::Uuid;

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let file = KeyFile::open(&folder.path().join("keys.json"), None).expect("keys");
    KeyRing::of(file.keys()).expect("keys")
});
static SESSIONS: LazyLock<Sessions> =
    LazyLock::new(|| Sessions::new([("a", b"0123456789abcdef0123456789abcdef".as_slice())].into_iter()));

const ARTIFACT: ArtifactId = ArtifactId(Uuid::from_u128(7));

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn session() -> Session {
    Session::new(UserId(Uuid::nil()), Uuid::nil(), at(0), at(900))
}

fn grant() -> Grant {
    Grant { license_key: Some(LicenseKeyId(Uuid::from_u128(9))), expires_at: at(900), channel: 1 }
}

/// A text with another letter at a place; `None` where it is the same one.
fn altered(text: &str, place: u8, letter: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = usize::from(place) % bytes.len();
    let letter = letter & 0x7f;
    (bytes[place] != letter).then(|| {
        bytes[place] = letter;
        String::from_utf8(bytes).expect("ASCII")
    })
}

fn license_keys(text: &str, place: u8, letter: u8) {
    let _ = check_imported(text);
    let Reading::Key(key) = LicenseKey::read(text) else { return };
    let written = key.to_string();
    assert!(written.len() == 29 && written.split('-').all(|part| part.len() == 5), "{written}");
    for same in [written.clone(), written.to_lowercase(), written.replace('-', " "), written.replace('0', "o")] {
        assert!(LicenseKey::read(&same) == Reading::Key(key.clone()), "{same}");
    }
    // The check symbol finds every single letter that is another.
    if let Some(other) = altered(&written, place, letter)
        && let Reading::Key(read) = LicenseKey::read(&other)
    {
        assert!(read == key, "{written} and {other}");
    }
}

fn made(random: &[u8], place: u8, letter: u8) {
    let mut seed = [0; 64];
    seed.iter_mut().zip(random).for_each(|(to, from)| *to = *from);
    if let Some(token) = api_token::make(&seed) {
        assert!(api_token::is_well_formed(&token), "{token}");
        if let Some(other) = altered(&token, place, letter) {
            assert!(!api_token::is_well_formed(&other), "{token} and {other}");
        }
    }
    let random: [u8; 24] = std::array::from_fn(|index| seed[index]);
    if let Some(key) = LicenseKey::from_random(&random) {
        license_keys(&key.to_string(), place, letter);
    }
    let token = SESSIONS.sign(&session()).expect("a token");
    if let Some(other) = altered(&token, place.wrapping_mul(3), letter) {
        assert_eq!(SESSIONS.read(&other, at(0)), None, "{token} and {other}");
    }
    let token = RING.sign_link(ARTIFACT, grant());
    if let Some(other) = altered(&token, place, letter) {
        assert_eq!(RING.read_link(ARTIFACT, &other, at(0)), Err(LinkError::Invalid), "{token} and {other}");
    }
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let [place, letter, rest @ ..] = data else { return Corpus::Reject };
    made(rest, *place, *letter);
    let Ok(text) = std::str::from_utf8(rest) else { return Corpus::Keep };
    license_keys(text, *place, *letter);
    if api_token::is_well_formed(text) {
        assert!(text.len() == 42 && text.is_ascii(), "{text}");
    }
    assert_eq!(SESSIONS.read(text, at(0)), None, "nobody else knows the secret: {text}");
    assert_eq!(RING.read_link(ARTIFACT, text, at(0)), Err(LinkError::Invalid), "nobody else knows the secret: {text}");
    Corpus::Keep
});
