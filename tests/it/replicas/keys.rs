//! Replicas sign and recognise alike.

use super::two;
use crate::harness::{Actor as _, Server, eventually, program::Ended, stores::Stores};

#[test]
fn links_keys_and_logins_of_one_replica_are_valid_at_the_other() {
    let (first, second) = two();
    let office = first.product();
    office.release("13.0.0").standalone("the bytes").publish();
    let sold = office.sell("single_user");
    let answer = first.customer(&sold.key).checked("office-maker", "12.0.0", &[]);
    let url = answer.link();
    let path = url.split_once("/api/").map(|(_, path)| format!("/api/{path}")).expect("a path");
    let there = eventually(2, "the release at the other replica", || {
        let answer = second.anonymous().get(&path).try_send()?;
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(there.text(), "the bytes");
    let tokens = crate::harness::log_in(&first.anonymous()).ok();
    second.person(&tokens).get("/api/v1/auth/me").send().ok();
    let keys = |vendor: &crate::harness::Vendor| vendor.anonymous().get("/.well-known/jwks.json").send().ok();
    assert_eq!(keys(&first), keys(&second));
    assert!(!first.data().exists(), "nothing is left on a replica's disk");
}

#[test]
fn a_rotation_reaches_every_replica_while_they_run() {
    let (first, second) = two();
    let before = first.anonymous().get("/.well-known/jwks.json").send().ok();
    Ended::of(&mut first.command(&["keys", "rotate", "manifests"])).expect(0);
    let signing = |vendor: &crate::harness::Vendor| {
        vendor.anonymous().get("/.well-known/jwks.json").send().ok()["keys"][0]["kid"].clone()
    };
    eventually(2, "the next key", || {
        [&first, &second].iter().all(|vendor| signing(vendor) == before["keys"][1]["kid"]).then_some(())
    });
}

#[test]
fn keys_in_the_database_are_useless_without_the_encryption_key() {
    let mut server = Server::on(Stores::shared(), &[]);
    server.run();
    server.stop();
    let sealed = server.select("SELECT value FROM settings WHERE name = 'keys'").remove(0);
    assert!(!sealed.contains("links"), "{sealed}");
    let mut command = server.command(&["serve"]);
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3Q=");
    assert!(Ended::of(&mut command).expect(1).stderr.contains("keys.encryption_key"));
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "too short");
    assert!(Ended::of(&mut command).expect(1).stderr.contains("openssl rand -base64 32"));
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "");
    assert!(Ended::of(&mut command).expect(2).stderr.contains("openssl rand -base64 32"));
}
