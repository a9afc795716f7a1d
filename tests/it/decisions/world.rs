//! A world in which a decision is made: the catalogue, the one who asks, and the moment.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::Deserialize;
use sluice::domain::{
    artifact::{Artifact, ArtifactKind, Sha256},
    channel::Channels,
    decision::{
        decide,
        facts::{Check, Entitlement, Facts, Slot},
        report::Decision,
    },
    hosting_group::{Day, HostingGroup, Window},
    id::{ArtifactId, HostingGroupId, ProductId, ReleaseId, SubscriptionId},
    platform::Arch,
    product::{ExpiryPolicy, Product},
    release::{Access, Release, ReleaseState, Severity},
    rollout::{Percent, Plan, Rollout, RolloutState},
    slug::Slug,
    stop::Stop,
    subscription::{Coverage, Deployment, SubscriptionState},
    version::{Requirement, Version},
    zone::Zone,
};
use uuid::Uuid;

/// All that a decision depends on, owned.
#[derive(Clone)]
pub struct World {
    pub now: Timestamp,
    pub product: Product,
    /// In ascending order of their versions.
    pub releases: Vec<Arc<Release>>,
    pub stops: Vec<Stop>,
    pub check: Check,
    pub asker: Asker,
    pub slot: Slot,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Asker {
    Nobody,
    OtherProduct,
    Subscriber(Box<Coverage>, Option<HostingGroup>),
}

impl World {
    /// The same, as the decision takes it.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            product: &self.product,
            releases: &self.releases,
            stops: &self.stops,
            check: &self.check,
            channel: self.channel(),
            entitlement: match &self.asker {
                Asker::Nobody => Entitlement::Nobody,
                Asker::OtherProduct => Entitlement::OtherProduct,
                Asker::Subscriber(coverage, group) => Entitlement::Subscriber(coverage, group.as_ref()),
            },
            slot: self.slot,
        }
    }

    /// The channel that is asked on.
    pub fn channel(&self) -> &Slug {
        self.check.channel.as_ref().expect("the check of a world names its channel")
    }

    /// What is decided here.
    pub fn decide(&self) -> Decision<'_> {
        decide(&self.facts())
    }

    /// The release of a version.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases.iter().map(AsRef::as_ref).find(|release| release.version == *version)
    }

    /// The coverage of the one who asks.
    pub fn coverage(&self) -> Option<&Coverage> {
        match &self.asker {
            Asker::Subscriber(coverage, _) => Some(coverage),
            Asker::Nobody | Asker::OtherProduct => None,
        }
    }

    /// Reads a world from TOML that says everything `defaults.toml` says.
    pub fn read(table: toml::Table) -> Result<Self, String> {
        let written: Written = table.try_into().map_err(|error| error.to_string())?;
        written.build()
    }
}

/// One line per thing, so that a counter-example can be read.
impl fmt::Debug for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Product { channels, expiry_policy, min_supported_version, timezone, .. } = &self.product;
        writeln!(out, "\nnow {} · {} · {expiry_policy} · {timezone}", self.now, channels.listed())?;
        if let Some(version) = min_supported_version {
            writeln!(out, "supported from {version}")?;
        }
        for release in &self.releases {
            let Release { version, channel, state, severity, access, rollout, .. } = &**release;
            write!(
                out,
                "release {version} {channel} {state} {severity} {access} {}% {}",
                rollout.percent, rollout.state
            )?;
            if let Some(at) = release.published_at {
                write!(out, " at {at}")?;
            }
            if let Some(version) = &release.min_from {
                write!(out, " from {version}")?;
            }
            if let Some(requirement) = &release.compatible_clients {
                write!(out, " clients {requirement}")?;
            }
            writeln!(out, " id {} {:?}", release.id, release.artifacts.iter().map(name).collect::<Vec<_>>())?;
        }
        for stop in &self.stops {
            writeln!(out, "stop on {:?}", stop.channel)?;
        }
        match &self.asker {
            Asker::Subscriber(coverage, group) => writeln!(out, "asker {coverage:?}\ngroup {group:?}")?,
            other => writeln!(out, "asker {other:?}")?,
        }
        writeln!(out, "check {:?}\nslot {:?}", self.check, self.slot)
    }
}

