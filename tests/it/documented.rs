//! What must have a doc comment: modules, types, traits, constants and functions that others can name. Fields and
//! variants need one only where their name does not say it, which no lint can tell; so `missing_docs` is off, and this
//! stands in its place.

use std::{fs, path::Path};

use crate::architecture::sources;

/// What the line declares, if it is something that needs a doc comment.
fn declares(line: &str) -> Option<&'static str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let words =
        rest.split([' ', '<', '(', ':', ';', '{']).filter(|word| !matches!(*word, "async" | "const" | "unsafe"));
    let kinds = ["fn", "struct", "enum", "trait", "type", "static"];
    let kind = words.take(1).find_map(|word| kinds.into_iter().find(|kind| *kind == word));
    kind.or_else(|| rest.starts_with("const ").then_some("const"))
}

/// Whether the lines above say what it is, attributes in between or not.
fn is_documented(above: &[&str]) -> bool {
    let mut depth = 0_i32;
    for line in above.iter().rev().map(|line| line.trim()) {
        // An attribute may go over several lines: read backwards, it begins with its end.
        depth += i32::try_from(line.matches([']', ')']).count()).unwrap()
            - i32::try_from(line.matches(['[', '(']).count()).unwrap();
        match line {
            // In a macro the comments come from where it is used.
            _ if line.starts_with("///") || line.starts_with("$(#[") || line.starts_with("#[doc") => return true,
            _ if depth > 0 || line.starts_with("#[") || line.starts_with("// ") => {}
            _ => return false,
        }
    }
    false
}

fn undocumented(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let places = lines.iter().enumerate().filter(|(_, line)| declares(line).is_some());
    places
        .filter(|(number, _)| !is_documented(&lines[..*number]))
        .map(|(number, line)| format!("{}: {}", number + 1, line.trim()))
        .collect()
}

#[test]
fn what_others_can_name_has_a_doc_comment() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = Vec::new();
    for path in sources(&root) {
        let text = fs::read_to_string(&path).unwrap();
        let inside = path.strip_prefix(&root).unwrap().display();
        if !text.starts_with("//!") {
            missing.push(format!("{inside}: what lives here?"));
        }
        missing.extend(undocumented(&text).into_iter().map(|line| format!("{inside}:{line}")));
    }
    assert!(missing.is_empty(), "without a doc comment: {missing:#?}");
}

#[test]
fn the_reader_of_doc_comments_sees_what_is_missing() {
    let text = "/// Said.\n#[derive(Debug)]\n#[schema(\n    example = \"a\",\n)]\npub struct Said;\n\n#[must_use]\npub const fn unsaid() {}\n\
                pub(crate) fn inside() {}\npub use other::Thing;\n";
    assert_eq!(undocumented(text), ["9: pub const fn unsaid() {}"]);
}
