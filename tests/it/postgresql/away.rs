//! The database goes away while the server runs, and comes back.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    client::slots::{ask, nights, window},
    harness::{Actor, Answer, Vendor, cluster::Cluster, database::Admin, eventually},
};

fn unavailable(answer: Answer) {
    let refused = answer.refused(503, "storage_unavailable");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
}

#[test]
fn checks_go_on_and_writes_wait_while_the_database_is_away() {
    let mut cluster = Cluster::start(&[]);
    Admin::at(&cluster.url()).execute("CREATE DATABASE sluice");
    let url = cluster.url().replace("/postgres?", "/sluice?");
    let vendor = Vendor::with(&[("database.url", &url)]);
    vendor.announce_errors("the database cannot be used");
    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    let customers = "/api/v1/admin/customers";
    let report = json!({"run": "0199a0de-0000-4000-8000-000000000001", "installation": "0199a0de-0000-4000-8000-000000000002",
        "product": "office-maker", "component": "standalone", "from_version": "12.0.0", "to_version": "13.0.0", "stage": "downloading"});
    for signal in [Signal::SIGINT, Signal::SIGQUIT] {
        cluster.signal(signal);
        cluster.wait();
        let started = Instant::now();
        assert_eq!(sold.customer.check("office-maker", "12.0.0", &[]).ok()["status"], "update_available");
        unavailable(sold.customer.post("/api/v1/reports").json(&report).send());
        // A login is read from the database, so that one that was ended is ended everywhere.
        unavailable(vendor.admin.get(customers).send());
        vendor.anonymous().get("/livez").send().ok();
        assert_eq!(vendor.anonymous().get("/readyz").send().ok()["status"], "degraded");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        cluster.run();
        sold.customer.post("/api/v1/reports").json(&report).send().accepted();
        vendor.admin.post(customers).json(&json!({"name": "back again"})).send().created();
        eventually(20, "the server to be ready", || {
            (vendor.anonymous().get("/readyz").send().ok()["status"] == "ready").then_some(())
        });
    }
    // Connections that end one by one, as with a time-out of the network.
    for _ in 0..3 {
        Admin::at(&cluster.url())
            .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'sluice'");
        vendor.admin.post(customers).json(&json!({"name": "at once"})).send().created();
    }
    // A database that takes no writes is away for them, and only for them.
    Admin::at(&cluster.url()).execute(
        "ALTER DATABASE sluice SET default_transaction_read_only = on;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'sluice'",
    );
    unavailable(vendor.admin.post(customers).json(&json!({"name": "refused"})).send());
    vendor.admin.get(customers).send().ok();
    drop(vendor);
}

#[test]
fn only_hosted_servers_of_limited_groups_wait_for_a_slot() {
    let mut cluster = Cluster::start(&[]);
    Admin::at(&cluster.url()).execute("CREATE DATABASE sluice");
    let url = cluster.url().replace("/postgres?", "/sluice?");
    let vendor = Vendor::with(&[("database.url", &url)]);
    vendor.announce_errors("the database cannot be used");
    let (office, sites) = nights(&vendor, &window("00:00", 1440), 2, 2);
    office.release("14.0.0").publish();
    let own = office.sell("single_user").customer;
    assert_eq!(ask(&sites[0]).status, "update_available");
    cluster.stop();
    let started = Instant::now();
    for site in &sites {
        assert_eq!(ask(site).reason.as_deref(), Some("group_busy"));
    }
    assert_eq!(own.check("office-maker", "12.0.0", &[]).ok()["status"], "update_available");
    let client = sites[0].customer.check("office-maker", "12.0.0", &[("component", "client")]).ok();
    assert_eq!(client["status"], "managed");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    cluster.run();
    eventually(20, "a slot", || (ask(&sites[1]).status == "update_available").then_some(()));

    // A database that is there and does not answer.
    let mut admin = Admin::at(&url);
    admin.execute("BEGIN; LOCK TABLE group_slots");
    let started = Instant::now();
    assert_eq!(ask(&sites[0]).reason.as_deref(), Some("group_busy"));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    admin.execute("COMMIT");
    assert_eq!(ask(&sites[0]).status, "update_available");
}
