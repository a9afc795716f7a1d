//! A vendor: a server with an administrator, products, releases, and customers who have bought them.

use std::ops::{Deref, DerefMut};

use serde_json::{Value, json};

use super::{
    Actor, Admin, Anonymous, Answer, Ci, Customer, Server,
    actor::Line,
    body::Rollout,
    bytes::sha256,
    eventually,
    server::{EMAIL, PASSWORD},
};

/// A vendor with a running server.
pub struct Vendor {
    server: Server,
    pub admin: Admin,
    line: Line,
}

impl Deref for Vendor {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Vendor {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

impl Vendor {
    /// Starts a server and logs in.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with settings such as `("downloads.url_ttl", "2s")`.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::of(Server::start(settings))
    }

    /// The same on a server whose clock says `now`, and is moved by [`Server::travel_to`].
    pub fn at(now: &str, settings: &[(&str, &str)]) -> Self {
        let mut server = Server::at(now, settings);
        server.run();
        Self::of(server)
    }

    /// Logs in at a server that runs already.
    pub fn of(server: Server) -> Self {
        let line = Line::new(server.address());
        let tokens = log_in(&Anonymous(line.clone())).ok();
        let admin = Admin(line.with(bearer(&tokens)));
        Self { server, admin, line }
    }

    /// Somebody without credentials.
    pub fn anonymous(&self) -> Anonymous {
        Anonymous(self.line.clone())
    }

    /// A program with this licence key.
    pub fn customer(&self, license_key: &str) -> Customer {
        Customer(self.line.with(format!("License {license_key}")))
    }

    /// Somebody with these tokens of a login.
    pub fn person(&self, tokens: &Value) -> Admin {
        Admin(self.line.with(bearer(tokens)))
    }

    /// A pipeline whose token has these scopes, for all products.
    pub fn ci(&self, scopes: &[&str]) -> Ci {
        self.ci_with(&json!({"name": "pipeline", "scopes": scopes})).0
    }

    /// A pipeline with a token made to order; also what the server said of it.
    pub fn ci_with(&self, token: &Value) -> (Ci, Value) {
        let made = self.admin.post("/api/v1/admin/tokens").json(token).send().created();
        (Ci(self.line.with(format!("Bearer {}", made["token"].as_str().expect("a token")))), made)
    }

    /// Somebody who is entered and logs in; also what the server said of them. Each is `{role}@vendor.example`.
    pub fn colleague_with(&self, fields: &Value) -> (Admin, Value) {
        let role = fields["role"].as_str().expect("a role");
        let usual = json!({"email": format!("{role}@vendor.example"), "password": PASSWORD});
        let new = merged(usual, fields);
        let made = self.admin.post("/api/v1/admin/users").json(&new).send().created();
        (self.person(&log_in_as(&self.anonymous(), &new).ok()), made)
    }

    /// Adds the product that most tests are about.
    pub fn product(&self) -> Product<'_> {
        self.product_with(&json!({}))
    }

    /// The same with other fields.
    pub fn product_with(&self, fields: &Value) -> Product<'_> {
        let usual = json!({"slug": "office-maker", "name": "Office Maker", "help_url": "https://vendor.example/help",
            "renew_url": "https://vendor.example/renew"});
        let made = self.admin.post("/api/v1/products").json(&merged(usual, fields)).send().created();
        let slug = made["slug"].as_str().expect("a slug").to_owned();
        Product { vendor: self, path: format!("/api/v1/products/{slug}"), slug }
    }

    /// Adds a customer, and returns their id.
    pub fn buyer(&self) -> String {
        let made = self.admin.post("/api/v1/admin/customers").json(&json!({"name": "Studio Bianchi"})).send().created();
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Adds a hosting group whose window opens every day at `start` (UTC).
    pub fn hosting_group(&self, slug: &str, start: &str, duration_minutes: u32) -> Value {
        let group = json!({"slug": slug, "name": slug, "timezone": "UTC", "window": {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": start, "duration_minutes": duration_minutes}});
        self.admin.post("/api/v1/admin/hosting-groups").json(&group).send().created()
    }
}

/// Logs the administrator in.
pub fn log_in(somebody: &impl Actor) -> Answer {
    log_in_as(somebody, &json!({"email": EMAIL}))
}

/// Logs somebody in, with the usual password unless it is given.
pub fn log_in_as(somebody: &impl Actor, credentials: &Value) -> Answer {
    let mut body = json!({"email": credentials["email"], "password": PASSWORD});
    for name in ["password", "otp"] {
        if let Some(value) = credentials.get(name) {
            body[name] = value.clone();
        }
    }
    somebody.post("/api/v1/auth/login").json(&body).send()
}

fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().expect("an access token"))
}

fn merged(mut usual: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().expect("fields") {
        usual[name] = value.clone();
    }
    usual
}

/// A product on the server.
pub struct Product<'v> {
    pub vendor: &'v Vendor,
    pub slug: String,
    /// Where it is.
    pub path: String,
}

