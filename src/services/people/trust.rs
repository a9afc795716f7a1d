//! Trusted publishers: added and removed. The tokens that they present are verified in
//! [`crate::services::people::exchange_identity`].

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        id::{ProductId, TrustedPublisherId, UserId},
        line::Line,
        named_enum,
        page::Page,
        scope::Scope,
        slug::Slug,
        trusted_publisher::{self, TrustedPublisher},
    },
    services::{
        desk::{Code, Context, Faults, Refusal, Write, lookup},
        second_person::{self, Carried, Request},
    },
    store,
};

/// The scopes that a trusted publisher can have: those of publishing releases.
const SCOPES: [Scope; 3] = [Scope::ReleasesRead, Scope::ReleasesWrite, Scope::ReleasesPublish];

/// The maximum number of trusted publishers per product. All of them are compared with each presented token.
const MOST: i64 = 100;

named_enum! {
    /// A service whose identities have a form that is known.
    TrustPreset, "preset" {
        /// GitHub Actions.
        Github = "github",
        /// GitLab CI/CD.
        Gitlab = "gitlab",
    }
}

/// A workload that is to be trusted: by a preset, which makes claims of its fields, or by the claims themselves.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrustedPublisher {
    /// What staff call it; the project's name unless given.
    pub name: Option<Line>,
    /// What it may do: `releases:read`, `releases:write`, `releases:publish`.
    #[schema(min_items = 1, max_items = 3)]
    pub scopes: Vec<Scope>,
    /// The service that it runs on; without one, `issuer` and `claims` say it all.
    pub preset: Option<TrustPreset>,
    /// Who vouches for it, to the letter. With a preset: only where the service is your own.
    #[schema(max_length = 500, example = "https://token.actions.githubusercontent.com")]
    pub issuer: Option<String>,
    /// The audience that its tokens must be for; `server.public_url` unless given.
    pub audience: Option<Line>,
    /// Claims that its tokens must have, besides those of the preset. A value that names a Git reference may end with
    /// `*`.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// GitHub: `owner/name`, as GitHub writes it.
    #[schema(max_length = 200, example = "vendor/office-maker")]
    pub repository: Option<String>,
    /// GitHub: the name of the file in `.github/workflows`.
    #[schema(max_length = 200, example = "release.yml")]
    pub workflow: Option<String>,
    /// GitLab: the whole path of the project.
    #[schema(max_length = 200, example = "vendor/office-maker")]
    pub project_path: Option<String>,
    /// GitLab: whether the branch or tag must be a protected one.
    pub ref_protected: Option<bool>,
    /// Both: the environment of the job.
    #[schema(max_length = 255, example = "release")]
    pub environment: Option<String>,
    /// Both: the whole Git reference, such as `refs/heads/main`; `refs/tags/v*` stands for all that begin so.
    #[schema(max_length = 255, pattern = r"^refs/[^*]+\*?$", example = "refs/tags/v*")]
    pub r#ref: Option<String>,
}

/// How a preset turns its fields into claims.
struct Form {
    issuer: &'static str,
    /// The claim that contains the whole Git reference.
    reference: &'static str,
    /// Ids that outlive names. A project that is created anew under a released name has other ids.
    pins: [&'static str; 2],
}

impl Form {
    /// The ids that the claims do not name; they are pinned at the first exchange.
    fn pins_besides(&self, claims: &BTreeMap<String, String>) -> Vec<String> {
        self.pins.into_iter().filter(|pin| !claims.contains_key(*pin)).map(str::to_owned).collect()
    }
}

const GITHUB: Form = Form {
    issuer: "https://token.actions.githubusercontent.com",
    reference: "ref",
    pins: ["repository_id", "repository_owner_id"],
};

const GITLAB: Form = Form { issuer: "https://gitlab.com", reference: "ref_path", pins: ["project_id", "namespace_id"] };

/// The form of an issuer that signs tokens for everybody's projects.
fn shared(issuer: &str) -> Option<Form> {
    [GITHUB, GITLAB].into_iter().find(|form| form.issuer == issuer)
}

/// Whether a text is a valid path of names on these services.
fn is_path(text: &str, parts: std::ops::RangeInclusive<usize>) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name != "."
            && name != ".."
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    text.len() <= 200 && parts.contains(&text.split('/').count()) && text.split('/').all(is_name)
}

