//! The vendor: a really started server, set up through its HTTP API alone.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, blocking::Client as Http};
use serde_json::{Value, json};

use super::proxy::Proxy;
use crate::harness::{
    port::Port,
    stores::{Folder, variable},
};

const EMAIL: &str = "admin@vendor.example";
const PASSWORD: &str = "correct-horse-battery-staple";

pub struct Vendor {
    /// Where the updaters ask: the proxy, so that a test can spoil downloads.
    pub base_url: String,
    pub proxy: Proxy,
    http: Http,
    admin_bearer: String,
    server: Child,
    _data: Folder,
    _port: Port,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Vendor {
    /// A vendor of `office-maker`, with the version that everybody has.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with settings such as `("downloads.mode", "redirect".to_owned())`.
    pub fn with(settings: &[(&str, String)]) -> Self {
        let (proxy, data) = (Proxy::start(), Folder::new());
        // Updaters only know the proxy's.
        let port = Port::reserve();
        let bind = port.address().to_string();
        proxy.to(&bind);
        let server = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .arg("serve")
            .current_dir(data.path())
            .envs(data.environment())
            .envs(settings.iter().map(|(key, value)| (variable(key), value)))
            .env("SLUICE__SERVER__BIND", &bind)
            .env("SLUICE__SERVER__PUBLIC_URL", proxy.url())
            .env("SLUICE__AUTH__BOOTSTRAP_EMAIL", EMAIL)
            .env("SLUICE__AUTH__BOOTSTRAP_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut vendor = Self {
            base_url: proxy.url(),
            proxy,
            http: Http::builder().no_proxy().build().unwrap(),
            admin_bearer: String::new(),
            server,
            _data: data,
            _port: port,
        };
        vendor.wait_until_ready();
        let login = vendor.send(Method::POST, "/api/v1/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
        vendor.admin_bearer = login["access_token"].as_str().unwrap().to_owned();
        let names = json!({"slug": "office-maker", "name": "Office Maker", "default_locale": "en",
            "help_url": "https://vendor.example/help/updates", "renew_url": "https://vendor.example/renew"});
        vendor.send(Method::POST, "/api/v1/products", &names);
        vendor
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            let ready = self.http.get(format!("{}/readyz", self.base_url)).send();
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert_eq!(self.server.try_wait().unwrap(), None, "the server ended");
            assert!(started.elapsed() < Duration::from_secs(20), "the server does not get ready");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.http.request(method, format!("{}{path}", self.base_url)).bearer_auth(&self.admin_bearer);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().unwrap();
        let (status, text) = (answer.status(), answer.text().unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Publishes a release with one archive per component. `published_at` may lie in the past.
    pub fn publish(&self, version: &str, details: Value, archives: &[(&str, Vec<u8>)], published_at: Option<&str>) {
        let mut draft = json!({"version": version, "notes": {"en": format!("What is new in {version}.")}});
        for (name, value) in details.as_object().into_iter().flatten() {
            draft[name] = value.clone();
        }
        let releases = "/api/v1/products/office-maker/releases";
        self.send(Method::POST, releases, &draft);
        for (component, archive) in archives {
            let url = format!(
                "{}{releases}/{version}/artifacts/{component}-{version}.tar.gz\
                 ?component={component}&platform=linux&arch=x86_64&kind=archive",
                self.base_url
            );
            let answer = self.http.put(url).bearer_auth(&self.admin_bearer).body(archive.clone()).send().unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().unwrap());
        }
        let when = published_at.map_or(json!({}), |at| json!({"published_at": at}));
        self.send(Method::POST, &format!("{releases}/{version}/publish"), &when);
    }

    /// A customer with a subscription. Answers with the license key.
    pub fn subscription(&self, deployment: &str, ends_on: &str, hosting_group: Option<&str>) -> String {
        let customer = self.send(Method::POST, "/api/v1/admin/customers", &json!({"name": "Studio Bianchi"}));
        let mut subscription = json!({
            "customer_id": customer["id"], "product": "office-maker", "deployment": deployment,
            "starts_on": "2020-01-01", "ends_on": ends_on,
        });
        if let Some(group) = hosting_group {
            subscription["hosting_group"] = json!(group);
        }
        let made = self.send(Method::POST, "/api/v1/admin/subscriptions", &subscription);
        made["license_key"].as_str().unwrap().to_owned()
    }

    /// Cloud customers whose window is always open, or (with one minute that has just gone by) not now.
    pub fn hosting_group(&self, slug: &str, start: &str, minutes: u32) {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let group = json!({"slug": slug, "name": slug, "timezone": "UTC",
            "window": {"days": days, "start": start, "duration_minutes": minutes}});
        self.send(Method::POST, "/api/v1/admin/hosting-groups", &group);
    }

    /// The runs that updaters have reported.
    pub fn runs(&self) -> Vec<Value> {
        let runs = self.send(Method::GET, "/api/v1/admin/runs", &Value::Null);
        runs["items"].as_array().unwrap().clone()
    }

    /// The one run of a component: where it got to and how it ended.
    pub fn run_of(&self, component: &str) -> Value {
        let mut runs: Vec<_> = self.runs().into_iter().filter(|run| run["component"] == component).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }
}
