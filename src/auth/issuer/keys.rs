//! The public keys of an issuer (RFC 7517), and the algorithms that each may be used with.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// The most keys that are read. No known issuer publishes as many.
const MOST_KEYS: usize = 100;

const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// A published key set.
#[derive(Debug, Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Value>,
}

/// A key that verifies signatures.
#[derive(Debug)]
pub(super) struct VerificationKey {
    /// The `kid`.
    pub id: Option<String>,
    /// The algorithms of its type, or the one that the issuer names.
    pub algorithms: Vec<Algorithm>,
    pub key: DecodingKey,
}

impl KeySet {
    /// The public keys for signatures. Other keys are ignored.
    pub(super) fn into_keys(self) -> Vec<VerificationKey> {
        self.keys.into_iter().take(MOST_KEYS).filter_map(verification_key).collect()
    }
}

fn verification_key(key: Value) -> Option<VerificationKey> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature)
        || jwk.common.key_operations.as_ref().is_some_and(|can| !can.contains(&KeyOperations::Verify))
    {
        return None;
    }
    let possible = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => RSA,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        // A published symmetric key is not secret.
        _ => return None,
    };
    let said = jwk.common.key_algorithm;
    let algorithms: Vec<Algorithm> = possible
        .iter()
        .copied()
        .filter(|algorithm| said.is_none_or(|said| said == KeyAlgorithm::from(*algorithm)))
        .collect();
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    (!algorithms.is_empty()).then_some(VerificationKey { id: jwk.common.key_id, algorithms, key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_used_for_what_they_are_made_for_only() {
        let algorithms = |key: Value| verification_key(key).map(|key| key.algorithms);
        let rsa = |more: Value| {
            let mut key = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"});
            let more = more.as_object().expect("an object").clone();
            key.as_object_mut().expect("an object").extend(more);
            key
        };
        assert_eq!(algorithms(rsa(json!({}))), Some(RSA.to_vec()));
        assert_eq!(algorithms(rsa(json!({"alg": "RS256", "use": "sig"}))), Some(vec![Algorithm::RS256]));
        assert_eq!(algorithms(rsa(json!({"key_ops": ["verify"]}))), Some(RSA.to_vec()));
        for other in [
            json!({"use": "enc"}),
            json!({"alg": "RSA-OAEP"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES256"}),
            json!({"alg": "XYZ"}),
            json!({"key_ops": ["encrypt"]}),
            json!({"n": "*"}),
        ] {
            assert_eq!(algorithms(rsa(other.clone())), None, "{other}");
        }
        let curve = |kind: &str, curve: &str| json!({"kty": kind, "crv": curve, "x": "AQAB", "y": "AQAB"});
        assert_eq!(algorithms(curve("EC", "P-256")), Some(vec![Algorithm::ES256]));
        assert_eq!(algorithms(curve("EC", "P-384")), Some(vec![Algorithm::ES384]));
        assert_eq!(algorithms(curve("OKP", "Ed25519")), Some(vec![Algorithm::EdDSA]));
        for other in
            [curve("EC", "P-521"), curve("EC", "secp256k1"), curve("OKP", "X25519"), json!({"kty": "oct", "k": "AQAB"})]
        {
            assert_eq!(algorithms(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn a_key_that_nobody_knows_does_not_spoil_the_others() {
        let set: KeySet = serde_json::from_value(json!({"keys": [
            {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB"}, 7, {"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}
        ]}))
        .expect("a set");
        let keys = set.into_keys();
        assert_eq!(keys.iter().map(|key| key.id.as_deref()).collect::<Vec<_>>(), [Some("a")]);
    }
}