impl NewTrustedPublisher {
    /// The issuer, the claims and the pins of the publisher.
    fn expand(&self, faults: &mut Faults) -> (String, BTreeMap<String, String>, Vec<String>) {
        let mut claims = self.claims.clone();
        for (claim, value) in &claims {
            if let Some(fault) = trusted_publisher::fault(claim, value) {
                faults.add(&format!("claims.{claim}"), fault);
            }
        }
        let mut of_preset = BTreeMap::new();
        let form = match self.preset {
            None => None,
            Some(TrustPreset::Github) => {
                self.expand_github(&mut of_preset, faults);
                Some(GITHUB)
            }
            Some(TrustPreset::Gitlab) => {
                self.expand_gitlab(&mut of_preset, faults);
                Some(GITLAB)
            }
        };
        let Some(form) = form else {
            self.refuse(
                faults,
                "takes a preset",
                &["repository", "workflow", "project_path", "ref_protected", "environment", "ref"],
            );
            if self.claims.is_empty() {
                faults.add("claims", "must say who it is; an issuer alone vouches for everybody");
            }
            let issuer = self.issuer.clone().unwrap_or_default();
            let pins = shared(&issuer).map(|form| form.pins_besides(&claims)).unwrap_or_default();
            return (issuer, claims, pins);
        };
        if let Some(environment) = &self.environment {
            if let Some(fault) = trusted_publisher::fault("environment", environment) {
                faults.add("environment", fault);
            }
            of_preset.insert("environment".to_owned(), environment.clone());
        }
        if let Some(reference) = &self.r#ref {
            if !reference.starts_with("refs/") || trusted_publisher::fault(form.reference, reference).is_some() {
                faults.add("ref", "must be a whole Git reference, such as `refs/heads/main`; a `*` may end it");
            }
            of_preset.insert(form.reference.to_owned(), reference.clone());
        }
        for (claim, value) in of_preset {
            if claims.insert(claim.clone(), value).is_some() {
                faults.add(&format!("claims.{claim}"), "is made by the preset");
            }
        }
        let pins = form.pins_besides(&claims);
        (self.issuer.clone().unwrap_or_else(|| form.issuer.to_owned()), claims, pins)
    }

    fn expand_github(&self, claims: &mut BTreeMap<String, String>, faults: &mut Faults) {
        let repository = self.repository.clone().unwrap_or_default();
        let workflow = self.workflow.clone().unwrap_or_default();
        if !is_path(&repository, 2..=2) {
            faults.add("repository", "must be `owner/name`, as GitHub writes it");
        }
        if !is_path(&workflow, 1..=1) || !matches!(workflow.rsplit_once('.'), Some((_, "yml" | "yaml"))) {
            faults.add("workflow", "must be the name of a file in `.github/workflows`, such as `release.yml`");
        }
        self.refuse(faults, "is not of GitHub", &["project_path", "ref_protected"]);
        // With any reference; the field `ref` limits the reference.
        claims.insert("workflow_ref".to_owned(), format!("{repository}/.github/workflows/{workflow}@*"));
        claims.insert("repository".to_owned(), repository);
    }

    fn expand_gitlab(&self, claims: &mut BTreeMap<String, String>, faults: &mut Faults) {
        let path = self.project_path.clone().unwrap_or_default();
        if !is_path(&path, 2..=20) {
            faults.add("project_path", "must be the whole path of the project, such as `vendor/office-maker`");
        }
        self.refuse(faults, "is not of GitLab", &["repository", "workflow"]);
        claims.insert("project_path".to_owned(), path);
        if let Some(protected) = self.ref_protected {
            claims.insert("ref_protected".to_owned(), protected.to_string());
        }
    }

    /// Refuses fields that would be ignored.
    fn refuse(&self, faults: &mut Faults, why: &str, names: &[&str]) {
        let given = [
            ("repository", self.repository.is_some()),
            ("workflow", self.workflow.is_some()),
            ("project_path", self.project_path.is_some()),
            ("ref_protected", self.ref_protected.is_some()),
            ("environment", self.environment.is_some()),
            ("ref", self.r#ref.is_some()),
        ];
        for (name, _) in given.iter().filter(|(name, is_given)| *is_given && names.contains(name)) {
            faults.add(name, why);
        }
    }
}

