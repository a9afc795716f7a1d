//! Trusted publishers: pipelines of other systems that may release a product, identified by the claims of their tokens.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    id::{ProductId, TrustedPublisherId, UserId},
    scope::Scope,
};

/// Claims that identify a workload, rather than its current job. Only a token with all of these that a publisher
/// requires is told which other claims are wrong.
const IDENTIFYING: [&str; 5] = ["repository", "repository_id", "project_path", "project_id", "sub"];

/// Claims whose value may end with `*`: those with a Git reference, and the part after `@` of those with a file at a
/// reference.
const REFERENCES: [&str; 5] = ["ref", "ref_path", "workflow_ref", "job_workflow_ref", "ci_config_ref_uri"];

/// Claims that are checked when a token is verified.
const REGISTERED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// A workload that a product trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedPublisher {
    pub id: TrustedPublisherId,
    pub product: ProductId,
    pub name: String,
    pub issuer: String,
    /// The required audience; `None` for this server.
    pub audience: Option<String>,
    /// The required claims: the exact value, or its beginning if it ends with `*`.
    pub claims: BTreeMap<String, String>,
    /// Claims whose value is taken from the first matching token.
    pub pins: Vec<String>,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    /// The user who added it; `None` for the command line.
    pub created_by: Option<UserId>,
    pub last_used_at: Option<Timestamp>,
}

/// A claim with the wrong value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub claim: String,
    pub expected: String,
    pub found: Option<String>,
}

/// What is wrong with a required claim, if anything.
#[must_use]
pub fn fault(claim: &str, value: &str) -> Option<&'static str> {
    let is_text = |text: &str, longest| (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control);
    if REGISTERED.contains(&claim) {
        return Some("is checked already; use the fields `issuer` and `audience`");
    }
    if !is_text(claim, 100) || !is_text(value, 500) {
        return Some("must be 1 to 500 characters without control characters, with a name of 1 to 100");
    }
    let (beginning, rest) = value.split_once('*')?;
    let is_open = match claim {
        "ref" | "ref_path" => !beginning.is_empty(),
        _ => REFERENCES.contains(&claim) && beginning.contains('@'),
    };
    (!rest.is_empty() || !is_open).then_some(
        "may have a `*` at its end only, and only where it names a Git reference: `ref`, `ref_path`, and after the `@` of \
         `workflow_ref`, `job_workflow_ref` and `ci_config_ref_uri`",
    )
}

/// Whether claims identify a workload.
#[must_use]
pub fn identifies(claims: &BTreeMap<String, String>) -> bool {
    claims.keys().any(|claim| IDENTIFYING.contains(&claim.as_str()))
}

/// A claim as text; `None` for objects and lists.
#[must_use]
pub fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    match claims.get(name)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Bool(_) | Value::Number(_)) => Some(value.to_string()),
        _ => None,
    }
}

fn fits(expected: &str, found: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(beginning) => found.starts_with(beginning),
        None => found == expected,
    }
}

impl TrustedPublisher {
    /// The claims that do not match. If there are none, the token is from this workload.
    #[must_use]
    pub fn mismatches(&self, claims: &Map<String, Value>) -> Vec<Mismatch> {
        let wrong = self.claims.iter().filter_map(|(claim, expected)| {
            let found = text(claims, claim);
            let is_right = found.as_ref().is_some_and(|found| fits(expected, found));
            (!is_right).then(|| Mismatch { claim: claim.clone(), expected: expected.clone(), found })
        });
        wrong.collect()
    }

    /// Whether the token is from the same project, whatever its job.
    #[must_use]
    pub fn knows(&self, claims: &Map<String, Value>) -> bool {
        let others = self.mismatches(claims);
        identifies(&self.claims) && others.iter().all(|mismatch| !IDENTIFYING.contains(&mismatch.claim.as_str()))
    }

