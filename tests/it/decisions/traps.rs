//! What other update servers get wrong, each as a sentence that holds here.

use sluice::domain::{
    decision::{facts::Check, reason::Reason},
    id::InstallationId,
};
use uuid::Uuid;

use super::{answer::Answer, cases, world as world_with, world::World};

/// The version that is offered.
fn offered(world: &World) -> Option<String> {
    world.decide().offer.map(|offer| offer.release.version.to_string())
}

fn path(world: &World) -> Vec<String> {
    Answer::of(&world.decide()).update.map(|update| update.path).unwrap_or_default()
}

#[test]
fn a_yanked_or_unknown_current_version_still_gets_its_answer() {
    let catalogue = r#"releases = { "12.0.0" = { state = "yanked" }, "13.0.0" = {} }"#;
    for version in ["12.0.0", "12.0.0+custom", "12.0.1", "0.0.1", "13.0.0-nightly.20260615"] {
        let world = world_with(&format!("{catalogue}\ncheck.version = \"{version}\""));
        assert_eq!(offered(&world).as_deref(), Some("13.0.0"), "from {version}");
    }
    // Where there is nothing to go to, too: neither is an error, and who is ahead is not taken back.
    for (version, reason) in [("99.0.0", None), ("13.0.0", Some(Reason::CurrentYanked))] {
        let world =
            world_with(&format!("releases.\"13.0.0\" = {{ state = \"yanked\" }}\ncheck.version = \"{version}\""));
        let decision = world.decide();
        assert_eq!((decision.status.as_str(), decision.reason), ("up_to_date", reason), "from {version}");
    }
    // Nor does a server's version that is yanked or unknown leave its client without an answer.
    for server in ["12.0.0", "12.0.1"] {
        let world = world_with(&format!(
            "{catalogue}\nsubscription.deployment = \"multi_user\"\ncheck = {{ component = \"client\", server_version = \"{server}\" }}"
        ));
        assert_eq!(offered(&world).as_deref(), Some("13.0.0"), "server {server}");
    }
}

#[test]
fn a_draft_published_after_a_subscription_ended_is_not_covered() {
    let world = |published: &str| {
        world_with(&format!(
            r#"
            now = "2026-09-01T00:00:00Z"
            subscription.ends_on = "2026-06-30"
            releases."13.0.0" = {{ created_at = "2026-05-01T00:00:00Z", published_at = "{published}" }}
            "#
        ))
    };
    assert_eq!(offered(&world("2026-06-30T23:59:59Z")).as_deref(), Some("13.0.0"));
    let after = world("2026-07-01T00:00:00Z");
    let decision = after.decide();
    assert_eq!(decision.reason, Some(Reason::SubscriptionExpired));
    assert_eq!(decision.newer.map(|release| release.version.to_string()).as_deref(), Some("13.0.0"));
}

#[test]
fn asking_again_never_changes_the_answer() {
    for case in cases() {
        let first = format!("{:?}", case.world.decide());
        for _ in 0..5 {
            assert_eq!(format!("{:?}", case.world.decide()), first, "{}: {}", case.table, case.name);
        }
    }
    // No dice are thrown for a stage: whoever of one site asks, and however often, is in or out with all of it.
    let staged =
        world_with(r#"releases."13.0.0" = { id = "0199a0de-0000-7000-8000-000000000001", percent = "26.83" }"#);
    for number in 0..1_000 {
        let installation = Some(InstallationId(Uuid::from_u128(number)));
        let asking = World { check: Check { installation, ..staged.check.clone() }, ..staged.clone() };
        assert_eq!(offered(&asking).as_deref(), Some("13.0.0"));
    }
}

#[test]
fn those_outside_a_stage_get_the_release_before() {
    // The bucket is 2682.
    let staged = |percent: &str| {
        world_with(&format!(
            r#"
            releases."12.1.0" = {{}}
            releases."12.2.0" = {{}}
            releases."13.0.0" = {{ id = "0199a0de-0000-7000-8000-000000000001", percent = "{percent}" }}
            "#
        ))
    };
    for percent in ["0", "0.01", "10", "26.82"] {
        assert_eq!(offered(&staged(percent)).as_deref(), Some("12.2.0"), "at {percent} %");
    }
    // A stage that grows takes in who was out, and never puts out who was in.
    for percent in ["26.83", "50", "99.99", "100"] {
        assert_eq!(offered(&staged(percent)).as_deref(), Some("13.0.0"), "at {percent} %");
    }
}

#[test]
fn a_stone_is_not_jumped_by_changing_channel() {
    let on = |channel: &str, version: &str| {
        world_with(&format!(
            r#"
            subscription.channels = ["alpha"]
            check = {{ channel = "{channel}", version = "{version}" }}
            releases."12.0.0" = {{ min_from = "11.0.0" }}
            releases."13.0.0" = {{ min_from = "12.0.0" }}
            releases."13.1.0-beta.1" = {{ channel = "beta", min_from = "12.0.0" }}
            releases."14.0.0-alpha.1" = {{ channel = "alpha", min_from = "13.0.0" }}
            "#
        ))
    };
    // From 11 every channel leads over 12 first, and alpha over one above 13 as well.
    assert_eq!(path(&on("stable", "11.0.0")), ["12.0.0", "13.0.0"]);
    assert_eq!(path(&on("beta", "11.0.0")), ["12.0.0", "13.1.0-beta.1"]);
    assert_eq!(path(&on("alpha", "11.0.0")), ["12.0.0", "13.1.0-beta.1", "14.0.0-alpha.1"]);
    // Back on stable, the pre-release in use waits for what is above it, and is not taken back below the stone.
    assert_eq!(path(&on("stable", "12.0.0-beta.1")), ["12.0.0", "13.0.0"]);
    assert_eq!(path(&on("stable", "13.1.0-beta.1")), [""; 0]);
    // Who is below every stone is told so on every channel.
    for channel in ["stable", "beta", "alpha"] {
        assert_eq!(on(channel, "10.0.0").decide().reason, Some(Reason::NoPath), "on {channel}");
    }
}
