//! The decision, against the contract: tables that follow it rule by rule (the `.toml` files in `decisions/`, explained
//! in `defaults.toml`), the traps of other systems, and properties of worlds made at random.

mod answer;
mod properties;
mod reference;
mod traps;
mod windows;
mod world;

use std::{collections::HashSet, fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sluice::domain::decision::{reason::Status, report::Decision};
use toml::{Table, Value};

use answer::{Answer, Update};
use world::{Asker, World};

const DEFAULTS: &str = include_str!("decisions/defaults.toml");

/// What a case says must come out; what the names mean is in `defaults.toml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    status: Option<String>,
    reason: Option<String>,
    channel: Option<String>,
    offer: Option<String>,
    applies_to: Option<String>,
    mandatory: bool,
    path: Option<Vec<String>>,
    artifact: Option<String>,
    companions: Option<Vec<String>>,
    notes: Option<Vec<String>>,
    newer: Option<String>,
    next_window_at: Option<String>,
    next_window: Option<Timestamp>,
    stop: Option<String>,
    current: Option<Current>,
    trace: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Current {
    yanked: bool,
    supported: bool,
}

/// One case, with what its table and the defaults add to it.
struct Case {
    table: String,
    name: String,
    world: World,
    expected: Expected,
}

impl Case {
    /// What is wrong with the decision, line by line.
    fn complaints(&self) -> Vec<String> {
        let decision = self.world.decide();
        let answer = Answer::of(&decision);
        let expected = self.expected_answer(&answer);
        let mut complaints = Vec::new();
        let mut compare = |what: &str, expected: String, got: String| {
            if expected != got {
                complaints.push(format!("{what}: expected {expected}, got {got}"));
            }
        };
        compare("the answer", format!("{expected:#?}"), format!("{answer:#?}"));
        if let Some(offer) = &decision.offer {
            let own = offer.applies_to == self.world.check.component;
            compare("a file comes with it", own.to_string(), offer.artifact.is_some().to_string());
        }
        if let Some(stop) = &self.expected.stop {
            compare("the stop", format!("{:?}", Some(stop)), format!("{:?}", decision.stop.map(|stop| &stop.reason)));
        }
        if let Some(Current { yanked, supported }) = self.expected.current {
            compare("the current version is yanked", yanked.to_string(), decision.current.yanked.to_string());
            compare("the current version is supported", supported.to_string(), decision.current.supported.to_string());
        }
        if let Some(trace) = &self.expected.trace {
            compare("the trace", format!("{trace:#?}"), format!("{:#?}", self.trace(&decision)));
        }
        complaints
    }

    /// The answer that is expected; what the case leaves open is taken from the answer that came.
    fn expected_answer(&self, came: &Answer) -> Answer {
        let Expected { status, reason, channel, offer, applies_to, mandatory, path, .. } = &self.expected;
        let (came, came_at) = (came.update.as_ref(), came.next_window_at.as_deref());
        let update = offer.clone().map(|version| Update {
            applies_to: applies_to.clone().unwrap_or_else(|| self.world.check.component.to_string()),
            mandatory: *mandatory,
            path: path.clone().unwrap_or_else(|| vec![version.clone()]),
            notes: self.expected.notes.clone().or_else(|| Some(came?.notes.clone())).unwrap_or_default(),
            artifact: match self.expected.artifact.as_deref() {
                Some("none") => None,
                Some(artifact) => Some(artifact.to_owned()),
                None => came.and_then(|came| came.artifact.clone()),
            },
            companions: self.expected.companions.clone().or_else(|| Some(came?.companions.clone())).unwrap_or_default(),
            version,
        });
        Answer {
            status: status.clone().unwrap_or_else(|| Status::UpdateAvailable.to_string()),
            reason: reason.clone(),
            channel: channel.clone().unwrap_or_else(|| self.world.channel().to_string()),
            update,
            newer: self.expected.newer.clone(),
            next_window_at: self.expected_turn(came_at),
        }
    }

    /// When the site is to come: the very moment that the case says, or any that a site may come at in the window that
    /// it names.
    fn expected_turn(&self, came: Option<&str>) -> Option<String> {
        let Some(start) = self.expected.next_window else { return self.expected.next_window_at.clone() };
        let Asker::Subscriber(_, Some(group)) = &self.world.asker else { return Some(start.to_string()) };
        let below =
            SignedDuration::from_mins(15).min(SignedDuration::from_mins(group.window.duration_minutes.into()) / 4);
        let fits = |came: &&str| came.parse().is_ok_and(|came: Timestamp| start <= came && came < start + below);
        Some(came.filter(fits).map_or_else(|| format!("in the window from {start}"), str::to_owned))
    }

    fn trace(&self, decision: &Decision<'_>) -> Vec<String> {
        let line = |one: &sluice::domain::decision::report::Considered<'_>| match one.component {
            own if own == self.world.check.component => format!("{} {}", one.version, one.verdict),
            other => format!("{other} {} {}", one.version, one.verdict),
        };
        decision.trace.iter().map(line).collect()
    }
}

