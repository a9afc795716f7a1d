//! `sluice admin`, on the machine itself.

use std::{io::Write as _, process::Stdio};

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Anonymous, Server, Vendor,
    actor::Line,
    program::Ended,
    server::EMAIL,
    stores::Stores,
    vendor::{log_in, log_in_as},
};

fn admin(vendor: &Server, arguments: &[&str]) -> Ended {
    Ended::of(&mut vendor.command(&[&["admin"], arguments].concat()))
}

/// The password that was printed.
fn printed(ended: &Ended) -> Value {
    json!(ended.stdout.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password"))
}

#[test]
fn users_are_added_and_given_passwords_with_or_without_a_server() {
    let mut vendor = Vendor::start();
    let made = admin(&vendor, &["create", "--email", "Anna@vendor.example"]).expect(0);
    let anna = json!({"email": "anna@vendor.example", "password": printed(&made)});
    let session = vendor.person(&log_in_as(&vendor.anonymous(), &anna).ok());
    assert_eq!(session.get("/api/v1/auth/me").send().ok()["role"], "owner");
    let again = admin(&vendor, &["create", "--email", "anna@vendor.example"]).expect(1);
    assert!(again.stderr.contains("there is a user `anna@vendor.example` already"), "{again:?}");
    let reset = admin(&vendor, &["reset-password", "--email", "anna@vendor.example"]).expect(0);
    session.get("/api/v1/auth/me").send().refused(401, "authorization_invalid");
    log_in_as(&vendor.anonymous(), &anna).refused(401, "login_failed");
    log_in_as(&vendor.anonymous(), &json!({"email": "anna@vendor.example", "password": printed(&reset)})).ok();

    vendor.stop();
    let made = admin(&vendor, &["create", "--email", "bert@vendor.example", "--role", "viewer"]).expect(0);
    vendor.run();
    let bert = json!({"email": "bert@vendor.example", "password": printed(&made)});
    let bert = vendor.person(&log_in_as(&vendor.anonymous(), &bert).ok());
    assert_eq!(bert.get("/api/v1/auth/me").send().ok()["role"], "viewer");
    admin(&vendor, &["reset-password", "--email", "nobody@vendor.example"]).expect(1);
    admin(&vendor, &["create", "--email", "c@vendor.example", "--role", "king"]).expect(2);
}

#[test]
fn a_password_is_read_from_stdin_and_a_second_factor_is_removed() {
    let vendor = Vendor::start();
    vendor.execute("UPDATE users SET totp_secret = 'sealed with keys that are gone'");
    log_in(&vendor.anonymous()).refused(401, "otp_required");
    let given = |password: &str, more: &[&str]| {
        let arguments = [&["admin", "reset-password", "--email", EMAIL, "--password-stdin"], more].concat();
        let mut command = vendor.command(&arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        writeln!(process.stdin.take().expect("an input"), "{password}").expect("an input that is read");
        Ended::from(process.wait_with_output().expect("an end"))
    };
    given("short", &[]).expect(1);
    let reset = given("another-password", &["--remove-second-factor"]).expect(0);
    assert!(!reset.stdout.contains("another-password"), "{reset:?}");
    log_in_as(&vendor.anonymous(), &json!({"email": EMAIL, "password": "another-password"})).ok();
}

#[test]
fn the_first_owner_can_be_made_before_the_first_start() {
    let nobody = [("auth.bootstrap_email", ""), ("auth.bootstrap_password", "")];
    let mut server = Server::on(Stores::embedded(), &nobody);
    let made = admin(&server, &["create", "--email", EMAIL]).expect(0);
    server.run();
    let credentials = json!({"email": EMAIL, "password": printed(&made)});
    log_in_as(&Anonymous(Line::new(server.address())), &credentials).ok();
    assert!(!server.output().contains("/setup"), "{}", server.output());
}
