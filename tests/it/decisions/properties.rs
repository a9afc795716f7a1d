//! What holds in every world. The worlds are small, so that things collide: few versions, dates on the edges of days
//! and of each other, releases in every state.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time};
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{TestRng, TestRunner},
};
use sluice::domain::{
    artifact::Artifact,
    decision::{
        facts::{Check, Slot, Trigger},
        reason::{Reason, Status, Verdict},
        report::{Considered, Offer},
    },
    hosting_group::{Day, HostingGroup, Window},
    id::{HostingGroupId, InstallationId, ReleaseId, SubscriptionId},
    platform::{Component, MachineArch, Platform},
    product::{ExpiryPolicy, Product},
    release::{Access, Release, ReleaseState, Severity},
    rollout::{Percent, Plan, Rollout, RolloutState},
    stop::Stop,
    subscription::{Coverage, Deployment, SubscriptionState},
    version::{Requirement, Version},
    zone::Zone,
};
use uuid::Uuid;

use super::{
    answer::Answer,
    reference,
    world::{Asker, World, artifact, product},
};

/// `PROPTEST_CASES` asks for more; fewer would not show much.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(3_000), failure_persistence: None, ..default }
}

// The worlds.

const VERSIONS: [&str; 8] = ["1.0.0", "1.1.0-rc.1", "1.1.0", "1.2.0", "2.0.0-rc.1", "2.0.0", "2.1.0", "3.0.0"];
const UNKNOWN: [&str; 3] = ["0.9.0", "1.1.5", "9.0.0"];
const CHANNELS: [&str; 3] = ["stable", "beta", "alpha"];
const REQUIREMENTS: [&str; 9] = ["*", "^1", "~1.1", "<2", ">=1.1, <3", "=1.1", "<=2.0.0", ">1.1.0-rc.1", "2.*"];
const FILES: [&str; 12] = [
    "standalone/windows/x86_64",
    "server/windows/x86_64",
    "client/windows/x86_64",
    "client/windows/universal/archive",
    "server/linux/universal",
    "standalone/windows/universal",
    "standalone/windows/x86_64/archive",
    "server/linux/aarch64",
    "client/linux/aarch64/archive",
    "standalone/linux/aarch64/delta",
    "server/macos/aarch64",
    "client/windows/aarch64/delta",
];
/// Among them: a minute into the last and the first day of a Roman month, and both nights on which its clocks change.
const MOMENTS: [&str; 6] = [
    "2026-06-15T12:00:00Z",
    "2026-06-30T22:00:00Z",
    "2026-03-29T00:45:00Z",
    "2026-03-29T01:45:00Z",
    "2026-10-25T00:40:00Z",
    "2026-10-25T01:40:00Z",
];
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} can be read"))
}

/// Five of six times the first.
fn mostly<T: Clone + std::fmt::Debug + 'static>(usual: T, others: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop_oneof![5 => Just(usual), 1 => select(others.to_vec())]
}

fn known_version() -> impl Strategy<Value = Version> {
    select(&VERSIONS[..]).prop_map(parse)
}

fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![4 => select(&VERSIONS[..4]), 4 => select(&VERSIONS[..]), 1 => select(&UNKNOWN[..])].prop_map(parse)
}

fn all_files() -> &'static [Artifact] {
    static ALL: LazyLock<Vec<Artifact>> =
        LazyLock::new(|| FILES.iter().zip(1..).filter_map(|(name, number)| artifact(name, number).ok()).collect());
    &ALL
}

fn files() -> impl Strategy<Value = u16> + use<> {
    prop_oneof![3 => Just(0b0000_0000_0111), 3 => Just(0b1111_1111_1111), 2 => any::<u16>()]
}

/// Seconds from now.
fn publication() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(-100 * DAY), 4 => select(&[-400 * DAY, -10 * DAY, -2 * DAY, -DAY, -DAY - 1, -HOUR, -1, 0][..]), 1 => select(&[1, DAY][..])]
}

