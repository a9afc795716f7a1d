//! Trusted publishers: workloads of others' pipelines that may release a product, known by what their identity says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    id::{ProductId, TrustedPublisherId, UserId},
    scope::Scope,
};

/// Claims that say who a workload is, not what it does just now. Only whoever has all of these that a publisher is known by is
/// told what else it must be.
const IDENTIFYING: [&str; 5] = ["repository", "repository_id", "project_path", "project_id", "sub"];

/// Claims whose value may end with a `*`: those that name a Git reference, and for the ones that name a file at a reference
/// the part after the `@`.
const REFERENCES: [&str; 5] = ["ref", "ref_path", "workflow_ref", "job_workflow_ref", "ci_config_ref_uri"];

/// Claims that are looked at when a token is verified.
const REGISTERED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// A workload that a product trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedPublisher {
    /// Its id.
    pub id: TrustedPublisherId,
    /// The product that it may release.
    pub product: ProductId,
    /// What staff call it.
    pub name: String,
    /// Who vouches for it.
    pub issuer: String,
    /// Whom its tokens must be for; `None`: this server.
    pub audience: Option<String>,
    /// What its tokens must say: the value to the letter, or its beginning where a `*` ends it.
    pub claims: BTreeMap<String, String>,
    /// Claims whose value is taken over from the first token that fits.
    pub pins: Vec<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// The person who had it trusted; `None` where that was nobody.
    pub created_by: Option<UserId>,
    /// When it last came.
    pub last_used_at: Option<Timestamp>,
}

/// A claim that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which.
    pub claim: String,
    /// As it must be.
    pub expected: String,
    /// As it is.
    pub found: Option<String>,
}

/// What is wrong with a claim that a publisher is to be known by, if anything is.
#[must_use]
pub fn fault(claim: &str, value: &str) -> Option<&'static str> {
    let is_text = |text: &str, longest| (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control);
    if REGISTERED.contains(&claim) {
        return Some("is looked at anyway; `issuer` and `audience` are fields of their own");
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

/// Whether claims say who a workload is.
#[must_use]
pub fn identifies(claims: &BTreeMap<String, String>) -> bool {
    claims.keys().any(|claim| IDENTIFYING.contains(&claim.as_str()))
}

/// A claim as text: only what is one value has one.
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
    /// What of a token's claims is not as it must be; nothing: this is the workload.
    #[must_use]
    pub fn mismatches(&self, claims: &Map<String, Value>) -> Vec<Mismatch> {
        let wrong = self.claims.iter().filter_map(|(claim, expected)| {
            let found = text(claims, claim);
            let is_right = found.as_ref().is_some_and(|found| fits(expected, found));
            (!is_right).then(|| Mismatch { claim: claim.clone(), expected: expected.clone(), found })
        });
        wrong.collect()
    }

    /// Whether the token is of the same project, whatever it does there just now.
    #[must_use]
    pub fn knows(&self, claims: &Map<String, Value>) -> bool {
        let others = self.mismatches(claims);
        identifies(&self.claims) && others.iter().all(|mismatch| !IDENTIFYING.contains(&mismatch.claim.as_str()))
    }

    /// Takes over what is to be taken over from the first token.
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
