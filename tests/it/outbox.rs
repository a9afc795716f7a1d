//! What people and other systems are told, by a real SMTP server and a real receiver of webhooks.

mod away;
mod endings;
mod events;
mod halts;
mod mails;
mod undelivered;
mod webhooks;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor as _, Customer, Vendor, eventually, hook::Hook, smtp::Smtp};

/// A vendor whose mails go to this server, with a clock that can be moved.
fn vendor(smtp: &Smtp, more: &[(&str, &str)]) -> Vendor {
    let settings = smtp.settings();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    Vendor::at("2030-03-01T08:00:00Z", &[&settings[..], more].concat())
}

/// Reports the end of an update to 13.0.0, which a person with this address started.
fn report(customer: &Customer, run: &str, address: &str, more: &Value) {
    let mut report = json!({"run": run, "installation": "0199a0de-0000-4000-8000-0000000000e1",
        "product": "office-maker", "component": "server", "from_version": "12.4.0", "to_version": "13.0.0",
        "stage": "ended", "outcome": "succeeded", "notify_email": address});
    for (name, value) in more.as_object().expect("fields") {
        report[name] = value.clone();
    }
    customer.post("/api/v1/reports").json(&report).send().accepted();
}

/// The id of a run that there was not yet.
fn new_run() -> String {
    Uuid::new_v4().to_string()
}

/// The mails that staff see.
fn mails(vendor: &Vendor, query: &str) -> Vec<Value> {
    let listed = vendor.admin.get(&format!("/api/v1/admin/mails?{query}")).send().ok();
    listed["items"].as_array().expect("mails").clone()
}

/// Whether it was tried so often, and how that went is noted.
fn was_tried(delivery: &Value, attempts: u32) -> bool {
    let error = delivery["last_error"].as_str().unwrap_or_default();
    delivery["attempts"] == attempts && !error.starts_with("a try is under way")
}

/// Waits until a webhook has been sent everything that there was for it.
fn is_emptied(vendor: &Vendor, webhook: &str) {
    eventually(20, "nothing is queued", || messages(vendor, webhook, "state=queued").is_empty().then_some(()));
}

/// Enters a webhook, and returns its path and secret.
fn webhook(vendor: &Vendor, hook: &Hook, events: &[&str]) -> (String, String) {
    let new = json!({"url": hook.url(), "events": events});
    let made = vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    let id = made["id"].as_str().expect("an id");
    (format!("/api/v1/admin/webhooks/{id}"), made["secret"].as_str().expect("a secret").to_owned())
}

/// The messages to a webhook that staff see.
fn messages(vendor: &Vendor, webhook: &str, query: &str) -> Vec<Value> {
    let listed = vendor.admin.get(&format!("{webhook}/messages?{query}")).send().ok();
    listed["items"].as_array().expect("messages").clone()
}
