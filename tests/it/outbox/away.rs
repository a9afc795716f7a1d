//! Receivers that are away, gone, or elsewhere by now; and servers that cannot write down what they sent.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use serde_json::json;

use super::{messages, was_tried, webhook};
use crate::harness::{
    Actor as _, Vendor, eventually,
    hook::Hook,
    stores::{Kind, stores},
};

#[test]
fn a_receiver_that_hangs_up_holds_back_no_other_receiver() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    vendor.product();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connects = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connects);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let new = json!({"url": url, "events": ["subscription.changed"]});
    vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    webhook(&vendor, &hook, &["subscription.changed"]);
    // More than are fetched at once, some times over.
    let lines: String = (0..200).map(|number| format!("C{number},office-maker,single_user,2020-01-01,\n")).collect();
    let file = format!("customer,product,deployment,starts_on,ends_on\n{lines}");
    let import = vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
    import.body(file).send().created();
    hook.wait_for(200);
    eventually(10, "a try", || (connects.load(Ordering::SeqCst) > 0).then_some(()));
    thread::sleep(Duration::from_secs(3));
    let connects = connects.load(Ordering::SeqCst);
    assert!(connects <= 12, "{connects} connects");
}

#[test]
fn a_delivery_that_cannot_be_marked_is_not_repeated_forever() {
    // A database that takes the claim and not the mark; in the other stores it is the same code.
    if stores() != Kind::SqliteAndFiles {
        return;
    }
    let (mut vendor, hook) = (Vendor::start(), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    let office = vendor.product();
    vendor
        .file()
        .execute_batch(
            "CREATE TRIGGER full_disk BEFORE UPDATE ON webhook_messages WHEN NEW.state = 'sent'
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .unwrap();
    office.sell("single_user");
    hook.wait_for(1);
    thread::sleep(Duration::from_secs(3));
    hook.wait_for(1);
    let waits = messages(&vendor, &path, "state=queued").remove(0);
    assert_eq!((&waits["attempts"], was_tried(&waits, 1)), (&json!(1), false), "{waits}");
    // While it is being tried, staff cannot have it sent twice.
    let id = waits["id"].as_str().unwrap();
    vendor.admin.post(&format!("{path}/messages/{id}/replay")).send().ok();
    thread::sleep(Duration::from_secs(2));
    hook.wait_for(1);
    // After the end of this process nobody is trying it.
    vendor.kill();
    vendor.file().execute_batch("DROP TRIGGER full_disk").unwrap();
    vendor.run();
    let told = hook.wait_for(2);
    assert_eq!((&told[0].id, &told[0].body), (&told[1].id, &told[1].body));
    eventually(10, "it is marked", || messages(&vendor, &path, "state=sent").pop());
}

#[test]
fn an_answer_of_the_former_address_disables_no_webhook() {
    let (vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let office = vendor.product();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (came, has_come) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let gone = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 65536]).unwrap() > 0);
        came.send(()).unwrap();
        may_go_on.recv().unwrap();
        stream.write_all(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    });
    let new = json!({"url": url, "events": ["subscription.changed"]});
    let made = vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    let path = format!("/api/v1/admin/webhooks/{}", made["id"].as_str().unwrap());
    office.sell("single_user");
    has_come.recv_timeout(Duration::from_secs(10)).unwrap();
    vendor.admin.patch(&path).json(&json!({"url": hook.url()})).send().ok();
    go_on.send(()).unwrap();
    gone.join().unwrap();
    let waits = || messages(&vendor, &path, "state=queued").pop().filter(|message| was_tried(message, 1));
    eventually(10, "the answer is noted", waits);
    let now = vendor.admin.get(&path).send().ok();
    assert_eq!((&now["enabled"], &now["url"]), (&json!(true), &json!(hook.url())));
    vendor.travel_to("2030-03-01T08:01:00Z");
    hook.wait_for(1);
}

#[test]
fn deliveries_of_a_webhook_disabled_for_days_are_tried_as_new() {
    let (vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    let office = vendor.product();
    hook.answers(503);
    office.sell("single_user");
    let waits = || messages(&vendor, &path, "state=queued").pop().filter(|message| was_tried(message, 1));
    eventually(10, "a try", waits);
    vendor.admin.patch(&path).json(&json!({"enabled": false})).send().ok();
    vendor.travel_to("2030-03-11T08:00:00Z");
    vendor.admin.patch(&path).json(&json!({"enabled": true})).send().ok();
    hook.wait_for(2);
    let again = eventually(10, "a try after it was enabled", waits);
    assert!(again["next_attempt_at"].as_str().unwrap() > "2030-03-11T08:00:05Z", "{again}");
    hook.answers(204);
    vendor.travel_to("2030-03-11T08:02:00Z");
    eventually(10, "it is sent", || messages(&vendor, &path, "state=sent").pop());
}
