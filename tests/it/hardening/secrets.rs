//! Secrets are in the answers that hand them out, once, and nowhere else: not in the log, however much is logged, nor
//! in the figures, in the audit log, in what `sluice config` shows, or in what a refusal says.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Actor as _, Vendor, hook::Hook, log_in, program::Ended, server::PASSWORD, smtp::Smtp};

/// Everything that is secret, with what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, what: &'static str, value: &Value) -> String {
        let text = value.as_str().unwrap_or_else(|| panic!("{what}: {value}")).to_owned();
        self.0.push((what, text.clone()));
        text
    }

    #[track_caller]
    fn are_not_in(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            assert!(!text.contains(secret), "{place} has {what}");
        }
    }
}

/// Somebody does a bit of everything that has to do with secrets.
fn live(vendor: &Vendor, hook: &Hook) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add("the password", &PASSWORD.into());
    let login = log_in(&vendor.anonymous()).ok();
    secrets.add("a session", &login["access_token"]);
    let refresh = secrets.add("a refresh token", &login["refresh_token"]);
    let renewed = vendor.anonymous().post("/api/v1/auth/refresh").json(&json!({"refresh_token": refresh})).send().ok();
    secrets.add("a renewed session", &renewed["access_token"]);
    secrets.add("a renewed refresh token", &renewed["refresh_token"]);
    // The one that was used: the login ends, which is worth a line in the log.
    vendor.anonymous().post("/api/v1/auth/refresh").json(&json!({"refresh_token": refresh})).send().expect(401);

    let (ci, made) = vendor.ci_with(&json!({"name": "pipeline", "scopes": ["releases:read"]}));
    secrets.add("an API token", &made["token"]);
    ci.get("/api/v1/products").send().expect(200);
    let new = json!({"role": "support", "password": "a-password-of-support"});
    secrets.add("a colleague's password", &new["password"]);
    let (support, _) = vendor.colleague_with(&new);
    let factor = support.post("/api/v1/auth/me/totp").json(&json!({"current_password": new["password"]})).send().ok();
    secrets.add("the secret of a second factor", &factor["secret"]);

    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    secrets.add("a license key", &sold.key.as_str().into());
    let imported = office.sell_with("single_user", &json!({"license_key": "KEY-OF-THE-OLD-SYSTEM-1"}));
    secrets.add("an imported license key", &imported.key.as_str().into());
    let offer = sold.customer.checked("office-maker", "12.4.0", &[]);
    let link = offer.link();
    secrets.add("the token of a link", &link.split_once("?token=").expect("a token").1.into());
    sold.customer.get(link).send();
    let revoked = format!(
        "{}/keys/{}",
        sold.path,
        vendor.admin.get(&format!("{}/keys", sold.path)).send().ok()["items"][0]["id"].as_str().unwrap()
    );
    vendor.admin.delete(&revoked).send().no_content();
    sold.customer.check("office-maker", "12.4.0", &[]).refused(401, "license_key_revoked");

    // Addresses of webhooks are secrets of their receivers.
    let url = format!("{}/path-that-only-the-receiver-knows", hook.url());
    secrets.add("a webhook's address", &"path-that-only-the-receiver-knows".into());
    let new = json!({"url": url, "events": ["subscription.changed"]});
    let webhook = vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    secrets.add("a webhook's secret", &webhook["secret"]);
    // That another path was entered is seen all the same.
    let address = format!("/api/v1/admin/webhooks/{}", webhook["id"].as_str().unwrap());
    vendor.admin.patch(&address).json(&json!({"url": format!("{url}-now")})).send().ok();
    let log = vendor.admin.get("/api/v1/admin/audit?action=webhook.change").send().ok();
    let (before, after) = (&log["items"][0]["details"]["before"]["url"], &log["items"][0]["details"]["after"]["url"]);
    assert!(before != after && before.as_str().unwrap().starts_with("http://127.0.0.1:"), "{log}");
    hook.answers(500);
    office.sell("single_user");
    hook.wait_for(1);
    secrets
}