/// `over` laid on `under`, key by key.
fn lay(under: &Table, over: &Table) -> Table {
    let mut whole = under.clone();
    for (key, value) in over {
        let laid = match (under.get(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => Value::Table(lay(below, above)),
            _ => value.clone(),
        };
        whole.insert(key.clone(), laid);
    }
    whole
}

/// A world in which what `changes` says is otherwise than in `defaults.toml`.
fn world(changes: &str) -> World {
    let defaults: Table = DEFAULTS.parse().expect("the defaults are TOML");
    let changes: Table = changes.parse().expect("the changes are TOML");
    World::read(lay(&defaults, &changes)).expect("a world")
}

fn cases_of(table: &str, text: &str) -> Result<Vec<Case>, String> {
    let defaults: Table = DEFAULTS.parse().map_err(|error| format!("defaults.toml: {error}"))?;
    let mut whole: Table = text.parse().map_err(|error| format!("{table}: {error}"))?;
    for heading in ["rule", "says"] {
        if !matches!(whole.remove(heading), Some(Value::String(text)) if !text.trim().is_empty()) {
            return Err(format!("{table}: begins with `{heading} = \"…\"`"));
        }
    }
    let Some(Value::Array(cases)) = whole.remove("case") else { return Err(format!("{table}: has no [[case]]")) };
    let common = lay(&defaults, &whole);
    let mut names = HashSet::new();
    let read = |case: Value| {
        let Value::Table(mut case) = case else { return Err(format!("{table}: a case is a table")) };
        let Some(Value::String(name)) = case.remove("name") else {
            return Err(format!("{table}: a case without a name"));
        };
        if !names.insert(name.clone()) {
            return Err(format!("{table}: two cases are named `{name}`"));
        }
        let place = |error: String| format!("{table}: {name}: {error}");
        let expected = case.remove("expect").ok_or_else(|| place("expects nothing".to_owned()))?;
        let expected: Expected = expected.try_into().map_err(|error| place(error.to_string()))?;
        if expected.status.is_none() && expected.offer.is_none() {
            return Err(place("says neither `expect.status` nor `expect.offer`".to_owned()));
        }
        let world = World::read(lay(&common, &case)).map_err(place)?;
        Ok(Case { table: table.to_owned(), name, world, expected })
    };
    cases.into_iter().map(read).collect()
}

/// Every case of every table.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/decisions");
    let mut tables: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of the tables")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("defaults.toml")
        })
        .collect();
    tables.sort();
    let mut wrong = Vec::new();
    let mut cases = Vec::new();
    for path in tables {
        let table = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match cases_of(&table, &fs::read_to_string(&path).expect("a table can be read")) {
            Ok(read) => cases.extend(read),
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "tables that cannot be read:\n{}", wrong.join("\n"));
    cases
}

#[test]
fn the_decision_follows_the_contract_rule_by_rule() {
    let cases = cases();
    let complaint = |case: &Case| {
        let complaints = case.complaints();
        (!complaints.is_empty()).then(|| format!("{}: {}\n{}", case.table, case.name, complaints.join("\n")))
    };
    let failed: Vec<_> = cases.iter().filter_map(complaint).collect();
    assert!(failed.is_empty(), "{} of {} cases fail\n\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

#[test]
fn every_rule_has_its_table() {
    let tables: HashSet<_> = cases().into_iter().map(|case| case.table).collect();
    let rules = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "10a", "10b", "10c", "10d", "11", "12"];
    let missing: Vec<_> =
        rules.iter().filter(|rule| !tables.iter().any(|table| table.starts_with(&format!("rule-{rule}-")))).collect();
    assert!(missing.is_empty(), "rules without a table: {missing:?}");
}

/// The reference and the tables were written apart from each other; here they check one another.
#[test]
fn the_reference_gives_what_the_tables_expect() {
    let differing: Vec<_> = cases()
        .iter()
        .filter_map(|case| {
            let reference = reference::answer(&case.world);
            let expected = case.expected_answer(&reference);
            (reference != expected)
                .then(|| format!("{}: {}\nexpected {expected:#?}\nreference {reference:#?}", case.table, case.name))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}
