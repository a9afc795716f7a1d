//! The decision: which update, if any, a program is offered (contract section 3).
//!
//! [`decide`] contains only the order of the rules; the rules are in [`rules`] and [`path`]. The input is [`Facts`],
//! the output is [`Decision`]. Everything that decides on updates calls it: the check, the explain endpoint, the feeds
//! for other updaters.

pub mod facts;
pub mod path;
pub mod reason;
pub mod report;
pub mod rules;
pub mod standing;

use facts::{Entitlement, Facts, Slot};
use reason::{Reason, Status, Verdict};
use report::{Considered, Current, Decision, Offer};
use rules::{Acceptance, Judge, Judged, Ruling};

use crate::domain::{
    artifact::Target, platform::Component, release::Release, rollout::RolloutState, slug::Slug,
    subscription::Deployment, version::Version,
};

/// Decides. The same facts always give the same decision.
pub fn decide<'a>(facts: &Facts<'a>) -> Decision<'a> {
    let current = rules::current(facts, &facts.check.version);
    if matches!(facts.entitlement, Entitlement::OtherProduct) {
        return nothing(current, facts.channel, Status::NotEntitled, Some(Reason::WrongProduct));
    }
    let channel = rules::answering_channel(facts);
    if let Some(stop) = rules::stop_on(facts, channel) {
        return Decision { stop: Some(stop), ..nothing(current, channel, Status::Blocked, Some(Reason::Stopped)) };
    }
    let asker = Asker { facts, channel, judge: Judge::new(facts, channel), current };
    match (facts.check.component, rules::deployment(facts.entitlement), facts.check.server_version.as_ref()) {
        (Component::Standalone | Component::Server, ..) => within_window(facts, asker.own_update()),
        (Component::Client, _, Some(server)) => asker.client_of(server),
        (Component::Client, Deployment::SingleUser, None) => asker.own_update(),
        (Component::Client, Deployment::MultiUser, None) => {
            nothing(current, channel, Status::UpToDate, Some(Reason::ServerVersionRequired))
        }
        (Component::Client, Deployment::Cloud, None) => nothing(current, channel, Status::Managed, None),
    }
}

/// A decision that offers nothing and has considered no release.
fn nothing(current: Current, channel: &Slug, status: Status, reason: Option<Reason>) -> Decision<'_> {
    Decision {
        status,
        reason,
        channel,
        offer: None,
        newer: None,
        next_window_at: None,
        stop: None,
        current,
        trace: Vec::new(),
    }
}

/// Rule 9: a hosted server waits for its group's window and for a free slot.
fn within_window<'a>(facts: &Facts<'a>, decision: Decision<'a>) -> Decision<'a> {
    let Some((coverage, group)) = facts.hosted().filter(|_| decision.offer.is_some()) else { return decision };
    if !group.is_open(facts.now) {
        let next_window_at = group.next_turn(coverage.id, facts.now);
        let later = deferred(decision, Reason::OutsideMaintenanceWindow, Verdict::OutsideMaintenanceWindow);
        Decision { next_window_at, ..later }
    } else if group.max_concurrent.is_some() && facts.slot == Slot::Taken {
        deferred(decision, Reason::GroupBusy, Verdict::GroupBusy)
    } else {
        decision
    }
}

