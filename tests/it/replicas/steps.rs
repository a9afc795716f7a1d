//! What one replica changes, the other answers by within two seconds.

use serde_json::json;

use super::{in_step, two};
use crate::harness::{Actor as _, Vendor};

fn status(vendor: &Vendor, key: &str) -> String {
    let answer = vendor.customer(key).check("office-maker", "12.0.0", &[]);
    match answer.status {
        200 => answer.ok()["status"].as_str().expect("a status").to_owned(),
        // A replica that was halted finds that the time of a connection is up.
        408 => String::new(),
        _ => answer.json()["code"].as_str().expect("a code").to_owned(),
    }
}

#[test]
fn whatever_one_replica_changes_the_other_answers_by() {
    let (first, second) = two();
    let office = first.product();
    let sold = office.sell("single_user");
    let key = sold.key.as_str();
    in_step("a subscription", || status(&second, key) == "up_to_date");
    office.release("13.0.0").standalone("new bytes").publish();
    in_step("a release", || status(&second, key) == "update_available");
    office.stop(None);
    in_step("a stop", || status(&second, key) == "blocked");
    first.admin.delete(&format!("{}/stop", office.path)).send().no_content();
    in_step("the end of a stop", || status(&second, key) == "update_available");
    office.steer("13.0.0", "yank", &json!({"reason": "bad"}));
    in_step("a yank", || status(&second, key) == "up_to_date");
    // And the other way round.
    second.admin.post(&format!("{}/releases/13.0.0/restore", office.path)).json(&json!({})).send().ok();
    in_step("a restored release", || status(&first, key) == "update_available");
    let path = format!("/api/v1/admin/subscriptions/{}/suspend", sold.id);
    second.admin.post(&path).json(&json!({})).send().ok();
    in_step("a suspension", || status(&first, key) == "not_entitled");
    let rule = json!({"product": "office-maker", "code": "e1", "texts": {"en": "Call us."}});
    let made = second.admin.post("/api/v1/admin/known-problems").json(&rule).send().created();
    let path = format!("/api/v1/admin/known-problems/{}", made["id"].as_str().expect("an id"));
    in_step("a known problem", || first.admin.get(&path).send().status == 200);
}

#[test]
fn a_large_import_reaches_the_other_replica_as_a_whole() {
    const MANY: usize = 2_000;
    let (first, second) = two();
    first.product();
    let mut csv = String::from("customer,product,deployment,starts_on,ends_on,external_ref,license_key\n");
    for number in 0..MANY {
        csv +=
            &format!("Customer {number},office-maker,single_user,2026-01-01,,ref-{number},IMPORTED-KEY-{number:016}\n");
    }
    let import = first.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
    import.body(csv).send().created();
    // In no order: within a millisecond ids have none.
    let all = || (0..MANY).step_by(499).chain([MANY - 1]);
    in_step("every subscription", || {
        all().all(|number| status(&second, &format!("IMPORTED-KEY-{number:016}")) == "up_to_date")
    });
}

#[test]
fn changes_of_many_writers_at_once_all_arrive_on_every_replica() {
    const WRITERS: usize = 4;
    const EACH: usize = 15;
    let (first, second) = two();
    let office = first.product();
    let product = office.slug.clone();
    in_step("the product", || second.anonymous().check("office-maker", "12.0.0", &[]).status == 200);
    let keys: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let admin = if writer % 2 == 0 { &first.admin } else { &second.admin };
                let (buyer, product) = (first.buyer(), product.clone());
                scope.spawn(move || {
                    let sell = |_| {
                        let made = admin
                            .post("/api/v1/admin/subscriptions")
                            .json(&json!({"customer_id": buyer, "product": product, "deployment": "single_user",
                                "starts_on": "2026-01-01", "ends_on": null}))
                            .send()
                            .created();
                        made["license_key"].as_str().expect("a key").to_owned()
                    };
                    (0..EACH).map(sell).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    assert_eq!(keys.len(), WRITERS * EACH);
    for vendor in [&first, &second] {
        in_step("a subscription", || keys.iter().all(|key| status(vendor, key) == "up_to_date"));
    }
}

#[test]
fn a_replica_behind_the_pruned_change_log_reads_everything_anew() {
    let (first, second) = two();
    let office = first.product();
    let sold = office.sell("single_user");
    in_step("a subscription", || status(&second, &sold.key) == "up_to_date");
    nix::sys::signal::kill(second.pid(), nix::sys::signal::Signal::SIGSTOP).expect("a signal");
    let others: Vec<_> = (0..3).map(|_| office.sell("single_user").key).collect();
    first.execute("DELETE FROM changes WHERE id < (SELECT max(id) FROM changes)");
    nix::sys::signal::kill(second.pid(), nix::sys::signal::Signal::SIGCONT).expect("a signal");
    in_step("what was missed", || others.iter().all(|key| status(&second, key) == "up_to_date"));
}

#[test]
fn a_connection_that_drops_makes_nobody_miss_a_change() {
    let (first, second) = two();
    let office = first.product();
    for _ in 0..3 {
        first.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'sluice'",
        );
        let key = office.sell("single_user").key;
        in_step("a subscription", || status(&second, &key) == "up_to_date");
    }
}
