//! What sends requests: the control calls, and transfers that cost this side as little as they can.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    path::Path,
};

use reqwest::{Method, blocking::Client};
use serde_json::Value;

use crate::Outcome;

/// Sends a request with a JSON body, or none, and gives the answer as it came.
pub fn text(method: Method, url: &str, authorization: &str, body: Option<&Value>) -> Outcome<String> {
    let mut request = Client::new().request(method, url).header("authorization", authorization);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send()?;
    let status = response.status();
    let text = response.text()?;
    if status.is_success() { Ok(text) } else { Err(format!("{url}: {status}: {text}").into()) }
}

/// The same, with the answer read.
pub fn call(method: Method, url: &str, authorization: &str, body: Option<&Value>) -> Outcome<Value> {
    Ok(serde_json::from_str(&text(method, url, authorization, body)?)?)
}

/// Downloads a file and throws it away; returns its size.
pub fn download(address: &str, target: &str) -> Outcome<usize> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = BufReader::with_capacity(1 << 20, stream);
    check_status(&mut answer)?;
    let mut received = 0;
    loop {
        let length = answer.fill_buf()?.len();
        if length == 0 {
            return Ok(received);
        }
        answer.consume(length);
        received += length;
    }
}

/// Uploads a file.
pub fn upload(address: &str, target: &str, authorization: &str, file: &Path) -> Outcome<()> {
    let mut file = File::open(file)?;
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "PUT {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        file.metadata()?.len()
    )?;
    io::copy(&mut file, &mut stream)?;
    check_status(&mut BufReader::new(stream))
}

/// Sends a file and nothing else, and waits until the other side has done with it.
pub fn send(address: &str, file: &Path) -> Outcome<()> {
    let mut stream = TcpStream::connect(address)?;
    io::copy(&mut File::open(file)?, &mut stream)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream.take(64), &mut io::sink())?;
    Ok(())
}

/// Reads the head of an answer, which must be one of success.
fn check_status(answer: &mut BufReader<TcpStream>) -> Outcome<()> {
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let mut line = String::new();
    while answer.read_line(&mut line)? > 2 {
        line.clear();
    }
    if status.contains(" 20") {
        return Ok(());
    }
    let mut body = String::new();
    answer.read_to_string(&mut body)?;
    Err(format!("{}: {body}", status.trim()).into())
}
