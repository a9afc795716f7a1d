//! What any replica puts into the outbox is sent by the one that leads, and by the next when that one dies.

use serde_json::json;

use super::two;
use crate::harness::{Actor as _, eventually, hook::Hook};

#[test]
fn whoever_leads_sends_what_any_replica_has_to_tell() {
    let (mut first, second) = two();
    let hook = Hook::start();
    let new = json!({"url": hook.url(), "events": ["subscription.changed"]});
    first.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    first.product().sell("single_user");
    let office = json!({"slug": "library-maker", "name": "Library Maker"});
    second.product_with(&office).sell("single_user");
    let told = hook.wait_for(2);
    assert_ne!(told[0].id, told[1].id);

    // One of them dies with something in the outbox; if it led, the other has to notice first.
    hook.answers(503);
    let path = first.product_with(&json!({"slug": "note-maker", "name": "Note Maker"})).sell("single_user").path;
    first.kill();
    hook.answers(204);
    second.admin.patch(&path).json(&json!({"grace_days": 3})).send().ok();
    let arrived = || {
        let told = hook.told();
        let of_third: Vec<_> = told.iter().filter(|told| told.data()["product"] == "note-maker").collect();
        let revisions: std::collections::BTreeSet<_> =
            of_third.iter().filter_map(|told| told.data()["revision"].as_i64()).collect();
        (revisions.len() == 2).then_some(())
    };
    // What the one that died was sending is claimed for a while.
    eventually(90, "both messages about the third subscription", arrived);
}
