//! The rules of the decision (contract section 3), each a small function. Their order is in [`super::decide`] and
//! [`Judge::judge`].

use super::{
    facts::{Check, Entitlement, Facts, Trigger},
    reason::{Reason, Verdict},
    report::Current,
};
use crate::domain::{
    artifact::Target,
    platform::{Component, MachineArch, Platform},
    product::ExpiryPolicy,
    release::{Access, Release, ReleaseState, Severity},
    rollout::RolloutState,
    slug::Slug,
    stop::Stop,
    subscription::{Deployment, Status},
    version::{Requirement, Version},
    zone::Zone,
};
use jiff::civil::Date;

/// Rule 1: the deployment of the program that asks; single-user without a key.
#[must_use]
pub fn deployment(entitlement: Entitlement<'_>) -> Deployment {
    match entitlement {
        Entitlement::Subscriber(coverage, _) => coverage.deployment,
        Entitlement::Nobody | Entitlement::OtherProduct => Deployment::SingleUser,
    }
}

/// Rule 2: the answering channel. A check on a channel less stable than all allowed ones is answered on the least
/// stable allowed one.
#[must_use]
pub fn answering_channel<'a>(facts: &Facts<'a>) -> &'a Slug {
    let asked = facts.channel;
    let Entitlement::Subscriber(coverage, _) = facts.entitlement else { return asked };
    let channels = &facts.product.channels;
    let least_stable = coverage.channels.iter().filter_map(|channel| channels.rank(channel)).max();
    match (channels.rank(asked), least_stable) {
        (Some(rank), Some(allowed)) if rank > allowed => channels.at(allowed).unwrap_or(asked),
        // A subscription without any of the product's channels gets the most stable one.
        (Some(rank), None) if rank > 0 => channels.at(0).unwrap_or(asked),
        _ => asked,
    }
}

/// Rule 3: the stop that covers the channel; a stop of the whole product comes first.
#[must_use]
pub fn stop_on<'a>(facts: &Facts<'a>, channel: &Slug) -> Option<&'a Stop> {
    facts
        .stops
        .iter()
        .filter(|stop| stop.covers(&facts.product.channels, channel))
        .min_by_key(|stop| stop.channel.is_some())
}

/// What the subscription allows, computed once per decision (rule 6).
#[derive(Clone, Copy, Debug)]
enum Rights<'a> {
    All,
    /// Releases published by the end of this day in this zone; others are refused with this reason.
    PublishedBy(Date, &'a Zone, Reason),
    /// Releases for everyone; others are refused with this reason.
    Public(Reason),
}

impl<'a> Rights<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        let Entitlement::Subscriber(coverage, _) = facts.entitlement else {
            return Self::Public(Reason::LicenseRequired);
        };
        let status = coverage.status(&facts.product.timezone, facts.now);
        let reason = Reason::of_status(status);
        match (status, facts.product.expiry_policy, coverage.last_covered_day()) {
            (Status::Active | Status::Grace, ..) => Self::All,
            (Status::Expired, ExpiryPolicy::KeepPublished, Some(last)) => {
                Self::PublishedBy(last, &facts.product.timezone, reason)
            }
            _ => Self::Public(reason),
        }
    }

    /// Rule 6: the reason for refusing this release, if any.
    fn refuse(&self, release: &Release) -> Option<Reason> {
        if release.access == Access::Everyone {
            return None;
        }
        match self {
            Self::All => None,
            Self::PublishedBy(last, zone, reason) => {
                let covered = release.published_at.is_some_and(|at| zone.date_at(at) <= *last);
                (!covered).then_some(*reason)
            }
            Self::Public(reason) => Some(*reason),
        }
    }
}

/// A release with the result of rules 2 to 7.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub release: &'a Release,
    /// Whether it is a candidate (rule 4, on the answering channel).
    pub candidate: bool,
    pub ruling: Ruling,
}

impl<'a> Judged<'a> {
    /// A release that is not a candidate.
    #[must_use]
    pub const fn out(release: &'a Release, verdict: Verdict) -> Self {
        Self { release, candidate: false, ruling: Ruling::Out(verdict) }
    }
}

/// The result of rules 2 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It passes all of them.
    Open,
    /// It is not a candidate, for this reason.
    Out(Verdict),
    /// Only the subscription's `version_req` excludes it.
    Pinned,
    /// The rollout withholds it from a site that is entitled to it (rules 5 and 7).
    HeldBack(Reason),
    /// The rollout withholds it from a site that is not entitled to it (rule 5).
    SetAside(Verdict),
    /// The site is not entitled to it (rule 6).
    NotEntitled(Reason),
}

