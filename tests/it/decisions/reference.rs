//! Section 3 of the contract once more, written from its text alone: slow, plain, and sharing nothing with the decision
//! but the values it reads and the order of versions. Names follow the contract's own words.

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp, ToSpan, civil};
use sluice::domain::{
    artifact::{Artifact, ArtifactKind},
    hosting_group::HostingGroup,
    id::SubscriptionId,
    platform::{Arch, Component, MachineArch, Platform},
    product::ExpiryPolicy,
    release::{Access, Release, ReleaseState, Severity},
    rollout::RolloutState,
    subscription::{Coverage, Deployment, SubscriptionState},
    version::Version,
};

use super::{
    answer::{Answer, Update},
    world::{Asker, World, name},
};
use sluice::domain::decision::facts::{Slot, Trigger};
use uuid::Uuid;

/// One platform and arch of one component.
#[derive(Clone, Copy)]
struct Place {
    component: Component,
    platform: Platform,
    arch: MachineArch,
}

/// Answers as the contract says.
pub fn answer(world: &World) -> Answer {
    let check = &world.check;
    let mut naive = Naive { world, channel: 0 };

    // 1. Who asks.
    if matches!(world.asker, Asker::OtherProduct) {
        return Answer { channel: world.channel().to_string(), ..naive.nothing("not_entitled", Some("wrong_product")) };
    }
    let deployment = naive.subscription().map_or(Deployment::SingleUser, |subscription| subscription.deployment);

    // 2. Channel.
    let asked = naive.stability(world.channel().as_str());
    let allowed = naive
        .subscription()
        .map(|one| one.channels.iter().map(|channel| naive.stability(channel.as_str())).max().unwrap_or(0));
    naive.channel = allowed.map_or(asked, |allowed| asked.min(allowed));

    // 3. Stop.
    for stop in &world.stops {
        let covered = stop.channel.as_ref().is_none_or(|channel| naive.channel >= naive.stability(channel.as_str()));
        if covered {
            return naive.nothing("blocked", Some("stopped"));
        }
    }

    // 10. Components.
    match (check.component, &check.server_version) {
        (Component::Standalone | Component::Server, _) => naive.window(naive.own()),
        (Component::Client, None) => match deployment {
            Deployment::SingleUser => naive.own(),
            Deployment::MultiUser => naive.nothing("up_to_date", Some("server_version_required")),
            Deployment::Cloud => naive.nothing("managed", None),
        },
        (Component::Client, Some(server)) => naive.client(server, deployment),
    }
}

/// Rule 10: whether a server of one version accepts a client of another.
pub fn accepts(world: &World, server: &Version, client: &Version) -> bool {
    Naive { world, channel: 0 }.accepts(server, client)
}

/// Rule 6: why the one who asks may not have a release, if so.
pub fn refused(world: &World, release: &Release) -> Option<&'static str> {
    Naive { world, channel: 0 }.refused(release)
}

/// Rule 9: whether a group's window is open, and when it opens next.
pub fn window(group: &HostingGroup, now: Timestamp) -> (bool, Option<Timestamp>) {
    let starts = starts(group, now);
    let length = SignedDuration::from_mins(i64::from(group.window.duration_minutes));
    let open = starts.iter().any(|start| *start <= now && now < *start + length);
    (open, starts.into_iter().filter(|start| *start > now).min())
}

/// Rule 9: how many seconds into the window a site comes: a number that depends on the two only, below a quarter of the
/// window and a quarter of an hour.
pub fn jitter(group: &HostingGroup, site: SubscriptionId) -> u64 {
    let below = (u128::from(group.window.duration_minutes) * 60 / 4).min(15 * 60);
    u64::try_from(hash_of_two(group.id.0, site.0) % below).expect("a small number")
}

/// The first 8 bytes, big-endian, of SHA-256 over the text of both.
fn hash_of_two(first: Uuid, second: Uuid) -> u128 {
    let hash = digest::digest(&digest::SHA256, format!("{first}{second}").to_lowercase().as_bytes());
    hash.as_ref().iter().take(8).fold(0_u128, |number, byte| number * 256 + u128::from(*byte))
}