impl<'v> Product<'v> {
    /// A release that is being put together.
    pub fn release(&self, version: &str) -> NewRelease<'_> {
        NewRelease {
            product: self,
            fields: json!({"version": version, "notes": {"en": format!("What is new in {version}.")}}),
            files: Vec::new(),
            publication: json!({}),
        }
    }

    /// Where a release is.
    pub fn release_path(&self, version: &str) -> String {
        format!("{}/releases/{version}", self.path)
    }

    /// Does something with a release as the administrator: `yank`, `rollout/pause`.
    pub fn steer(&self, version: &str, verb: &str, body: &Value) -> Value {
        let call = self.vendor.admin.post(&format!("{}/{verb}", self.release_path(version)));
        if body.is_null() { call } else { call.json(body) }.send().ok()
    }

    /// How far a release is open.
    #[track_caller]
    pub fn rollout(&self, version: &str) -> Rollout {
        let path = format!("{}/rollout", self.release_path(version));
        self.vendor.admin.get(&path).send().expect(200).read_as()
    }

    /// Waits until every release is judged by what was reported so far: a report is answered once its vote is counted,
    /// and its release is judged after that.
    #[track_caller]
    pub fn is_judged(&self) {
        let to_judge = || {
            let figures = self.vendor.anonymous().get("/metrics").send().expect(200).text();
            let line = figures.lines().find_map(|line| line.strip_prefix("sluice_releases_to_judge "));
            line.expect("the figure").parse::<u32>().expect("a number")
        };
        eventually(10, "the releases to be judged", || (to_judge() == 0).then_some(()));
    }

    /// Stops the product, or a channel of it.
    pub fn stop(&self, channel: Option<&str>) -> Value {
        let mut stop = json!({"reason": "we look into it"});
        if let Some(channel) = channel {
            stop["channel"] = json!(channel);
        }
        self.vendor.admin.put(&format!("{}/stop", self.path)).json(&stop).send().ok()
    }

    /// Sells a subscription of this deployment, until further notice.
    pub fn sell(&self, deployment: &str) -> Sold {
        self.sell_with(deployment, &json!({}))
    }

    /// The same with other fields.
    pub fn sell_with(&self, deployment: &str, fields: &Value) -> Sold {
        let usual = json!({"customer_id": self.vendor.buyer(), "product": self.slug, "deployment": deployment,
            "starts_on": "2020-01-01", "ends_on": "2099-12-31"});
        let made = self.vendor.admin.post("/api/v1/admin/subscriptions").json(&merged(usual, fields)).send().created();
        let key = made["license_key"].as_str().expect("a key").to_owned();
        let id = made["id"].as_str().expect("an id").to_owned();
        Sold { customer: self.vendor.customer(&key), path: format!("/api/v1/admin/subscriptions/{id}"), id, key, made }
    }
}

/// A subscription that was sold.
pub struct Sold {
    /// The program with its key.
    pub customer: Customer,
    pub id: String,
    /// Where staff see it.
    pub path: String,
    pub key: String,
    /// What the server answered to the sale.
    pub made: Value,
}

/// A file of a release that is being put together.
struct File {
    component: &'static str,
    platform: String,
    arch: String,
    kind: &'static str,
    name: String,
    content: Vec<u8>,
}

/// A release that is being put together.
#[must_use]
pub struct NewRelease<'p> {
    product: &'p Product<'p>,
    fields: Value,
    files: Vec<File>,
    publication: Value,
}

impl NewRelease<'_> {
    /// Sets a field of the draft.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields[name] = value.into();
        self
    }

    /// Adds the archive of the standalone program for 64-bit Linux.
    pub fn standalone(self, content: impl Into<Vec<u8>>) -> Self {
        self.file("standalone", "linux", "x86_64", content)
    }

    /// Adds the archive of a program.
    pub fn file(mut self, component: &'static str, platform: &str, arch: &str, content: impl Into<Vec<u8>>) -> Self {
        let version = self.fields["version"].as_str().expect("a version");
        let name = format!("{component}-{version}-{platform}-{arch}.tar.gz");
        let (platform, arch) = (platform.to_owned(), arch.to_owned());
        self.files.push(File { component, platform, arch, kind: "archive", name, content: content.into() });
        self
    }

    /// From when it is offered.
    pub fn published_at(mut self, at: &str) -> Self {
        self.publication["published_at"] = json!(at);
        self
    }

    /// How many sites are offered it.
    pub fn percent(mut self, percent: f64) -> Self {
        self.publication["rollout"] = json!({"percent": percent});
        self
    }

    /// Makes the draft and uploads its files.
    pub fn draft(self) -> Value {
        let NewRelease { product, fields, files, .. } = self;
        let admin = &product.vendor.admin;
        let made = admin.post(&format!("{}/releases", product.path)).json(&fields).send().created();
        let path = product.release_path(fields["version"].as_str().expect("a version"));
        for File { component, platform, arch, kind, name, content } in files {
            let hash = sha256(&content);
            let place =
                [("component", component), ("platform", platform.as_str()), ("arch", arch.as_str()), ("kind", kind)];
            let stored = admin.put(&format!("{path}/artifacts/{name}")).query(&place).body(content).send().created();
            assert_eq!(stored["sha256"], hash);
        }
        made
    }

    /// Makes the draft, uploads its files and publishes it. A release without a file gets one for 64-bit Linux.
    pub fn publish(mut self) -> Value {
        let (product, publication) = (self.product, self.publication.clone());
        let version = self.fields["version"].as_str().expect("a version").to_owned();
        if self.files.is_empty() {
            self = self.standalone(format!("the program, version {version}"));
        }
        self.draft();
        product.steer(&version, "publish", &publication)
    }
}