fn releases(now: Timestamp, files: BoxedStrategy<u16>) -> impl Strategy<Value = Vec<Arc<Release>>> {
    let one = (
        prop::bool::weighted(0.8),
        prop_oneof![4 => Just("stable"), 2 => select(&CHANNELS[..])],
        mostly(ReleaseState::Published, &[ReleaseState::Published, ReleaseState::Draft, ReleaseState::Yanked]),
        publication(),
        mostly(Severity::Normal, Severity::ALL),
        mostly(Access::Subscribers, Access::ALL),
        prop::option::weighted(0.6, 1..4_usize), // so many places below it
        prop::option::weighted(0.5, select(&REQUIREMENTS[..])),
        prop_oneof![3 => Just(10_000), 1 => select(&[0, 1, 2_500, 5_000, 9_999][..])],
        mostly(RolloutState::Running, &[RolloutState::Running, RolloutState::Paused, RolloutState::Halted]),
        files,
    )
        .boxed(); // eight of them side by side would not fit on the stack of a test
    prop::array::uniform8(one).prop_map(move |all| {
        let build = |(number, drawn): (usize, _)| {
            let (there, channel, state, seconds, severity, access, min_from, clients, percent, rollout, files): (
                bool,
                _,
                _,
                _,
                _,
                _,
                Option<usize>,
                Option<&str>,
                _,
                _,
                u16,
            ) = drawn;
            let at = |place: usize| VERSIONS.get(place).map(|text| parse(text));
            let version: Version = at(number).expect("a version");
            let min_from: Option<Version> = min_from.and_then(|below| at(number.checked_sub(below)?));
            let number = u128::try_from(number).expect("a small number");
            let chosen = all_files().iter().enumerate().filter(|(place, _)| files >> place & 1 == 1);
            there.then(|| {
                Arc::new(Release {
                    id: ReleaseId(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0001 + number)),
                    product: sluice::domain::id::ProductId(Uuid::from_u128(1)),
                    version,
                    channel: parse(channel),
                    state,
                    published_at: (state != ReleaseState::Draft).then(|| now + SignedDuration::from_secs(seconds)),
                    severity,
                    access,
                    min_from,
                    compatible_clients: clients.map(parse::<Requirement>),
                    notes: BTreeMap::new(),
                    announced_at: None,
                    rollout: Rollout {
                        percent: Percent::from_units(percent).expect("a percentage"),
                        state: rollout,
                        reason: None,
                        plan: Plan::default(),
                    },
                    yank_reason: None,
                    artifacts: chosen.map(|(_, file)| file.clone()).collect(),
                    created_at: Timestamp::UNIX_EPOCH,
                    manifest_revision: 1,
                    revision: 1,
                })
            })
        };
        all.into_iter().enumerate().filter_map(build).collect()
    })
}

fn checks() -> impl Strategy<Value = Check> {
    (
        (
            prop_oneof![2 => Just(Component::Standalone), 2 => Just(Component::Server), 5 => Just(Component::Client)],
            any_version(),
        ),
        mostly(Platform::Windows, Platform::ALL),
        mostly(MachineArch::X86_64, MachineArch::ALL),
        prop::option::weighted(0.1, select(sluice::domain::artifact::FullKind::ALL)),
        select(&CHANNELS[..]),
        prop::option::of((1..4_u128).prop_map(|number| InstallationId(Uuid::from_u128(number)))),
        prop::option::weighted(0.85, any_version()),
        prop::option::weighted(0.3, select(Platform::ALL)),
        prop::option::weighted(0.3, select(MachineArch::ALL)),
        select(Trigger::ALL),
    )
        .prop_map(
            |(
                (component, version),
                platform,
                arch,
                kind,
                channel,
                installation,
                server_version,
                server_platform,
                server_arch,
                trigger,
            )| Check {
                component,
                kind,
                channel: Some(parse(channel)),
                installation,
                server_version,
                server_platform,
                server_arch,
                trigger,
                ..Check::new(parse("office-maker"), version, platform, arch)
            },
        )
}

