//! Downloads by signed link, whole and in part (RFC 9110, sections 13 and 14; RFC 9530).

use std::{io::Read as _, thread};

use crate::harness::{
    Actor, Answer, Customer, Product, Vendor,
    bytes::{digest_header, noise, sha256},
    eventually,
    stores::{Kind, stores},
};

/// The link that a check gives now.
fn link(customer: &Customer) -> String {
    customer.checked("office-maker", "12.4.0", &[]).link().to_owned()
}

/// A link, shortened to where it leads and what it is signed with.
fn parts(link: &str) -> (&str, &str) {
    link.split_once("?token=").expect("a token")
}

fn published<'v>(vendor: &'v Vendor, content: &[u8]) -> Product<'v> {
    let office = vendor.product();
    office.release("13.0.0").standalone(content).publish();
    office
}

#[test]
fn a_whole_file_comes_with_all_that_describes_it() {
    let vendor = Vendor::start();
    let content = noise(700_001, "whole");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let answer = customer.get(&link(&customer)).send().expect(200);
    assert!(answer.body == content);
    for (name, value) in [
        ("content-type", "application/gzip"),
        ("content-length", "700001"),
        ("content-disposition", "attachment; filename=\"standalone-13.0.0-linux-x86_64.tar.gz\""),
        ("etag", &format!("\"{}\"", sha256(&content))),
        ("repr-digest", &digest_header(&content)),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-encoding", ""),
        ("content-range", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let head = customer.head(&link(&customer)).send().expect(200);
    assert!(head.body.is_empty());
    for name in ["content-type", "content-length", "content-disposition", "etag", "repr-digest", "accept-ranges"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
    // Ranges are for GET alone (RFC 9110, section 14.2).
    let part = customer.head(&link(&customer)).header("range", "bytes=5-9").send().expect(200);
    assert_eq!((part.header("content-length"), part.header("content-range")), ("700001", ""));
}

#[test]
fn every_form_of_range_is_answered_as_rfc_9110_says() {
    let vendor = Vendor::start();
    let content = noise(600_000, "ranges");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let url = link(&customer);
    for (range, first, last) in [
        ("bytes=0-", 0, 599_999),
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=262143-262145", 262_143, 262_145),
        ("bytes=599999-", 599_999, 599_999),
        ("bytes=599990-700000", 599_990, 599_999),
        ("bytes=-10", 599_990, 599_999),
        ("bytes=-700000", 0, 599_999),
        ("bytes=0-18446744073709551615", 0, 599_999),
    ] {
        let answer = customer.get(&url).header("range", range).send().expect(206);
        assert!(answer.body == content[first..=last], "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {first}-{last}/600000"), "{range}");
        assert_eq!(answer.header("content-length"), (last - first + 1).to_string(), "{range}");
        // The digest is of the whole, whatever part is sent (RFC 9530, section 3).
        assert_eq!(answer.header("repr-digest"), digest_header(&content));
    }
    for range in ["bytes=600000-", "bytes=-0", "bytes=18446744073709551615-"] {
        let refused = customer.get(&url).header("range", range).send().refused(416, "range_not_satisfiable");
        assert_eq!(refused.headers["content-range"], "bytes */600000", "{range}");
    }
    // What is no range of bytes, or several, is answered with the whole (section 14.2).
    for range in ["bytes=9-5", "bytes=a-b", "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes", "bytes=+1-2"] {
        let answer = customer.get(&url).header("range", range).send().expect(200);
        assert!(answer.body == content, "{range}");
    }
}

#[test]
fn conditions_are_heeded_in_their_order() {
    let vendor = Vendor::start();
    let content = noise(10_000, "conditions");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let url = link(&customer);
    let ours = format!("\"{}\"", sha256(&content));
    let other = format!("\"{}\"", sha256(b"other"));
    let ask = |headers: &[(&str, &str)]| {
        headers.iter().fold(customer.get(&url), |call, (name, value)| call.header(name, value)).send()
    };
    let not_modified = |answer: Answer| {
        let answer = answer.expect(304);
        assert_eq!((answer.header("etag"), answer.body.len()), (ours.as_str(), 0));
    };
    not_modified(ask(&[("if-none-match", &ours)]));
    not_modified(ask(&[("if-none-match", &format!("{other}, W/{ours}"))]));
    not_modified(ask(&[("if-none-match", "*")]));
    not_modified(ask(&[("if-none-match", &ours), ("range", "bytes=5-")]));
    ask(&[("if-none-match", &other)]).expect(200);
    ask(&[("if-match", &other)]).refused(412, "precondition_failed").says(&ours);
    ask(&[("if-match", &format!("W/{ours}"))]).refused(412, "precondition_failed");
    ask(&[("if-match", "*")]).expect(200);
    ask(&[("if-match", &format!("{other}, {ours}"))]).expect(200);
    // A part only of the very content that is there already; else the whole.
    let resumed = ask(&[("range", "bytes=4000-"), ("if-range", &ours)]).expect(206);
    assert!(resumed.body == content[4000..]);
    for validator in [other.as_str(), &format!("W/{ours}"), "Sun, 22 Nov 2026 08:00:00 GMT"] {
        assert!(ask(&[("range", "bytes=4000-"), ("if-range", validator)]).expect(200).body == content);
    }
    ask(&[("range", "bytes=90000-"), ("if-range", &other)]).expect(200);
    // HEAD heeds them likewise.
    customer.head(&url).header("if-none-match", &ours).send().expect(304);
    customer.head(&url).header("if-match", &other).send().expect(412);
}

#[test]
fn an_empty_file_is_a_file() {
    let vendor = Vendor::start();
    let customer = published(&vendor, b"").sell("single_user").customer;
    let url = link(&customer);
    let answer = customer.get(&url).send().expect(200);
    assert_eq!((answer.header("content-length"), answer.body.len()), ("0", 0));
    let refused = customer.get(&url).header("range", "bytes=0-").send().refused(416, "range_not_satisfiable");
    assert_eq!(refused.headers["content-range"], "bytes */0");
}

#[test]
fn a_files_type_follows_its_name_and_is_never_one_browsers_run() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    let names = [
        ("setup.exe", "installer", "windows", "application/vnd.microsoft.portable-executable"),
        ("setup.MSI", "archive", "windows", "application/x-msi"),
        ("office.dmg", "installer", "macos", "application/x-apple-diskimage"),
        ("office.zip", "archive", "macos", "application/zip"),
        ("office.deb", "installer", "linux", "application/vnd.debian.binary-package"),
        ("office.html", "archive", "linux", "application/octet-stream"),
    ];
    for (name, kind, platform, _) in names {
        let place = [("component", "standalone"), ("platform", platform), ("arch", "x86_64"), ("kind", kind)];
        let path = format!("{}/artifacts/{name}", office.release_path("13.0.0"));
        vendor.admin.put(&path).query(&place).body(name).send().created();
    }
    office.steer("13.0.0", "publish", &serde_json::json!({}));
    let customer = office.sell("single_user").customer;
    for (name, kind, platform, expected) in names {
        let answer = customer.checked("office-maker", "12.4.0", &[("platform", platform), ("kind", kind)]);
        let file = customer.get(answer.link()).send().expect(200);
        assert_eq!((file.header("content-type"), file.text().as_str()), (expected, name));
    }
}

#[test]
fn a_link_that_was_altered_is_no_link() {
    let vendor = Vendor::start();
    let office = published(&vendor, b"content");
    let other = office.release("12.9.0").with("channel", "beta").standalone("other").publish();
    let elsewhere = other["artifacts"][0]["id"].as_str().unwrap();
    let customer = office.sell("single_user").customer;
    let url = link(&customer);
    let (path, token) = parts(&url);
    for altered in ["", "x", &token[1..], &format!("{token}A"), &token.replace(&token[9..10], "!")] {
        customer.get(&format!("{path}?token={altered}")).send().refused(403, "url_invalid");
    }
    customer.get(path).send().refused(400, "parameter_missing").says("`token`");
    customer.get(&format!("{url}&more=1")).send().refused(400, "parameter_unknown").says("`more`");
    customer.get(&format!("{url}&token={token}")).send().refused(400, "parameter_unknown").says("`token`");
    // The token is of one artifact, under its own name.
    let foreign = format!("/api/v1/downloads/{elsewhere}/standalone-12.9.0-linux-x86_64.tar.gz?token={token}");
    customer.get(&foreign).send().refused(403, "url_invalid");
    let renamed = url.replace("standalone-13", "standalone-14");
    customer.get(&renamed).send().refused(404, "artifact_not_found");
    customer.get(&format!("/api/v1/downloads/not-an-id/a.zip?token={token}")).send().refused(404, "not_found");
    // It needs no key beside it: whoever has the link may use it.
    assert_eq!(vendor.anonymous().get(&url).send().expect(200).text(), "content");
}

#[test]
fn an_expired_download_resumes_by_a_new_link_range_and_etag() {
    let vendor = Vendor::with(&[("downloads.url_ttl", "3s")]);
    let content = noise(500_000, "resumed");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let first = link(&customer);
    let answer = customer.get(&first).header("range", "bytes=0-99999").send().expect(206);
    let (mut have, tag) = (answer.body.clone(), answer.header("etag").to_owned());
    let refused = eventually(10, "the link to expire", || {
        let answer = customer.get(&first).header("range", "bytes=100000-").send();
        (answer.status == 403).then(|| answer.refused(403, "url_expired"))
    });
    refused.says("check for updates again");

    let second = link(&customer);
    assert_ne!(first, second);
    let rest = customer.get(&second).header("range", "bytes=100000-").header("if-range", &tag).send().expect(206);
    assert_eq!(rest.header("etag"), tag);
    have.extend(rest.body);
    assert!(have == content);
}

#[test]
fn a_download_that_has_begun_goes_on_after_its_link_expired() {
    let vendor = Vendor::with(&[("downloads.url_ttl", "3s")]);
    let content = noise(8 << 20, "slow");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let url = link(&customer);
    let mut slow = customer.get(&url).open();
    assert_eq!(slow.status(), 200);
    let mut have = vec![0; 1000];
    slow.read_exact(&mut have).unwrap();
    eventually(10, "the link to expire", || (customer.head(&url).send().status == 403).then_some(()));
    slow.read_to_end(&mut have).unwrap();
    assert!(have == content);
}

#[test]
fn many_download_at_once_and_checks_go_on_beside_them() {
    let vendor = Vendor::with(&[("downloads.threads", "2"), ("limits.downloads_at_once_per_key", "32")]);
    let content = noise(4 << 20, "many");
    let customer = published(&vendor, &content).sell("single_user").customer;
    let url = link(&customer);
    thread::scope(|scope| {
        // Those who open a download and do not read on must not keep anybody else from theirs.
        let idle: Vec<_> = (0..16).map(|_| customer.get(&url).open()).collect();
        let busy: Vec<_> = (0..16)
            .map(|number| {
                let (customer, url, content) = (&customer, &url, &content);
                scope.spawn(move || {
                    let first = number * 10_000;
                    let range = format!("bytes={first}-");
                    assert!(customer.get(url).header("range", &range).send().expect(206).body == content[first..]);
                })
            })
            .collect();
        for _ in 0..50 {
            assert_eq!(customer.offered("office-maker", "12.4.0").as_deref(), Some("13.0.0"));
        }
        busy.into_iter().for_each(|one| one.join().unwrap());
        drop(idle);
    });
}

#[test]
fn a_rotated_key_keeps_old_links_for_one_rotation() {
    let mut vendor = Vendor::start();
    let customer = published(&vendor, b"content").sell("single_user").customer;
    let first = link(&customer);
    let rotate = |vendor: &mut Vendor| {
        if stores() == Kind::SqliteAndFiles {
            let busy = crate::harness::program::Ended::of(&mut vendor.command(&["keys", "rotate", "links"])).expect(1);
            assert!(busy.stderr.contains("in use by another Sluice"), "{busy:?}");
        }
        vendor.stop();
        crate::harness::program::Ended::of(&mut vendor.command(&["keys", "rotate", "links"])).expect(0);
        vendor.run();
    };
    rotate(&mut vendor);
    assert_eq!(customer.get(&first).send().expect(200).text(), "content");
    let second = link(&customer);
    rotate(&mut vendor);
    customer.get(&first).send().refused(403, "url_invalid");
    assert_eq!(customer.get(&second).send().expect(200).text(), "content");
    // Licence keys and logins hold through every rotation of links.
    assert_eq!(customer.offered("office-maker", "12.4.0").as_deref(), Some("13.0.0"));
    vendor.admin.get("/api/v1/auth/me").send().ok();
}
