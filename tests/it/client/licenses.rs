//! Licence keys as programs present them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::harness::{Actor, Vendor};

const OWN: &str = "/api/v1/subscription";

#[test]
fn an_issued_key_has_its_form_and_is_read_however_it_is_typed() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for _ in 0..20 {
        let sold = office.sell("single_user");
        let parts: Vec<_> = sold.key.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [5; 5], "{}", sold.key);
        let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        assert!(parts.concat().chars().all(|symbol| alphabet.contains(symbol)), "{}", sold.key);
        let bare = parts.concat();
        for typed in [
            sold.key.clone(),
            bare.clone(),
            sold.key.to_lowercase(),
            bare.replace('0', "O").replace('1', "I"),
            sold.key.to_lowercase().replace('0', "o").replace('1', "l"),
            sold.key.replace('1', "i").replace('-', " "),
            format!("  {} ", bare),
            format!("{}-{}", &bare[..3], &bare[3..]),
        ] {
            vendor.customer(&typed).get(OWN).send().ok();
        }
    }
}

#[test]
fn a_mistyped_key_is_told_from_an_unknown_and_a_revoked_one() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    let bare = sold.key.replace('-', "");
    // Every single wrong letter and every swap of neighbours is found.
    let mistyped = |typed: &str| {
        vendor.customer(typed).get(OWN).send().refused(401, "license_key_mistyped");
    };
    for place in 0..25 {
        let mut letters: Vec<char> = bare.chars().collect();
        letters[place] = if letters[place] == '7' { '8' } else { '7' };
        mistyped(&letters.iter().collect::<String>());
    }
    for place in 0..24 {
        let mut letters: Vec<char> = bare.chars().collect();
        if letters[place] != letters[place + 1] {
            letters.swap(place, place + 1);
            mistyped(&letters.iter().collect::<String>());
        }
    }
    // A key of our form with a right check symbol (24 zeros have 0) that was never issued, and keys of no form of ours.
    for unknown in ["00000-00000-00000-00000-00000", "ACME-2019-7-XK", "x", "ÄÖÜ", &format!("{bare}0"), &bare[1..]] {
        let refused = vendor.customer(unknown).get(OWN).send();
        if unknown.is_ascii() {
            refused.refused(401, "license_key_unknown");
        } else {
            refused.refused(401, "license_key_required");
        }
    }

    let url = sold.customer.checked("office-maker", "12.4.0", &[]).link().to_owned();
    let keys = vendor.admin.get(&format!("{}/keys", sold.path)).send().ok();
    let id = keys["items"][0]["id"].as_str().unwrap();
    vendor.admin.delete(&format!("{}/keys/{id}", sold.path)).send().no_content();
    for path in [OWN, "/api/v1/check?product=office-maker&version=1.0.0&platform=linux&arch=x86_64"] {
        sold.customer.get(path).send().refused(401, "license_key_revoked");
    }
    sold.customer.get(&url).send().refused(403, "url_withdrawn");
    // Another key of the same subscription is not touched by it.
    let second = vendor.admin.post(&format!("{}/keys", sold.path)).send().created();
    let second = vendor.customer(second["license_key"].as_str().unwrap());
    assert_eq!(second.offered("office-maker", "12.4.0").as_deref(), Some("13.0.0"));
}

#[test]
fn imported_keys_match_literally_and_go_before_issued_keys() {
    let vendor = Vendor::start();
    let (office, library) = (vendor.product(), vendor.product_with(&json!({"slug": "library-maker", "name": "L"})));
    let issued = office.sell("single_user");
    // One of our form that was never issued here is a key as it is written, and no other.
    let formed = "00000-00000-00000-00000-00000";
    for key in ["acme-2019:XK/77~(a)", "0000000000000000", formed, &"!".repeat(128), "ABCDE-FGHJK-MNPQR-STVWX-YZ012"] {
        let sold = library.sell_with("single_user", &json!({"license_key": key}));
        assert_eq!(sold.key, key);
        assert_eq!(sold.customer.get(OWN).send().ok()["product"], "library-maker", "{key}");
    }
    assert_eq!(issued.customer.get(OWN).send().ok()["product"], "office-maker");
    vendor.customer(&formed.replace('-', "")).get(OWN).send().refused(401, "license_key_unknown");
    vendor.customer("ACME-2019:XK/77~(a)").get(OWN).send().refused(401, "license_key_unknown");
    // One of our form with a wrong check symbol that was imported is no typing error.
    vendor.customer("ABCDE-FGHJK-MNPQR-STVWX-YZ012").get(OWN).send().ok();

    let fields = |key: &str| {
        json!({"customer_id": vendor.buyer(), "product": "office-maker", "deployment": "single_user",
        "starts_on": "2020-01-01", "ends_on": null, "license_key": key})
    };
    for wrong in
        ["fifteen-letters", &"x".repeat(129), "with a space inside it", "ünïcödé-letters-in-it", "tab\tin the middle"]
    {
        let answer = vendor.admin.post("/api/v1/admin/subscriptions").json(&fields(wrong)).send();
        answer.refused(422, "body_invalid").names(&["license_key"]);
    }
    let again = vendor.admin.post("/api/v1/admin/subscriptions").json(&fields("acme-2019:XK/77~(a)")).send();
    again.refused(409, "license_key_exists");
    let listed = vendor.admin.get("/api/v1/admin/subscriptions?product=office-maker").send().ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "nothing was stored of those that were refused");
}