fn groups() -> impl Strategy<Value = HostingGroup> {
    (
        select(&["Europe/Rome", "UTC", "Australia/Lord_Howe", "America/New_York"][..]),
        mostly(Day::ALL.to_vec(), &[vec![Day::Monday], vec![Day::Sunday, Day::Wednesday]]),
        (0..24_i8, select(&[0, 15, 30, 45_i8][..])),
        select(&[1, 60, 180, 720, 1439, 1440_u16][..]),
        prop::option::weighted(0.9, 1..3_u32),
    )
        .prop_map(|(zone, days, (hour, minute), duration_minutes, max_concurrent)| HostingGroup {
            id: HostingGroupId(Uuid::from_u128(2)),
            slug: parse("nightly"),
            name: parse("Nightly"),
            timezone: parse(zone),
            window: Window { days, start: Time::constant(hour, minute, 0, 0), duration_minutes },
            max_concurrent,
            revision: 1,
        })
}

fn subscribers(today: jiff::civil::Date) -> impl Strategy<Value = Asker> {
    let allowed: &[&[&str]] = &[&["stable"], &["beta"], &["alpha"], &["alpha", "stable"]];
    (
        select(Deployment::ALL),
        mostly(SubscriptionState::Active, SubscriptionState::ALL),
        mostly(-300, &[-1, 0, 1_i64]),
        prop_oneof![1 => Just(None), 2 => Just(Some(300)), 3 => select(&[-200, -11, -3, -2, -1, 0, 1_i64][..]).prop_map(Some)],
        select(&[0, 0, 1, 2, 10_u16][..]),
        select(allowed),
        prop::option::weighted(0.2, select(&REQUIREMENTS[..])),
        prop::option::weighted(0.9, groups()),
        0xa1..0xa9_u128,
    )
        .prop_map(move |(deployment, state, starts, ends, grace_days, channels, version_req, group, id)| {
            let coverage = Coverage {
                id: SubscriptionId(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + id)),
                product: sluice::domain::id::ProductId(Uuid::from_u128(1)),
                deployment,
                state,
                starts_on: today + starts.days(),
                ends_on: ends.map(|days: i64| today + days.days()),
                grace_days,
                channels: channels.iter().map(|name| parse(name)).collect(),
                version_req: version_req.map(|text| Arc::new(parse(text))),
                hosting_group: group.as_ref().map(|group| group.id),
            };
            Asker::Subscriber(Box::new(coverage), group)
        })
}

fn stops() -> impl Strategy<Value = Vec<Stop>> {
    let stop = |channel: Option<&str>| Stop {
        channel: channel.map(parse),
        reason: "tests".to_owned(),
        message: BTreeMap::new(),
        since: Timestamp::UNIX_EPOCH,
    };
    prop_oneof![
        20 => Just(Vec::new()),
        1 => select(vec![vec![stop(None)], vec![stop(Some("stable"))], vec![stop(Some("beta"))], vec![stop(Some("alpha")), stop(None)]]),
    ]
}

fn products() -> impl Strategy<Value = Product> {
    (
        mostly(ExpiryPolicy::KeepPublished, ExpiryPolicy::ALL),
        prop::option::weighted(0.15, known_version()),
        select(&["Europe/Rome", "UTC", "Pacific/Auckland"][..]),
    )
        .prop_map(|(expiry_policy, min_supported_version, zone)| Product {
            expiry_policy,
            min_supported_version,
            timezone: parse::<Zone>(zone),
            ..product(CHANNELS.map(parse).into()).expect("a product")
        })
}

fn worlds() -> impl Strategy<Value = World> {
    worlds_with(files().boxed())
}

