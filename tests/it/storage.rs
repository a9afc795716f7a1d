//! Contents in a bucket of a real S3 server, beside those in a folder.

mod check;
mod downloads;
mod kills;
mod moves;
mod outage;
mod uploads;

use serde_json::Value;

use crate::harness::{Actor, Answer, Customer, Vendor};

const PLACE: &str = "component=standalone&platform=linux&arch=x86_64&kind=archive";

/// A vendor with a draft of version 13.0.0; where that is.
fn drafting(vendor: &Vendor) -> String {
    let office = vendor.product();
    office.release("13.0.0").draft();
    office.release_path("13.0.0")
}

fn put(vendor: &Vendor, path: &str, content: &[u8], digest: Option<&str>) -> Answer {
    let call = vendor.admin.put(&format!("{path}/artifacts/office.tar.gz?{PLACE}")).body(content.to_vec());
    match digest {
        Some(digest) => call.header("content-digest", digest).send(),
        None => call.send(),
    }
}

fn listed(vendor: &Vendor, path: &str) -> Vec<Value> {
    vendor.admin.get(path).send().ok()["artifacts"].as_array().unwrap().clone()
}

/// The link that a check gives now.
fn link(customer: &Customer, version: &str) -> String {
    customer.checked("office-maker", version, &[]).link().to_owned()
}
