//! Trusted publishing at several replicas.

use serde_json::json;

use super::two;
use crate::harness::{
    Actor as _,
    pipeline::{Pipeline, ci, exchange},
};

#[test]
fn an_identity_presented_to_every_replica_at_once_is_valid_once() {
    let (first, second) = two();
    first.product();
    let pipeline = Pipeline::start();
    // Each replica of the tests has an address of its own.
    let audience = json!({"audience": crate::harness::pipeline::AUDIENCE});
    let trusted = pipeline.trusted(&first, "office-maker", &audience);
    // Both know the product, and have the keys.
    super::in_step("the product", || second.admin.get("/api/v1/products/office-maker").send().status == 200);
    for vendor in [&first, &second] {
        exchange(vendor, &pipeline.identity(), None).ok();
    }
    for _ in 0..10 {
        let identity = pipeline.identity();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = [&first, &second, &first, &second]
                .into_iter()
                .map(|vendor| scope.spawn(|| exchange(vendor, &identity, None)))
                .collect();
            tries.into_iter().map(|attempt| attempt.join().unwrap()).collect()
        });
        let mut good = Vec::new();
        for answer in answers {
            match answer.status {
                200 => good.push(answer.ok()),
                _ => drop(answer.refused(401, "identity_refused").says("exchanged before")),
            }
        }
        assert_eq!(good.len(), 1);
        // What one replica gave is good at the other.
        ci(&second, &good[0]).get("/api/v1/products/office-maker").send().ok();
        ci(&first, &good[0]).get("/api/v1/products/office-maker").send().ok();
    }
    // And ends there with the trust.
    let given = ci(&second, &exchange(&second, &pipeline.identity(), None).ok());
    given.get("/api/v1/products/office-maker").send().ok();
    let path = format!("/api/v1/products/office-maker/trusted-publishers/{}", trusted["id"].as_str().unwrap());
    first.admin.delete(&path).send().no_content();
    given.get("/api/v1/products/office-maker").send().refused(401, "authorization_invalid");
    exchange(&second, &pipeline.identity(), None).refused(401, "identity_refused");
}
