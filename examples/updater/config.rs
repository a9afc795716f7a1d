//! The configuration file, `updater.toml`. `examples/updater.example.toml` explains every key.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{durable::with_suffix, failure::Failure, verify::Jwk};

/// What an updater has to know. No `Debug`: the license key has no business in a log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The vendor's update server.
    pub server_url: String,
    /// The product's slug.
    pub product: String,
    /// The customer's license key.
    pub license_key: String,
    /// The program's folder. It is replaced as a whole.
    pub install_dir: PathBuf,
    /// The program's `SQLite` database, outside that folder. A client program has none.
    pub database: Option<PathBuf>,
    /// Where the updater keeps its own files; `<install_dir>.updater` when left out.
    #[serde(default)]
    pub work_dir: PathBuf,
    /// Multi-user and cloud: the folder that stands in for the talk between client and server program.
    pub shared_dir: Option<PathBuf>,
    /// `windows`, `macos` or `linux`; this machine's when left out.
    #[serde(default = "this_platform")]
    pub platform: String,
    /// `x86_64` or `aarch64`; this machine's when left out.
    #[serde(default = "this_arch")]
    pub arch: String,
    /// The language for messages and notes; the product's when left out.
    pub locale: Option<String>,
    /// The channel to ask on; the product's first when left out.
    pub channel: Option<String>,
    /// Files and folders inside `install_dir` that are the customer's own and move over to the new version.
    #[serde(default)]
    pub carry_over: Vec<PathBuf>,
    /// The vendor's public keys, as they stand in the server's `/.well-known/jwks.json`.
    #[serde(default)]
    pub pinned_keys: Vec<Jwk>,
}

impl Config {
    /// Reads the file. Relative paths in it start at the file's own folder.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(Failure::io("read", path))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(path, error))?;
        let home = path.parent().unwrap_or(Path::new("."));

        config.install_dir = plain(&home.join(&config.install_dir));
        config.database = config.database.map(|database| home.join(database));
        config.shared_dir = config.shared_dir.map(|shared| home.join(shared));
        config.work_dir = if config.work_dir.as_os_str().is_empty() {
            with_suffix(&config.install_dir, ".updater")
        } else {
            home.join(&config.work_dir)
        };
        config.check().map_err(|sentence| wrong(path, sentence))?;
        Ok(config)
    }

    /// The mistakes that would otherwise cost data in the middle of an update.
    fn check(&self) -> Result<(), String> {
        let inside = |path: &Path| path.starts_with(&self.install_dir);
        if self.database.as_deref().is_some_and(inside) {
            return Err(
                "`database` lies inside `install_dir`, which is replaced as a whole: keep data elsewhere".into()
            );
        }
        if inside(&self.work_dir) {
            return Err("`work_dir` lies inside `install_dir`, which is replaced as a whole".into());
        }
        if self.install_dir.file_name().is_none() {
            return Err("`install_dir` must name a folder that can be renamed".into());
        }
        for path in &self.carry_over {
            let normal = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !normal || path.as_os_str().is_empty() {
                return Err(format!("`carry_over` names paths inside `install_dir`; {} is none", path.display()));
            }
        }
        Ok(())
    }
}

/// A path without a trailing slash, so that a suffix lands on the folder's name.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

fn wrong(path: &Path, what: impl std::fmt::Display) -> Failure {
    Failure::internal("config_invalid", format!("{}: {what}", path.display()))
}

fn this_platform() -> String {
    env::consts::OS.to_owned()
}

fn this_arch() -> String {
    env::consts::ARCH.to_owned()
}