/// How a table names an artifact: `server/windows/x86_64/installer`.
pub fn name(artifact: &Artifact) -> String {
    format!("{}/{}/{}/{}", artifact.component, artifact.platform, artifact.arch, artifact.kind)
}

/// Reads such a name; an installer where no kind is given.
pub fn artifact(name: &str, number: u128) -> Result<Artifact, String> {
    let mut parts = name.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let wrong = |error: sluice::domain::InvalidValue| format!("the file `{name}`: {error}");
    let (component, platform, arch) = (next(), next(), next());
    let kind = match next() {
        "" => ArtifactKind::Installer,
        kind => kind.parse().map_err(wrong)?,
    };
    Ok(Artifact {
        store: sluice::domain::artifact::ContentStore::Files,
        id: ArtifactId(Uuid::from_u128(number)),
        component: component.parse().map_err(wrong)?,
        platform: platform.parse().map_err(wrong)?,
        arch: arch.parse::<Arch>().map_err(wrong)?,
        kind,
        filename: format!("{number}.bin").parse().map_err(wrong)?,
        size: 1,
        sha256: Sha256([0; 32]),
        signature: None,
    })
}

/// An ordinary product.
pub fn product(channels: Vec<Slug>) -> Result<Product, String> {
    Ok(Product {
        id: ProductId(Uuid::from_u128(1)),
        slug: "office-maker".parse().map_err(text)?,
        name: "Office Maker".parse().map_err(text)?,
        channels: Channels::new(channels).map_err(text)?,
        default_locale: sluice::domain::locale::LanguageTag::english(),
        help_url: None,
        renew_url: None,
        expiry_policy: ExpiryPolicy::KeepPublished,
        min_supported_version: None,
        timezone: Zone::utc(),
        required_artifacts: Vec::new(),
        required_locales: Vec::new(),
        two_person_rule: false,
        revision: 1,
    })
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

// What follows is the form of the tables; `defaults.toml` explains the names.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    now: Timestamp,
    asker: WrittenAsker,
    product: WrittenProduct,
    release: toml::Table,
    #[serde(default)]
    releases: toml::Table,
    #[serde(default)]
    stops: Vec<WrittenStop>,
    subscription: WrittenSubscription,
    group: WrittenGroup,
    check: toml::Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenAsker {
    Subscriber,
    Nobody,
    OtherProduct,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProduct {
    channels: Vec<Slug>,
    timezone: Zone,
    expiry_policy: ExpiryPolicy,
    min_supported_version: Option<Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRelease {
    id: Option<ReleaseId>,
    channel: Slug,
    state: ReleaseState,
    published_at: Timestamp,
    created_at: Option<Timestamp>,
    severity: Severity,
    access: Access,
    min_from: Option<Version>,
    compatible_clients: Option<Requirement>,
    percent: String,
    rollout: RolloutState,
    files: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStop {
    channel: Option<Slug>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSubscription {
    id: SubscriptionId,
    deployment: Deployment,
    state: SubscriptionState,
    starts_on: Date,
    ends_on: String,
    grace_days: u16,
    channels: Vec<Slug>,
    version_req: Option<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    timezone: Zone,
    days: Vec<Day>,
    start: Time,
    minutes: u16,
    max_concurrent: Option<u32>,
    slot: WrittenSlot,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenSlot {
    Free,
    Taken,
}

impl Written {
    fn build(self) -> Result<World, String> {
        let product = Product {
            timezone: self.product.timezone,
            expiry_policy: self.product.expiry_policy,
            min_supported_version: self.product.min_supported_version,
            ..product(self.product.channels)?
        };
        let mut releases = Vec::new();
        for (number, (version, own)) in (1..).zip(self.releases) {
            let toml::Value::Table(own) = own else { continue }; // `"13.0.0" = "gone"`
            let mut whole = self.release.clone();
            whole.extend(own);
            let whole: WrittenRelease = whole.try_into().map_err(|error| format!("release {version}: {error}"))?;
            if product.channels.rank(&whole.channel).is_none() {
                return Err(format!("release {version}: the product has no channel {}", whole.channel));
            }
            releases.push(Arc::new(whole.build(version.parse().map_err(text)?, number)?));
        }
        releases.sort_by(|left: &Arc<Release>, right| left.version.cmp(&right.version));
        let stops = self.stops.into_iter().map(|stop| Stop {
            channel: stop.channel,
            reason: stop.reason,
            message: BTreeMap::new(),
            since: Timestamp::UNIX_EPOCH,
        });
        let mut check = self.check;
        check.insert("product".to_owned(), product.slug.as_str().into());
        let check: Check = check.try_into().map_err(|error| format!("the check: {error}"))?;
        let slot = match self.group.slot {
            WrittenSlot::Free => Slot::Free,
            WrittenSlot::Taken => Slot::Taken,
        };
        Ok(World {
            now: self.now,
            releases,
            stops: stops.collect(),
            check,
            asker: match self.asker {
                WrittenAsker::Nobody => Asker::Nobody,
                WrittenAsker::OtherProduct => Asker::OtherProduct,
                WrittenAsker::Subscriber => {
                    let coverage = self.subscription.build(product.id)?;
                    let group = (coverage.deployment == Deployment::Cloud).then(|| self.group.build());
                    Asker::Subscriber(Box::new(coverage), group)
                }
            },
            product,
            slot,
        })
    }
}

impl WrittenRelease {
    fn build(self, version: Version, number: u128) -> Result<Release, String> {
        let files = self.files.iter().zip(1..).map(|(file, place)| artifact(file, number * 100 + place));
        Ok(Release {
            id: self.id.unwrap_or(ReleaseId(Uuid::from_u128(number))),
            product: ProductId(Uuid::from_u128(1)),
            version,
            channel: self.channel,
            state: self.state,
            published_at: (self.state != ReleaseState::Draft).then_some(self.published_at),
            severity: self.severity,
            access: self.access,
            min_from: self.min_from,
            compatible_clients: self.compatible_clients,
            notes: BTreeMap::new(),
            announced_at: None,
            rollout: Rollout {
                percent: self.percent.parse::<Percent>().map_err(text)?,
                state: self.rollout,
                reason: None,
                plan: Plan::default(),
            },
            yank_reason: None,
            artifacts: files.collect::<Result<_, _>>()?,
            created_at: self.created_at.unwrap_or(Timestamp::UNIX_EPOCH),
            manifest_revision: 1,
            revision: 1,
        })
    }
}

impl WrittenSubscription {
    fn build(self, product: ProductId) -> Result<Coverage, String> {
        Ok(Coverage {
            id: self.id,
            product,
            deployment: self.deployment,
            state: self.state,
            starts_on: self.starts_on,
            ends_on: match self.ends_on.as_str() {
                "never" => None,
                day => Some(day.parse().map_err(text)?),
            },
            grace_days: self.grace_days,
            channels: self.channels.into(),
            version_req: self.version_req.map(Arc::new),
            hosting_group: None,
        })
    }
}

impl WrittenGroup {
    fn build(self) -> HostingGroup {
        HostingGroup {
            id: HostingGroupId(Uuid::from_u128(2)),
            slug: "nightly".parse().expect("a slug"),
            name: "Nightly".parse().expect("a line"),
            timezone: self.timezone,
            window: Window { days: self.days, start: self.start, duration_minutes: self.minutes },
            max_concurrent: self.max_concurrent,
            revision: 1,
        }
    }
}