#[test]
fn a_key_of_the_issued_form_is_not_imported_in_any_spelling() {
    let vendor = Vendor::start();
    let office = vendor.product();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let (issued, revoked) = (office.sell("single_user"), office.sell("single_user"));
    let keys = vendor.admin.get(&format!("{}/keys", revoked.path)).send().ok();
    let id = keys["items"][0]["id"].as_str().unwrap();
    vendor.admin.delete(&format!("{}/keys/{id}", revoked.path)).send().no_content();
    let limited = json!({"role": "support", "products": ["library-maker"]});
    let (limited, _) = vendor.colleague_with(&limited);
    let buyer = vendor.buyer();
    let bring = |key: &str| {
        let body = json!({"customer_id": buyer, "product": "library-maker", "deployment": "single_user",
            "starts_on": "2020-01-01", "ends_on": null, "license_key": key});
        limited.post("/api/v1/admin/subscriptions").json(&body).send()
    };
    for key in [&issued.key, &revoked.key] {
        let plain = key.replace('-', "");
        for written in [
            key.clone(),
            key.to_lowercase(),
            plain.clone(),
            plain.to_lowercase().replace('0', "o").replace('1', "l"),
            format!("-{plain}--"),
        ] {
            bring(&written).refused(409, "license_key_exists");
        }
    }
    assert_eq!(issued.customer.get(OWN).send().ok()["product"], "office-maker");
    revoked.customer.get(OWN).send().refused(401, "license_key_revoked");
    // Told alike of what somebody else has brought.
    office.sell_with("single_user", &json!({"license_key": "acme-2019:XK/77~(a)"}));
    let foreign = bring("acme-2019:XK/77~(a)").refused(409, "license_key_exists");
    assert_eq!(foreign.detail(), bring(&issued.key).refused(409, "license_key_exists").detail());
    assert_eq!(vendor.admin.get("/api/v1/admin/subscriptions?product=library-maker").send().ok()["items"], json!([]));
}

#[test]
fn a_key_comes_as_license_or_as_the_password_of_basic() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let sold = office.sell("single_user");
    let imported = office.sell_with("single_user", &json!({"license_key": "with:colons:in:it"}));
    let nobody = vendor.anonymous();
    let ask = |authorization: &str| nobody.get(OWN).header("authorization", authorization).send();
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    ask(&format!("LICENSE {}", sold.key)).ok();
    ask(&format!("license   {}", sold.key)).ok();
    ask(&basic(&format!("anybody:{}", sold.key))).ok();
    ask(&basic(&format!(":{}", sold.key))).ok();
    ask(&basic(&format!("anybody:{}", imported.key))).ok();
    ask(&basic("anybody:wrong")).refused(401, "license_key_unknown");
    for unreadable in ["", "License", &sold.key, "Basic !", "Basic ", &basic("no colon"), "Bearer x", "Digest x=y"] {
        ask(unreadable).refused(401, "license_key_required");
    }
    let refused = nobody.get(OWN).send().refused(401, "license_key_required");
    let schemes: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(schemes, ["License realm=\"sluice\"", "Basic realm=\"sluice\", charset=\"UTF-8\""]);
}

#[test]
fn without_a_key_only_what_is_for_everyone_is_offered() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.9.0").with("access", "everyone").standalone("free").publish();
    office.release("13.0.0").publish();
    let answer = vendor.anonymous().check("office-maker", "12.4.0", &[]).ok();
    assert_eq!((&answer["update"]["version"], &answer["newer"]["version"]), (&json!("12.9.0"), &json!("13.0.0")));
    assert_eq!(answer.get("subscription"), None);
    let url = answer["update"]["artifact"]["url"].as_str().unwrap();
    assert_eq!(vendor.anonymous().get(url).send().expect(200).text(), "free");
    let answer = vendor.anonymous().check("office-maker", "12.9.0", &[]).ok();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("not_entitled"), &json!("license_required")));
}

#[test]
fn a_key_of_another_product_is_told_so() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").with("access", "everyone").publish();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let foreign = library.sell("single_user").customer;
    let answer = foreign.check("office-maker", "12.4.0", &[("channel", "beta")]).ok();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("not_entitled"), &json!("wrong_product")));
    assert_eq!((&answer["channel"], answer.get("update")), (&json!("beta"), None));
}
