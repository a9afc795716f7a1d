//! Webhooks do not lead into the networks that the server is in.

use serde_json::{Value, json};

use crate::harness::{Actor as _, Vendor, eventually, hook::Hook};

const WEBHOOKS: &str = "/api/v1/admin/webhooks";

#[test]
fn addresses_of_private_networks_are_refused_in_every_form() {
    let vendor = Vendor::with(&[("webhooks.allow_private", "false")]);
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "10.0.0.1:8080",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]:9",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ] {
        let new = json!({"url": format!("http://{host}/hook"), "events": ["release.yanked"]});
        let refused = vendor.admin.post(WEBHOOKS).json(&new).send().refused(422, "body_invalid");
        refused.names(&["url"]).says("webhooks.allow_private");
    }
    let new = json!({"url": "https://1.1.1.1/hook", "events": ["release.yanked"]});
    let made = vendor.admin.post(WEBHOOKS).json(&new).send().created();
    let path = format!("{WEBHOOKS}/{}", made["id"].as_str().unwrap());
    let change = json!({"url": "https://10.0.0.1/hook"});
    vendor.admin.patch(&path).json(&change).send().refused(422, "body_invalid").names(&["url"]);
}

#[test]
fn a_name_that_leads_into_a_private_network_is_not_followed() {
    let (vendor, hook) = (Vendor::with(&[("webhooks.allow_private", "false")]), Hook::start());
    // Its owner has it lead there only after it was entered.
    let new = json!({"url": hook.url().replace("127.0.0.1", "localhost"), "events": ["subscription.changed"]});
    let made = vendor.admin.post(WEBHOOKS).json(&new).send().created();
    let path = format!("{WEBHOOKS}/{}/messages", made["id"].as_str().unwrap());
    vendor.product().sell("single_user");
    let tried = eventually(20, "a try", || {
        let messages = vendor.admin.get(&path).send().ok();
        // Not while the try is under way.
        let is_over =
            |message: &Value| message["last_error"].as_str().is_some_and(|error| !error.contains("under way"));
        Some(messages["items"][0].clone()).filter(|message| message["attempts"] == 1 && is_over(message))
    });
    let error = tried["last_error"].as_str().unwrap();
    assert!(error.contains("localhost") && error.contains("webhooks.allow_private"), "{error}");
    assert_eq!(hook.told().len(), 0);
}
