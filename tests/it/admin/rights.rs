//! Who may do what: every operation of the API description as every kind of caller, against the table in
//! `docs/rights.md`.

mod table;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use self::table::{Elsewhere, Line};
use crate::{
    harness::{Actor as _, Answer, Ci, Server, Vendor, vendor::log_in_as},
    openapi::{
        example::{Example, LICENSE},
        operations,
    },
};

const ROLES: [&str; 4] = ["owner", "release_manager", "support", "viewer"];
const SCOPES: [&str; 6] =
    ["releases:read", "releases:write", "releases:publish", "stops:lift", "subscriptions:read", "subscriptions:write"];

/// How the ids of everything begin that the demo has.
const DEMO: &str = "0199a0de-0000-7000-8000-";
/// The product that callers are limited to who have nothing to do with those of the demo.
const OTHER: &str = "paint-maker";

/// What a scope brings with it.
fn grants(scope: &str, needed: &str) -> bool {
    scope == needed
        || match needed {
            "releases:read" => scope.starts_with("releases:") || scope == "stops:lift",
            "subscriptions:read" => scope == "subscriptions:write",
            _ => false,
        }
}

/// Who a caller is.
#[derive(Clone)]
enum Who {
    Nobody,
    License,
    /// Credentials that are not good, or not good any more.
    Refused,
    Role(&'static str),
    Scope(&'static str),
}

/// Which products a caller may touch.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    All,
    /// The demo's.
    Own,
    Other,
}

struct Caller {
    name: String,
    who: Who,
    reach: Reach,
    authorization: Option<String>,
}

/// The demo, which has something of every kind, and one caller of each kind.
struct World {
    vendor: Vendor,
    callers: Vec<Caller>,
    document: Value,
}

impl World {
    fn start() -> Self {
        let limits = ["failures_per_address", "logins_per_address", "requests_per_token", "requests_per_key"];
        let limits: Vec<_> = limits.iter().map(|limit| (format!("limits.{limit}"), "off")).collect();
        let mut settings: Vec<_> = limits.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        settings.push(("auth.session_ttl", "15m"));
        let mut server = Server::at("2026-03-02T09:00:00Z", &settings);
        server.run_demo();
        let mut vendor = Vendor::of(server);
        // What is good for a day is made the day before.
        let mut callers = vec![
            Caller::refused(
                "an expired session",
                bearer(&crate::harness::log_in(&vendor.anonymous()).ok()["access_token"]),
            ),
            Caller::refused("an expired token", token(&vendor, &json!({"scopes": SCOPES, "expires_in_days": 1})).1),
        ];
        vendor.travel_to("2026-03-04T09:00:00Z");
        vendor.admin = vendor.person(&crate::harness::log_in(&vendor.anonymous()).ok());
        stock(&vendor);
        callers.extend(callers_of(&vendor));
        let document = vendor.anonymous().get("/openapi.json").send().ok();
        Self { vendor, callers, document }
    }

    /// Every operation of the description, with its line of the table.
    fn operations(&self) -> Vec<(Line, Example)> {
        let mut table = table::read();
        let described = operations(&self.document).into_iter().map(|operation| {
            let id = operation.2["operationId"].as_str().expect("an id");
            let line = table.remove(id);
            (line.unwrap_or_else(|| panic!("docs/rights.md has no line for `{id}`")), Example::of(operation))
        });
        let mut described: Vec<_> = described.collect();
        assert!(table.is_empty(), "docs/rights.md has lines for what is no operation: {:?}", table.keys());
        // It ends the session that the others are tried with.
        described.sort_by_key(|(line, _)| line.operation == "log_out");
        described
    }

    fn send(&self, caller: &Caller, example: &Example) -> Answer {
        let mut call = self.vendor.anonymous().call(example.method.clone(), &example.target());
        if let Some(authorization) = &caller.authorization {
            call = call.header("authorization", authorization);
        }
        for (name, value) in &example.headers {
            call = call.header(name, value);
        }
        if let (Some((kind, _)), Some(bytes)) = (&example.body, example.bytes()) {
            call = call.header("content-type", kind).body(bytes);
        }
        call.send()
    }
}

/// Something of the other product, so that not everything is left out of a list.
fn stock(vendor: &Vendor) {
    let other = vendor.product_with(&json!({"slug": OTHER, "name": "Paint Maker"}));
    other.release("1.0.0").publish();
    let sold = other.sell("single_user");
    let report = json!({"run": uuid::Uuid::now_v7(), "installation": uuid::Uuid::now_v7(), "product": OTHER,
        "component": "standalone", "from_version": "0.9.0", "to_version": "1.0.0", "stage": "downloading"});
    sold.customer.post("/api/v1/reports").json(&report).send().accepted();
    let problem = json!({"product": OTHER, "code": "other_*", "texts": {"en": "Paint has dried."}});
    vendor.admin.post("/api/v1/admin/known-problems").json(&problem).send().created();
}

fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().expect("a token"))
}