impl Ruling {
    /// The verdict for the trace if the release is not on the path.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Open => Verdict::Superseded,
            Self::Out(verdict) | Self::SetAside(verdict) => verdict,
            Self::Pinned => Verdict::Pinned,
            Self::HeldBack(Reason::RolloutPaused) => Verdict::RolloutPaused,
            Self::HeldBack(Reason::RolloutHalted) => Verdict::RolloutHalted,
            Self::HeldBack(_) => Verdict::RolloutPending,
            Self::NotEntitled(Reason::LicenseRequired) => Verdict::LicenseRequired,
            Self::NotEntitled(Reason::SubscriptionPending) => Verdict::SubscriptionPending,
            Self::NotEntitled(Reason::SubscriptionSuspended) => Verdict::SubscriptionSuspended,
            Self::NotEntitled(Reason::SubscriptionCancelled) => Verdict::SubscriptionCancelled,
            Self::NotEntitled(_) => Verdict::SubscriptionExpired,
        }
    }
}

/// Applies rules 2 and 4 to 7 to releases for one request.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    facts: Facts<'a>,
    rank: usize,
    rights: Rights<'a>,
    requirement: Option<&'a Requirement>,
    site: Option<uuid::Uuid>,
}

impl<'a> Judge<'a> {
    /// A judge for these facts, on the answering channel.
    #[must_use]
    pub fn new(facts: &Facts<'a>, channel: &Slug) -> Self {
        let subscriber = match facts.entitlement {
            Entitlement::Subscriber(coverage, _) => Some(coverage),
            Entitlement::Nobody | Entitlement::OtherProduct => None,
        };
        Self {
            facts: *facts,
            rank: facts.product.channels.rank(channel).unwrap_or(0),
            rights: Rights::of(facts),
            requirement: subscriber.and_then(|coverage| coverage.version_req.as_deref()),
            site: subscriber.map(|coverage| coverage.id.0).or(facts.check.installation.map(|id| id.0)),
        }
    }

    /// Whether the answering channel includes the release (rule 2).
    #[must_use]
    pub fn sees(&self, release: &Release) -> bool {
        self.facts.product.channels.rank(&release.channel).is_some_and(|rank| rank <= self.rank)
    }

    /// The result of rules 2 and 4 to 7 for a release above the current version, for any of the targets.
    #[must_use]
    pub fn judge(&self, release: &'a Release, targets: &[Target]) -> Judged<'a> {
        let out = |verdict| Judged::out(release, verdict);
        if !self.sees(release) {
            return out(Verdict::OtherChannel);
        }
        if let Some(verdict) = unpublished(&self.facts, release) {
            return out(verdict);
        }
        if !targets.iter().any(|target| release.artifact_for(target).is_some()) {
            return out(Verdict::NoArtifact);
        }
        let ruling = self.offerable(release);
        if self.requirement.is_some_and(|requirement| !requirement.matches(&release.version)) {
            return match ruling {
                Ruling::Open => Judged { release, candidate: false, ruling: Ruling::Pinned },
                _ => out(Verdict::Pinned),
            };
        }
        Judged { release, candidate: true, ruling }
    }

    /// Whether a release passes rules 2 to 7, regardless of files.
    #[must_use]
    pub fn lets_pass(&self, release: &Release) -> bool {
        self.sees(release)
            && unpublished(&self.facts, release).is_none()
            && self.requirement.is_none_or(|requirement| requirement.matches(&release.version))
            && self.offerable(release) == Ruling::Open
    }

    /// Rule 6 alone: why the entitlement excludes a release. Rule 10a applies it to the release that the server runs.
    #[must_use]
    pub fn refusal(&self, release: &Release) -> Option<Reason> {
        self.rights.refuse(release)
    }

    /// Rules 5 to 7.
    fn offerable(&self, release: &Release) -> Ruling {
        let refusal = self.refusal(release);
        let set_aside = match release.rollout.state {
            RolloutState::Running => None,
            RolloutState::Paused => Some((Reason::RolloutPaused, Verdict::RolloutPaused)),
            RolloutState::Halted => Some((Reason::RolloutHalted, Verdict::RolloutHalted)),
        };
        match (set_aside, refusal) {
            (Some((_, verdict)), Some(_)) => Ruling::SetAside(verdict),
            (Some((reason, _)), None) => Ruling::HeldBack(reason),
            (None, Some(reason)) => Ruling::NotEntitled(reason),
            (None, None) if self.in_stage(release) => Ruling::Open,
            (None, None) => Ruling::HeldBack(Reason::RolloutPending),
        }
    }

    /// Rule 7. A manual check passes any percentage above 0.
    fn in_stage(&self, release: &Release) -> bool {
        let percent = release.rollout.percent;
        (self.facts.check.trigger == Trigger::Manual && percent.hundredths() > 0)
            || percent.admits(release.id, self.site)
    }
}

/// Rules 4 and 10a: why a release is not published, if so.
#[must_use]
pub fn unpublished(facts: &Facts<'_>, release: &Release) -> Option<Verdict> {
    match release.state {
        ReleaseState::Draft => Some(Verdict::Draft),
        ReleaseState::Yanked => Some(Verdict::Yanked),
        ReleaseState::Published if release.was_published_by(facts.now) => None,
        ReleaseState::Published => Some(Verdict::Scheduled),
    }
}

/// The releases above a version, in ascending order.
pub fn above<'a>(facts: &Facts<'a>, version: &Version) -> impl DoubleEndedIterator<Item = &'a Release> + Clone {
    let first = facts.releases.partition_point(|release| release.version <= *version);
    facts.releases.get(first..).unwrap_or_default().iter().map(AsRef::as_ref)
}

