//! A disk without room: writes are refused with 503 and nothing is stored by halves, checks go on.
//!
//! The room is taken by a limit on the size of files (`ulimit -f`), which makes writes fail as a full disk does, for
//! whoever runs the tests; on Linux where a name space can be made, a file system of a few megabytes is filled for
//! good.

use std::{fs, process::Command};

use serde_json::json;

use crate::harness::{Actor, Answer, Server, Vendor, bytes::noise, eventually, log_in};

fn unavailable(answer: Answer) {
    let refused = answer.refused(503, "storage_unavailable");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
}

#[test]
fn an_upload_without_disk_space_is_refused_and_leaves_nothing() {
    let mut vendor = Vendor::start();
    vendor.product().release("13.0.0").draft();
    vendor.stop();
    // Blocks of 512 or 1024 bytes, as the shell has it: 1 or 2 MiB.
    vendor.run_limited("-f 2048");
    vendor.announce_errors("the artifact store cannot be used");
    let path = "/api/v1/products/office-maker/releases/13.0.0";
    let put = |size: usize| {
        let file = format!("{path}/artifacts/office.tar.gz?component=standalone&platform=linux&arch=x86_64");
        vendor.admin.put(&file).body(noise(size, "too large")).send()
    };
    for size in [9 << 20, 3 << 20] {
        unavailable(put(size));
        eventually(10, "what came in to be thrown away", || vendor.incoming().is_empty().then_some(()));
    }
    assert_eq!(vendor.contents().len(), 0);
    assert_eq!(vendor.admin.get(path).send().ok()["artifacts"], json!([]));
    put(500_000).created();
    assert_eq!(vendor.contents().len(), 1);
}

#[test]
fn a_database_without_room_refuses_writes_and_checks_go_on() {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    let (customer, path) = (sold.customer.clone(), sold.path.clone());
    vendor.stop();
    let size = fs::metadata(vendor.data().join("sluice.sqlite3")).unwrap().len();
    // Blocks of 512 or 1024 bytes, as the shell has it: in either case some room is left, and not much.
    vendor.run_limited(&format!("-f {}", size / 512 + 400));
    vendor.announce_errors("the database cannot be used");
    let customers = "/api/v1/admin/customers";
    // Write until there is no room; what was answered with success is there.
    let mut added = Vec::new();
    let refused = (0..2000).find_map(|number| {
        let answer =
            vendor.admin.post(customers).json(&json!({"name": format!("{number} {}", "x".repeat(150))})).send();
        match answer.status {
            201 => added.push(answer.created()["id"].clone()),
            _ => return Some(answer),
        }
        None
    });
    unavailable(refused.expect("the room to end"));
    // A change that needs no new page may find room; one of the catalogue is then there for checks, or not at all.
    let stop = vendor.admin.put("/api/v1/products/office-maker/stop").json(&json!({"reason": "y".repeat(200)})).send();
    let status = customer.check("office-maker", "12.0.0", &[]).ok()["status"].clone();
    match stop.status {
        200 => assert_eq!(status, "blocked"),
        _ => {
            unavailable(stop);
            assert_eq!(status, "update_available");
        }
    }
    vendor.admin.get(&path).send().ok();
    vendor.stop();
    vendor.run();
    let there = crate::harness::pages::all(&vendor.admin, customers, 200);
    for id in added {
        assert!(there.iter().any(|customer| customer["id"] == id), "{id} was answered with 201");
    }
    let sound: String = vendor.file().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    vendor.admin.post(customers).json(&json!({"name": "room again"})).send().created();
}

/// Whether this machine lets us mount a file system of our own.
fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_is_reported_at_the_start_and_while_running() {
    if !can_mount() {
        eprintln!("not tested: this machine lets nobody mount a file system; the limits above stand in for it");
        return;
    }
    let mut server = Server::prepare(&[]);
    fs::create_dir(server.data()).unwrap();
    server.run_within("mount -t tmpfs -o size=4m none data");
    let vendor = Vendor::of(server);
    for text in ["the artifact store cannot be used", "the database cannot be used"] {
        vendor.announce_errors(text);
    }
    let office = vendor.product();
    office.release("13.0.0").standalone("the program").publish();
    office.release("14.0.0").draft();
    let customer = office.sell("single_user").customer;
    let file = |name: &str, platform: &str| {
        format!(
            "{}/artifacts/{name}?component=standalone&platform={platform}&arch=x86_64",
            office.release_path("14.0.0")
        )
    };
    unavailable(vendor.admin.put(&file("large.zip", "linux")).body(noise(20 << 20, "large")).send());
    vendor.admin.put(&file("small.zip", "macos")).body(noise(1 << 20, "small")).send().created();
    // What is left of the room goes to customers.
    let refused = (0..100_000).find_map(|_| {
        let answer = vendor
            .admin
            .post("/api/v1/admin/customers")
            .json(&json!({"name": "x".repeat(200), "external_ref": null}))
            .send();
        (answer.status != 201).then_some(answer)
    });
    unavailable(refused.expect("the room to end"));
    // Who has bought is still served, and who reads may read.
    let answer = customer.checked("office-maker", "12.0.0", &[]);
    assert_eq!(customer.get(answer.link()).send().expect(200).text(), "the program");
    vendor.admin.get("/api/v1/auth/me").send().ok();
    vendor.anonymous().get("/livez").send().ok();
    // A login writes less than a customer, so a few may still find room.
    let refused = (0..50).map(|_| log_in(&vendor.anonymous())).find(|answer| answer.status != 200);
    unavailable(refused.expect("the room to end"));
}