/// A token made to order: its id, and what is sent.
fn token(vendor: &Vendor, fields: &Value) -> (String, String) {
    let mut new = json!({"name": "pipeline"});
    new.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (_, made) = vendor.ci_with(&new);
    (made["id"].as_str().unwrap().to_owned(), bearer(&made["token"]))
}

impl Caller {
    fn new(name: impl Into<String>, who: Who, reach: Reach, authorization: impl Into<Option<String>>) -> Self {
        Self { name: name.into(), who, reach, authorization: authorization.into() }
    }

    fn refused(name: &str, authorization: String) -> Self {
        Self::new(name, Who::Refused, Reach::All, authorization)
    }

    /// The code of the refusal that the table tells; `None` where they may.
    fn refusal(&self, line: &Line) -> Option<&'static str> {
        let missing = if line.staff() { "authorization_required" } else { "license_key_required" };
        match &self.who {
            _ if line.anybody => None,
            Who::Nobody => (!line.nobody).then_some(missing),
            Who::License => (!line.license).then_some(missing),
            _ if !line.staff() => Some(missing),
            Who::Refused => Some("authorization_invalid"),
            Who::Role(role) => {
                let is_refused = line.elsewhere == Elsewhere::Refused && self.reach != Reach::All;
                (is_refused || !line.roles.contains(*role)).then_some("role_insufficient")
            }
            Who::Scope(scope) => {
                let is_granted = line.scopes.iter().any(|needed| grants(scope, needed));
                (!is_granted).then_some("scope_insufficient")
            }
        }
    }
}

/// Everybody who calls, but for those whose time is over.
fn callers_of(vendor: &Vendor) -> Vec<Caller> {
    let (revoked_id, revoked) = token(vendor, &json!({"scopes": SCOPES}));
    vendor.admin.delete(&format!("/api/v1/admin/tokens/{revoked_id}")).send().no_content();
    let ended = crate::harness::log_in(&vendor.anonymous()).ok();
    vendor.person(&ended).post("/api/v1/auth/logout").send().no_content();
    let mut altered = bearer(&crate::harness::log_in(&vendor.anonymous()).ok()["access_token"]);
    altered.insert(altered.len() - 10, 'x');
    let mut callers = vec![
        Caller::new("nobody", Who::Nobody, Reach::All, None),
        Caller::new("a license key", Who::License, Reach::All, format!("License {LICENSE}")),
        Caller::refused("a revoked token", revoked),
        Caller::refused("a session that was ended", bearer(&ended["access_token"])),
        Caller::refused("a session that was altered", altered),
        Caller::refused("a token of nobody's", format!("Bearer slk_{}", "0".repeat(38))),
        Caller::refused("no token at all", "Bearer x".to_owned()),
    ];
    for (reach, name, products) in [
        (Reach::All, "", json!(null)),
        (Reach::Own, "-own", json!(["office-maker", "library-maker"])),
        (Reach::Other, "-other", json!([OTHER])),
    ] {
        for role in ROLES.into_iter().filter(|role| reach == Reach::All || *role != "owner") {
            let name = format!("{role}{name}");
            let new = json!({"role": role, "products": products, "email": format!("{name}@vendor.example")});
            vendor.colleague_with(&new);
            let session = log_in_as(&vendor.anonymous(), &new).ok();
            callers.push(Caller::new(name, Who::Role(role), reach, bearer(&session["access_token"])));
        }
        for scope in SCOPES {
            let (_, authorization) = token(vendor, &json!({"scopes": [scope], "product": products[0]}));
            callers.push(Caller::new(format!("{scope}{name}"), Who::Scope(scope), reach, authorization));
        }
    }
    callers
}

/// The refusals that are about who calls.
const ABOUT_THE_CALLER: [&str; 8] = [
    "authorization_required",
    "authorization_invalid",
    "license_key_required",
    "license_key_mistyped",
    "license_key_unknown",
    "license_key_revoked",
    "role_insufficient",
    "scope_insufficient",
];