struct Naive<'a> {
    world: &'a World,
    /// How far the answering channel is from the most stable one.
    channel: usize,
}

impl<'a> Naive<'a> {
    fn subscription(&self) -> Option<&'a Coverage> {
        match &self.world.asker {
            Asker::Subscriber(coverage, _) => Some(coverage),
            _ => None,
        }
    }

    fn stability(&self, channel: &str) -> usize {
        self.world.product.channels.names().position(|one| one.as_str() == channel).expect("a channel of the product")
    }

    fn releases(&self) -> impl DoubleEndedIterator<Item = &'a Release> {
        self.world.releases.iter().map(|release| &**release)
    }

    // Rule 4, and what it is made of.

    fn published_by_now(&self, release: &Release) -> bool {
        release.state == ReleaseState::Published && release.published_at.expect("a date") <= self.world.now
    }

    fn published_then_yanked(&self, version: &Version) -> bool {
        self.releases().any(|release| {
            release.version == *version
                && release.state == ReleaseState::Yanked
                && release.published_at.expect("a date") <= self.world.now
        })
    }

    fn artifact(&self, release: &'a Release, place: Place) -> Option<&'a Artifact> {
        let exact = match place.arch {
            MachineArch::X86_64 => Arch::X86_64,
            MachineArch::Aarch64 => Arch::Aarch64,
        };
        let wanted = self
            .world
            .check
            .kind
            .filter(|_| place.component == self.world.check.component)
            .map(|kind| kind.to_string());
        for arch in [exact, Arch::Universal] {
            for kind in [ArtifactKind::Installer, ArtifactKind::Archive] {
                for artifact in &release.artifacts {
                    if artifact.component == place.component
                        && artifact.platform == place.platform
                        && artifact.arch == arch
                        && artifact.kind == kind
                        && wanted.as_ref().is_none_or(|wanted| *wanted == kind.to_string())
                    {
                        return Some(artifact);
                    }
                }
            }
        }
        None
    }

    fn within_version_req(&self, release: &Release) -> bool {
        self.subscription()
            .and_then(|subscription| subscription.version_req.as_ref())
            .is_none_or(|requirement| meets(&requirement.to_string(), &release.version))
    }

    fn sees(&self, release: &Release) -> bool {
        self.stability(release.channel.as_str()) <= self.channel
    }

    /// Candidates, were there no `version_req`.
    fn candidates_unpinned(&self, above: &Version, places: &[Place]) -> Vec<&'a Release> {
        self.releases()
            .filter(|release| self.sees(release))
            .filter(|release| self.published_by_now(release))
            .filter(|release| release.version > *above)
            .filter(|release| places.iter().any(|place| self.artifact(release, *place).is_some()))
            .collect()
    }

    fn candidates(&self, above: &Version, places: &[Place]) -> Vec<&'a Release> {
        self.candidates_unpinned(above, places).into_iter().filter(|release| self.within_version_req(release)).collect()
    }

    // Rules 5 to 7.

    fn set_aside(&self, release: &Release) -> bool {
        release.rollout.state != RolloutState::Running
    }

    /// Rule 6: why not, if not.
    fn refused(&self, release: &Release) -> Option<&'static str> {
        if release.access == Access::Everyone {
            return None;
        }
        let Some(subscription) = self.subscription() else { return Some("license_required") };
        match subscription.state {
            SubscriptionState::Suspended => return Some("subscription_suspended"),
            SubscriptionState::Cancelled => return Some("subscription_cancelled"),
            SubscriptionState::Active => {}
        }
        let day = |at: Timestamp| at.to_zoned(self.world.product.timezone.rules().clone()).date();
        if day(self.world.now) < subscription.starts_on {
            return Some("subscription_pending");
        }
        let ends_on = subscription.ends_on?;
        let last_covered_day = (0..subscription.grace_days).fold(ends_on, |day, _| day.tomorrow().expect("a day"));
        if day(self.world.now) <= last_covered_day {
            return None; // active or grace
        }
        let keeps = self.world.product.expiry_policy == ExpiryPolicy::KeepPublished;
        let covered = day(release.published_at.expect("a date")) <= last_covered_day;
        (!(keeps && covered)).then_some("subscription_expired")
    }

    fn in_stage(&self, release: &Release) -> bool {
        let percentage = release.rollout.percent.hundredths();
        if self.world.check.trigger == Trigger::Manual && percentage > 0 {
            return true;
        }
        let site = self.subscription().map(|subscription| subscription.id.0);
        let bucket = match site.or(self.world.check.installation.map(|installation| installation.0)) {
            None => 9_999,
            Some(site) => hash_of_two(release.id.0, site) % 10_000,
        };
        bucket < u128::from(percentage)
    }

    fn passes_5_to_7(&self, release: &Release) -> bool {
        !self.set_aside(release) && self.refused(release).is_none() && self.in_stage(release)
    }

    // Rule 8.

    fn path(&self, from: &'a Version, left: &[&'a Release]) -> Vec<&'a Release> {
        let mut path = Vec::new();
        let mut v = from;
        loop {
            let mut highest: Option<&Release> = None;
            for r in left {
                let reached = r.version > *v && r.min_from.as_ref().is_none_or(|min_from| v >= min_from);
                if reached && highest.is_none_or(|highest| r.version > highest.version) {
                    highest = Some(r);
                }
            }
            let Some(r) = highest else { return path };
            path.push(r);
            v = &r.version;
        }
    }

    // Rule 9.

    fn window(&self, answer: Answer) -> Answer {
        let (Asker::Subscriber(subscription, Some(group)), Some(_)) = (&self.world.asker, &answer.update) else {
            return answer;
        };
        let hosted_server =
            subscription.deployment == Deployment::Cloud && self.world.check.component == Component::Server;
        let (open, next) = window(group, self.world.now);
        if !hosted_server {
            return answer;
        }
        if open {
            let full = group.max_concurrent.is_some() && self.world.slot == Slot::Taken;
            return if full { self.nothing("deferred", Some("group_busy")) } else { answer };
        }
        let comes = next.map(|start| start + SignedDuration::from_secs(jitter(group, subscription.id) as i64));
        Answer {
            next_window_at: comes.map(|at| at.to_string()),
            ..self.nothing("deferred", Some("outside_maintenance_window"))
        }
    }

    // Rule 10.

    fn own_place(&self) -> Place {
        let check = &self.world.check;
        Place { component: check.component, platform: check.platform, arch: check.arch }
    }

    fn own(&self) -> Answer {
        let check = &self.world.check;
        let place = self.own_place();
        let candidates = self.candidates(&check.version, &[place]);
        let left: Vec<_> = candidates.iter().copied().filter(|release| self.passes_5_to_7(release)).collect();
        let path = self.path(&check.version, &left);
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            return self.rule_12(&candidates, &left, &self.candidates_unpinned(&check.version, &[place]));
        };
        let companions = first
            .artifacts
            .iter()
            .filter(|one| check.component == Component::Server && one.component == Component::Client);
        let update = Update {
            mandatory: self.mandatory(&check.version, first, &candidates),
            artifact: self.artifact(first, place).map(name),
            companions: companions.map(name).collect(),
            ..self.update(check.component, &check.version, &path)
        };
        self.available(update, self.newer(&candidates, last))
    }

    fn ever_published(&self, version: &Version) -> Option<&'a Release> {
        self.releases().find(|release| {
            release.version == *version
                && release.state != ReleaseState::Draft
                && release.published_at.expect("a date") <= self.world.now
        })
    }

    fn accepts(&self, server: &Version, client: &Version) -> bool {
        if client == server {
            return true;
        }
        match self.ever_published(server).and_then(|s| s.compatible_clients.as_ref()) {
            Some(requirement) => meets(&requirement.to_string(), client),
            None => minor(client) == minor(server),
        }
    }

    fn client(&self, server: &'a Version, deployment: Deployment) -> Answer {
        let check = &self.world.check;
        let accepts = |client: &Version| self.accepts(server, client);

        // a.
        if !accepts(&check.version) {
            let fitting: Vec<_> = self
                .releases()
                .filter(|release| self.published_by_now(release))
                .filter(|release| self.artifact(release, self.own_place()).is_some())
                .filter(|release| accepts(&release.version))
                .filter(|release| release.version <= *server)
                .collect();
            let not_halted = fitting.iter().rev().find(|release| release.rollout.state != RolloutState::Halted);
            let Some(release) = not_halted else {
                let reason = if fitting.is_empty() { "no_compatible_client" } else { "rollout_halted" };
                return self.nothing("incompatible", Some(reason));
            };
            if let Some(reason) = self.refused(self.ever_published(server).unwrap_or(release)) {
                return Answer {
                    newer: Some(release.version.to_string()),
                    ..self.nothing("not_entitled", Some(reason))
                };
            }
            let update = Update {
                mandatory: true,
                artifact: self.artifact(release, self.own_place()).map(name),
                ..self.update(Component::Client, &check.version, &[release])
            };
            return self.available(update, None);
        }
        if deployment == Deployment::Cloud {
            return self.nothing("managed", None);
        }

        // b.
        let mut places = Vec::new();
        if deployment == Deployment::MultiUser {
            for platform in [Platform::Windows, Platform::Macos, Platform::Linux] {
                for arch in [MachineArch::X86_64, MachineArch::Aarch64] {
                    if check.server_platform.is_none_or(|one| one == platform)
                        && check.server_arch.is_none_or(|one| one == arch)
                    {
                        places.push(Place { component: Component::Server, platform, arch });
                    }
                }
            }
        }
        let server_candidates = self.candidates(server, &places);
        let mut best: Vec<&Release> = Vec::new();
        for place in &places {
            let left: Vec<_> =
                self.candidates(server, &[*place]).into_iter().filter(|release| self.passes_5_to_7(release)).collect();
            let path = self.path(server, &left);
            let better = match (path.last(), best.last()) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(end), Some(best_end)) if end.version != best_end.version => end.version > best_end.version,
                _ => {
                    let differing = path.iter().zip(&best).find(|(hop, other)| hop.version != other.version);
                    differing.is_some_and(|(hop, other)| hop.version > other.version)
                }
            };
            if better {
                best = path;
            }
        }
        if let (Some(first), Some(last)) = (best.first(), best.last()) {
            let update = Update {
                mandatory: self.mandatory(server, first, &server_candidates),
                ..self.update(Component::Server, server, &best)
            };
            return self.available(update, self.newer(&server_candidates, last));
        }

        // c.
        let of_c = |releases: Vec<&'a Release>| -> Vec<&'a Release> {
            releases.into_iter().filter(|release| release.version <= *server && accepts(&release.version)).collect()
        };
        let client_candidates = of_c(self.candidates(&check.version, &[self.own_place()]));
        let both = [server_candidates, client_candidates.clone()].concat();
        if let Some(highest) = client_candidates.iter().rev().find(|release| self.passes_5_to_7(release)) {
            let update = Update {
                mandatory: self.mandatory(&check.version, highest, &client_candidates),
                artifact: self.artifact(highest, self.own_place()).map(name),
                ..self.update(Component::Client, &check.version, &[highest])
            };
            return self.available(update, self.newer(&both, highest));
        }

        // d.
        let left: Vec<_> = both.iter().copied().filter(|release| self.passes_5_to_7(release)).collect();
        let unpinned = [
            self.candidates_unpinned(server, &places),
            of_c(self.candidates_unpinned(&check.version, &[self.own_place()])),
        ];
        self.rule_12(&both, &left, &unpinned.concat())
    }

    // Rule 11.

    fn mandatory(&self, current: &Version, first_hop: &Release, candidates: &[&Release]) -> bool {
        let critical =
            candidates.iter().any(|one| one.version <= first_hop.version && one.severity == Severity::Critical);
        let unsupported = self.world.product.min_supported_version.as_ref().is_some_and(|lowest| current < lowest);
        critical || self.published_then_yanked(current) || unsupported
    }

    // Rule 12.

    fn rule_12(&self, candidates: &[&'a Release], left: &[&'a Release], unpinned: &[&'a Release]) -> Answer {
        let highest = |wanted: &dyn Fn(&Release) -> bool| {
            candidates
                .iter()
                .copied()
                .filter(|release| wanted(release))
                .max_by(|left, right| left.version.cmp(&right.version))
        };
        // A paused or halted one is set aside by rule 5, so rule 6 never sees it.
        if let Some(release) = highest(&|release| !self.set_aside(release) && self.refused(release).is_some()) {
            return Answer {
                newer: Some(release.version.to_string()),
                ..self.nothing("not_entitled", self.refused(release))
            };
        }
        let held_back =
            |release: &Release| self.refused(release).is_none() && (self.set_aside(release) || !self.in_stage(release));
        if let Some(release) = highest(&held_back) {
            let reason = match release.rollout.state {
                RolloutState::Paused => "rollout_paused",
                RolloutState::Halted => "rollout_halted",
                RolloutState::Running => "rollout_pending",
            };
            return self.nothing("up_to_date", Some(reason));
        }
        if !left.is_empty() {
            return self.nothing("up_to_date", Some("no_path"));
        }
        if unpinned.iter().any(|release| !self.within_version_req(release) && self.passes_5_to_7(release)) {
            return self.nothing("up_to_date", Some("pinned"));
        }
        let yanked = self.published_then_yanked(&self.world.check.version);
        self.nothing("up_to_date", yanked.then_some("current_yanked"))
    }

    fn newer(&self, candidates: &[&Release], above: &Release) -> Option<String> {
        let held_back = candidates.iter().filter(|release| !self.set_aside(release) && self.refused(release).is_some());
        held_back
            .map(|release| &release.version)
            .filter(|version| **version > above.version)
            .max()
            .map(ToString::to_string)
    }

    // The forms of the answer.

    fn nothing(&self, status: &str, reason: Option<&str>) -> Answer {
        let channel = self.world.product.channels.names().nth(self.channel).expect("a channel");
        Answer {
            status: status.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            channel: channel.to_string(),
            update: None,
            newer: None,
            next_window_at: None,
        }
    }

    fn update(&self, applies_to: Component, replaced: &Version, path: &[&Release]) -> Update {
        let first = path.first().expect("a first hop");
        let notes = self
            .releases()
            .rev()
            .filter(|one| self.published_by_now(one) && self.sees(one))
            .filter(|one| one.version > *replaced && one.version <= first.version);
        Update {
            version: first.version.to_string(),
            applies_to: applies_to.to_string(),
            mandatory: false,
            path: path.iter().map(|hop| hop.version.to_string()).collect(),
            notes: notes.map(|one| one.version.to_string()).collect(),
            artifact: None,
            companions: Vec::new(),
        }
    }

    fn available(&self, update: Update, newer: Option<String>) -> Answer {
        Answer { update: Some(update), newer, ..self.nothing("update_available", None) }
    }
}

