//! Addresses of webhooks: none whose host is an address of a private network is let through.
#![no_main]

use std::{net::IpAddr, sync::LazyLock, time::Duration};

use libfuzzer_sys::fuzz_target;
use sluice::{domain::public_address::is_public, webhook::Poster};

static POSTER: LazyLock<Poster> = LazyLock::new(|| Poster::new(Duration::from_secs(1), false).expect("a poster"));

fuzz_target!(|text: &str| {
    // Others are refused when they are entered.
    let Some(url) = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) else { return };
    let Some(host) = url.host_str() else { return };
    // As the connection is made: what can be read as an address is not looked up.
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        assert_eq!(POSTER.objection(text).is_none(), is_public(address), "{text}: {address}");
        assert!(!is_public(address) || !(address.is_loopback() || address.is_unspecified() || address.is_multicast()));
        assert_eq!(is_public(address), is_public(address.to_canonical()), "{address}");
    }
});
