//! Downloads from a bucket: by redirect to a signed link, or through Sluice.

use std::fs;

use serde_json::json;

use super::link;
use crate::harness::{
    Actor, Answer, S3, Vendor,
    bytes::{digest_header, noise, sha256},
    eventually,
};

/// Somebody who follows a link of the store, without any credentials.
fn fetch(url: &str, range: Option<&str>) -> Answer {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url);
    Answer::read(range.iter().fold(request, |request, range| request.header("range", *range)).send().unwrap())
}

#[test]
fn a_client_is_sent_to_a_link_signed_for_the_public_address() {
    let s3 = S3::start();
    let public = s3.endpoint().replace("127.0.0.1", "localhost");
    let vendor = s3.vendor(&[("storage.public_endpoint", &public)]);
    let office = vendor.product();
    let content = noise(700_001, "redirected");
    office.release("13.0.0").standalone(content.clone()).publish();
    let customer = office.sell("single_user").customer;
    let url = link(&customer, "12.0.0");
    let answer = customer.get(&url).send().expect(307);
    let address = answer.header("location").to_owned();
    assert!(address.starts_with(&public), "{address}");
    assert_eq!((answer.header("cache-control"), answer.body.len()), ("no-store", 0));
    let file = fetch(&address, None).expect(200);
    assert!(file.body == content);
    assert_eq!(file.header("content-type"), "application/gzip");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"standalone-13.0.0-linux-x86_64.tar.gz\"");
    let part = fetch(&address, Some("bytes=700000-")).expect(206);
    assert!(part.body == content[700_000..]);
    // HEAD, conditions, and a resumption by our own tag are answered here: only Sluice knows the tag.
    let etag = format!("\"{}\"", sha256(&content));
    let head = customer.head(&url).send().expect(200);
    assert_eq!((head.header("etag"), head.header("content-length")), (etag.as_str(), "700001"));
    assert_eq!(head.header("repr-digest"), digest_header(&content));
    customer.get(&url).header("if-none-match", &etag).send().expect(304);
    customer.get(&url).header("if-match", "\"other\"").send().refused(412, "precondition_failed");
    customer.get(&url).header("range", "bytes=700001-").send().refused(416, "range_not_satisfiable");
    let resumed = customer.get(&url).header("range", "bytes=9-").header("if-range", &etag).send().expect(206);
    assert!(resumed.body == content[9..]);
    customer.get(&url).header("range", "bytes=9-").header("if-range", "\"the store's\"").send().expect(307);
}

#[test]
fn an_altered_link_and_an_expired_one_are_refused_by_the_store() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[("downloads.url_ttl", "3s")]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let address = customer.get(&link(&customer, "12.0.0")).send().expect(307).header("location").to_owned();
    let (start, signature) = address.rsplit_once("Signature=").unwrap();
    let altered: String = signature.chars().rev().collect();
    for altered in [
        format!("{start}Signature={altered}"),
        address.replace("X-Amz-Expires=3&", "X-Amz-Expires=100000&"),
        address.replace("application%2Fgzip", "text%2Fhtml"),
        address.replace("/sha256/", "/sha256/../sha256/x"),
    ] {
        assert_ne!(altered, address);
        let status = fetch(&altered, None).status;
        assert!(matches!(status, 400 | 403 | 404), "{status} {altered}");
    }
    eventually(10, "the link to expire", || (fetch(&address, None).status == 403).then_some(()));
}

#[test]
fn what_is_refused_is_refused_before_any_redirect() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let url = link(&customer, "12.0.0");
    let (path, token) = url.split_once("?token=").unwrap();
    customer.get(&format!("{path}?token={}", &token[1..])).send().refused(403, "url_invalid");
    customer.get(&url).send().expect(307);
    office.steer("13.0.0", "yank", &json!({"reason": "it is broken"}));
    customer.get(&url).send().refused(403, "url_withdrawn");
}

#[test]
fn earlier_uploads_are_still_served_from_their_folder() {
    let s3 = S3::start();
    let mut vendor = Vendor::start();
    vendor.product().release("13.0.0").standalone("from the folder").publish();
    let customer = vendor_customer(&vendor);
    vendor.stop();
    s3.settings().iter().for_each(|(key, value)| vendor.set(key, value));
    vendor.run();
    let old = link(&customer, "12.0.0");
    assert_eq!(customer.get(&old).send().expect(200).text(), "from the folder");
    let body = json!({"version": "14.0.0", "notes": {"en": "New."}});
    vendor.admin.post("/api/v1/products/office-maker/releases").json(&body).send().created();
    let path = "/api/v1/products/office-maker/releases/14.0.0";
    super::put(&vendor, path, b"from the bucket", None).created();
    vendor.admin.post(&format!("{path}/publish")).json(&json!({})).send().ok();
    let new = customer.get(&link(&customer, "13.0.0")).send().expect(307).header("location").to_owned();
    assert_eq!(fetch(&new, None).expect(200).text(), "from the bucket");
    assert_eq!(customer.get(&old).send().expect(200).text(), "from the folder");
    // Without the folder the server would have nothing to serve it from, and says so instead of starting.
    vendor.stop();
    fs::rename(vendor.data().join("artifacts"), vendor.data().join("elsewhere")).unwrap();
    let refused = crate::harness::program::Ended::of(&mut vendor.command(&["serve"])).expect(1);
    assert!(refused.stderr.contains("`files`") && refused.stderr.contains("storage.files"), "{refused:?}");
    let elsewhere = vendor.data().join("elsewhere").display().to_string();
    vendor.set("storage.files", &elsewhere);
    vendor.run();
    assert_eq!(customer.get(&link(&customer, "12.9.0")).send().status, 307);
    assert_eq!(customer.get(&old).send().expect(200).text(), "from the folder");
}

fn vendor_customer(vendor: &Vendor) -> crate::harness::Customer {
    let sold = json!({"customer_id": vendor.buyer(), "product": "office-maker", "deployment": "single_user",
        "starts_on": "2020-01-01", "ends_on": null});
    let sold = vendor.admin.post("/api/v1/admin/subscriptions").json(&sold).send().created();
    vendor.customer(sold["license_key"].as_str().unwrap())
}

#[test]
fn through_sluice_a_file_comes_as_it_would_from_a_folder() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[("downloads.mode", "proxy")]);
    let office = vendor.product();
    let content = noise(9_000_001, "through");
    office.release("13.0.0").standalone(content.clone()).publish();
    let customer = office.sell("single_user").customer;
    let url = link(&customer, "12.0.0");
    let answer = customer.get(&url).send().expect(200);
    assert!(answer.body == content);
    assert_eq!(answer.header("etag"), format!("\"{}\"", sha256(&content)));
    assert_eq!(answer.header("repr-digest"), digest_header(&content));
    assert_eq!(answer.header("content-length"), "9000001");
    // Over the edges of what is asked of the store at once.
    for (first, last) in
        [(0, 0), (2_097_151, 2_097_152), (2_097_152, 4_194_304), (5, 8_999_999), (9_000_000, 9_000_000)]
    {
        let part = customer.get(&url).header("range", &format!("bytes={first}-{last}")).send().expect(206);
        assert!(part.body == content[first..=last], "{first}-{last}");
    }
    // What is there under the key must be what it should be: at least of its size.
    fs::write(s3.content(&sha256(&content)), "cut off").unwrap();
    vendor.announce_errors("the artifact store cannot be used");
    customer.get(&url).send().refused(503, "storage_unavailable");
}