/// The same decision with its offer postponed.
fn deferred(decision: Decision<'_>, reason: Reason, verdict: Verdict) -> Decision<'_> {
    let mut trace = decision.trace;
    for one in trace.iter_mut().filter(|one| one.verdict == Verdict::Offered) {
        one.verdict = verdict;
    }
    Decision { status: Status::Deferred, reason: Some(reason), offer: None, newer: None, trace, ..decision }
}

/// The program that asks, after rules 1 to 3.
struct Asker<'f, 'a> {
    facts: &'f Facts<'a>,
    channel: &'a Slug,
    judge: Judge<'a>,
    current: Current,
}

impl<'a> Asker<'_, 'a> {
    /// Rules 4 to 8 for the program itself.
    fn own_update(&self) -> Decision<'a> {
        let check = self.facts.check;
        let target = rules::own_target(check);
        let judged = self.judge_above(&check.version, &[target]);
        let path = path::walk(&check.version, &open(&judged));
        let trace = trace(&judged, check.component, &path);
        let Some((first, last)) = path.first().zip(path.last()) else { return self.refusal(&judged, trace) };
        let companions = match check.component {
            Component::Server => {
                first.artifacts.iter().filter(|artifact| artifact.component == Component::Client).collect()
            }
            Component::Standalone | Component::Client => Vec::new(),
        };
        let offer = Offer {
            mandatory: rules::mandatory(self.current, &first.version, &judged),
            artifact: first.artifact_for(&target),
            companions,
            ..self.offer(check.component, &check.version, first, &path)
        };
        self.available(offer, held_back_above(&judged, &last.version), trace)
    }

    /// Rule 10, for a client whose server's version is known.
    fn client_of(&self, server: &'a Version) -> Decision<'a> {
        let check = self.facts.check;
        let acceptance = Acceptance::of(self.facts, server);
        if !acceptance.accepts(&check.version) {
            return self.match_server(server, &acceptance);
        }
        let deployment = rules::deployment(self.facts.entitlement);
        if deployment == Deployment::Cloud {
            return nothing(self.current, self.channel, Status::Managed, None);
        }
        let looks_for_servers =
            deployment == Deployment::MultiUser && rules::above(self.facts, server).next().is_some();
        let server_targets = if looks_for_servers { rules::server_targets(check) } else { Vec::new() };
        let servers = if looks_for_servers { self.judge_above(server, &server_targets) } else { Vec::new() };
        let hops = best_server_path(server, &servers, &server_targets);
        let mut considered = trace(&servers, Component::Server, &hops);
        if let Some((first, last)) = hops.first().zip(hops.last()) {
            let offer = Offer {
                mandatory: rules::mandatory(rules::current(self.facts, server), &first.version, &servers),
                ..self.offer(Component::Server, server, first, &hops)
            };
            return self.available(offer, held_back_above(&servers, &last.version), considered);
        }
        let target = rules::own_target(check);
        let judge = |release: &'a Release| match acceptance.keeps_out(&release.version) {
            Some(verdict) => Judged::out(release, verdict),
            None => self.judge.judge(release, &[target]),
        };
        let clients: Vec<Judged<'a>> = rules::above(self.facts, &check.version).map(judge).collect();
        let highest: Vec<&Release> = open(&clients).pop().into_iter().collect();
        considered.extend(trace(&clients, Component::Client, &highest));
        let both = [servers, clients.clone()].concat();
        let Some(first) = highest.first() else { return self.refusal(&both, considered) };
        let offer = Offer {
            mandatory: rules::mandatory(self.current, &first.version, &clients),
            artifact: first.artifact_for(&target),
            ..self.offer(Component::Client, &check.version, first, &highest)
        };
        self.available(offer, held_back_above(&both, &first.version), considered)
    }

    /// Rule 10a: a client that its server refuses is offered the highest release that the server accepts, upwards or
    /// downwards.
    fn match_server(&self, server: &Version, acceptance: &Acceptance<'a>) -> Decision<'a> {
        let target = rules::own_target(self.facts.check);
        let mut considered = Vec::new();
        let mut fitting: Option<&'a Release> = None;
        let mut halted = false;
        for release in self.facts.releases.iter().map(AsRef::as_ref) {
            let verdict = if release.version > *server {
                Verdict::AboveServer
            } else if let Some(verdict) = rules::unpublished(self.facts, release) {
                verdict
            } else if release.artifact_for(&target).is_none() {
                Verdict::NoArtifact
            } else if !acceptance.accepts(&release.version) {
                Verdict::NotAccepted
            } else if release.rollout.state == RolloutState::Halted {
                halted = true;
                Verdict::RolloutHalted
            } else {
                fitting = Some(release);
                Verdict::Superseded
            };
            considered.push(Considered { version: &release.version, component: Component::Client, verdict });
        }
        let Some(release) = fitting else {
            let reason = if halted { Reason::RolloutHalted } else { Reason::NoCompatibleClient };
            return Decision {
                trace: considered,
                ..nothing(self.current, self.channel, Status::Incompatible, Some(reason))
            };
        };
        let refusal = self.judge.refusal(acceptance.release.unwrap_or(release));
        if let Some(place) = considered.iter_mut().find(|one| *one.version == release.version) {
            place.verdict = refusal.map_or(Verdict::Offered, |reason| Ruling::NotEntitled(reason).verdict());
        }
        if let Some(reason) = refusal {
            return Decision {
                newer: Some(release),
                trace: considered,
                ..nothing(self.current, self.channel, Status::NotEntitled, Some(reason))
            };
        }
        let offer = Offer {
            mandatory: true,
            matches_server: true,
            artifact: release.artifact_for(&target),
            ..self.offer(Component::Client, &self.facts.check.version, release, &[release])
        };
        self.available(offer, None, considered)
    }

    fn judge_above(&self, version: &Version, targets: &[Target]) -> Vec<Judged<'a>> {
        rules::above(self.facts, version).map(|release| self.judge.judge(release, targets)).collect()
    }

    /// An offer of `release`, the first hop of `path`, without the fields that only some offers have.
    fn offer(&self, applies_to: Component, from: &Version, release: &'a Release, path: &[&'a Release]) -> Offer<'a> {
        let notes = rules::between(self.facts, from, &release.version)
            .iter()
            .map(AsRef::as_ref)
            .filter(|one| self.judge.sees(one) && one.was_published_by(self.facts.now) && !one.is_yanked())
            .rev()
            .collect();
        Offer {
            release,
            applies_to,
            mandatory: false,
            matches_server: false,
            path: path.iter().map(|hop| &hop.version).collect(),
            artifact: None,
            companions: Vec::new(),
            notes,
        }
    }

    fn available(&self, offer: Offer<'a>, newer: Option<&'a Release>, trace: Vec<Considered<'a>>) -> Decision<'a> {
        Decision {
            offer: Some(offer),
            newer,
            trace,
            ..nothing(self.current, self.channel, Status::UpdateAvailable, None)
        }
    }

    /// Rule 12: the first reason that applies for offering nothing.
    fn refusal(&self, judged: &[Judged<'a>], trace: Vec<Considered<'a>>) -> Decision<'a> {
        let highest = |wanted: fn(&Ruling) -> bool| {
            judged
                .iter()
                .filter(|one| wanted(&one.ruling))
                .max_by(|left, right| left.release.version.cmp(&right.release.version))
        };
        let refused = highest(|ruling| matches!(ruling, Ruling::NotEntitled(_)));
        let held_back = highest(|ruling| matches!(ruling, Ruling::HeldBack(_)));
        let (status, reason) = match (refused.map(|one| one.ruling), held_back.map(|one| one.ruling)) {
            (Some(Ruling::NotEntitled(reason)), _) => (Status::NotEntitled, Some(reason)),
            (_, Some(Ruling::HeldBack(reason))) => (Status::UpToDate, Some(reason)),
            _ if highest(|ruling| *ruling == Ruling::Open).is_some() => (Status::UpToDate, Some(Reason::NoPath)),
            _ if highest(|ruling| *ruling == Ruling::Pinned).is_some() => (Status::UpToDate, Some(Reason::Pinned)),
            _ => (Status::UpToDate, self.current.yanked.then_some(Reason::CurrentYanked)),
        };
        Decision { newer: refused.map(|one| one.release), trace, ..nothing(self.current, self.channel, status, reason) }
    }
}

