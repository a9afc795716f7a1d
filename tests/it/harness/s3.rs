//! A real S3 server over HTTP, in the test's process, with a bucket of the test's own in a folder of its own.
//!
//! It can be stopped and started again at the same address, refuse to be written, and have a clock that is wrong.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::service::{Service, service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    S3Request, S3Result,
    access::S3Access,
    auth::SimpleAuth,
    config::{S3Config, StaticConfigProvider},
    dto::{CreateMultipartUploadInput, PutObjectInput},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpSocket, runtime::Runtime};

use super::{Vendor, port::Port, server::files};

pub const ACCESS_KEY: &str = "vendor";
pub const SECRET_KEY: &str = "a-secret-of-the-store";
pub const BUCKET: &str = "updates";
const PREFIX: &str = "vendor/files";

/// The server.
pub struct S3 {
    root: TempDir,
    port: Port,
    read_only: Arc<AtomicBool>,
    clock_is_wrong: bool,
    running: Option<Runtime>,
}

/// Who may write: nobody, while the bucket is read-only.
struct Rights(Arc<AtomicBool>);

impl Rights {
    fn check_write(&self) -> S3Result<()> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(s3_error!(AccessDenied)),
            false => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Rights {
    async fn put_object(&self, _: &mut S3Request<PutObjectInput>) -> S3Result<()> {
        self.check_write()
    }

    async fn create_multipart_upload(&self, _: &mut S3Request<CreateMultipartUploadInput>) -> S3Result<()> {
        self.check_write()
    }
}

impl S3 {
    /// Starts a server on a free port, with an empty bucket.
    pub fn start() -> Self {
        let root = TempDir::new().expect("a folder");
        fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        let mut server =
            Self { root, port: Port::reserve(), read_only: Arc::default(), clock_is_wrong: false, running: None };
        server.run();
        server
    }

    fn service(&self) -> S3Service {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(self.root.path()).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        builder.set_access(Rights(Arc::clone(&self.read_only)));
        let mut config = S3Config::default();
        if self.clock_is_wrong {
            // Every clock is, by more than nothing.
            config.presigned_url_max_skew_time_secs = 0;
        }
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.build()
    }

    /// Starts it again where it was.
    pub fn run(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let threads = threads.expect("threads");
        let listener = threads.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_reuseaddr(true).expect("an option");
            socket.bind(self.port.address()).expect("the address");
            socket.listen(128).expect("to listen")
        });
        let service = self.service();
        threads.spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    // To its end, whoever hangs up in the middle of a request: so does a real server.
                    let service = service_fn(move |request| {
                        let answer = tokio::spawn(Service::call(&service, request));
                        async { answer.await.expect("an answer") }
                    });
                    // Whoever hangs up is no matter of the server's.
                    let _ = http.serve_connection(TokioIo::new(line), service).await;
                });
            }
        });
        self.running = Some(threads);
    }

    /// Ends it in the middle of whatever it does. What it stores stays.
    pub fn stop(&mut self) {
        let threads = self.running.take().expect("a running server");
        threads.shutdown_timeout(Duration::from_secs(5));
    }

    /// Whether writing is refused from now on.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::SeqCst);
    }

    /// Starts it again with a clock that is wrong.
    pub fn turn_the_clock(&mut self) {
        self.stop();
        self.clock_is_wrong = true;
        self.run();
    }

    /// Its address, as `storage.endpoint` has it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// What a server is told of it, as `("storage.url", "…")`.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("storage.url", format!("s3://{BUCKET}/{PREFIX}")),
            ("storage.endpoint", self.endpoint()),
            ("storage.region", "us-east-1".to_owned()),
            ("storage.access_key_id", ACCESS_KEY.to_owned()),
            ("storage.secret_access_key", SECRET_KEY.to_owned()),
        ]
    }

    /// The same for the whole suite, whose tests are to find what they find with files: answers, not redirects.
    pub fn suite_settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.settings();
        settings.push(("downloads.mode", "proxy".to_owned()));
        settings
    }

    /// A vendor whose files lie here.
    pub fn vendor(&self, more: &[(&str, &str)]) -> Vendor {
        let own = self.settings();
        let own = own.iter().map(|(key, value)| (*key, value.as_str()));
        Vendor::with(&own.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// Where a content lies.
    pub fn content(&self, hash: &str) -> PathBuf {
        self.folder().join("sha256").join(&hash[..2]).join(hash)
    }

    /// Where the objects lie.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join(BUCKET).join(PREFIX)
    }

    /// The names of the contents in the bucket.
    pub fn contents(&self) -> BTreeSet<String> {
        files(&self.folder().join("sha256"))
    }

    /// The names of what is on its way into the bucket: objects, and uploads in parts that are not completed.
    pub fn incoming(&self) -> BTreeSet<String> {
        let mut names = files(&self.folder().join("incoming"));
        names.extend(self.uploads());
        names
    }

    /// Parts of uploads that were neither completed nor aborted. (An upload without parts is nothing but a number: it
    /// has no cost, and a kill in the moment between its beginning and its record may leave it.)
    pub fn uploads(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.root.path()).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".upload_id-")).collect()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if let Some(threads) = self.running.take() {
            threads.shutdown_background();
        }
    }
}
