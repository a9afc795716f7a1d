//! A pipeline of GitHub Actions, whose identities come from an issuer of the tests' own.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Actor as _, Answer, Ci, Vendor,
    issuer::{Issuer, SigningKey},
};

/// The address of the server as the pipeline knows it.
pub const AUDIENCE: &str = "http://updates.vendor.example";

/// The pipeline, and who vouches for it.
pub struct Pipeline {
    pub issuer: Issuer,
    pub key: SigningKey,
}

impl Pipeline {
    pub fn start() -> Self {
        let key = SigningKey::rsa("first");
        Self { issuer: Issuer::start(&[&key]), key }
    }

    /// What has a product trust it, with other fields.
    pub fn publisher(&self, fields: &Value) -> Value {
        let mut new = json!({"preset": "github", "issuer": self.issuer.url(), "repository": "vendor/app",
            "workflow": "release.yml", "scopes": ["releases:write", "releases:publish"]});
        for (name, value) in fields.as_object().expect("fields") {
            new[name] = value.clone();
        }
        new.as_object_mut().expect("fields").retain(|_, value| !value.is_null());
        new
    }

    /// Has a product trust it.
    #[track_caller]
    pub fn trusted(&self, vendor: &Vendor, product: &str, fields: &Value) -> Value {
        let path = format!("/api/v1/products/{product}/trusted-publishers");
        vendor.admin.post(&path).json(&self.publisher(fields)).send().created()
    }

    /// What its identity says for a release of a tag.
    pub fn claims(&self) -> Value {
        self.claims_at(Timestamp::now())
    }

    /// The same by another clock.
    pub fn claims_at(&self, now: Timestamp) -> Value {
        let mut claims = self.issuer.claims_at(AUDIENCE, now);
        for (name, value) in [
            ("repository", "vendor/app"),
            ("repository_id", "74"),
            ("repository_owner_id", "65"),
            ("workflow_ref", "vendor/app/.github/workflows/release.yml@refs/tags/v1.0.0"),
            ("ref", "refs/tags/v1.0.0"),
            ("environment", "release"),
            ("sha", "a1b2c3"),
            ("run_id", "1234"),
            ("actor", "anna"),
        ] {
            claims[name] = json!(value);
        }
        claims
    }

    /// The identity token of a job.
    pub fn identity(&self) -> String {
        self.key.token(&self.claims())
    }

    /// The same, with claims that differ; `null` takes one away.
    pub fn identity_with(&self, fields: &Value) -> String {
        let mut claims = self.claims();
        for (name, value) in fields.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        self.key.token(&claims)
    }
}

/// Exchanges an identity token at a server.
pub fn exchange(vendor: &Vendor, token: &str, product: Option<&str>) -> Answer {
    let body = match product {
        Some(product) => json!({"token": token, "product": product}),
        None => json!({"token": token}),
    };
    vendor.anonymous().post("/api/v1/auth/oidc/exchange").json(&body).send()
}

/// A pipeline with the API token that an exchange gave.
pub fn ci(vendor: &Vendor, exchanged: &Value) -> Ci {
    let token = exchanged["token"].as_str().expect("a token");
    Ci(vendor.anonymous().0.with(format!("Bearer {token}")))
}
