//! The address that a request comes from. Only proxies named in the configuration are believed.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{HeaderMap, HeaderValue},
    web,
};
use ipnet::IpNet;

use super::super::Problem;
use crate::{app::App, limits::Network};

/// The address that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Determined on demand, so that a check without limits does not pay for it.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let trusted = request.app_data::<web::Data<App>>().map_or(&[][..], |app| &app.trusted_proxies);
        Self(resolve(peer, request.headers(), trusted))
    }

    /// The network that its limits apply to.
    #[must_use]
    pub fn network(self) -> Network {
        Network::of(self.0)
    }
}

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// The last address of `X-Forwarded-For` that is not a trusted proxy's, if the peer is one: each proxy appends its own
/// peer, and everything further left is what a stranger sent. `Forwarded` (RFC 7239) is not read: a stranger who could
/// send either of the two headers past a proxy that sets only one could choose their address.
#[must_use]
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut known = peer.to_canonical();
    if !is_trusted(known) {
        return known;
    }
    let values: Vec<&[u8]> = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes).collect();
    for hop in values.into_iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        // A trusted proxy does not write what cannot be read: the address found so far counts.
        let Some(address) = std::str::from_utf8(hop).ok().and_then(read) else { break };
        known = address;
        if !is_trusted(known) {
            break;
        }
    }
    known
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn read(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    #[test]
    fn a_header_is_believed_as_far_as_trusted_proxies_wrote_it() {
        let trusted: [IpNet; 2] = ["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
        for (peer, headers, expected) in [
            // Nobody's proxy: what the header says is what anybody can say.
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("::ffff:192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            // One of ours.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("fd00::1", &["198.51.100.7"], "198.51.100.7"),
            // The client has sent one of its own, on the same line or on another.
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.7"], "198.51.100.7"),
            // Through two of ours.
            ("10.0.0.1", &["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9,198.51.100.7", "10.0.0.3 , 10.0.0.2"], "198.51.100.7"),
            // From inside.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Ports and brackets.
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &["2a00:1::7"], "2a00:1::7"),
            ("10.0.0.1", &["[2a00:1::7]"], "2a00:1::7"),
            ("10.0.0.1", &["[2a00:1::7]:4711"], "2a00:1::7"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            // Junk: what stands left of it is not believed either.
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, , 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7;x"], "10.0.0.1"),
            ("10.0.0.1", &["[198.51.100.7"], "10.0.0.1"),
            ("10.0.0.1", &["010.1.1.1"], "10.0.0.1"),
        ] {
            let mut map = HeaderMap::new();
            for value in headers {
                let name = HeaderName::from_static("x-forwarded-for");
                map.append(name, HeaderValue::from_static(value));
            }
            let expected: IpAddr = expected.parse().expect(expected);
            assert_eq!(resolve(peer.parse().expect(peer), &map, &trusted), expected, "{peer} {headers:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_stranger_sends_changes_nothing(sent in "[ -~]*", peer in proptest::num::u32::ANY) {
            let trusted: [IpNet; 1] = ["10.0.0.0/8".parse().expect("a network")];
            let peer = IpAddr::from(peer.to_be_bytes());
            let mut map = HeaderMap::new();
            let value = HeaderValue::from_str(&format!("{sent}, 198.51.100.7")).expect("a value");
            map.append(HeaderName::from_static("x-forwarded-for"), value);
            let expected = if trusted[0].contains(&peer) { IpAddr::from([198, 51, 100, 7]) } else { peer };
            proptest::prop_assert_eq!(resolve(peer, &map, &trusted), expected);
        }
    }
}