fn worlds_with(files: BoxedStrategy<u16>) -> impl Strategy<Value = World> {
    (select(&MOMENTS[..]), products()).prop_flat_map(move |(now, product)| {
        let now: Timestamp = parse(now);
        let asker =
            prop_oneof![2 => Just(Asker::Nobody), 1 => Just(Asker::OtherProduct), 24 => subscribers(product.timezone.date_at(now))];
        let slot = select(&[Slot::Free, Slot::Taken][..]);
        (releases(now, files.clone()).boxed(), stops().boxed(), checks().boxed(), asker.boxed(), slot).prop_map(
            move |(releases, stops, check, asker, slot)| World { now, product: product.clone(), releases, stops, check, asker, slot },
        )
    })
}

/// Multi-user clients that their servers accept, on the least stable channel, with releases whose server files are for
/// ever other machines: where rules 10b to 10d decide, which the other worlds seldom reach.
fn worlds_of_multi_user_clients() -> impl Strategy<Value = World> {
    let versions = (
        select(&["1.0.0", "0.9.0", "1.1.0", "1.2.0"][..]),
        select(&["0.9.0", "1.0.0", "1.1.0-rc.1"][..]),
        prop::bool::ANY,
    );
    (worlds_with(any::<u16>().boxed()), subscribers(jiff::civil::date(2026, 6, 15)), versions).prop_map(
        |(world, asker, versions)| {
            let (server, client, alike) = versions;
            let mut world = World { asker, stops: Vec::new(), ..world };
            if let Asker::Subscriber(coverage, _) = &mut world.asker {
                coverage.deployment = Deployment::MultiUser;
                coverage.channels = [parse("alpha")].into();
            }
            let server: Version = parse(server);
            world.check.component = Component::Client;
            world.check.channel = Some(parse("alpha"));
            world.check.version = if alike { server.clone() } else { parse(client) };
            for release in &mut world.releases {
                let release = Arc::make_mut(release);
                if release.state != ReleaseState::Draft {
                    release.state = ReleaseState::Published;
                    release.published_at = release.published_at.map(|at| at.min(world.now));
                }
                if release.version == server {
                    release.compatible_clients = Some(parse("*"));
                }
            }
            world.check.server_version = Some(server);
            world
        },
    )
}

// What the properties speak of.

/// The version of its server, where the asking client's server refuses it: the case of rule 10a.
fn refused_by_server(world: &World) -> Option<&Version> {
    let server = world.check.server_version.as_ref().filter(|_| world.check.component == Component::Client)?;
    (!reference::accepts(world, server, &world.check.version)).then_some(server)
}

/// The version that an offer replaces.
fn replaced<'a>(world: &'a World, offer: &Offer<'_>) -> &'a Version {
    let check = &world.check;
    if offer.applies_to == check.component { &check.version } else { check.server_version.as_ref().expect("a server") }
}

/// The releases of an offer's path, in its order.
fn hops<'a>(world: &'a World, offer: &Offer<'_>) -> Vec<&'a Release> {
    offer.path.iter().map(|version| world.release(version).expect("a release")).collect()
}