    /// Takes over pinned claims from the first token.
    pub fn pin(&mut self, claims: &Map<String, Value>) {
        for name in std::mem::take(&mut self.pins) {
            match text(claims, &name) {
                Some(value) => drop(self.claims.insert(name, value)),
                None => self.pins.push(name),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn publisher(claims: &[(&str, &str)]) -> TrustedPublisher {
        TrustedPublisher {
            id: TrustedPublisherId(Uuid::nil()),
            product: ProductId(Uuid::nil()),
            name: "pipeline".to_owned(),
            issuer: "https://issuer.example".to_owned(),
            audience: None,
            claims: claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            pins: vec!["repository_id".to_owned()],
            scopes: vec![Scope::ReleasesWrite],
            created_at: Timestamp::UNIX_EPOCH,
            created_by: None,
            last_used_at: None,
        }
    }

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_workload_is_known_by_all_of_its_claims_to_the_letter() {
        let publisher = publisher(&[("repository", "vendor/app"), ("ref", "refs/tags/v*"), ("ref_protected", "true")]);
        let wrong = |found: Value| -> Vec<String> {
            publisher.mismatches(&claims(&found)).into_iter().map(|mismatch| mismatch.claim).collect()
        };
        let good = json!({"repository": "vendor/app", "ref": "refs/tags/v1.0", "ref_protected": true, "more": 1});
        assert!(wrong(good).is_empty());
        assert_eq!(wrong(json!({})), ["ref", "ref_protected", "repository"]);
        for other in ["vendor/app2", "Vendor/app", "x/vendor/app", "", "vendor/app*"] {
            let found = json!({"repository": other, "ref": "refs/tags/v", "ref_protected": "true"});
            assert_eq!(wrong(found), ["repository"], "{other}");
        }
        let listed = json!({"repository": ["vendor/app"], "ref": "refs/heads/v1", "ref_protected": "true"});
        assert_eq!(wrong(listed), ["ref", "repository"]);
    }

    #[test]
    fn what_it_must_be_is_told_to_the_same_project_only() {
        let known = publisher(&[("repository", "vendor/app"), ("repository_id", "7"), ("environment", "release")]);
        assert!(known.knows(&claims(&json!({"repository": "vendor/app", "repository_id": "7"}))));
        assert!(!known.knows(&claims(&json!({"repository": "vendor/app", "repository_id": "8"}))));
        assert!(!publisher(&[("pipeline", "7")]).knows(&claims(&json!({"pipeline": "7"}))));
    }

    #[test]
    fn what_is_pinned_is_asked_for_from_then_on() {
        let mut publisher = publisher(&[("repository", "vendor/app")]);
        publisher.pin(&claims(&json!({"repository": "vendor/app"})));
        assert_eq!(publisher.pins, ["repository_id"]);
        publisher.pin(&claims(&json!({"repository": "vendor/app", "repository_id": "7"})));
        assert!(publisher.pins.is_empty());
        let again = claims(&json!({"repository": "vendor/app", "repository_id": "8"}));
        assert_eq!(publisher.mismatches(&again).len(), 1);
    }

    #[test]
    fn open_ends_are_for_references_only() {
        for (claim, value) in [
            ("ref", "refs/tags/v*"),
            ("ref_path", "refs/heads/*"),
            ("workflow_ref", "vendor/app/.github/workflows/release.yml@*"),
            ("repository", "vendor/app"),
        ] {
            assert_eq!(fault(claim, value), None, "{claim}: {value}");
        }
        for (claim, value) in [
            ("ref", "*"),
            ("ref", "refs/*/v1"),
            ("ref", "refs/tags/**"),
            ("repository", "vendor/*"),
            ("sub", "repo:vendor/app:*"),
            ("workflow_ref", "vendor/*"),
            ("environment", "*"),
            ("iss", "https://issuer.example"),
            ("aud", "us"),
            ("repository", ""),
            ("", "a"),
            ("repository", "a\nb"),
        ] {
            assert!(fault(claim, value).is_some(), "{claim}: {value}");
        }
    }
}
