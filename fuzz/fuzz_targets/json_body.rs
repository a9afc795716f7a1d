//! JSON bodies: what is taken is JSON with each name once, and what is refused says which field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice::{
    http::extract::Body,
    services::{
        Code,
        field::known_problems::NewKnownProblem,
        releasing::{
            products::NewProduct,
            publish_release::{NewRelease, Publication},
        },
        selling::{hosting_groups::NewHostingGroup, subscriptions::NewSubscription},
        telling::webhooks::NewWebhook,
    },
};

fuzz_target!(|data: &[u8]| {
    macro_rules! read {
        ($($body:ty),+) => {$(
            match Body::<$body>::read(data) {
                Ok(_) => assert!(serde_json::from_slice::<serde_json::Value>(data).is_ok_and(|body| body.is_object())),
                Err(problem) => {
                    let refusal = problem.0;
                    assert!(!refusal.detail.is_empty());
                    match refusal.code {
                        Code::BodyMalformed => {}
                        Code::BodyInvalid | Code::VersionInvalid => {
                            assert!(refusal.faults.iter().all(|fault| !fault.field.is_empty()));
                            assert!((1..=20).contains(&refusal.faults.len()), "{:?}", refusal.faults);
                        }
                        other => panic!("{other}"),
                    }
                }
            }
        )+};
    }
    read!(NewRelease, Publication, NewProduct, NewSubscription, NewHostingGroup, NewKnownProblem, NewWebhook);
});
