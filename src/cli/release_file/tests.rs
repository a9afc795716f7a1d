//! Every mistake is named by file, line and key, and says what would be right.

use super::*;

/// A folder with a setup program, a signature, notes and the given `release.toml`.
fn read(toml: &str) -> Result<ReleaseFile, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    write("setup.exe", b"program");
    write("other.exe", b"another program");
    write("set up.exe", b"program");
    write("setup.exe.sig", b"c2lnbmF0dXJl\n");
    write("two-lines.sig", b"untrusted comment:\nc2ln\n");
    write("de.md", "Schöner als je zuvor.\n".as_bytes());
    write("latin1.md", b"Sch\xf6ner\n");
    write("release.toml", toml.as_bytes());
    let path = folder.path().join("release.toml");
    ReleaseFile::read(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

const ARTIFACT: &str = r#"
[[artifacts]]
path = "setup.exe"
component = "standalone"
platform = "windows"
arch = "x86_64"
"#;

fn with(lines: &str) -> String {
    format!("product = \"office-maker\"\nversion = \"13.0\"\n{lines}\n{ARTIFACT}")
}

#[test]
fn what_is_not_said_is_left_open() {
    let release = read(&with("")).expect("a release");
    assert_eq!(release.version.to_string(), "13.0.0");
    assert_eq!(release.details, Details::default());
    assert_eq!(release.publish, Publish::default());
    let [artifact] = release.artifacts.as_slice() else { panic!("one artifact") };
    assert_eq!(artifact.filename.as_str(), "setup.exe");
    assert_eq!(artifact.kind, ArtifactKind::Installer);
}

#[test]
fn everything_can_be_said() {
    let release = read(
        r##"
        product = "office-maker"
        version = "13.0.0-beta.1"
        channel = "beta"
        severity = "critical"
        access = "everyone"
        min_from = "12.4"
        compatible_clients = ">=12.9, <14"

        [notes]
        en = "# Nicer than ever"

        [notes_files]
        de = "de.md"

        [[artifacts]]
        path = "setup.exe"
        filename = "OfficeMaker-13.exe"
        component = "server"
        platform = "windows"
        arch = "x86_64"
        kind = "archive"
        signature_file = "setup.exe.sig"

        [publish]
        published_at = 2026-06-30T09:00:00+02:00
        percent = 12.5
        stages = [{ percent = 50, after_hours = 24 }, { percent = 100, after_hours = 72.5 }]
        halt = { failure_rate = 0.1, min_reports = 5 }
        force_reason = "The macOS build follows on Monday."
        "##,
    )
    .expect("a release");
    let notes: Vec<_> =
        release.details.notes.iter().flatten().map(|(locale, text)| (locale.as_str(), text.trim())).collect();
    assert_eq!(notes, [("de", "Schöner als je zuvor."), ("en", "# Nicer than ever")]);
    let artifact = release.artifacts.first().expect("an artifact");
    assert_eq!(
        (artifact.filename.as_str(), artifact.signature.as_deref()),
        ("OfficeMaker-13.exe", Some("c2lnbmF0dXJl"))
    );
    assert_eq!(release.publish.published_at.map(|at| at.to_string()).as_deref(), Some("2026-06-30T07:00:00Z"));
    assert_eq!(release.publish.percent.map(Percent::hundredths), Some(1250));
    let stages: Vec<_> = release.publish.stages.iter().flatten().map(|stage| stage.after_hours.to_string()).collect();
    assert_eq!(stages, ["24", "72.5"]);
    assert_eq!(release.publish.halt.and_then(|halt| halt.min_reports), Some(5));
    let quoted = read(&with("publish.published_at = \"2026-06-30T07:00:00Z\"")).expect("a release");
    assert_eq!(quoted.publish.published_at, release.publish.published_at);
}

#[test]
fn a_mistake_is_named_by_line_and_key_with_what_is_expected() {
    let two = |second: &str| format!("{}\n[[artifacts]]\n{second}", with(""));
    let table = [
        ("product = ".to_owned(), "release.toml:1: ", "string"),
        (String::new(), "release.toml:", "missing field `product`"),
        (with("severity = \"high\""), "release.toml:3: severity: `high` is not a valid severity;", "`critical`"),
        (with("chanel = \"beta\""), "release.toml:3: chanel: unknown field `chanel`,", "`channel`"),
        (with("version_ = 1"), "release.toml:3: ", "expected one of"),
        (with("min_from = \"12\""), "release.toml:3: min_from: `12` is not a valid version;", "12.4.0"),
        (
            with("compatible_clients = \"newer\""),
            "release.toml:3: compatible_clients: `newer` is not a valid",
            ">=12.0, <13",
        ),
        (with("notes.german = \"Neu\""), "release.toml:3: notes", "BCP 47"),
        (with("notes_files.de = \"fr.md\""), "release.toml:3: notes_files.de: `fr.md`: the file does not exist", ""),
        (with("notes_files.de = \"latin1.md\""), "release.toml:3: notes_files.de: `latin1.md`: ", "UTF-8"),
        (
            with("notes.de = \"x\"\nnotes_files.de = \"de.md\""),
            "release.toml:4: notes_files.de: `notes.de` exists too",
            "",
        ),
        (
            with("publish.percent = 100.5"),
            "release.toml:3: publish.percent: `100.5` is not a valid percentage;",
            "0 to 100",
        ),
        (
            with("publish.published_at = 2026-06-30"),
            "release.toml:3: publish.published_at: `2026-06-30` is not a valid point in time",
            "Z",
        ),
        (with("publish.force_reason = \" \""), "release.toml:3: publish.force_reason: a reason is missing", ""),
        (
            two("path = \"gone.exe\"\ncomponent = \"client\"\nplatform = \"linux\"\narch = \"x86_64\""),
            "release.toml:12: artifacts[1].path: `gone.exe`: the file does not exist",
            "",
        ),
        (
            two("path = \".\"\ncomponent = \"client\"\nplatform = \"linux\"\narch = \"x86_64\""),
            "release.toml:12: artifacts[1].path: `.` is not a file",
            "",
        ),
        (
            two("path = \"set up.exe\"\ncomponent = \"client\"\nplatform = \"linux\"\narch = \"x86_64\""),
            "release.toml:12: artifacts[1].path: `set up.exe` is not a valid file name;",
            "`filename`",
        ),
        (
            two("path = \"other.exe\"\ncomponent = \"client\"\nplatform = \"win\"\narch = \"x86_64\""),
            "release.toml:14: artifacts[1].platform: `win` is not a valid platform;",
            "`windows`",
        ),
        (
            two("path = \"other.exe\"\nplatform = \"linux\"\narch = \"x86_64\""),
            "release.toml:11: artifacts[1]: missing field `component`",
            "",
        ),
        (
            two("path = \"other.exe\"\ncomponent = \"standalone\"\nplatform = \"windows\"\narch = \"x86_64\""),
            "release.toml:11: artifacts[1]: the combination standalone, windows, x86_64, installer is already used by `artifacts[0]`",
            "",
        ),
        (
            two("path = \"setup.exe\"\ncomponent = \"client\"\nplatform = \"windows\"\narch = \"x86_64\""),
            "release.toml:11: artifacts[1]: the file name `setup.exe` is already used by `artifacts[0]`",
            "",
        ),
        (
            with("") + "signature_file = \"two-lines.sig\"",
            "release.toml:10: artifacts[0].signature_file: a signature is one line",
            "base64",
        ),
        (
            with("") + "signature_file = \"setup.exe.sig\"\nsignature = \"x\"",
            "release.toml:11: artifacts[0].signature: `signature_file` exists too",
            "",
        ),
        (
            "product = \"office-maker\"\nversion = \"13.0\"\nartifacts = []".to_owned(),
            "release.toml:1: artifacts: a release needs at least one file",
            "",
        ),
    ];
    for (toml, start, hint) in table {
        let message = read(&toml).expect_err("a mistake");
        assert!(
            message.starts_with(start) && message.contains(hint),
            "for\n{toml}\nexpected {start} … {hint}\n     got {message}"
        );
    }
}

#[test]
fn all_mistakes_are_named_at_once_in_the_order_of_the_file() {
    let message =
        read(&with("notes_files.de = \"gone.md\"\npublish.force_reason = \"\"").replace("setup.exe", "gone.exe"));
    let message = message.expect_err("mistakes");
    let lines: Vec<_> = message.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(lines, ["release.toml:3", "release.toml:4", "release.toml:7"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = ReleaseFile::read(Path::new("no/such/release.toml")).expect_err("no file");
    assert_eq!(error.to_string(), "no/such/release.toml: the file does not exist");
}

#[test]
fn the_example_of_the_documentation_is_right() {
    let example = std::fs::read_to_string("docs/examples/release.toml").expect("the example");
    let document = std::fs::read_to_string("docs/release-toml.md").expect("the document");
    assert!(
        document.contains(example.trim()),
        "docs/release-toml.md shows another example than docs/examples/release.toml"
    );
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("release.toml"), &example).expect("a file");
    for line in example.lines() {
        let mut quoted = line.split('"');
        let (Some(key), Some(path)) = (quoted.next(), quoted.next()) else {
            continue;
        };
        if key.starts_with("path") || key.starts_with("signature_file") || path.contains("notes/") {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, "content").expect("a file");
        }
    }
    let release = ReleaseFile::read(&folder.path().join("release.toml")).expect("the example");
    assert_eq!(release.product.as_str(), "office-maker");
}
