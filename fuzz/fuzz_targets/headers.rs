//! Headers: `Range` as another reader has it, digests, tags, languages, and the addresses that proxies name.
//! The first byte is the size of the file of which a part is asked for.
#![no_main]

use std::{net::IpAddr, str::FromStr as _};

use actix_web::http::header::{ByteRangeSpec, HeaderMap, HeaderName, HeaderValue, IF_MATCH, Range};
use ipnet::IpNet;
use libfuzzer_sys::{Corpus, fuzz_target};
use sluice::{
    domain::locale::{LanguageTag, Wishes},
    http::{
        client::download::{Part, read_range},
        extract::{IfMatch, address::resolve},
        publisher::artifacts::content_digest,
    },
    services::Expected,
};

fn headers(name: HeaderName, value: &HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.append(name, value.clone());
    headers
}

fn ranges(text: &str, size: u64) {
    let part = read_range(text, size);
    if let Part::Range(first, last) = part {
        assert!(first <= last && last < size, "{text:?} of {size}: {part:?}");
    }
    // One range in the strict form is read alike by everybody.
    let strict = text.strip_prefix("bytes=").and_then(|rest| rest.split_once('-')).filter(|(first, last)| {
        let is_number = |text: &str| text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(first) && is_number(last) && !(first.is_empty() && last.is_empty())
    });
    if strict.is_none() || size == 0 {
        return;
    }
    let Ok(Range::Bytes(specs)) = Range::from_str(text) else { return };
    let [spec] = specs.as_slice() else { return };
    let expected = match (spec.to_satisfiable_range(size), spec) {
        (Some((first, last)), _) => Part::Range(first, last),
        // From a later byte to an earlier one: no range at all (RFC 9110, section 14.1.1).
        (None, ByteRangeSpec::FromTo(first, last)) if first > last => Part::Whole,
        (None, _) => Part::Nothing,
    };
    assert_eq!(part, expected, "{text:?} of {size}");
}

fn digests(value: &HeaderValue) {
    let name = HeaderName::from_static("content-digest");
    if let Ok(Some(sha256)) = content_digest(&headers(name, value)) {
        let text = value.to_str().expect("it was read");
        assert!(text.contains("sha-256=:"), "{text}");
        assert_eq!(sha256.to_string().parse(), Ok(sha256));
    }
}

fn tags(value: &HeaderValue) {
    match IfMatch::read(&headers(IF_MATCH, value)) {
        Ok(IfMatch(Expected::Anything)) => assert_eq!(value.to_str().ok().map(str::trim), Some("*")),
        Ok(IfMatch(Expected::Revisions(revisions))) => {
            assert!(!revisions.is_empty() && revisions.len() * 2 <= value.len(), "{value:?}");
        }
        Err(_) => {}
    }
}

fn languages(text: &str) {
    if let Some(first) = Wishes::from_accept_language(text).first() {
        assert_eq!(first.as_str().parse().as_ref(), Ok(first));
        let language = first.as_str().split('-').next().expect("a language").to_owned();
        assert!(text.to_ascii_lowercase().contains(&language), "{text:?}: {first}");
    }
    if let Ok(tag) = text.parse::<LanguageTag>() {
        assert_eq!(tag.to_string().parse(), Ok(tag));
    }
}

fn addresses(value: &HeaderValue) {
    let name = || HeaderName::from_static("x-forwarded-for");
    let trusted: [IpNet; 2] = ["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
    let (stranger, proxy): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [10, 0, 0, 1].into());
    let sent = headers(name(), value);
    assert_eq!(resolve(stranger, &sent, &trusted), stranger, "a stranger is not believed");
    let found = resolve(proxy, &sent, &trusted);
    assert_eq!(found, found.to_canonical());
    // What our proxy appends goes before what a stranger sent.
    let mut appended = sent;
    appended.append(name(), HeaderValue::from_static("198.51.100.7"));
    assert_eq!(resolve(proxy, &appended, &trusted), IpAddr::from([198, 51, 100, 7]));
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let [size, rest @ ..] = data else { return Corpus::Reject };
    let Ok(value) = HeaderValue::from_bytes(rest) else { return Corpus::Reject };
    digests(&value);
    tags(&value);
    addresses(&value);
    if let Ok(text) = value.to_str() {
        ranges(text, u64::from(*size));
        ranges(text, u64::MAX - u64::from(*size));
        languages(text);
    }
    Corpus::Keep
});
