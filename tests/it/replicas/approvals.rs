//! What two people approve at once, on two replicas, is done once.

use std::thread;

use serde_json::json;

use super::{in_step, two_with};
use crate::harness::{Actor as _, vendor::log_in_as};

#[test]
fn two_approvals_at_once_publish_once() {
    let (first, second) = two_with(&[("approvals.new_approvers_wait", "1ms")]);
    let (here, _) = first.colleague_with(&json!({"role": "owner"}));
    first.colleague_with(&json!({"role": "release_manager"}));
    let there = log_in_as(&second.anonymous(), &json!({"email": "release_manager@vendor.example"})).ok();
    let there = second.person(&there);
    let office = first.product_with(&json!({"two_person_rule": true}));
    for version in ["13.0.0", "13.0.1", "13.0.2", "13.0.3"] {
        office.release(version).standalone(version).draft();
        let asked = first.admin.post(&format!("{}/publish", office.release_path(version))).send().accepted();
        let path = format!("/api/v1/approvals/{}/approve", asked["approval"]["id"].as_str().unwrap());
        let mut statuses = thread::scope(|scope| {
            let both = [&here, &there].map(|person| scope.spawn(|| person.post(&path).send()));
            both.map(|answer| {
                let answer = answer.join().expect("an answer");
                if answer.status == 200 { 200 } else { answer.refused(409, "approval_decided").body.status }
            })
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{version}");
        for vendor in [&first, &second] {
            let release = || vendor.admin.get(&office.release_path(version)).send().ok();
            in_step(version, || release()["state"] == "published");
            assert_eq!(release()["manifest_revision"], 1);
        }
    }
    let entries = first.admin.get("/api/v1/admin/audit?action=release.publish").send().ok();
    assert_eq!(entries["items"].as_array().unwrap().len(), 4);
}
