//! Sessions: short-lived JWTs (RFC 7519), signed with HMAC-SHA-256 under the key ring's session secrets.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::id::UserId;

const ISSUER: &str = "sluice";

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub sub: UserId,
    /// The login that the session belongs to. A logout ends all of its sessions.
    pub family: Uuid,
    iss: String,
    iat: i64,
    exp: i64,
}

impl Session {
    /// A session from `now` until `expires_at`.
    #[must_use]
    pub fn new(user: UserId, family: Uuid, now: Timestamp, expires_at: Timestamp) -> Self {
        Self { sub: user, family, iss: ISSUER.to_owned(), iat: now.as_second(), exp: expires_at.as_second() }
    }
}

/// Signs and verifies access tokens.
pub struct Sessions {
    keys: Vec<(String, EncodingKey, DecodingKey)>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sessions")
    }
}

impl Sessions {
    /// Uses these secrets with their ids; the first signs. An empty secret signs and verifies nothing.
    pub fn new<'a>(secrets: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let key = |(id, secret): (&str, &[u8])| {
            let (encoding, decoding) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
            Some((id.to_owned(), encoding.ok()?, decoding.ok()?))
        };
        Self { keys: secrets.filter_map(key).collect() }
    }

    /// The access token of a session.
    #[must_use]
    pub fn sign(&self, session: &Session) -> Option<String> {
        let (id, key, _) = self.keys.first()?;
        let header = Header { kid: Some(id.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, session, key).ok()
    }

    /// The session of an access token; `None` if the token is invalid or has expired.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<Session> {
        let wanted = decode_header(token).ok()?.kid?;
        let (_, _, key) = self.keys.iter().find(|(id, ..)| *id == wanted)?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        // The time is checked below, with the clock that was passed in.
        rules.validate_exp = false;
        let session = decode::<Session>(token, key, &rules).ok()?.claims;
        (session.exp > now.as_second()).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_until_its_time_and_only_under_its_own_secret() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let ours = Sessions::new([("a", b"0123456789abcdef0123456789abcdef".as_slice())].into_iter());
        let theirs = Sessions::new([("a", b"another secret another secret 12".as_slice())].into_iter());
        let session = Session::new(UserId(Uuid::nil()), Uuid::nil(), at(0), at(900));
        let token = ours.sign(&session).expect("a token");
        assert_eq!(ours.read(&token, at(899)), Some(session));
        assert_eq!(ours.read(&token, at(900)), None);
        assert_eq!(theirs.read(&token, at(0)), None);
        assert_eq!(ours.read("eyJhbGciOiJub25lIn0.e30.", at(0)), None);
    }
}
