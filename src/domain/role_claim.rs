//! The role of a user at an identity provider: a claim contains the user's groups, and some groups give a role.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

use super::{InvalidValue, role::Role, serde_as_text};

/// A value of the claim with the role that it gives: `sluice-owners=owner`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The exact value.
    pub value: String,
    pub role: Role,
}

impl FromStr for Assignment {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let expected = || {
            InvalidValue::new(
                "assignment of a role",
                text,
                "a value of the claim with its role, such as `sluice-owners=owner`",
            )
        };
        // The last `=`: distinguished names of directories contain some.
        let (value, role) = text.rsplit_once('=').ok_or_else(expected)?;
        if value.trim().is_empty() {
            return Err(expected());
        }
        Ok(Self { value: value.trim().to_owned(), role: role.trim().parse()? })
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.value, self.role)
    }
}

serde_as_text!(Assignment);

/// The claim with this name, or at the end of a path through objects (`realm_access.roles`). A name that contains dots
/// (`https://vendor.example/roles`) takes precedence.
#[must_use]
pub fn claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(found) = claims.get(name) {
        return Some(found);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// The highest role that a claim gives. The claim is a text or a list of texts.
#[must_use]
pub fn highest(assignments: &[Assignment], claim: &Value) -> Option<Role> {
    let values = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    let brings = |assignment: &&Assignment| values.iter().any(|value| value.as_str() == Some(&assignment.value));
    // Roles are declared from the highest to the lowest.
    assignments.iter().filter(brings).map(|assignment| assignment.role).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_assignment_is_read_at_its_last_equals_sign() {
        for (text, value, role) in [
            ("sluice-owners=owner", "sluice-owners", Role::Owner),
            (" Sluice Support = support ", "Sluice Support", Role::Support),
            ("CN=Sluice,OU=Groups=viewer", "CN=Sluice,OU=Groups", Role::Viewer),
        ] {
            let read: Assignment = text.parse().expect(text);
            assert_eq!((read.value.as_str(), read.role), (value, role));
        }
        for wrong in ["", "owner", "=owner", "admins=", "admins=king"] {
            assert!(wrong.parse::<Assignment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_highest_role_of_the_values_wins_and_others_bring_none() {
        let assignments: Vec<Assignment> = ["a=viewer", "b=owner", "c=support", "a=support"]
            .iter()
            .map(|text| text.parse().expect("an assignment"))
            .collect();
        for (claim, role) in [
            (json!(["a", "b", "c"]), Some(Role::Owner)),
            (json!(["x", "a"]), Some(Role::Support)),
            (json!("c"), Some(Role::Support)),
            (json!("b c"), None),
            (json!(["B", 7, null, ["b"], {"b": "b"}]), None),
            (json!([]), None),
            (json!({"b": true}), None),
            (json!(true), None),
        ] {
            assert_eq!(highest(&assignments, &claim), role, "{claim}");
        }
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_at_the_end_of_a_path() {
        let claims = json!({"groups": 1, "realm_access": {"roles": 2}, "https://vendor.example/roles": 3, "a.b": 4, "a": {"b": 5}});
        let claims = claims.as_object().expect("an object");
        for (name, found) in [
            ("groups", Some(1)),
            ("realm_access.roles", Some(2)),
            ("https://vendor.example/roles", Some(3)),
            ("a.b", Some(4)),
            ("groups.x", None),
            ("realm_access.x", None),
            ("", None),
        ] {
            assert_eq!(claim(claims, name).and_then(Value::as_i64), found, "{name}");
        }
    }
}
