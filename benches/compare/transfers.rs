//! Large files: uploads against hashing and writing the same bytes, downloads against nginx.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    time::Instant,
};

use reqwest::Method;
use serde_json::json;

use crate::{
    Arguments, Outcome, bare, client,
    fill::{Filled, LARGE_PRODUCT, LARGE_VERSION},
    note,
    program::{Program, is_installed},
    table::{Aim, Rounds, Table},
};

/// Bytes of the large file.
pub const FILE_SIZE: usize = 200_000_000;

/// Downloads in one turn, one after the other: one alone is over before its processor time can be read off well.
const DOWNLOADS_IN_A_TURN: u32 = 8;

/// A file of bytes that do not repeat.
pub fn make_file(folder: &Path) -> Outcome<PathBuf> {
    let path = folder.join("large.bin");
    let mut file = BufWriter::new(File::create(&path)?);
    let mut number = 1_u64;
    for _ in 0..FILE_SIZE / 8 {
        // Marsaglia's xorshift.
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        file.write_all(&number.to_le_bytes())?;
    }
    file.into_inner()?.sync_all()?;
    Ok(path)
}

/// The wall time and the processor time that a program takes for something, in seconds.
fn time(program: &Program, work: impl FnOnce() -> Outcome<()>) -> Outcome<(f64, f64)> {
    let (before, began) = (program.processor_time()?, Instant::now());
    work()?;
    let wall = began.elapsed();
    Ok((wall.as_secs_f64(), (program.processor_time()? - before).as_secs_f64()))
}

/// Uploads the file to a draft again and again. At least once, for what comes after.
pub fn compare_uploads(
    table: &mut Table,
    arguments: &Arguments,
    folder: &Path,
    server: &Program,
    filled: &Filled,
    file: &Path,
) -> Outcome<()> {
    let product = format!("http://{}/api/v1/products/{LARGE_PRODUCT}", server.address);
    let draft = json!({ "version": LARGE_VERSION });
    client::call(Method::POST, &format!("{product}/releases"), &filled.authorization, Some(&draft))?;
    let target = format!(
        "/api/v1/products/{LARGE_PRODUCT}/releases/{LARGE_VERSION}/artifacts/large.bin?component=standalone&platform=linux&arch=x86_64"
    );
    let upload = || client::upload(&server.address, &target, &filled.authorization, file);
    upload()?;
    if !arguments.wants(crate::Part::Uploads) {
        return Ok(());
    }
    let bare = Program::bare(bare::Kind::Uploads, folder, None)?;
    note("uploads");
    let (mut walls, mut processors) = (Rounds::default(), Rounds::default());
    for round in 1..=arguments.rounds {
        let (wall, processor) = time(server, upload)?;
        let (bare_wall, bare_processor) = time(&bare, || client::send(&bare.address, file))?;
        note(&format!(
            "round {round}: {wall:.2} s, {processor:.2} s of processor; bare {bare_wall:.2} and {bare_processor:.2} s"
        ));
        walls.add(wall, bare_wall);
        processors.add(processor, bare_processor);
    }
    table.compared("upload of 200 MB, s (hash, write, sync)", &walls, None);
    table.compared("upload of 200 MB, processor s", &processors, None);
    Ok(())
}

/// Publishes the draft with the large file; returns the link to it, without the server's address.
pub fn publish(server: &Program, filled: &Filled) -> Outcome<String> {
    let base = format!("http://{}", server.address);
    let publish = format!("{base}/api/v1/products/{LARGE_PRODUCT}/releases/{LARGE_VERSION}/publish");
    client::call(Method::POST, &publish, &filled.authorization, Some(&json!({})))?;
    let check = format!("{base}/api/v1/check?product={LARGE_PRODUCT}&version=1.0.0&platform=linux&arch=x86_64");
    let answer = client::call(Method::GET, &check, &format!("License {}", filled.large_key), None)?;
    let url = answer["update"]["artifact"]["url"].as_str().ok_or_else(|| format!("no link in {answer}"))?;
    Ok(url.strip_prefix(&base).ok_or("the link leads elsewhere")?.to_owned())
}

/// Downloads from Sluice and from nginx in turns.
pub fn compare_downloads(
    table: &mut Table,
    arguments: &Arguments,
    folder: &Path,
    server: &Program,
    url: &str,
    file: &Path,
) -> Outcome<()> {
    if !is_installed("nginx") {
        table.missing("download of 200 MB", "nginx is not installed");
        return Ok(());
    }
    let nginx = start_nginx(&folder.join("nginx"), file)?;
    let fetch = |address: &str, target: &str| {
        for _ in 0..DOWNLOADS_IN_A_TURN {
            let size = client::download(address, target)?;
            if size != FILE_SIZE {
                return Err(format!("{address}{target} gave {size} bytes").into());
            }
        }
        Ok(())
    };
    note("downloads");
    let gigabytes = f64::from(DOWNLOADS_IN_A_TURN) * 0.2;
    let (mut rates, mut processors) = (Rounds::default(), Rounds::default());
    for round in 1..=arguments.rounds {
        let (wall, processor) = time(server, || fetch(&server.address, url))?;
        let (nginx_wall, nginx_processor) = time(&nginx, || fetch(&nginx.address, "/large.bin"))?;
        note(&format!(
            "round {round}: {:.2} GB/s, {:.2} s of processor a GB; nginx {:.2} and {:.2}",
            gigabytes / wall,
            processor / gigabytes,
            gigabytes / nginx_wall,
            nginx_processor / gigabytes
        ));
        rates.add(gigabytes * 1e3 / wall, gigabytes * 1e3 / nginx_wall);
        processors.add(processor / gigabytes, nginx_processor / gigabytes);
    }
    table.compared("download of 200 MB, MB/s (nginx)", &rates, Some(Aim::AtLeast(1.0)));
    table.compared("download, processor s a GB", &processors, Some(Aim::AtMost(1.6)));
    Ok(())
}

fn start_nginx(folder: &Path, file: &Path) -> Outcome<Program> {
    fs::create_dir(folder)?;
    fs::hard_link(file, folder.join("large.bin"))?;
    // Nobody else takes the port in between: nginx does so at once.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let shown = folder.display();
    let configuration = folder.join("nginx.conf");
    fs::write(
        &configuration,
        format!(
            "daemon off;
master_process off;
pid {shown}/pid;
error_log stderr error;
events {{}}
http {{
    sendfile on;
    tcp_nopush on;
    access_log off;
    client_body_temp_path {shown}/body;
    proxy_temp_path {shown}/proxy;
    fastcgi_temp_path {shown}/fastcgi;
    uwsgi_temp_path {shown}/uwsgi;
    scgi_temp_path {shown}/scgi;
    server {{
        listen {address};
        root {shown};
    }}
}}
"
        ),
    )?;
    Program::nginx(folder, &configuration, address)
}
