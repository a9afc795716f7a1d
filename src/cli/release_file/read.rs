//! Reads the text of `release.toml` into a [`ReleaseFile`]: resolves paths against its folder, reads texts, and finds
//! contradictions.

use std::{
    collections::btree_map::Entry,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use toml::Spanned;

use super::{
    LocalArtifact, Mistake, Publish, ReleaseFile, ReleaseFileError,
    written::{WrittenArtifact, WrittenRelease},
};
use crate::{cli::client::wire::Details, domain::artifact::Filename};

/// The longest text, in bytes. A release's notes are sent in one JSON body of at most 256 KiB; a larger file was named
/// by mistake.
const MAX_TEXT_BYTES: u64 = 200 * 1024;

/// The longest signature: it is sent in a header.
const MAX_SIGNATURE_LENGTH: usize = 4096;

pub(super) fn read(path: &Path) -> Result<ReleaseFile, ReleaseFileError> {
    let failed = |mistakes| ReleaseFileError { file: path.to_owned(), mistakes };
    let whole = |message| Mistake { line: None, key: String::new(), message };
    let text = fs::read_to_string(path).map_err(|error| failed(vec![whole(explain(&error))]))?;
    // `release.toml` alone has the parent "", which joins like the current folder.
    read_text(&text, path.parent().unwrap_or(Path::new(""))).map_err(failed)
}

pub(super) fn read_text(text: &str, folder: &Path) -> Result<ReleaseFile, Vec<Mistake>> {
    let written = parse(text).map_err(|mistake| vec![mistake])?;
    let mut reader = Reader { folder, text, mistakes: Vec::new() };
    let release = reader.put_together(written);
    match reader.mistakes {
        mistakes if mistakes.is_empty() => Ok(release),
        mut mistakes => {
            mistakes.sort_by_key(|mistake| mistake.line);
            Err(mistakes)
        }
    }
}

fn parse(text: &str) -> Result<WrittenRelease, Mistake> {
    let mistake = |key: String, error: &toml::de::Error| Mistake {
        line: error.span().map(|span| line_of(text, span)),
        key,
        message: error.message().trim().replace('\n', ", "),
    };
    let document = toml::Deserializer::parse(text).map_err(|error| mistake(String::new(), &error))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        // `Spanned` reads its value under an internal name, which is in no file.
        let path = error.path().to_string().replace(".$__serde_spanned_private_value", "");
        mistake(if path == "." { String::new() } else { path }, error.inner())
    })
}

fn line_of(text: &str, place: Range<usize>) -> usize {
    text.bytes().take(place.start).filter(|byte| *byte == b'\n').count() + 1
}

/// The operating system's error as a sentence.
fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the file does not exist".to_owned(),
        std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    }
}