/// The releases above one version and up to another, in ascending order.
#[must_use]
pub fn between<'a>(facts: &Facts<'a>, from: &Version, to: &Version) -> &'a [std::sync::Arc<Release>] {
    let place = |version: &Version| facts.releases.partition_point(|release| release.version <= *version);
    facts.releases.get(place(from)..place(to)).unwrap_or_default()
}

/// The release of a version, in any state.
#[must_use]
pub fn release_of<'a>(facts: &Facts<'a>, version: &Version) -> Option<&'a Release> {
    let place = facts.releases.binary_search_by(|release| release.version.cmp(version)).ok()?;
    facts.releases.get(place).map(AsRef::as_ref)
}

/// The catalogue's information on the current version.
#[must_use]
pub fn current(facts: &Facts<'_>, version: &Version) -> Current {
    Current {
        yanked: release_of(facts, version)
            .is_some_and(|release| release.is_yanked() && release.was_published_by(facts.now)),
        supported: facts.product.min_supported_version.as_ref().is_none_or(|lowest| version >= lowest),
    }
}

/// Rule 11, for an update from `from` with the first hop `hop`.
#[must_use]
pub fn mandatory(from: Current, hop: &Version, judged: &[Judged<'_>]) -> bool {
    from.yanked
        || !from.supported
        || judged
            .iter()
            .any(|one| one.candidate && one.release.severity == Severity::Critical && one.release.version <= *hop)
}

/// The target of the program itself: its component and machine.
#[must_use]
pub fn own_target(check: &Check) -> Target {
    Target { component: check.component, platform: check.platform, arch: check.arch, kind: check.kind }
}

/// Rule 10b: all pairs of platform and architecture that the client's server may have.
#[must_use]
pub fn server_targets(check: &Check) -> Vec<Target> {
    let platforms = check.server_platform.as_ref().map_or(Platform::ALL, std::slice::from_ref);
    let archs = check.server_arch.as_ref().map_or(MachineArch::ALL, std::slice::from_ref);
    platforms
        .iter()
        .flat_map(|&platform| {
            archs.iter().map(move |&arch| Target { component: Component::Server, platform, arch, kind: None })
        })
        .collect()
}

/// Which clients a server version accepts (rule 10).
#[derive(Clone, Copy, Debug)]
pub struct Acceptance<'a> {
    server: &'a Version,
    /// The release that the server runs, if it was published.
    pub release: Option<&'a Release>,
}

impl<'a> Acceptance<'a> {
    /// The acceptance of a server with this version.
    #[must_use]
    pub fn of(facts: &Facts<'a>, server: &'a Version) -> Self {
        Self { server, release: release_of(facts, server).filter(|release| release.was_published_by(facts.now)) }
    }

    /// Rule 10c: why the server refuses a client of this version, if it does.
    #[must_use]
    pub fn keeps_out(&self, client: &Version) -> Option<Verdict> {
        if client > self.server {
            Some(Verdict::AboveServer)
        } else {
            (!self.accepts(client)).then_some(Verdict::NotAccepted)
        }
    }

    /// Whether the server accepts a client of this version.
    #[must_use]
    pub fn accepts(&self, client: &Version) -> bool {
        client == self.server
            || match self.release.and_then(|release| release.compatible_clients.as_ref()) {
                Some(requirement) => requirement.matches(client),
                None => client.same_minor(self.server),
            }
    }
}