/// Credentials that are not good, in every place where there can be some: what was sent does not come back.
fn guess(vendor: &Vendor, secrets: &mut Secrets) {
    const GUESS: &str = "hunter2-hunter2-hunter2";
    secrets.add("a guess", &GUESS.into());
    let anonymous = vendor.anonymous();
    let bearer = |path: &str| anonymous.get(path).header("authorization", &format!("Bearer {GUESS}"));
    let body = |path: &str, body: Value| anonymous.post(path).json(&body);
    let basic = format!("Basic {GUESS}");
    for (what, call) in [
        ("a session", bearer("/api/v1/auth/me")),
        ("an API token", anonymous.get("/api/v1/products").header("authorization", &format!("Bearer slk_{GUESS}"))),
        ("a license key", vendor.customer(GUESS).get("/api/v1/subscription")),
        ("a scheme", anonymous.get("/api/v1/subscription").header("authorization", GUESS)),
        ("HTTP Basic", anonymous.get("/api/v1/subscription").header("authorization", &basic)),
        ("a cookie", anonymous.get("/api/v1/auth/me").header("cookie", &format!("session={GUESS}"))),
        ("a link", anonymous.get(&format!("/api/v1/downloads/{}/a.zip?token={GUESS}", uuid::Uuid::now_v7()))),
        ("the set-up link", anonymous.get(&format!("/setup?token={GUESS}"))),
        ("a password", body("/api/v1/auth/login", json!({"email": "admin@vendor.example", "password": GUESS}))),
        ("a password twice over", body("/api/v1/auth/login", json!({"email": "a@b.example", "password": [GUESS]}))),
        ("a password by another name", body("/api/v1/auth/login", json!({"email": "a@b.example", "passwort": GUESS}))),
        (
            "a code",
            body("/api/v1/auth/login", json!({"email": "a@b.example", "password": "x", "otp": GUESS.repeat(4)})),
        ),
        ("a refresh token", body("/api/v1/auth/refresh", json!({"refresh_token": GUESS}))),
        ("a set-up", body("/api/v1/auth/setup", json!({"token": GUESS, "email": "a@b.example", "password": GUESS}))),
        (
            "one's own password",
            vendor.admin.patch("/api/v1/auth/me").json(&json!({"current_password": GUESS, "password": GUESS})),
        ),
        ("a query", anonymous.get(&format!("/api/v1/products?token={GUESS}"))),
    ] {
        let answer = call.send();
        assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
        assert!(
            !answer.text().contains(GUESS) && !format!("{:?}", answer.headers).contains(GUESS),
            "{what}: {}",
            answer.text()
        );
    }
}

#[test]
fn secrets_are_shown_once_and_are_nowhere_else() {
    let (hook, smtp) = (Hook::start(), Smtp::start());
    let mail = smtp.settings();
    let [url, from] = &mail;
    let settings = [(url.0, url.1.as_str()), (from.0, from.1.as_str()), ("log.filter", "trace")];
    let vendor = Vendor::with(&settings);
    let mut secrets = live(&vendor, &hook);
    guess(&vendor, &mut secrets);

    let figures = vendor.anonymous().call(Method::GET, "/metrics").send().expect(200).text();
    secrets.are_not_in("/metrics", &figures);
    for format in ["json", "csv", "jsonl"] {
        let address = format!("/api/v1/admin/audit?limit=200&format={format}");
        secrets.are_not_in("the audit log", &vendor.admin.get(&address).send().expect(200).text());
    }
    let shown = Ended::of(&mut vendor.command(&["config"])).expect(0);
    secrets.are_not_in("`sluice config`", &format!("{shown:?}"));
    let log = vendor.log().join("\n");
    assert!(log.contains("TRACE") && log.contains("DEBUG"), "it should log a lot: {log}");
    secrets.are_not_in("the log", &log);
}