/// The starts of a group's window around a moment, found by going over the calendar a quarter of an hour at a time.
/// (Windows of the tests start on a quarter of an hour.)
fn starts(group: &HostingGroup, now: Timestamp) -> Vec<Timestamp> {
    let zone = group.timezone.rules();
    let today = zone.to_datetime(now).date();
    let wall = |at: Timestamp| zone.to_datetime(at);
    let start_on = |day: civil::Date| {
        let wanted = day.to_datetime(group.window.start);
        let around: Vec<Timestamp> = (-120..216)
            .map(|quarters: i64| {
                let midnight = day.at(0, 0, 0, 0).in_tz("UTC").expect("UTC").timestamp();
                midnight + SignedDuration::from_mins(quarters * 15)
            })
            .collect();
        // The first moment at which the clock shows it.
        if let Some(at) = around.iter().find(|at| wall(**at) == wanted) {
            return *at;
        }
        // The clock never shows it: what it jumps over is the gap, and the start moves on by it.
        let before = around.iter().rfind(|at| wall(**at) < wanted).expect("a moment before the gap");
        let quarter = SignedDuration::from_mins(15);
        let gap = wall(*before).duration_until(wall(*before + quarter)) - quarter;
        *around.iter().find(|at| wall(**at) == wanted + gap).expect("a moment after the gap")
    };
    let opens = |day: &civil::Date| {
        let name = day.strftime("%a").to_string().to_lowercase();
        group.window.days.iter().any(|open| open.as_str() == name)
    };
    (-3..9_i64).map(|offset| today + offset.days()).filter(opens).map(start_on).collect()
}