struct Reader<'a> {
    folder: &'a Path,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, place: Range<usize>, key: impl Into<String>, message: impl Into<String>) {
        let line = Some(line_of(self.text, place));
        self.mistakes.push(Mistake { line, key: key.into(), message: message.into() });
    }

    fn put_together(&mut self, written: WrittenRelease) -> ReleaseFile {
        let mut notes = written.notes;
        for (locale, path) in written.notes_files {
            let key = format!("notes_files.{locale}");
            match notes.entry(locale) {
                Entry::Vacant(place) => {
                    if let Some(text) = self.text_file(&key, &path) {
                        place.insert(text);
                    }
                }
                Entry::Occupied(place) => {
                    let message = format!("`notes.{}` exists too; use only one of the two", place.key());
                    self.wrong(path.span(), key, message);
                }
            }
        }
        let mut artifacts: Vec<LocalArtifact> = Vec::new();
        for (index, artifact) in written.artifacts.into_iter().enumerate() {
            let (place, key) = (artifact.span(), format!("artifacts[{index}]"));
            let Some(artifact) = self.artifact(&key, artifact.into_inner()) else {
                continue;
            };
            if let Some((other, clash)) =
                artifacts.iter().enumerate().find_map(|(other, earlier)| Some((other, clash(earlier, &artifact)?)))
            {
                self.wrong(place, &key, format!("{clash} is already used by `artifacts[{other}]`"));
            }
            artifacts.push(artifact);
        }
        if artifacts.is_empty() && self.mistakes.is_empty() {
            self.wrong(0..0, "artifacts", "a release needs at least one file: add an `[[artifacts]]` table");
        }
        let publish = Publish {
            published_at: written.publish.published_at.and_then(|value| self.instant("publish.published_at", &value)),
            percent: written.publish.percent,
            stages: written.publish.stages,
            halt: written.publish.halt,
            force_reason: written.publish.force_reason.and_then(|reason| {
                let given = !reason.get_ref().trim().is_empty();
                if !given {
                    self.wrong(
                        reason.span(),
                        "publish.force_reason",
                        "a reason is missing; write one, or remove the key",
                    );
                }
                given.then(|| reason.into_inner())
            }),
        };
        ReleaseFile {
            product: written.product,
            version: written.version,
            details: Details {
                channel: written.channel,
                severity: written.severity,
                access: written.access,
                min_from: written.min_from,
                compatible_clients: written.compatible_clients,
                notes: (!notes.is_empty()).then_some(notes),
            },
            artifacts,
            publish,
        }
    }

    fn artifact(&mut self, key: &str, written: WrittenArtifact) -> Option<LocalArtifact> {
        let path = self.folder.join(written.path.get_ref());
        let filename = match fs::metadata(&path) {
            Ok(found) if found.is_file() => {
                written.filename.or_else(|| self.filename_of(&format!("{key}.path"), &written.path, &path))
            }
            Ok(_) => {
                self.wrong(written.path.span(), format!("{key}.path"), format!("`{}` is not a file", path.display()));
                None
            }
            Err(error) => {
                let message = format!("`{}`: {}", path.display(), explain(&error));
                self.wrong(written.path.span(), format!("{key}.path"), message);
                None
            }
        };
        let signature = self.signature(key, written.signature, written.signature_file);
        Some(LocalArtifact {
            path,
            component: written.component,
            platform: written.platform,
            arch: written.arch,
            kind: written.kind,
            filename: filename?,
            signature,
        })
    }

    /// The file's own name, if it is a valid name of an artifact.
    fn filename_of(&mut self, key: &str, written: &Spanned<String>, path: &Path) -> Option<Filename> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.parse() {
            Ok(filename) => Some(filename),
            Err(error) => {
                self.wrong(written.span(), key, format!("{error}; give it another name with `filename`"));
                None
            }
        }
    }

    fn signature(
        &mut self,
        key: &str,
        given: Option<Spanned<String>>,
        file: Option<Spanned<String>>,
    ) -> Option<String> {
        let (key, place, text) = match (given, file) {
            (None, None) => return None,
            (Some(given), Some(_)) => {
                self.wrong(
                    given.span(),
                    format!("{key}.signature"),
                    "`signature_file` exists too; use only one of the two",
                );
                return None;
            }
            (Some(given), None) => (format!("{key}.signature"), given.span(), given.into_inner()),
            (None, Some(file)) => {
                let key = format!("{key}.signature_file");
                let text = self.text_file(&key, &file)?;
                (key, file.span(), text)
            }
        };
        let text = text.trim();
        let one_line = !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !one_line || text.len() > MAX_SIGNATURE_LENGTH {
            let message = format!(
                "a signature is one line of at most {MAX_SIGNATURE_LENGTH} visible ASCII characters; encode a longer one in base64"
            );
            self.wrong(place, key, message);
            return None;
        }
        Some(text.to_owned())
    }

    fn text_file(&mut self, key: &str, written: &Spanned<String>) -> Option<String> {
        let path: PathBuf = self.folder.join(written.get_ref());
        let size = fs::metadata(&path).map_or(0, |found| found.len());
        let read = if size > MAX_TEXT_BYTES {
            Err(format!("it has {size} bytes; at most {MAX_TEXT_BYTES} are accepted"))
        } else {
            fs::read_to_string(&path).map_err(|error| explain(&error))
        };
        match read {
            Ok(text) => Some(text),
            Err(message) => {
                self.wrong(written.span(), key, format!("`{}`: {message}", path.display()));
                None
            }
        }
    }

    /// A point in time, as TOML writes it or as RFC 3339 in quotes.
    fn instant(&mut self, key: &str, value: &Spanned<toml::Value>) -> Option<Timestamp> {
        let text = match value.get_ref() {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let read = text.parse();
        if read.is_err() {
            let message = format!(
                "`{text}` is not a valid point in time; expected one with an offset, such as 2026-06-30T09:00:00Z"
            );
            self.wrong(value.span(), key, message);
        }
        read.ok()
    }
}

/// What two files of one release have in common but must not.
fn clash(one: &LocalArtifact, other: &LocalArtifact) -> Option<String> {
    let slot = |artifact: &LocalArtifact| (artifact.component, artifact.platform, artifact.arch, artifact.kind);
    if one.filename == other.filename {
        return Some(format!("the file name `{}`", other.filename));
    }
    let LocalArtifact { component, platform, arch, kind, .. } = other;
    (slot(one) == slot(other)).then(|| format!("the combination {component}, {platform}, {arch}, {kind}"))
}
