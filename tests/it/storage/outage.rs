//! The store goes away and comes back: checks go on, uploads and downloads say that they cannot be served just now.

use super::{drafting, link, put};
use crate::harness::{Actor, Answer, S3, Vendor, bytes::noise, eventually};

fn unavailable(answer: Answer) {
    let refused = answer.refused(503, "storage_unavailable");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
}

fn readiness(vendor: &Vendor) -> (u16, String) {
    let answer = vendor.anonymous().get("/readyz").send();
    (answer.status, answer.json()["status"].as_str().unwrap().to_owned())
}

#[test]
fn checks_go_on_while_the_store_is_away_and_downloads_return() {
    let mut s3 = S3::start();
    let vendor = s3.vendor(&[("downloads.mode", "proxy")]);
    vendor.announce_errors("the artifact store cannot be used");
    let office = vendor.product();
    office.release("13.0.0").standalone("the program").publish();
    office.release("14.0.0").draft();
    let customer = office.sell("single_user").customer;
    let path = office.release_path("14.0.0");
    let url = link(&customer, "12.0.0");
    assert_eq!(readiness(&vendor), (200, "ready".to_owned()));
    s3.stop();
    unavailable(customer.get(&url).send());
    unavailable(put(&vendor, &path, b"small", None));
    unavailable(put(&vendor, &path, &noise(20 << 20, "large"), None));
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"));
    customer.head(&url).send().expect(200);
    eventually(20, "the server to say so", || (readiness(&vendor) == (200, "degraded".to_owned())).then_some(()));
    vendor.anonymous().get("/livez").send().ok();
    s3.run();
    assert_eq!(customer.get(&url).send().expect(200).text(), "the program");
    put(&vendor, &path, &noise(20 << 20, "large"), None).created();
    eventually(20, "the server to be ready", || (readiness(&vendor) == (200, "ready".to_owned())).then_some(()));
}

#[test]
fn a_server_starts_without_its_store_and_uses_it_once_reachable() {
    let mut s3 = S3::start();
    let mut vendor = s3.vendor(&[("downloads.mode", "proxy")]);
    vendor.announce_errors("the artifact store cannot be used");
    let office = vendor.product();
    office.release("13.0.0").standalone("the program").publish();
    let customer = office.sell("single_user").customer;
    vendor.stop();
    s3.stop();
    vendor.run();
    assert!(vendor.log().iter().any(|line| line.contains("started without the artifact store")), "{:?}", vendor.log());
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"));
    assert_eq!(readiness(&vendor), (200, "degraded".to_owned()));
    s3.run();
    let url = link(&customer, "12.0.0");
    assert_eq!(customer.get(&url).send().expect(200).text(), "the program");
    eventually(20, "the server to be ready", || (readiness(&vendor) == (200, "ready".to_owned())).then_some(()));
}

#[test]
fn an_upload_that_loses_its_store_is_refused_and_leaves_nothing() {
    let mut s3 = S3::start();
    let mut vendor = s3.vendor(&[("storage.keep_loose", "1ms")]);
    vendor.announce_errors("the artifact store cannot be used");
    let path = drafting(&vendor);
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&vendor, &path, &noise(60 << 20, "under way"), None));
        eventually(20, "parts to come in", || s3.uploads().iter().any(|name| name.contains("part-")).then_some(()));
        s3.stop();
        unavailable(upload.join().unwrap());
    });
    s3.run();
    vendor.restart();
    eventually(20, "what was left to be swept away", || {
        (s3.incoming().is_empty() && s3.contents().is_empty()).then_some(())
    });
}

#[test]
fn asking_whether_the_server_is_ready_is_no_load_on_the_store() {
    let mut s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let ready = (200, "ready".to_owned());
    assert_eq!(readiness(&vendor), ready);
    // What was found is taken for granted for some seconds.
    s3.stop();
    for _ in 0..20 {
        assert_eq!(readiness(&vendor), ready);
    }
    s3.run();
}
