//! TLS to the database: the right certificate for the right host, and no other.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    harness::{Server, cluster::Cluster},
    operations::start::{SERVE, refuses},
};

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl");
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A certification authority, in a folder of its own; also its certificate.
fn authority(folder: &Path, name: &str) -> PathBuf {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ),
    );
    folder.join(format!("{name}.pem"))
}

#[test]
fn the_right_authority_and_host_are_accepted_and_no_others() {
    let folder = TempDir::new().unwrap();
    let (ours, theirs) = (authority(folder.path(), "ours"), authority(folder.path(), "theirs"));
    openssl(
        folder.path(),
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    );
    fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        folder.path(),
        "x509 -req -in server.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
    let mut cluster = Cluster::start(&[]);
    for file in ["server.key", "server.pem"] {
        let place = cluster.folder().join(file);
        fs::copy(folder.path().join(file), &place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        let owner = fs::metadata(cluster.folder().join("data")).unwrap();
        chown(&place, Some(std::os::unix::fs::MetadataExt::uid(&owner)), None).unwrap();
    }
    cluster.stop();
    cluster.set("ssl=on");
    for (option, file) in [("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")] {
        cluster.set(&format!("{option}={}", cluster.folder().join(file).display()));
    }
    fs::write(cluster.folder().join("data/pg_hba.conf"), "local all all trust\nhostssl all all all trust\n").unwrap();
    cluster.run();
    let port = cluster.port();
    let server = |host: &str, parameters: &str| {
        let url = format!("postgres://postgres@{host}:{port}/postgres?{parameters}");
        Server::prepare(&[("database.url", &url)])
    };
    let verified = |authority: &Path| format!("sslmode=verify-full&sslrootcert={}", authority.display());
    let mut good = server("localhost", &verified(&ours));
    good.run();
    good.stop();
    let remedy = "check sslmode and sslrootcert";
    refuses(&server("localhost", &verified(&theirs)), SERVE, 1, &["certificate verify failed", remedy]);
    // The certificate is for `localhost`, and not for its address.
    refuses(&server("127.0.0.1", &verified(&ours)), SERVE, 1, &["127.0.0.1", "does not match host name", remedy]);
    refuses(&server("localhost", &verified(Path::new("/nowhere.pem"))), SERVE, 1, &["/nowhere.pem", remedy]);
    refuses(&server("localhost", "sslmode=disable"), SERVE, 1, &["no encryption", "pg_hba.conf"]);
}