/// Whether `more` offers at least what `less` does: for the same program as high or higher, to the same end or a higher
/// one; or, to a client, its server's update in place of its own (rule 10b goes before 10c).
fn gives_no_less(less: &World, more: &World) -> Result<(), TestCaseError> {
    let (before, after) = (less.decide(), more.decide());
    if before.status == Status::Deferred {
        prop_assert_eq!(after.status, Status::Deferred, "what waited for the window is lost: {:?}", more);
    }
    let Some(offered) = &before.offer else { return Ok(()) };
    let Some(then) = &after.offer else {
        return Err(TestCaseError::fail(format!("nothing is offered any more: {more:?}")));
    };
    if offered.applies_to == Component::Client && then.applies_to == Component::Server {
        return Ok(());
    }
    prop_assert_eq!(offered.applies_to, then.applies_to);
    prop_assert!(then.path.last() >= offered.path.last(), "the path ends lower: {:?}", then.path);
    // Of two paths to one end, that of another of the server's possible machines may be taken (rule 10b).
    prop_assert!(
        then.release.version >= offered.release.version || then.path.last() > offered.path.last(),
        "the offer is lower"
    );
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_answer_is_the_references(world in worlds()) {
        prop_assert_eq!(Answer::of(&world.decide()), reference::answer(&world));
    }

    #[test]
    fn the_answer_to_a_multi_user_client_is_the_references(world in worlds_of_multi_user_clients()) {
        prop_assert_eq!(Answer::of(&world.decide()), reference::answer(&world));
    }

    #[test]
    fn an_offer_is_above_the_version_it_replaces_except_by_10a(world in worlds()) {
        let decision = world.decide();
        if let Some(offer) = &decision.offer && refused_by_server(&world).is_none() {
            prop_assert!(offer.release.version > *replaced(&world, offer));
        }
    }

    #[test]
    fn no_withdrawn_unfinished_skipped_or_unentitled_offer_is_made(world in worlds()) {
        let decision = world.decide();
        let Some(offer) = &decision.offer else { return Ok(()) };
        prop_assert_eq!(offer.path.first().copied(), Some(&offer.release.version));
        for release in hops(&world, offer) {
            prop_assert_eq!(release.state, ReleaseState::Published);
            prop_assert!(release.published_at.is_some_and(|at| at <= world.now), "{} is still to come", release.version);
            prop_assert_ne!(release.rollout.state, RolloutState::Halted);
            match refused_by_server(&world) {
                Some(server) => {
                    let ran = world.release(server).filter(|one| one.was_published_by(world.now)).unwrap_or(release);
                    prop_assert_eq!(reference::refused(&world, ran), None);
                }
                None => {
                    prop_assert_eq!(release.rollout.state, RolloutState::Running);
                    prop_assert!(release.rollout.percent.hundredths() > 0);
                    prop_assert_eq!(reference::refused(&world, release), None);
                    let pin = world.coverage().and_then(|coverage| coverage.version_req.as_ref());
                    prop_assert!(pin.is_none_or(|pin| pin.matches(&release.version)), "{} is outside the pin", release.version);
                }
            }
        }
    }

    #[test]
    fn a_client_is_never_offered_what_its_server_refuses(world in worlds()) {
        let decision = world.decide();
        let server = world.check.server_version.as_ref().filter(|_| world.check.component == Component::Client);
        if let Some((offer, server)) = decision.offer.as_ref().zip(server) && offer.applies_to == Component::Client {
            prop_assert!(reference::accepts(&world, server, &offer.release.version));
            prop_assert!(offer.release.version <= *server);
        }
    }

    #[test]
    fn what_a_subscription_gives_is_still_given_with_a_day_more(world in worlds()) {
        let mut longer = world.clone();
        if let Asker::Subscriber(coverage, _) = &mut longer.asker {
            coverage.ends_on = coverage.ends_on.and_then(|day| day.tomorrow().ok());
        }
        gives_no_less(&world, &longer)?;
    }

    #[test]
    fn a_check_on_a_less_stable_channel_is_offered_no_less(world in worlds()) {
        let on = |channel: &str| World { check: Check { channel: Some(parse(channel)), ..world.check.clone() }, stops: Vec::new(), ..world.clone() };
        gives_no_less(&on("stable"), &on("beta"))?;
        gives_no_less(&on("beta"), &on("alpha"))?;
    }

    #[test]
    fn who_asks_by_hand_is_offered_no_less(world in worlds()) {
        let by = |trigger| World { check: Check { trigger, ..world.check.clone() }, ..world.clone() };
        gives_no_less(&by(Trigger::Startup), &by(Trigger::Manual))?;
        prop_assert_eq!(Answer::of(&by(Trigger::Startup).decide()), Answer::of(&by(Trigger::Scheduled).decide()));
    }

    #[test]
    fn all_installations_of_one_subscription_move_as_one(world in worlds(), other in prop::option::of(any::<u128>())) {
        if world.coverage().is_some() {
            let installation = other.map(|number| InstallationId(Uuid::from_u128(number)));
            let elsewhere = World { check: Check { installation, ..world.check.clone() }, ..world.clone() };
            prop_assert_eq!(Answer::of(&world.decide()), Answer::of(&elsewhere.decide()));
        }
    }

    #[test]
    fn the_same_facts_give_the_same_decision(world in worlds()) {
        let again = world.clone();
        prop_assert_eq!(format!("{:?}", world.decide()), format!("{:?}", again.decide()));
    }

    #[test]
    fn the_trace_names_every_newer_release_once_per_component(world in worlds()) {
        let decision = world.decide();
        let check = &world.check;
        let named = |component: Component| -> Vec<&Version> {
            decision.trace.iter().filter(|one| one.component == component).map(|one| one.version).collect()
        };
        let above = |version: &Version| -> Vec<&Version> {
            world.releases.iter().map(|release| &release.version).filter(|other| *other > version).collect()
        };
        for component in [Component::Standalone, Component::Server, Component::Client] {
            let versions = named(component);
            let once = versions.windows(2).all(|pair| matches!(pair, [left, right] if left < right));
            prop_assert!(once, "not once each, in ascending order: {:?}", versions);
        }
        let early = [Some(Reason::WrongProduct), Some(Reason::Stopped), Some(Reason::ServerVersionRequired)].contains(&decision.reason);
        if early || decision.status == Status::Managed {
            prop_assert!(decision.trace.is_empty());
        } else if refused_by_server(&world).is_some() {
            let all: Vec<_> = world.releases.iter().map(|release| &release.version).collect();
            prop_assert_eq!(named(Component::Client), all, "each may be what the server accepts");
        } else if let Some(server) = check.server_version.as_ref().filter(|_| check.component == Component::Client) {
            let multi_user = world.coverage().is_some_and(|coverage| coverage.deployment == Deployment::MultiUser);
            prop_assert_eq!(named(Component::Server), if multi_user { above(server) } else { Vec::new() });
            let told_of_server = decision.offer.as_ref().is_some_and(|offer| offer.applies_to == Component::Server);
            prop_assert_eq!(named(Component::Client), if told_of_server { Vec::new() } else { above(&check.version) });
        } else {
            prop_assert_eq!(named(check.component), above(&check.version));
            prop_assert_eq!(decision.trace.len(), named(check.component).len());
        }
    }

    #[test]
    fn the_trace_marks_the_offer_offered_and_what_follows_on_path(world in worlds()) {
        let decision = world.decide();
        let said = |verdict: Verdict| -> Vec<&Considered<'_>> { decision.trace.iter().filter(|one| one.verdict == verdict).collect() };
        let (offered, on_path) = (said(Verdict::Offered), said(Verdict::OnPath));
        if let Some(offer) = &decision.offer {
            let says: Vec<_> = offered.iter().chain(&on_path).map(|one| one.version).collect();
            prop_assert_eq!(&says, &offer.path);
            prop_assert_eq!(offered.len(), 1);
            prop_assert!(offered.iter().chain(&on_path).all(|one| one.component == offer.applies_to));
        } else if decision.status != Status::Deferred {
            prop_assert!(offered.is_empty() && on_path.is_empty());
        }
        if let Some(newer) = decision.newer {
            let reasons = [Verdict::LicenseRequired, Verdict::SubscriptionPending, Verdict::SubscriptionExpired, Verdict::SubscriptionSuspended, Verdict::SubscriptionCancelled];
            prop_assert!(decision.trace.iter().any(|one| *one.version == newer.version && reasons.contains(&one.verdict)));
        }
    }

    #[test]
    fn each_part_of_the_answer_is_there_only_where_it_may_be(world in worlds()) {
        let decision = world.decide();
        prop_assert_eq!(decision.offer.is_some(), decision.status == Status::UpdateAvailable);
        prop_assert!(decision.newer.is_none() || matches!(decision.status, Status::UpdateAvailable | Status::NotEntitled));
        prop_assert_eq!(decision.next_window_at.is_some(), decision.reason == Some(Reason::OutsideMaintenanceWindow));
        prop_assert_eq!(decision.stop.is_some(), decision.status == Status::Blocked);
        prop_assert!(decision.next_window_at.is_none_or(|at| at > world.now));
        if let Some(newer) = decision.newer && refused_by_server(&world).is_none() {
            prop_assert_eq!(newer.rollout.state, RolloutState::Running);
            prop_assert!(reference::refused(&world, newer).is_some());
            prop_assert!(decision.offer.is_none_or(|offer| offer.path.last().is_some_and(|end| **end < newer.version)));
        }
    }

    #[test]
    fn an_offer_for_the_asking_program_has_a_file_for_its_platform(world in worlds()) {
        let decision = world.decide();
        let Some(offer) = &decision.offer else { return Ok(()) };
        let check = &world.check;
        match offer.artifact {
            Some(artifact) => {
                prop_assert_eq!((artifact.component, artifact.platform), (check.component, check.platform));
                prop_assert!([check.arch.as_str(), "universal"].contains(&artifact.arch.as_str()));
                prop_assert!(check.kind.is_none_or(|kind| kind.as_str() == artifact.kind.as_str()));
                prop_assert!(offer.release.artifacts.contains(artifact));
            }
            None => prop_assert_ne!(offer.applies_to, check.component),
        }
        prop_assert!(offer.companions.is_empty() || check.component == Component::Server);
    }

    #[test]
    fn every_hop_is_a_step_up_that_its_min_from_allows(world in worlds()) {
        let decision = world.decide();
        let Some(offer) = &decision.offer else { return Ok(()) };
        let to_match_server = world.check.server_version.is_some() && offer.applies_to == Component::Client;
        if to_match_server {
            prop_assert_eq!(offer.path.len(), 1); // rules 10a and 10c know no stones
            return Ok(());
        }
        let mut here = replaced(&world, offer);
        for release in hops(&world, offer) {
            prop_assert!(release.version > *here);
            prop_assert!(release.min_from.as_ref().is_none_or(|lowest| here >= lowest), "{} cannot be reached from {here}", release.version);
            here = &release.version;
        }
    }
}

