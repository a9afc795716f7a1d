//! `sluice database copy`: everything arrives on the other kind of database and works there, or nothing does.

mod kills;
mod refusals;

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Server, Vendor,
    database::Database,
    log_in,
    openid::{Browser, OpenIdProvider},
    pipeline::{AUDIENCE, Pipeline, exchange},
    program::Ended,
    stores::{ENCRYPTION_KEY, Stores},
};

/// A server on a file that was never started.
fn embedded() -> Server {
    Server::on(Stores::embedded(), &[("data.folder", "data")])
}

/// The URL of a server's file.
fn file_of(server: &Server) -> String {
    format!("sqlite:{}", server.data().join("sluice.sqlite3").display())
}

/// A server whose data folder, database and artifacts are elsewhere.
fn on(database: &Database, artifacts_of: &Server) -> Server {
    let artifacts = format!("file:{}", artifacts_of.data().join("artifacts").display());
    Server::on(
        Stores::embedded(),
        &[("database.url", database.url()), ("keys.encryption_key", ENCRYPTION_KEY), ("storage.url", &artifacts)],
    )
}

/// Copies, with the settings of a server.
fn copy(server: &Server, from: &str, to: &str) -> Ended {
    Ended::of(&mut server.command(&["database", "copy", "--json", "--from", from, "--to", to]))
}

/// Everything that staff see.
fn seen(vendor: &Vendor) -> Vec<Value> {
    let lists = ["customers", "subscriptions", "hosting-groups", "installations", "runs", "known-problems", "tokens"];
    let mut paths: Vec<String> = lists.map(|list| format!("/api/v1/admin/{list}")).into();
    for product in ["office-maker", "library-maker"] {
        paths.push(format!("/api/v1/products/{product}"));
        paths.push(format!("/api/v1/products/{product}/releases"));
        paths.push(format!("/api/v1/products/{product}/stop"));
    }
    let get = |path: &String| {
        let answer = vendor.admin.get(path).send();
        json!([path, answer.status, answer.json()])
    };
    paths.iter().map(get).collect()
}

/// A hosted server of the demo is offered its update, in a group that is open and limits how many at once.
fn take_a_slot(vendor: &Vendor) {
    let open = json!({"max_concurrent": 1, "window": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "start": "00:00", "duration_minutes": 1440}});
    vendor.admin.patch("/api/v1/admin/hosting-groups/milan-nights").json(&open).send().ok();
    let server = [("component", "server"), ("platform", "windows")];
    let answer = vendor.customer("DEMO-OFFICE-CLOUD-MILAN").check("office-maker", "12.4.0", &server).ok();
    assert_eq!(answer["status"], "update_available", "{answer}");
}

/// Somebody who came through the identity provider is removed, and stays so.
fn remove_somebody(vendor: &Vendor) {
    let person = vendor.person(&Browser::new().sign_on(&vendor.url(), "anna").ok());
    let id = person.get("/api/v1/auth/me").send().ok()["id"].as_str().expect("an id").to_owned();
    vendor.admin.delete(&format!("/api/v1/admin/users/{id}")).send().no_content();
}

#[test]
fn everything_arrives_works_there_and_comes_back_the_same() {
    let anna = json!({"anna": {"email": "anna@vendor.example", "email_verified": true, "groups": ["sluice-viewers"]}});
    let provider = OpenIdProvider::start(anna);
    let mut first = embedded();
    for (key, value) in provider.settings(&[]) {
        first.set(key, value);
    }
    first.run_demo();
    let first = Vendor::of(first);
    remove_somebody(&first);
    first.admin.put("/api/v1/products/library-maker/stop").json(&json!({"reason": "we look"})).send().ok();
    take_a_slot(&first);
    let pipeline = Pipeline::start();
    pipeline.trusted(&first, "office-maker", &json!({"audience": AUDIENCE}));
    exchange(&first, &pipeline.identity(), None).ok();
    let tokens = log_in(&first.anonymous()).ok();
    let check = |vendor: &Vendor| {
        let customer = vendor.customer("DEMO-OFFICE-SINGLE-ACTIVE");
        customer.check("office-maker", "12.4.0", &[("platform", "windows"), ("arch", "x86_64")]).ok()
    };
    let url = check(&first)["update"]["artifact"]["url"].as_str().expect("a link").to_owned();
    let link = format!("/api/{}", url.split_once("/api/").expect("a link").1);
    let content = first.anonymous().get(&link).send();
    let (before, keys) = (seen(&first), first.anonymous().get("/.well-known/jwks.json").send().ok());
    let mut first = first;
    first.stop();

    let (second, third) = (Database::empty(), Database::migrated());
    let there = copy(&first, &file_of(&first), second.url()).expect(0).json();
    let on_third = copy(&first, second.url(), third.url()).expect(0).json();
    let back = embedded();
    let again = copy(&back, third.url(), &file_of(&back)).expect(0).json();
    assert_eq!((&there["tables"], &there["tables"]), (&on_third["tables"], &again["tables"]));
    for table in there["tables"].as_array().expect("tables") {
        assert_ne!(table["rows"], 0, "the demo leaves {} empty, so nothing is shown here", table["table"]);
    }

    let on_second = on(&second, &first);
    let mut back = back;
    back.set("storage.url", &format!("file:{}", first.data().join("artifacts").display()));
    for (mut server, newest) in [(on_second, "SELECT max(id)::text AS value FROM changes"), (back, "")] {
        server.run();
        let vendor = Vendor::of(server);
        assert_eq!(seen(&vendor), before);
        assert_eq!(check(&vendor)["update"]["version"], "13.0.0");
        assert_eq!(vendor.anonymous().get("/.well-known/jwks.json").send().ok(), keys);
        assert_eq!(vendor.anonymous().get(&link).send().body, content.body, "a link that the first server gave");
        vendor.person(&tokens).get("/api/v1/auth/me").send().ok();
        let refreshed = json!({"refresh_token": tokens["refresh_token"]});
        vendor.anonymous().post("/api/v1/auth/refresh").json(&refreshed).send().ok();
        // A change, whose number comes from the sequence.
        vendor.admin.put("/api/v1/products/office-maker/stop").json(&json!({"reason": "we look"})).send().ok();
        assert_eq!(check(&vendor)["status"], "blocked");
        if !newest.is_empty() {
            assert_eq!(second.select(newest), ["1"]);
        }
    }
}