/// Adds a trusted publisher; under the product's two-person rule, once a second person approves.
///
/// # Errors
/// `product_not_found`, `body_invalid`.
pub async fn trust(
    context: &Arc<Context>,
    slug: Slug,
    new: NewTrustedPublisher,
) -> Result<Carried<TrustedPublisher>, Refusal> {
    context
        .write(move |write| {
            let product = lookup::product(write.connection, &slug)?;
            let request = Request::about_trust(&product, &new)?;
            second_person::carry_out(write, &product, Some(request), |write| {
                let (id, by) = (write.new_id(), second_person::person_behind(write)?);
                trust_within(write, id, product.id, by, new)
            })
        })
        .await
}

/// Adds a trusted publisher under an id, within a write. `created_by` is the user who asked for it.
pub(in crate::services) fn trust_within(
    write: &mut Write<'_>,
    id: TrustedPublisherId,
    product: ProductId,
    created_by: Option<UserId>,
    new: NewTrustedPublisher,
) -> Result<TrustedPublisher, Refusal> {
    let mut faults = Faults::default();
    let (issuer, claims, pins) = new.expand(&mut faults);
    if let Some(objection) = write.context().issuers.objection(&issuer) {
        faults.add("issuer", objection);
    }
    if claims.len() > 20 {
        faults.add("claims", "must be at most 20");
    }
    if shared(&issuer).is_some() && !trusted_publisher::identifies(&claims) {
        faults.add("claims", "must say whose project it is: this issuer vouches for everybody's");
    }
    if new.scopes.is_empty() || new.scopes.iter().any(|scope| !SCOPES.contains(scope)) {
        let names = SCOPES.map(|scope| format!("`{scope}`")).join(", ");
        faults.add("scopes", format!("must name at least one of {names}, and no other"));
    }
    faults.finish()?;
    let of_project = || {
        let whose = claims.get("repository").or(claims.get("project_path")).unwrap_or(&issuer);
        whose.chars().take(200).collect()
    };
    let name = new.name.map_or_else(of_project, String::from);
    if store::trusted_publishers::count(write.connection, product)? >= MOST {
        let detail = format!("the product trusts {MOST} publishers, and no more are possible");
        return Err(Refusal::new(Code::Conflict, detail));
    }
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let publisher = TrustedPublisher {
        id,
        product,
        name,
        issuer,
        audience: new.audience.map(String::from),
        claims,
        pins,
        scopes,
        created_at: write.now,
        created_by,
        last_used_at: None,
    };
    store::trusted_publishers::insert(write.connection, &publisher)?;
    write.made("trusted_publisher.add", &publisher)?;
    Ok(publisher)
}

/// Removes a trusted publisher. One person suffices, as for every change that makes things safer. The API tokens that
/// the publisher received are invalid from then on.
///
/// # Errors
/// `product_not_found`, `trusted_publisher_not_found`.
pub async fn distrust(context: &Arc<Context>, product: Slug, id: TrustedPublisherId) -> Result<(), Refusal> {
    context
        .write(move |write| {
            let publisher = find(write.connection, &product, id)?;
            store::api_tokens::delete_of_publisher(write.connection, id)?;
            store::trusted_publishers::delete(write.connection, id)?;
            write.removed("trusted_publisher.delete", &publisher)?;
            Ok(())
        })
        .await
}

fn find(
    connection: &mut store::Connection,
    product: &Slug,
    id: TrustedPublisherId,
) -> Result<TrustedPublisher, Refusal> {
    let owner = lookup::product(connection, product)?.id;
    let publisher = store::trusted_publishers::get(connection, id)?.filter(|publisher| publisher.product == owner);
    publisher.ok_or_else(|| {
        Refusal::new(Code::TrustedPublisherNotFound, format!("`{product}` has no trusted publisher {id}"))
    })
}

/// A page of a product's trusted publishers.
///
/// # Errors
/// `product_not_found`.
pub async fn list(
    context: &Arc<Context>,
    product: Slug,
    page: Page<TrustedPublisherId>,
) -> Result<Vec<TrustedPublisher>, Refusal> {
    let owner = lookup::product_entry(context, &product)?.product.id;
    context.read(move |connection| Ok(store::trusted_publishers::page(connection, owner, page)?)).await
}

/// A trusted publisher of this product.
///
/// # Errors
/// `product_not_found`, `trusted_publisher_not_found`.
pub async fn get(context: &Arc<Context>, product: Slug, id: TrustedPublisherId) -> Result<TrustedPublisher, Refusal> {
    context.read(move |connection| find(connection, &product, id)).await
}
