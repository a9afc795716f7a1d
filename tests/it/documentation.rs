//! What the documents say must stay true: every configuration key is in the README, every link leads somewhere.

use std::{fs, path::Path};

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

#[test]
fn every_link_between_documents_leads_to_a_file() {
    let mut broken = Vec::new();
    for document in ["README.md", "CHANGELOG.md", "docs/integrating.md", "docs/release-toml.md", "examples/README.md"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        let folder = folder.parent().expect("a folder");
        for target in read(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}