#[test]
fn every_operation_allows_the_roles_in_the_table_and_no_others() {
    let world = World::start();
    let mut tried = 0;
    for (line, example) in world.operations() {
        // In a product that is there, what is not there; and without a body. So whoever is let in changes nothing.
        let mut example = example;
        for (name, value) in example.path.iter_mut().chain(&mut example.query) {
            match name.as_str() {
                "version" => "99.0.0".clone_into(value),
                "channel" => "nowhere".clone_into(value),
                "group" => "nowhere".clone_into(value),
                _ => *value = value.replace("library-maker", "office-maker").replace(DEMO, "0199a0de-0000-7000-8000-f"),
            }
        }
        example.path.iter_mut().chain(&mut example.query).for_each(|(_, value)| value.truncate(36));
        example.body = None;
        for caller in &world.callers {
            let what = format!("{} as {}", line.operation, caller.name);
            let answer = world.send(caller, &example);
            assert!(!matches!(answer.status, 405 | 500..), "{what}: {} {}", answer.status, answer.text());
            let is_head = example.method == Method::HEAD;
            let code = if answer.status < 400 || is_head { Value::Null } else { answer.json()["code"].clone() };
            if let Some(expected) = caller.refusal(&line) {
                assert_eq!(code, expected, "{what}: {}", answer.text());
                let status = if expected.ends_with("_insufficient") { 403 } else { 401 };
                let refused = answer.refused(status, expected);
                // Whoever may not is told what it takes.
                match &caller.who {
                    Who::Role(role) if line.staff() && !line.roles.contains(*role) => {
                        line.roles.iter().fold(refused.says(role), |refused, may| refused.says(may));
                    }
                    Who::Scope(_) if expected == "scope_insufficient" => {
                        line.scopes.iter().fold(refused, |refused, needed| refused.says(needed));
                    }
                    _ => {}
                }
            } else {
                let is_about = ABOUT_THE_CALLER.iter().any(|refusal| code == *refusal);
                assert!(!is_about && (!is_head || answer.status != 401), "{what}: {}", answer.text());
            }
            tried += 1;
        }
    }
    assert!(tried > 90 * 37, "{tried}");
}

#[test]
fn what_belongs_to_another_product_is_as_if_it_were_not_there() {
    let world = World::start();
    let before = world.vendor.admin.get("/api/v1/admin/audit?limit=200").send().ok();
    let owner = world.callers.iter().find(|caller| caller.name == "owner").expect("an owner");
    let (mut tried, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for (line, example) in world.operations() {
        if !matches!(line.elsewhere, Elsewhere::NotThere(_) | Elsewhere::LeftOut) {
            continue;
        }
        wanted.insert(line.operation.clone());
        for caller in world.callers.iter().filter(|caller| caller.reach == Reach::Other) {
            if caller.refusal(&line).is_some() {
                continue;
            }
            let what = format!("{} as {}", line.operation, caller.name);
            match &line.elsewhere {
                Elsewhere::NotThere(code) => {
                    let found = world.send(caller, &example);
                    let nothing = world.send(caller, &example.clone().with(nowhere));
                    is_the_same(&what, code, found, nothing);
                }
                _ => lists_nothing(&world, &what, caller, owner, &example),
            }
            tried.insert(line.operation.clone());
        }
    }
    assert_eq!(tried, wanted, "nobody could try");
    assert_eq!(world.vendor.admin.get("/api/v1/admin/audit?limit=200").send().ok(), before, "something was changed");
}

/// The names of products that there are not, and ids of nothing, in place of the demo's.
fn nowhere(text: &str) -> String {
    let text = text.replace("office-maker", "nothing-mak").replace("library-maker", "nothing-maker");
    text.replace(DEMO, "0199a0de-0000-7000-9000-")
}

#[track_caller]
fn is_the_same(what: &str, code: &str, found: Answer, nothing: Answer) {
    let status = if code == "body_invalid" { 422 } else { 404 };
    assert_eq!((found.status, found.json()["code"].as_str()), (status, Some(code)), "{what}: {}", found.text());
    let expected = nothing.text().replace("0199a0de-0000-7000-9000-", DEMO);
    let expected = expected.replace("nothing-maker", "library-maker").replace("nothing-mak", "office-maker");
    assert_eq!(found.text(), expected, "{what}");
    // Whether a connection goes on depends on how much of the request has come, not on the answer.
    let names = |answer: &Answer| {
        answer.headers.keys().map(ToString::to_string).filter(|name| name != "connection").collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&found), names(&nothing), "{what}");
}

