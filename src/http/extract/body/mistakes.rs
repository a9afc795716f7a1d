//! Everything that is wrong with a body. serde stops at the first mistake; the body is then read again without the
//! member that is wrong, until no other mistake is found. Of several fields that an object lacks, only one is found.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::objects::{Aside, Objects, Trouble};
use crate::http::extract::mistake::Mistake;

/// The most mistakes that are looked for: the body is read once for each.
const MOST: usize = 20;

/// A mistake, and where in the body it is.
#[derive(Debug)]
pub(super) struct Found {
    /// The name of the field, or the path to it.
    pub(super) field: String,
    /// What is wrong with it.
    pub(super) mistake: Mistake,
    /// The names that lead to the member that is wrong. They end at an array: its items are not told apart.
    member: Vec<String>,
}

impl Found {
    /// A mistake at the place where serde stopped. Where a field is missing or there twice, that is the object around
    /// it.
    pub(super) fn at(path: &Path, mistake: Mistake) -> Self {
        let names = path.iter().map_while(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
        });
        let mut member: Vec<String> = names.collect();
        let place = Some(path.to_string()).filter(|text| text != ".").unwrap_or_default();
        let field = match (&mistake, place.as_str()) {
            (Mistake::Missing(name) | Mistake::Twice(name), place) => {
                member.push((*name).to_owned());
                if place.is_empty() { (*name).to_owned() } else { format!("{place}.{name}") }
            }
            // The whole body, or a field whose name is empty.
            (_, "") => "body".to_owned(),
            (_, place) => place.to_owned(),
        };
        Self { field, mistake, member }
    }

    /// The member without which the body is read again. An object cannot be read without a required field: where one is
    /// missing, that is the object, so that mistakes elsewhere are found.
    fn obstacle(&self) -> Vec<String> {
        let mut member = self.member.clone();
        if matches!(self.mistake, Mistake::Missing(_)) {
            member.pop();
        }
        member
    }
}

/// The first mistake, and those that are found without it.
pub(super) fn all<T: DeserializeOwned>(bytes: &[u8], first: Found) -> Vec<Found> {
    // What comes after the first mistake may not be JSON.
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else { return vec![first] };
    let mut wrong = first.obstacle();
    let mut all = vec![first];
    let mut removed = Vec::new();
    while all.len() < MOST && remove(&mut body, &wrong) {
        removed.push(wrong);
        let aside = Aside::default();
        let Err(error) = serde_path_to_error::deserialize::<_, T>(Objects::new(&body, &aside)) else { break };
        let path = error.path().clone();
        let mistake = match error.into_inner() {
            Trouble::Refused(mistake) => mistake,
            Trouble::Unread(error) => Mistake::invalid(error),
        };
        let found = Found::at(&path, mistake);
        wrong = found.obstacle();
        // What was removed is missing now, which is no mistake.
        if !removed.contains(&found.member) {
            all.push(found);
        }
    }
    all
}

/// Removes a member of the body; says whether it was there.
fn remove(body: &mut Value, member: &[String]) -> bool {
    let Some((name, parents)) = member.split_last() else { return false };
    let parent = parents.iter().try_fold(body, |value, name| value.get_mut(name));
    parent.and_then(Value::as_object_mut).is_some_and(|object| object.remove(name).is_some())
}
