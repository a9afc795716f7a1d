//! The plan of the house, kept by reading the source: arrows point down only and never in a circle, every refusal is
//! used, and the tables that diesel sees are those that the migrations make.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use sluice::store::tables::{CONTENTS, LOG};

/// The rooms by floor, the lowest first, as the picture in `src/lib.rs` has them. Rooms on one floor do not see each
/// other.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["egress"],
    &[
        "artifacts",
        "auth",
        "clock",
        "config",
        "data_folder",
        "directory",
        "limits",
        "mail",
        "signing",
        "store",
        "texts",
        "webhook",
    ],
    &["services"],
    &["metrics"],
    &["app"],
    &["http", "jobs"],
    &["cli"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The areas of `src/services/` by floor, the lowest first, as the picture in `src/services.rs` has them.
const AREAS: &[&[&str]] = &[
    &["desk"],
    &["telling"],
    &["second_person"],
    &["people", "releasing", "selling"],
    &["field"],
    &["approving", "running"],
];

/// The sources by module: `domain::run` is `src/domain/run.rs`.
fn modules() -> BTreeMap<String, String> {
    let source = root().join("src");
    let module = |path: &Path| {
        let inside = path.strip_prefix(&source).unwrap().with_extension("");
        inside.to_str().unwrap().replace('/', "::")
    };
    let all = sources(&source).into_iter().map(|path| (module(&path), fs::read_to_string(path).unwrap()));
    all.filter(|(name, _)| name != "lib" && name != "main").collect()
}

/// The paths of a `use` tree, or of a path elsewhere: of `a::{b, c::{self, D}}` they are `a::b`, `a::c::self` and
/// `a::c::D`. Returns what comes after it.
fn paths<'t>(text: &'t str, before: &str, found: &mut Vec<String>) -> &'t str {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let after = paths(rest, before, found);
            // Past another name that it is given, up to the next one.
            let after = &after[after.find([',', '}']).unwrap_or(after.len())..];
            rest = after.strip_prefix(',').unwrap_or(after);
        }
    }
    let (word, rest) = text.split_at(text.find(|letter| !is_name(letter)).unwrap_or(text.len()));
    let path = format!("{before}::{word}");
    match rest.strip_prefix("::") {
        Some(more) if more.starts_with(|letter| is_name(letter) || letter == '{') => paths(more, &path, found),
        _ => {
            found.push(path);
            rest
        }
    }
}

/// The module, of those there are, that a path within the module `own` leads to.
fn resolved(own: &str, path: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let mut at: Vec<&str> = own.split("::").collect();
    for word in path.split("::") {
        match word {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            "self" | "" => {}
            name => at.push(name),
        }
    }
    // What comes after the module is a thing in it.
    while !at.is_empty() && !modules.contains_key(&at.join("::")) {
        at.pop();
    }
    (!at.is_empty()).then(|| at.join("::"))
}

/// The other modules that a source names by `crate::`, `super::` or `self::`, in `use` lines and elsewhere. That a
/// module has children, and hands on their names, is no arrow.
fn named(own: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    // A module within the file, as of its tests, has a `super` of its own.
    let mut parts = vec![(own.to_owned(), String::new())];
    for line in modules[own].lines().filter(|line| !line.trim_start().starts_with("//")) {
        match line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            Some(name) => parts.push((format!("{own}::{name}"), String::new())),
            None if line == "}" => parts.push((own.to_owned(), String::new())),
            None => {
                let (_, text) = parts.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    let mut found = BTreeSet::new();
    for (own, text) in &parts {
        let (mut rest, mut leaves) = (text.as_str(), Vec::new());
        while let Some(place) = ["crate::", "super::", "self::"].iter().filter_map(|start| rest.find(start)).min() {
            let (before, path) = rest.split_at(place);
            let is_part = before.ends_with(|letter: char| letter.is_alphanumeric() || "_:".contains(letter));
            // Past a tree with all that is in it.
            rest = if is_part || before.ends_with("pub(in ") { &path[1..] } else { paths(path, "", &mut leaves) };
        }
        found.extend(leaves.iter().filter_map(|path| resolved(own, path, modules)));
    }
    found.remove(own);
    found
}

fn arrows(modules: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    modules.keys().map(|own| (own.clone(), named(own, modules))).collect()
}

/// The modules that arrows lead to from one, over however many others.
fn reached<'a>(from: &'a str, arrows: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(to) = open.pop().map(|at| &arrows[at]) {
        open.extend(to.iter().map(String::as_str).filter(|name| found.insert(*name)));
    }
    found
}

/// The modules in circles, with the arrows that lead back to them.
fn in_circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let all: BTreeMap<&String, _> = arrows.keys().map(|name| (name, reached(name, arrows))).collect();
    let leading_back = |(from, others): (&String, &BTreeSet<String>)| {
        let back: BTreeSet<_> = others.iter().filter(|to| all[to].contains(from.as_str())).cloned().collect();
        (!back.is_empty()).then(|| (from.clone(), back))
    };
    arrows.iter().filter_map(leading_back).collect()
}