/// A moment within four days of a change of the clocks, in a zone of [`groups`], to a quarter of an hour or just off
/// it.
fn restless_moments() -> impl Strategy<Value = Timestamp> {
    let changes = select(
        &[
            "2026-03-29T01:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-04-04T15:00:00Z",
            "2026-10-03T15:30:00Z",
            "2026-03-08T07:00:00Z",
            "2026-11-01T06:00:00Z",
        ][..],
    );
    (changes, -384..384_i64, select(&[0, 0, -1, 1][..])).prop_map(|(change, quarters, seconds)| {
        parse::<Timestamp>(change) + SignedDuration::from_mins(quarters * 15) + SignedDuration::from_secs(seconds)
    })
}

/// Requirements in every form that Cargo's syntax has.
fn requirements() -> impl Strategy<Value = String> {
    let number = || 0..3_u64;
    let one = (select(&["", "^", "~", "=", ">", ">=", "<", "<="][..]), number(), number(), number(), 0..6_u8).prop_map(
        |(operator, major, minor, patch, form)| match form {
            0 => format!("{operator}{major}"),
            1 => format!("{operator}{major}.{minor}"),
            2 => format!("{operator}{major}.{minor}.{patch}-rc.1"),
            3 if operator.is_empty() => format!("{major}.*"),
            4 if operator.is_empty() => format!("{major}.{minor}.*"),
            _ => format!("{operator}{major}.{minor}.{patch}"),
        },
    );
    prop::collection::vec(one, 1..3).prop_map(|all| all.join(", "))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_window_is_open_when_the_calendar_says_so(group in groups(), now in restless_moments()) {
        prop_assert_eq!((group.is_open(now), group.next_start(now)), reference::window(&group, now));
    }

    #[test]
    fn each_site_comes_at_its_own_moment_early_in_the_window(group in groups(), now in restless_moments(), site in any::<u128>()) {
        let site = SubscriptionId(Uuid::from_u128(site));
        let (start, comes) = (group.next_start(now).expect("a start"), group.next_turn(site, now).expect("a moment"));
        let into = comes.duration_since(start);
        prop_assert_eq!(u64::try_from(into.as_secs()).expect("not before the start"), reference::jitter(&group, site));
        prop_assert_eq!(into.subsec_nanos(), 0);
        prop_assert!(into < SignedDuration::from_secs(i64::from(group.window.duration_minutes) * 15), "{} into it", into);
        prop_assert!(into < SignedDuration::from_mins(15), "{} into it", into);
        prop_assert!(group.is_open(comes));
    }

    #[test]
    fn a_requirement_means_what_the_contract_says(requirement in requirements(), (major, minor, patch) in (0..4_u64, 0..4_u64, 0..4_u64), suffix in select(&["", "", "-rc.1", "-rc.2", "-alpha", "+build"][..])) {
        let version: Version = parse(&format!("{major}.{minor}.{patch}{suffix}"));
        let read: Requirement = parse(&requirement);
        prop_assert_eq!(read.matches(&version), reference::meets(&requirement, &version), "{} and {}", requirement, version);
    }
}

