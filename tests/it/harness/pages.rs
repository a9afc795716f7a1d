//! Lists, read page by page.

use serde_json::Value;

use super::Actor;

/// Every item of a list that is read `limit` at a time. All pages but the last are full.
#[track_caller]
pub fn all(reader: &impl Actor, path: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let call = reader.get(path).query(&[("limit", &limit.to_string())]);
        let call = match &after {
            Some(after) => call.query(&[("after", after.as_str())]),
            None => call,
        };
        let page = call.send().ok();
        let found = page["items"].as_array().expect("items");
        items.extend(found.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return items,
        }
        assert_eq!(found.len(), limit, "{path}: a page that is not the last one is full");
    }
}