/// Rule 10b: the best path over all pairs of platform and architecture: the one that ends highest, then the one whose
/// first hop is highest, then the second, and so on. Rules 5 to 7 do not depend on the pair.
fn best_server_path<'a>(server: &Version, judged: &[Judged<'a>], targets: &[Target]) -> Vec<&'a Release> {
    let open = open(judged);
    let path = |target: &Target| {
        let there: Vec<&'a Release> =
            open.iter().copied().filter(|release| release.artifact_for(target).is_some()).collect();
        path::walk(server, &there)
    };
    let rank = |path: &Vec<&'a Release>| {
        let versions: Vec<&'a Version> = path.iter().map(|release| &release.version).collect();
        (versions.last().copied(), versions)
    };
    targets.iter().map(path).max_by_key(rank).unwrap_or_default()
}

/// The releases that pass rules 4 to 7, in ascending order.
fn open<'a>(judged: &[Judged<'a>]) -> Vec<&'a Release> {
    judged.iter().filter(|one| one.ruling == Ruling::Open).map(|one| one.release).collect()
}

/// `newer` of rule 12: the highest candidate above a version that the entitlement excludes.
fn held_back_above<'a>(judged: &[Judged<'a>], version: &Version) -> Option<&'a Release> {
    judged
        .iter()
        .filter(|one| matches!(one.ruling, Ruling::NotEntitled(_)) && one.release.version > *version)
        .map(|one| one.release)
        .max_by(|left, right| left.version.cmp(&right.version))
}

/// The verdict on each release, once the path is known.
fn trace<'a>(judged: &[Judged<'a>], component: Component, path: &[&Release]) -> Vec<Considered<'a>> {
    let verdict = |one: &Judged<'a>| match path.iter().position(|hop| hop.version == one.release.version) {
        Some(0) => Verdict::Offered,
        Some(_) => Verdict::OnPath,
        None if one.ruling == Ruling::Open && path.last().is_none_or(|last| last.version < one.release.version) => {
            Verdict::NoPath
        }
        None => one.ruling.verdict(),
    };
    judged.iter().map(|one| Considered { version: &one.release.version, component, verdict: verdict(one) }).collect()
}