fn minor(version: &Version) -> (String, String) {
    let text = version.to_string();
    let mut numbers = text.split(['.', '-', '+']).map(ToOwned::to_owned);
    (numbers.next().expect("a major"), numbers.next().expect("a minor"))
}

/// Cargo's syntax, judged as the contract says: every comparator turned into whole versions with `>`, `>=`, `<`, `<=`
/// or `=`.
pub fn meets(requirement: &str, version: &Version) -> bool {
    requirement.split(',').all(|comparator| meets_one(comparator.trim(), version))
}

fn meets_one(comparator: &str, version: &Version) -> bool {
    if comparator == "*" {
        return true;
    }
    let digits = comparator.find(|letter: char| letter.is_ascii_digit()).expect("a number");
    let (operator, numbers) = comparator.split_at(digits);
    let (numbers, prerelease) = numbers.split_once('-').map_or((numbers, None), |(numbers, pre)| (numbers, Some(pre)));
    let parts: Vec<u64> =
        numbers.split('.').filter(|part| *part != "*").map(|part| part.parse().expect("a number")).collect();
    let wildcard = numbers.contains('*');
    let whole = |major: u64, minor: u64, patch: u64| -> Version {
        format!("{major}.{minor}.{patch}").parse().expect("a version")
    };
    let (major, minor, patch) =
        (parts.first().copied().expect("a major"), parts.get(1).copied(), parts.get(2).copied());
    let lowest: Version = match prerelease {
        Some(pre) => format!("{numbers}-{pre}").parse().expect("a version"),
        None => whole(major, minor.unwrap_or(0), patch.unwrap_or(0)),
    };
    // The first version after all those that a partial one stands for.
    let after = match (minor, patch) {
        (None, _) => whole(major + 1, 0, 0),
        (Some(minor), None) => whole(major, minor + 1, 0),
        (Some(minor), Some(patch)) => whole(major, minor, patch + 1),
    };
    // `<X`, X itself no pre-release, leaves out X's own pre-releases.
    let below = |bound: &Version| {
        let bound_text = bound.to_string();
        let own_prerelease = !bound_text.contains('-') && version.to_string().starts_with(&format!("{bound_text}-"));
        version < bound && !own_prerelease
    };
    let partial = patch.is_none();
    match operator.trim() {
        ">" if partial => *version >= after,
        ">" => *version > lowest,
        ">=" => *version >= lowest,
        "<" => below(&lowest),
        "<=" if partial => below(&after),
        "<=" => *version <= lowest,
        "=" if partial => *version >= lowest && below(&after),
        "=" => *version == lowest,
        "" if wildcard => *version >= lowest && below(&after),
        "~" => {
            let bound = match minor {
                None => whole(major + 1, 0, 0),
                Some(minor) => whole(major, minor + 1, 0),
            };
            *version >= lowest && below(&bound)
        }
        "^" | "" => {
            let bound = match (major, minor, patch) {
                (0, Some(0), Some(patch)) => whole(0, 0, patch + 1),
                (0, Some(0), None) => whole(0, 1, 0),
                (0, Some(minor), _) => whole(0, minor + 1, 0),
                (major, ..) => whole(major + 1, 0, 0),
            };
            *version >= lowest && below(&bound)
        }
        other => panic!("no such operator: {other}"),
    }
}