/// The whole list has nothing of the demo's, and cannot be asked for it.
#[track_caller]
fn lists_nothing(world: &World, what: &str, caller: &Caller, owner: &Caller, example: &Example) {
    let whole = Example { query: vec![], ..example.clone() };
    let hidden = |text: &str| [DEMO, "office-maker", "library-maker"].iter().any(|own| text.contains(own));
    let listed = world.send(caller, &whole).expect(200).text();
    assert!(!hidden(&listed), "{what}: {listed}");
    let all = world.send(owner, &whole).expect(200).text();
    assert!(hidden(&all), "{what}: there was nothing to leave out of {all}");
    if example.query.iter().any(|(name, _)| name == "product") {
        is_the_same(
            what,
            "product_not_found",
            world.send(caller, example),
            world.send(caller, &example.clone().with(nowhere)),
        );
    }
}

#[test]
fn lists_have_what_is_within_reach() {
    let world = World::start();
    let all = world.callers.iter().filter(|caller| caller.reach == Reach::Other);
    for caller in all {
        let see = |path: &str| {
            let call = world.vendor.anonymous().get(path);
            call.header("authorization", caller.authorization.as_ref().unwrap()).send()
        };
        let (releases, subscriptions) = match caller.who {
            Who::Scope(scope) => (grants(scope, "releases:read"), grants(scope, "subscriptions:read")),
            _ => (true, true),
        };
        for (path, sees) in [
            ("/api/v1/products", releases),
            ("/api/v1/products/paint-maker/releases/1.0.0/manifest", releases),
            ("/api/v1/admin/subscriptions", subscriptions),
            ("/api/v1/admin/runs", subscriptions),
            ("/api/v1/admin/known-problems", subscriptions),
        ] {
            let answer = see(path);
            assert_eq!(answer.status == 200, sees, "{path} as {}: {}", caller.name, answer.text());
            assert!(!sees || answer.text().contains(OTHER), "{path} as {}: {}", caller.name, answer.text());
        }
        assert!(!subscriptions || see("/api/v1/admin/customers").text().contains("Studio Bianchi"));
    }
}

#[test]
fn drafts_are_for_writing_and_what_is_published_for_publishing() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    office.release("14.0.0").draft();
    let (writer, publisher) = (vendor.ci(&["releases:write"]), vendor.ci(&["releases:publish"]));
    let change = json!({"severity": "important"});
    let patch = |ci: &Ci, version: &str| ci.patch(&office.release_path(version)).json(&change).send();
    patch(&writer, "14.0.0").ok();
    patch(&publisher, "14.0.0").refused(403, "scope_insufficient").says("releases:write");
    patch(&publisher, "13.0.0").ok();
    patch(&writer, "13.0.0").refused(403, "scope_insufficient").says("releases:publish");
    patch(&vendor.ci(&["releases:read"]), "13.0.0").refused(403, "scope_insufficient");
    vendor
        .anonymous()
        .patch(&office.release_path("13.0.0"))
        .json(&change)
        .send()
        .refused(401, "authorization_required");
}

#[test]
fn what_a_limited_token_names_in_a_body_is_within_its_reach_too() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    library.release("1.0.0").publish();
    let (own, foreign) = (office.sell("single_user"), library.sell("single_user"));
    let new = json!({"name": "office", "scopes": ["subscriptions:write"], "product": "office-maker"});
    let (ci, _) = vendor.ci_with(&new);
    let explain = |product: &str, subscription: &str| {
        let body = json!({"product": product, "version": "0.1.0", "platform": "linux", "arch": "x86_64", "subscription_id": subscription});
        ci.post("/api/v1/admin/explain").json(&body).send()
    };
    explain("library-maker", &own.id).refused(404, "product_not_found");
    explain("office-maker", &foreign.id).refused(404, "subscription_not_found");
    explain("office-maker", &own.id).ok();
    // What belongs to no product is not out of reach.
    vendor.hosting_group("nights", "01:00", 60);
    assert_eq!(ci.get("/api/v1/admin/hosting-groups").send().ok()["items"][0]["slug"], "nights");
    // A key to another product's subscription, even beside one's own subscription, is not there.
    let keys = vendor.admin.get(&format!("{}/keys", foreign.path)).send().ok();
    let key = keys["items"][0]["id"].as_str().expect("a key");
    ci.delete(&format!("{}/keys/{key}", own.path)).send().refused(404, "license_key_not_found");
    ci.delete(&format!("{}/keys/{key}", foreign.path)).send().refused(404, "subscription_not_found");
}