/// The arrows that point up or sideways between the parts that `part` says the modules belong to.
fn wrong_ways(floors: &[&[&str]], part: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let floor = |name: &String| floors.iter().position(|parts| parts.contains(&name.as_str()));
    let modules = modules();
    let seen: BTreeSet<String> = modules.keys().filter_map(|name| part(name)).collect();
    let planned: BTreeSet<String> =
        floors.iter().flat_map(|parts| parts.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(seen, planned, "the parts there are, and those of the plan");
    let mut wrong = Vec::new();
    for (from, others) in arrows(&modules) {
        let Some(own) = part(&from) else { continue };
        for to in others {
            let is_wrong = part(&to).is_some_and(|other| other != own && floor(&other) >= floor(&own));
            wrong.extend(is_wrong.then(|| format!("{from} sees {to}")));
        }
    }
    wrong
}

#[test]
fn arrows_between_rooms_point_down_only() {
    let wrong = wrong_ways(FLOORS, |module| module.split("::").next().map(str::to_owned));
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:#?}");
}

#[test]
fn arrows_between_areas_of_services_point_down_only() {
    let wrong = wrong_ways(AREAS, |module| module.strip_prefix("services::")?.split("::").next().map(str::to_owned));
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:#?}");
    let all = arrows(&modules());
    let by_the_roof = all.iter().filter(|(from, to)| from.starts_with("services::") && to.contains("services"));
    let by_the_roof: Vec<_> = by_the_roof.map(|(from, _)| from).collect();
    assert!(by_the_roof.is_empty(), "within services, name the area: {by_the_roof:#?}");
}

#[test]
fn no_file_is_in_a_circle() {
    let circles = in_circles(&arrows(&modules()));
    assert!(circles.is_empty(), "files in circles, and what they see of each other: {circles:#?}");
}

#[test]
fn the_reader_sees_circles_by_any_path() {
    let house = |sources: &[(&str, &str)]| {
        let modules = sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let circles: Vec<String> = in_circles(&arrows(&modules)).into_keys().collect();
        circles.join(" ")
    };
    let by_use =
        [("a", "use crate::{\n    b::{self as other, Thing},\n    c,\n};"), ("b", "use crate::a::Thing;"), ("c", "")];
    assert_eq!(house(&by_use), "a b");
    let inline = [("a", "fn f() -> crate::b::c::Thing { g() }"), ("b", ""), ("b::c", "fn g() { h(crate::a::f(), 1) }")];
    assert_eq!(house(&inline), "a b::c");
    let by_super = [("a", "pub use b::Thing;"), ("a::b", "use super::{c::D, e};"), ("a::c", "fn f(x: super::b::E) {}")];
    assert_eq!(house(&by_super), "a::b a::c");
    let three = [("a", "use crate::b;"), ("b", "use crate::c;"), ("c", "use crate::a;"), ("d", "use crate::a;")];
    assert_eq!(house(&three), "a b c");
    let none = [
        ("a", "use crate::b;\n// crate::c\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use super::f;\n}"),
        ("b", "pub(in crate::a) fn g() {}"),
        ("c", "use crate::{a, b};"),
        ("d", "use self::e::Thing;"),
        ("d::e", "use super::{super::b::{self, g}};"),
    ];
    assert_eq!(house(&none), "");
}

#[test]
fn http_names_no_store() {
    let of = |module: &str, room: &str| module.split("::").next() == Some(room);
    let all = arrows(&modules());
    let passing_by = all.iter().filter(|(from, to)| of(from, "http") && to.iter().any(|module| of(module, "store")));
    let passing_by: Vec<_> = passing_by.map(|(from, _)| from).collect();
    assert!(passing_by.is_empty(), "these pass their use cases by: {passing_by:#?}");
}

#[test]
fn libraries_are_named_in_their_own_rooms_only() {
    for path in sources(&root().join("src")) {
        let inside = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let names = |word: &str| code.iter().any(|line| line.contains(word));
        assert!(!names("diesel::") || inside.starts_with("src/store"), "{inside} names diesel");
        assert!(!names("lettre::") || inside == "src/mail.rs", "{inside} names lettre");
        assert!(!names("object_store::") || inside.starts_with("src/artifacts"), "{inside} names object_store");
    }
}

#[test]
fn every_refusal_there_is_a_code_for_is_used() {
    let declared = fs::read_to_string(root().join("src/services/desk/refusal.rs")).unwrap();
    let codes: Vec<String> = declared
        .split("Code, \"error code\" {")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.starts_with('}') && !line.starts_with("    }"))
        .filter_map(|line| line.trim().split_once(" = \"").map(|(name, _)| name.to_owned()))
        .collect();
    assert!(codes.len() > 40, "{codes:?}");
    let table = root().join("src/http/error.rs");
    let everything: String = sources(&root().join("src"))
        .into_iter()
        .filter(|path| *path != table)
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let unused: Vec<_> = codes.into_iter().filter(|code| !everything.contains(&format!("Code::{code}"))).collect();
    assert!(unused.is_empty(), "codes that nothing refuses with: {unused:?}");
}

