//! One token: its header, its signature and its claims.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    error::{Expected, LONGEST, VerifyError},
    keys::VerificationKey,
};

/// The claims of a token.
pub type Claims = Map<String, Value>;

/// How far two clocks may differ, in seconds.
const LEEWAY: f64 = 30.0;

/// The accepted algorithms: public keys only. `none` and HMACs are not accepted; anyone could sign with a public key as
/// the secret.
const ACCEPTED: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The header (RFC 7515). Keys in it (`jwk`, `jku`, `x5c`) are ignored.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that has not been verified.
pub(super) struct Presented<'t> {
    text: &'t str,
    algorithm: (&'static str, Algorithm),
    key: Option<String>,
    issuer: String,
}

/// The claims of a token, not verified. They may be repeated to the sender; nothing else may depend on them.
#[must_use]
pub fn unverified(token: &str) -> Option<Claims> {
    let (_, payload) = parts(token).ok()?;
    part(payload)
}

/// An issuer's text cut to a length worth repeating, without control characters.
#[must_use]
pub fn repeatable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// The `iss` that the token claims, not verified, to find the issuer to ask. `None` if this is not a token.
#[must_use]
pub fn claimed_issuer(token: &str) -> Option<String> {
    match unverified(token)?.remove("iss")? {
        Value::String(issuer) => Some(issuer),
        _ => None,
    }
}

/// Splits the token into header and payload.
fn parts(token: &str) -> Result<(&str, &str), VerifyError> {
    if token.len() > LONGEST {
        return Err(VerifyError::TooLong);
    }
    match token.split('.').collect::<Vec<_>>().as_slice() {
        [header, payload, _] => Ok((header, payload)),
        _ => Err(VerifyError::Malformed),
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

impl<'t> Presented<'t> {
    /// Reads the header and the claimed issuer.
    pub(super) fn read(text: &'t str) -> Result<Self, VerifyError> {
        let (header, _) = parts(text)?;
        let header: Header = part(header).ok_or(VerifyError::Malformed)?;
        let algorithm = ACCEPTED.into_iter().find(|(name, _)| *name == header.alg);
        let algorithm = algorithm.ok_or_else(|| VerifyError::Algorithm(repeatable(&header.alg)))?;
        if header.crit.is_some() {
            return Err(VerifyError::Critical);
        }
        if let Some(other) = header.typ.filter(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(VerifyError::Type(repeatable(&other)));
        }
        let issuer = claimed_issuer(text).ok_or(VerifyError::Claim("iss"))?;
        Ok(Self { text, algorithm, key: header.kid, issuer })
    }

    pub(super) fn check_issuer(&self, expected: Expected<'_>) -> Result<(), VerifyError> {
        match self.issuer == expected.issuer {
            true => Ok(()),
            false => Err(VerifyError::Issuer { expected: expected.issuer.to_owned(), found: repeatable(&self.issuer) }),
        }
    }

    /// The keys that the token can have been signed with.
    fn fitting<'k>(&self, keys: &'k [VerificationKey]) -> impl Iterator<Item = &'k VerificationKey> {
        let (_, algorithm) = self.algorithm;
        keys.iter()
            .filter(move |key| key.algorithms.contains(&algorithm))
            .filter(move |key| self.key.is_none() || key.id == self.key)
    }

    pub(super) fn key_is_among(&self, keys: &[VerificationKey]) -> bool {
        self.fitting(keys).next().is_some()
    }

    /// The claims, if one of these keys signed them and they are valid now.
    pub(super) fn verify(
        &self,
        keys: &[VerificationKey],
        expected: Expected<'_>,
        now: Timestamp,
    ) -> Result<Claims, VerifyError> {
        let (name, algorithm) = self.algorithm;
        let fitting: Vec<_> = self.fitting(keys).collect();
        if fitting.is_empty() {
            return Err(VerifyError::UnknownKey {
                issuer: expected.issuer.to_owned(),
                key: repeatable(self.key.as_deref().unwrap_or_default()),
                algorithm: name.to_owned(),
            });
        }
        if self.key.is_none() && fitting.len() > 1 {
            return Err(VerifyError::KeyNotNamed(expected.issuer.to_owned()));
        }
        // The claims are checked below, with the clock that was passed in.
        let mut signature_only = Validation::new(algorithm);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let claims = fitting.iter().find_map(|key| decode::<Claims>(self.text, &key.key, &signature_only).ok());
        let claims = claims.ok_or(VerifyError::Signature)?.claims;
        check(&claims, expected, now)?;
        Ok(claims)
    }
}

