//! The table in `docs/rights.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What is said of an operation.
#[derive(Debug)]
pub struct Line {
    pub operation: String,
    /// Everybody, whatever credentials they send.
    pub anybody: bool,
    pub nobody: bool,
    pub license: bool,
    /// The roles that may.
    pub roles: BTreeSet<String>,
    /// The scopes of which an API token needs one.
    pub scopes: Vec<String>,
    pub elsewhere: Elsewhere,
}

/// What somebody is told of another product.
#[derive(Debug, PartialEq)]
pub enum Elsewhere {
    /// With this code, that it is not there.
    NotThere(String),
    LeftOut,
    /// It belongs to no product, and is not for those who are limited to some.
    Refused,
    /// It belongs to no product, and is for everybody who may.
    Alike,
}

impl Line {
    /// Whether staff may, or somebody in the field only.
    pub fn staff(&self) -> bool {
        !self.roles.is_empty()
    }
}

/// The lines, by operation.
pub fn read() -> BTreeMap<String, Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rights.md");
    let text = fs::read_to_string(path).expect("the table");
    let mut columns: Vec<&str> = Vec::new();
    let mut lines = BTreeMap::new();
    for row in text.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells[0] == "Operation" {
            columns = cells;
        } else if !cells[0].starts_with("---") {
            assert_eq!(cells.len(), columns.len(), "docs/rights.md: {row}");
            let line = line(&columns.iter().copied().zip(cells).collect());
            let repeated = lines.insert(line.operation.clone(), line);
            assert!(repeated.is_none(), "docs/rights.md has two lines: {row}");
        }
    }
    lines
}

fn line(cells: &BTreeMap<&str, &str>) -> Line {
    let name = |text: &str| text.trim_matches('`').to_owned();
    let says = |column: &str| match cells[column] {
        "yes" => true,
        "" => false,
        other => panic!("docs/rights.md: `{other}` of {column} is neither `yes` nor empty"),
    };
    let roles: BTreeSet<String> = super::ROLES.iter().filter(|role| says(role)).map(ToString::to_string).collect();
    let anybody = cells["API token"] == "any";
    let scopes = cells["API token"].split(" or ").filter(|scope| !anybody && !scope.is_empty());
    let line = Line {
        operation: name(cells["Operation"]),
        anybody,
        nobody: says("nobody"),
        license: says("license key"),
        roles,
        scopes: scopes.map(name).collect(),
        elsewhere: match cells["of another product"] {
            "left out" => Elsewhere::LeftOut,
            "refused" => Elsewhere::Refused,
            "–" => Elsewhere::Alike,
            code => Elsewhere::NotThere(name(code)),
        },
    };
    assert!(line.scopes.iter().all(|scope| super::SCOPES.contains(&scope.as_str())), "docs/rights.md: {line:?}");
    line
}
