//! What the documents say must stay true: every configuration key is in the README, every link leads to a file
//! and a heading.

use std::{collections::BTreeSet, fs, path::Path};

use crate::harness::Server;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_readme_names_every_configuration_key() {
    let readme = read("README.md");
    let defaults: toml::Table = read("src/config/default.toml").parse().expect("default.toml");
    let missing: Vec<String> = defaults
        .iter()
        .flat_map(|(section, keys)| {
            keys.as_table().expect("a section").keys().map(move |key| format!("{section}.{key}"))
        })
        .filter(|key| !readme.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "the README does not name {missing:?}");
}

/// Every Markdown file of the repository, by its path from the top.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            if path.is_dir() {
                let is_ours = !name.starts_with('.') && !name.starts_with("target") && name != "node_modules";
                folders.extend(is_ours.then_some(path));
            } else if name.ends_with(".md") {
                found.push(path.strip_prefix(root).expect("inside").to_str().expect("a path").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A document without its blocks of code.
fn text(document: &str) -> String {
    let mut in_code = false;
    let mut outside = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    };
    read(document).lines().filter(|line| outside(line)).map(|line| format!("{line}\n")).collect()
}

/// What stands outside (0) or inside (1) of backquotes, line by line.
fn parts(document: &str, inside: usize) -> String {
    let line = |line: &str| line.split('`').skip(inside).step_by(2).collect::<Vec<_>>().join("\n");
    text(document).lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(document: &str) -> BTreeSet<String> {
    let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let anchor = |title: &str| title.to_lowercase().replace(' ', "-").chars().filter(is_kept).collect();
    text(document)
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(anchor)
        .collect()
}

/// Whether there is a test of this name, or a file of tests.
fn is_tested(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |path: &str| path.replace("::", "/") + ".rs";
    if root.join("tests/it").join(file(name)).exists() {
        return true;
    }
    let Some((place, test)) = name.rsplit_once("::") else { return false };
    let own = place.strip_suffix("::tests").map(|place| root.join("src").join(file(place)));
    let path = own.unwrap_or_else(|| root.join("tests/it").join(file(place)));
    fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("fn {test}(")))
}

#[test]
fn every_threat_of_the_security_page_names_a_test() {
    let page = read("docs/security.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| ["S", "T", "R", "I", "D", "E"].iter().any(|kind| line.starts_with(&format!("| {kind} |"))))
        .collect();
    assert!(rows.len() > 30, "{} threats", rows.len());
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().expect("what shows it");
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows it: {row}");
        for name in names.into_iter().filter(|name| *name != "tests/schemathesis/run") {
            assert!(is_tested(name), "there is no `{name}`: {row}");
        }
    }
}

#[test]
fn links_between_documents_lead_to_files_and_headings() {
    let documents = documents();
    assert!(documents.len() > 40, "{documents:?}");
    let mut broken = Vec::new();
    for document in &documents {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        for link in parts(document, 0).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = if target.is_empty() { place.clone() } else { place.with_file_name(target) };
            let leads =
                path.exists() && (anchor.is_empty() || anchors(path.to_str().expect("a path")).contains(anchor));
            if !leads {
                broken.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}

#[test]
fn the_files_that_documents_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = ["docs", "examples", "migrations", "src", "tests"].map(|room| root.join(room));
    let is_path = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    let mut missing = Vec::new();
    for document in documents() {
        for name in parts(&document, 1).lines().filter(is_path) {
            let Some((first, _)) = name.split_once('/').filter(|(first, _)| !first.is_empty()) else { continue };
            // From the top of the repository, or, as `store/pool.rs`, from that of the source.
            let from_top = rooms.contains(&root.join(first));
            let from_source = name.ends_with(".rs") && root.join("src").join(first).is_dir();
            let path = if from_top { root.join(name) } else { root.join("src").join(name) };
            if (from_top || from_source) && !path.exists() {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "files that do not exist: {missing:#?}");
}

#[test]
fn the_five_minutes_of_the_readme_work_as_they_are_written() {
    let readme = read("README.md");
    let (_, chapter) = readme.split_once("## Five minutes").expect("the chapter");
    let (chapter, _) = chapter.split_once("\n## ").expect("the next chapter");
    let blocks: Vec<&str> = chapter.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    // The first block starts the server, which the harness does.
    let (first, rest) = blocks.split_first().expect("blocks");
    assert!(
        first.contains("SLUICE__AUTH__BOOTSTRAP_EMAIL=me@example.com SLUICE__AUTH__BOOTSTRAP_PASSWORD=correct-horse")
    );
    let server =
        Server::start(&[("auth.bootstrap_email", "me@example.com"), ("auth.bootstrap_password", "correct-horse")]);
    let script = rest
        .join("\n")
        .replace("http://127.0.0.1:8080", &server.url())
        .replace(
            "target/release/sluice publish hello/release.toml",
            "$sluice publish hello/release.toml && $sluice publish hello/release.toml",
        )
        .replace("target/release/sluice", "$sluice");
    let played = std::process::Command::new("bash")
        .args(["-c", &format!("set -e; sluice={}\n{script}", env!("CARGO_BIN_EXE_sluice"))])
        .current_dir(server.home())
        .env_remove("SLUICE_LICENSE")
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&played.stdout).into_owned() + &String::from_utf8_lossy(&played.stderr);
    assert_eq!(played.status.code(), Some(10), "an update is offered: {said}");
    for expected in ["hello 1.1.0 is published", "nothing to do", "La versione 1.1.0 di Hello", "Dice ciao."] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