/// Checks the registered claims (RFC 7519, section 4.1).
fn check(claims: &Claims, expected: Expected<'_>, now: Timestamp) -> Result<(), VerifyError> {
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or(VerifyError::Claim("iss"))?;
    if issuer != expected.issuer {
        return Err(VerifyError::Issuer { expected: expected.issuer.to_owned(), found: repeatable(issuer) });
    }
    let audience = claims.get("aud").ok_or(VerifyError::Claim("aud"))?;
    if !is_for(claims, audience, expected.audience) {
        let found = repeatable(&audience.to_string());
        return Err(VerifyError::Audience { expected: expected.audience.to_owned(), found });
    }
    let now = now.as_duration().as_secs_f64();
    let second = |name| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(VerifyError::Claim(name)),
    };
    if now >= second("exp")?.ok_or(VerifyError::Claim("exp"))? + LEEWAY {
        return Err(VerifyError::Expired);
    }
    if now < second("nbf")?.unwrap_or(0.0) - LEEWAY {
        return Err(VerifyError::NotYet);
    }
    if now < second("iat")?.ok_or(VerifyError::Claim("iat"))? - LEEWAY {
        return Err(VerifyError::FromTheFuture);
    }
    Ok(())
}

/// Whether a token is for this audience alone. Any other audience could have passed the token on, unless it says that
/// it was issued to us (`azp`; `OpenID` Connect Core 1.0, section 3.1.3.7).
fn is_for(claims: &Claims, audience: &Value, expected: &str) -> bool {
    match audience {
        Value::String(audience) => audience == expected,
        Value::Array(audiences) => match audiences.as_slice() {
            [audience] => audience == expected,
            several => {
                several.iter().any(|audience| audience == expected)
                    && claims.get("azp").is_some_and(|party| party == expected)
            }
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(change: &Value) -> Result<(), VerifyError> {
        let mut claims = json!({"iss": "https://a", "aud": "https://us", "exp": 1300, "iat": 1000, "nbf": 1000});
        let claims = claims.as_object_mut().expect("an object");
        claims.extend(change.as_object().expect("an object").clone());
        claims.retain(|_, value| !value.is_null());
        let expected = Expected { issuer: "https://a", audience: "https://us" };
        check(claims, expected, Timestamp::from_second(1100).expect("a time"))
    }

    #[test]
    fn a_token_is_good_for_us_and_for_its_time() {
        for good in [
            json!({}),
            json!({"aud": ["https://us"]}),
            json!({"aud": ["https://them", "https://us"], "azp": "https://us"}),
            json!({"nbf": null}),
            json!({"exp": 1070.5}),
            json!({"nbf": 1130, "iat": 1130}),
        ] {
            assert_eq!(checked(&good), Ok(()), "{good}");
        }
        let audience =
            |found: &str| VerifyError::Audience { expected: "https://us".to_owned(), found: found.to_owned() };
        for (bad, error) in [
            (json!({"iss": null}), VerifyError::Claim("iss")),
            (json!({"iss": ["https://a"]}), VerifyError::Claim("iss")),
            (
                json!({"iss": "https://a/"}),
                VerifyError::Issuer { expected: "https://a".to_owned(), found: "https://a/".to_owned() },
            ),
            (json!({"aud": null}), VerifyError::Claim("aud")),
            (json!({"aud": "https://us/"}), audience("\"https://us/\"")),
            (json!({"aud": []}), audience("[]")),
            (json!({"aud": {"https://us": 1}}), audience("{\"https://us\":1}")),
            (json!({"aud": ["https://us", "https://them"]}), audience("[\"https://us\",\"https://them\"]")),
            (
                json!({"aud": ["https://us", "https://them"], "azp": "https://them"}),
                audience("[\"https://us\",\"https://them\"]"),
            ),
            (json!({"exp": null}), VerifyError::Claim("exp")),
            (json!({"exp": "1300"}), VerifyError::Claim("exp")),
            (json!({"exp": 1070}), VerifyError::Expired),
            (json!({"nbf": 1131}), VerifyError::NotYet),
            (json!({"iat": null}), VerifyError::Claim("iat")),
            (json!({"iat": 1131}), VerifyError::FromTheFuture),
        ] {
            assert_eq!(checked(&bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn what_is_no_token_is_of_nobody() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"iss": "https://a"}"#);
        assert_eq!(claimed_issuer(&format!("e30.{payload}.")), Some("https://a".to_owned()));
        for bad in ["", "..", "e30.e30.", &format!("e30.{payload}"), &format!("e30.{payload}.a.b"), "e30.W10.a"] {
            assert_eq!(claimed_issuer(bad), None, "{bad}");
        }
        assert_eq!(claimed_issuer(&format!("e30.{payload}.{}", "a".repeat(LONGEST))), None);
    }
}
