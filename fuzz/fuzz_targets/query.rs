//! Queries: a page's limit and cursor, and a check's parameters, read as the `url` crate takes them apart.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice::{
    domain::decision::facts::Check,
    http::{extract::Query, paging::PageQuery},
};

fuzz_target!(|text: &str| {
    let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref());
    let is_clean = |known: &[&str]| {
        pairs.iter().all(|(name, _)| known.contains(&name.as_ref()))
            && known.iter().all(|name| pairs.iter().filter(|(other, _)| other == name).count() <= 1)
    };
    if let Ok(Query(page)) = Query::<PageQuery>::read(text) {
        assert!(is_clean(&["limit", "after"]), "{text}");
        assert!((1..=200).contains(&page.limit.get()), "{text}");
        assert_eq!(value("limit").map_or(Ok(50), str::parse), Ok(page.limit.get()), "{text}");
        assert_eq!(value("after").map(|after| after.parse::<uuid::Uuid>().expect("an id")), page.after, "{text}");
    }
    if Query::<Check>::read(text).is_ok() {
        for needed in ["product", "version", "platform", "arch"] {
            assert!(value(needed).is_some(), "{text}");
        }
    }
});
