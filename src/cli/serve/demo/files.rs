//! The demo's files: archives that the reference updaters can work with, and stand-ins for installers.

use std::io::Write as _;

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use tar::{Builder, Header};

use super::{
    catalogue_file::{ProductLine, ReleaseLine},
    id,
};
use crate::{
    cli::failure::Failure,
    domain::{
        artifact::{ArtifactKind, Filename, Sha256},
        id::ArtifactId,
        platform::{Arch, Component, Platform},
        version::Version,
    },
    services::{
        Expected,
        releasing::store_artifact::Upload,
        running::seed_vendor::{SeedFile, Vendor},
    },
};

/// Bytes after the text of an installer, so that there is something to download and to interrupt.
const FILLING: usize = 24 << 10;

/// The files of a release, numbered after those that the vendor has.
pub(super) fn of(
    product: &ProductLine,
    release: &ReleaseLine,
    made_at: Timestamp,
    vendor: &Vendor,
) -> Result<Vec<SeedFile>, Failure> {
    let version = &release.about.version;
    let mut next = vendor.releases.iter().map(|release| release.files.len()).sum();
    let mut files = Vec::new();
    let mut add = |filename: String, what: (Component, Platform, Arch, ArtifactKind), content: &Bytes| {
        next += 1;
        let (component, platform, arch, kind) = what;
        let upload = Upload {
            product: product.about.slug.clone(),
            version: version.clone(),
            filename: filename.parse::<Filename>().map_err(|error| Failure::failed(&error))?,
            component,
            platform,
            arch,
            kind,
            announced: Some(sha256(content)),
            length: None,
            signature: None,
            expected: Expected::Anything,
        };
        files.push(SeedFile { id: id::<ArtifactId>(0xaf, next), upload, content: content.clone() });
        Ok::<_, Failure>(())
    };
    for platform in release.installers.iter().copied() {
        // One installer for all components, as many vendors have it; the user or the file name says what to install.
        let content = installer(&product.about.name, version, platform);
        let (arch, ending) = match platform {
            Platform::Windows => (Arch::X86_64, "-setup.exe"),
            Platform::Macos => (Arch::Universal, ".dmg"),
            Platform::Linux => (Arch::X86_64, ".run"),
        };
        for component in components_on(platform).iter().copied() {
            let name = format!("{}{}-{version}{ending}", product.file_prefix, infix(component));
            add(name, (component, platform, arch, ArtifactKind::Installer), &content)?;
        }
    }
    for component in release.archives.iter().copied() {
        let name = format!("{}{}-{version}-linux-x86_64.tar.gz", product.file_prefix, infix(component));
        let content = archive(product, version, component, made_at).map_err(|error| Failure::failed(&error))?;
        add(name, (component, Platform::Linux, Arch::X86_64, ArtifactKind::Archive), &content)?;
    }
    Ok(files)
}

const fn components_on(platform: Platform) -> &'static [Component] {
    match platform {
        Platform::Macos => &[Component::Standalone, Component::Client],
        Platform::Windows | Platform::Linux => &[Component::Standalone, Component::Server, Component::Client],
    }
}

const fn infix(component: Component) -> &'static str {
    match component {
        Component::Standalone => "",
        Component::Server => "-Server",
        Component::Client => "-Client",
    }
}

fn sha256(content: &[u8]) -> Sha256 {
    Sha256(digest::digest(&digest::SHA256, content).as_ref().try_into().unwrap_or_default())
}

/// A text that says what the file stands in for, then bytes that are the same at every start.
fn installer(name: &str, version: &Version, platform: Platform) -> Bytes {
    let mut content =
        format!("Sluice's demo. This stands in for the installer of {name} {version} for {platform}.\n").into_bytes();
    let mut block = sha256(&content).0;
    while content.len() < FILLING {
        content.extend_from_slice(&block);
        block = sha256(&block).0;
    }
    content.into()
}

/// An archive of the form that `examples/README.md` describes.
fn archive(
    product: &ProductLine,
    version: &Version,
    component: Component,
    made_at: Timestamp,
) -> std::io::Result<Bytes> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |path: &str, mode: u32, content: &str| {
        let mut header = Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap_or(0));
        header.set_mode(mode);
        header.set_mtime(u64::try_from(made_at.as_second()).unwrap_or(0));
        archive.append_data(&mut header, path, content.as_bytes())
    };
    let about = &product.about;
    add("VERSION", 0o644, &format!("{version}\n"))?;
    add(
        &format!("bin/{}-{component}", about.slug),
        0o755,
        &format!("#!/bin/sh\necho '{} {version}, {component}'\n", about.name),
    )?;
    // A client has no database of its own.
    let migrations = product.migrations.iter().filter(|_| component != Component::Client);
    for migration in migrations.filter(|migration| migration.since <= *version) {
        add(&format!("migrations/{}", migration.file), 0o644, &format!("{}\n", migration.sql))?;
    }
    let mut packed = archive.into_inner()?;
    packed.flush()?;
    Ok(packed.finish()?.into())
}
