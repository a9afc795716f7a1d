//! Commands to try: each works as printed, in a shell on this machine.

use super::{EMAIL, PASSWORD, PIPELINE, SUPPORT, id, token_text};
use crate::{
    domain::id::SubscriptionId,
    services::{Context, selling::license_keys},
};

const ACTIVE: &str = "DEMO-OFFICE-SINGLE-ACTIVE";
const EXPIRED: &str = "DEMO-OFFICE-SINGLE-EXPIRED";
const MULTI: &str = "DEMO-OFFICE-MULTI-ACTIVE";
/// The cloud keys, with the slugs of their hosting groups.
const CLOUD: [(&str, &str); 2] =
    [("DEMO-OFFICE-CLOUD-MILAN", "milan-nights"), ("DEMO-OFFICE-CLOUD-AUCKLAND", "auckland-nights")];

/// Other keys in `customers.toml` that are worth trying.
const MORE_KEYS: [&str; 9] = [
    "DEMO-OFFICE-SINGLE-GRACE",
    "DEMO-OFFICE-SINGLE-PENDING",
    "DEMO-OFFICE-SINGLE-SUSPENDED",
    "DEMO-OFFICE-SINGLE-CANCELLED",
    "DEMO-OFFICE-SINGLE-PINNED",
    "DEMO-OFFICE-SINGLE-BETA",
    "DEMO-OFFICE-SINGLE-NO-END",
    "DEMO-LIBRARY-SINGLE-ACTIVE",
    "DEMO-LIBRARY-MULTI-ACTIVE",
];

/// Whether the commands would work, that is, the demo's keys exist.
pub(super) fn work(context: &Context) -> bool {
    license_keys::recognise(context, ACTIVE).is_ok()
}

/// Prints the commands.
pub(super) fn print(context: &Context, with_administrator: bool) {
    for (title, line) in lines(context, with_administrator) {
        println!("\n# {title}\n{line}");
    }
    println!("\nMore license keys:");
    for keys in MORE_KEYS.chunks(3) {
        println!("  {}", keys.join("  "));
    }
    println!("\nFor `sluice publish`: export SLUICE_TOKEN={}", token_text(PIPELINE));
}

fn lines(context: &Context, with_administrator: bool) -> Vec<(&'static str, String)> {
    let address = &context.settings.public_url;
    let check = |key: &str, question: &str| {
        format!("curl -s -H 'Authorization: License {key}' '{address}/api/v1/check?product=office-maker&{question}'")
    };
    let post = |path: &str, header: &str, body: &str| {
        format!("curl -s -H 'Content-Type: application/json'{header} -d '{body}' '{address}{path}'")
    };
    let subscription: SubscriptionId = id(0xa, 1);
    let cloud = closed_group(context);
    let mut lines = vec![
        ("A check that gets an update", check(ACTIVE, "version=12.4.0&platform=windows&arch=x86_64&locale=it")),
        (
            "The same with an expired subscription: what came out later is not covered",
            check(EXPIRED, "version=12.4.0&platform=windows&arch=x86_64&locale=fr"),
        ),
        (
            "A client in a company, told that its server has an update",
            check(
                MULTI,
                "component=client&version=12.4.0&server_version=12.4.0&platform=windows&arch=x86_64&server_platform=linux&locale=de",
            ),
        ),
        (
            "A hosted server outside its maintenance window: deferred",
            check(cloud, "component=server&version=12.4.0&platform=linux&arch=x86_64"),
        ),
        (
            "A client of a hosted server: managed",
            check(cloud, "component=client&version=12.4.0&server_version=12.4.0&platform=windows&arch=x86_64"),
        ),
        (
            "Why a program gets the answer it gets",
            post(
                "/api/v1/admin/explain",
                &format!(" -H 'Authorization: Bearer {}'", token_text(SUPPORT)),
                &format!(
                    r#"{{"product":"office-maker","version":"11.0.0","platform":"windows","arch":"x86_64","subscription_id":"{subscription}"}}"#
                ),
            ),
        ),
    ];
    if with_administrator {
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        lines.push(("Log in", post("/api/v1/auth/login", "", &body)));
    }
    lines
}

/// The key of the hosting group whose window opens last from now. The nights of the two groups do not overlap, so one
/// of them is closed, and stays closed for a while.
fn closed_group(context: &Context) -> &'static str {
    let catalogue = context.directory.catalogue();
    let now = context.clock.now();
    let opens = |slug: &str| {
        let group = catalogue.group_by_slug(slug).filter(|group| !group.is_open(now))?;
        group.next_start(now)
    };
    CLOUD.iter().max_by_key(|(_, slug)| opens(slug)).map_or("", |(key, _)| *key)
}
