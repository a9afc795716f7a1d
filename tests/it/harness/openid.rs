//! A real OpenID provider with accounts of a test's making, and a browser that goes through its pages.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use reqwest::{
    blocking::Client,
    header::{LOCATION, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::Answer;

pub const CLIENT_ID: &str = "sluice";
pub const CLIENT_SECRET: &str = "a-secret-of-this-client";
pub const BEGIN: &str = "/api/v1/auth/sso";
pub const CALLBACK: &str = "/api/v1/auth/sso/callback";

/// A start takes a second; this is for a machine that does ten other things.
const START: Duration = Duration::from_secs(60);

/// The provider; it ends with this.
pub struct OpenIdProvider {
    folder: TempDir,
    settings: Value,
    process: Child,
    pub address: String,
}

/// Where `tests/run` has it installed.
fn modules() -> PathBuf {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/packages/openid-provider");
    assert!(
        modules.join("node_modules/oidc-provider").exists(),
        "the OpenID provider of the tests is not installed in {}; `tests/run` does it, with Node.js 20 or later",
        modules.display()
    );
    modules
}

impl OpenIdProvider {
    /// A provider with these accounts, such as `{"anna": {"email": "anna@vendor.example", "groups":
    /// ["sluice-owners"]}}`: what they log in as is their `sub`. Addresses count as verified unless the account says
    /// otherwise.
    pub fn start(accounts: Value) -> Self {
        Self::with(accounts, &json!({}))
    }

    /// The same with other settings; those of the client are in `client`.
    pub fn with(accounts: Value, more: &Value) -> Self {
        let mut settings = json!({"claims_in_id_token": true, "client": {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_endpoint_auth_method": "client_secret_basic",
            // Of such a client's addresses on this machine the port does not matter (RFC 8252, section 7.3).
            "application_type": "native", "redirect_uris": [format!("http://127.0.0.1{CALLBACK}")],
            "grant_types": ["authorization_code"], "response_types": ["code"]}});
        for (name, value) in more.as_object().expect("settings") {
            match value.as_object() {
                Some(fields) => fields.iter().for_each(|(field, value)| settings[name][field] = value.clone()),
                None => settings[name] = value.clone(),
            }
        }
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("settings.json");
        settings["accounts"] = accounts;
        fs::write(&file, settings.to_string()).expect("settings");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/harness/openid_provider/provider.mjs");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut process = Command::new("node")
            .args([&script, &modules(), &file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("Node.js 20 or later is needed for the OpenID provider of the tests; `tests/run` installs it ({error})"));
        let said = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, address) = channel();
        thread::spawn(move || {
            let mut lines = said.lines().map_while(Result::ok);
            let address = lines.find_map(|line| Some(line.strip_prefix("listens on ")?.to_owned()));
            address.map(|address| sender.send(address))
        });
        let address = address.recv_timeout(START).unwrap_or_else(|_| {
            panic!(
                "the OpenID provider did not start: {}",
                fs::read_to_string(folder.path().join("log")).unwrap_or_default()
            )
        });
        Self { folder, settings, process, address }
    }

    /// What a server is told of it; more settings go after these.
    pub fn settings<'s>(&'s self, more: &[(&'s str, &'s str)]) -> Vec<(&'s str, &'s str)> {
        let usual = [
            ("single_sign_on.issuer", self.address.as_str()),
            ("single_sign_on.client_id", CLIENT_ID),
            ("single_sign_on.client_secret", CLIENT_SECRET),
            ("single_sign_on.roles", "sluice-owners=owner,sluice-managers=release_manager,sluice-viewers=viewer"),
        ];
        usual.iter().chain(more).copied().collect()
    }

    /// Changes an account, from its next login on.
    pub fn change(&mut self, account: &str, fields: &Value) {
        for (name, value) in fields.as_object().expect("fields") {
            self.settings["accounts"][account][name] = value.clone();
        }
        let new = self.folder.path().join("new");
        fs::write(&new, self.settings.to_string()).expect("settings");
        // Renamed, so that it never reads half of it.
        fs::rename(new, self.folder.path().join("settings.json")).expect("settings");
    }

    /// Ends it, as if it were away.
    pub fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "log of the OpenID provider:\n{}",
                fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
        }
        self.end();
    }
}

/// Somebody's browser, which keeps cookies.
pub struct Browser(Client);

impl Browser {
    pub fn new() -> Self {
        Self(Client::builder().no_proxy().cookie_store(true).redirect(Policy::none()).build().expect("a browser"))
    }

    /// Opens an address, and goes no further.
    #[track_caller]
    pub fn open(&self, url: impl AsRef<str>) -> Answer {
        Answer::read(self.0.get(url.as_ref()).send().expect("an answer"))
    }

    /// Where a server sends those who want to log in.
    #[track_caller]
    pub fn depart(&self, server: &str) -> Url {
        let answer = self.open(format!("{server}{BEGIN}")).expect(303);
        assert!(answer.headers.contains_key(SET_COOKIE), "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.header("location").parse().expect("an address")
    }

    /// Logs in at the provider, from the page that a server led to, and fills in its forms; returns the address that it
    /// sends the browser back to.
    #[track_caller]
    pub fn log_in_at_provider(&self, page: &Url, account: &str) -> Url {
        let mut url = page.clone();
        let mut answer = self.open(&url);
        // There are some ten steps.
        for _ in 0..30 {
            if let Some(next) = answer.headers.get(LOCATION) {
                url = url.join(next.to_str().expect("a text")).expect("an address");
                if url.path() == CALLBACK {
                    return url;
                }
                answer = self.open(&url);
                continue;
            }
            let page = answer.expect(200).text();
            let action = between(&page, "action=\"", "\"").replace("&amp;", "&");
            let prompt = between(&page, "name=\"prompt\" value=\"", "\"").to_owned();
            url = url.join(&action).expect("an address");
            let filled = [("prompt", prompt.as_str()), ("login", account), ("password", "any")];
            answer = Answer::read(self.0.post(url.clone()).form(&filled).send().expect("an answer"));
        }
        panic!("the provider's pages come to no end");
    }

    /// All of it: to the provider, through its pages, and back.
    #[track_caller]
    pub fn sign_on(&self, server: &str, account: &str) -> Answer {
        let back = self.log_in_at_provider(&self.depart(server), account);
        self.open(back)
    }
}

#[track_caller]
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split(after).next().unwrap_or_default()
}