/// The migrations' statements, `up` in their order or `down` in the reverse one.
fn migrations(direction: &str) -> Vec<String> {
    let mut folders: Vec<_> =
        fs::read_dir(root().join("migrations/sqlite")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    if direction == "down" {
        folders.reverse();
    }
    folders.iter().map(|folder| fs::read_to_string(folder.join(format!("{direction}.sql"))).unwrap()).collect()
}

fn column(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The tables of `src/store/schema.rs`, with the names and types of their columns.
pub fn tables_of_diesel() -> BTreeMap<String, Vec<(String, String)>> {
    let schema = fs::read_to_string(root().join("src/store/schema.rs")).unwrap();
    let table = |part: &str| {
        let (name, rest) = part.trim_start().split_once(' ').unwrap();
        let body = rest.split('{').nth(1).unwrap().split('}').next().unwrap();
        let columns = body.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" -> "));
        (name.to_owned(), columns.map(|(column, kind)| (column.to_owned(), kind.to_owned())).collect())
    };
    schema.split("diesel::table! {").skip(1).map(table).collect()
}

const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";

#[test]
fn the_schema_of_diesel_matches_the_migrations() {
    let connection = Connection::open_in_memory().unwrap();
    for statements in migrations("up") {
        connection.execute_batch(&statements).unwrap();
    }
    let mut made = BTreeMap::new();
    for table in column(&connection, TABLES) {
        let columns = column(
            &connection,
            &format!("SELECT name || CASE WHEN \"notnull\" THEN '' ELSE '?' END FROM pragma_table_info('{table}')"),
        );
        made.insert(table, columns);
    }
    let column = |(name, kind): (String, String)| match kind.starts_with("Nullable") {
        true => format!("{name}?"),
        false => name,
    };
    let seen: BTreeMap<_, Vec<_>> = tables_of_diesel()
        .into_iter()
        .map(|(table, columns)| (table, columns.into_iter().map(column).collect()))
        .collect();
    assert_eq!(made, seen);
}

#[test]
fn migrations_undo_themselves_and_index_every_foreign_key() {
    let connection = Connection::open_in_memory().unwrap();
    for statements in migrations("up") {
        connection.execute_batch(&statements).unwrap();
    }
    let unindexed = column(
        &connection,
        "SELECT tables.name || '.' || foreign_key.\"from\"
         FROM sqlite_master AS tables, pragma_foreign_key_list(tables.name) AS foreign_key
         WHERE tables.type = 'table' AND NOT EXISTS (
             SELECT 1 FROM pragma_index_list(tables.name) AS list, pragma_index_info(list.name) AS part
             WHERE part.seqno = 0 AND part.name = foreign_key.\"from\")",
    );
    assert!(unindexed.is_empty(), "foreign keys without an index: {unindexed:?}");
    for statements in migrations("down") {
        connection.execute_batch(&statements).unwrap();
    }
    assert!(column(&connection, TABLES).is_empty());
}

#[test]
fn every_table_is_copied_by_key_after_the_tables_it_refers_to() {
    let connection = Connection::open_in_memory().unwrap();
    for statements in migrations("up") {
        connection.execute_batch(&statements).unwrap();
    }
    let mut seen = BTreeSet::new();
    for table in CONTENTS.iter().chain(&LOG) {
        let key = "SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk".replace("{}", table.name);
        assert_eq!(column(&connection, &key), table.key(), "{}", table.name);
        let others = format!("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('{}')", table.name);
        for other in column(&connection, &others) {
            assert!(seen.contains(&other), "{} refers to {other}, which comes after it", table.name);
        }
        seen.insert(table.name.to_owned());
    }
    assert_eq!(seen, tables_of_diesel().into_keys().collect());
}

/// The names of the tests in a source, by the attribute above each.
fn tests_in(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_test = false;
    for line in text.lines().map(str::trim_start) {
        in_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let signature = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some((name, _)) = signature.and_then(|rest| rest.split_once('(')) {
            found.extend(in_test.then_some(name));
            in_test = false;
        }
    }
    found
}

#[test]
fn a_tests_name_has_at_most_60_letters() {
    let paths: Vec<PathBuf> = ["src", "tests"].iter().flat_map(|folder| sources(&root().join(folder))).collect();
    let texts: Vec<String> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let names: Vec<&str> = texts.iter().flat_map(|text| tests_in(text)).collect();
    assert!(names.len() > 600, "{} tests", names.len());
    let long: Vec<_> = names.into_iter().filter(|name| name.len() > 60).collect();
    assert!(long.is_empty(), "names that are too long: {long:#?}");
}
