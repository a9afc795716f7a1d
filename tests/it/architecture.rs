//! The plan of the house, kept by reading the source: arrows point down only, every refusal is used, and the tables that
//! diesel sees are those that the migrations make.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use sluice::store::tables::{CONTENTS, LOG};

/// The rooms by floor, the lowest first, as the picture in `src/lib.rs` has them. Rooms on one floor do not see each other.
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

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a source names after `crate::`, in `use` lines and elsewhere.
fn named(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            // The first word of each part of `use crate::{a, b::c, d::{e, f}};`
            Some(group) => {
                let mut depth = 0;
                let mut word = String::new();
                for letter in group.chars() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => word.clear(),
                        _ if depth == 0 => word.push(letter),
                        _ => {}
                    }
                    let first = word.trim().split("::").next().unwrap_or_default().trim();
                    if floor(first).is_some() {
                        rooms.insert(first.to_owned());
                    }
                }
            }
            None => {
                let first: String =
                    rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                rooms.insert(first);
            }
        }
    }
    rooms
}

#[test]
fn arrows_point_down_only_and_never_sideways() {
    let source = root().join("src");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let room = inside.split(['/', '.']).next().unwrap();
        let Some(own) = floor(room) else {
            assert!(matches!(room, "lib" | "main"), "{inside} is in no room of the plan");
            continue;
        };
        seen.insert(room.to_owned());
        for other in named(&fs::read_to_string(&path).unwrap()) {
            if other != room && floor(&other).is_some_and(|floor| floor >= own) {
                wrong.push(format!("{inside} sees `{other}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:#?}");
    assert_eq!(seen.len(), FLOORS.iter().map(|rooms| rooms.len()).sum::<usize>(), "a room of the plan is gone");
}

#[test]
fn http_names_no_store() {
    for path in sources(&root().join("src/http")) {
        assert!(!named(&fs::read_to_string(&path).unwrap()).contains("store"), "{path:?} passes its use case by");
    }
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