/// A property of worlds that never come up says nothing. The numbers are drawn from a fixed seed, so this does not
/// flicker.
#[test]
fn the_worlds_reach_every_status_reason_and_verdict() {
    let mut runner = TestRunner::new_with_rng(config(), TestRng::deterministic_rng(config().rng_algorithm));
    let seen = RefCell::new(BTreeMap::<String, u32>::new());
    let note = |what: String| *seen.borrow_mut().entry(what).or_default() += 1;
    let strategy = worlds();
    for _ in 0..6_000 {
        let world = strategy.new_tree(&mut runner).expect("a world").current();
        let decision = world.decide();
        note(format!("status {}", decision.status));
        if let Some(reason) = decision.reason {
            note(format!("reason {reason}"));
        }
        for one in &decision.trace {
            note(format!("verdict {}", one.verdict));
        }
        if let Some(offer) = &decision.offer {
            note(format!(
                "offer of {} to {}{}",
                offer.applies_to,
                world.check.component,
                if refused_by_server(&world).is_some() { " by 10a" } else { "" }
            ));
            note(format!("path of {}", offer.path.len().min(3)));
            note(format!("mandatory {}", offer.mandatory));
            note(format!("newer {}", decision.newer.is_some()));
        }
    }
    let seen = seen.into_inner();
    let statuses = Status::ALL.iter().map(|status| format!("status {status}"));
    let reasons = Reason::ALL.iter().map(|reason| format!("reason {reason}"));
    let verdicts = Verdict::ALL.iter().map(|verdict| format!("verdict {verdict}"));
    let offers = [
        "client to client by 10a",
        "server to client",
        "client to client",
        "server to server",
        "standalone to standalone",
    ];
    let others = offers.map(|which| format!("offer of {which}")).into_iter();
    let wanted = statuses
        .chain(reasons)
        .chain(verdicts)
        .chain(others)
        .chain(["path of 2", "path of 3", "mandatory true", "newer true"].map(str::to_owned));
    let rare: Vec<_> = wanted.filter(|what| seen.get(what).is_none_or(|count| *count < 5)).collect();
    assert!(rare.is_empty(), "hardly ever seen: {rare:?}\n{seen:#?}");
}
