//! A real SMTP server on a port of its own, which takes mails, refuses them, hangs up, or is away, as it is told.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use mail_parser::{Message, MessageParser};

use super::{eventually, port::Port};

/// What it does with mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Answers this to whoever connects, and hangs up.
    Greets(&'static str),
    /// Answers this to the command that begins so, or to the end of the text (`.`).
    Answers(&'static str, &'static str),
    /// Takes the mail, and hangs up instead of saying so.
    HangsUp,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Whom the envelope names.
    pub recipients: Vec<String>,
    pub raw: String,
}

impl Received {
    fn message(&self) -> Message<'_> {
        MessageParser::default().parse(self.raw.as_bytes()).expect("a message as RFC 5322 has it")
    }

    pub fn subject(&self) -> String {
        self.message().subject().expect("a subject").to_owned()
    }

    pub fn body(&self) -> String {
        self.message().body_text(0).expect("a text").replace("\r\n", "\n")
    }

    pub fn message_id(&self) -> String {
        self.message().message_id().expect("a Message-ID").to_owned()
    }

    /// A header as it is written.
    pub fn header(&self, name: &str) -> String {
        self.message().header_raw(name).unwrap_or_default().trim().to_owned()
    }
}

struct Desk {
    manner: Mutex<Manner>,
    received: Mutex<Vec<Received>>,
    is_away: AtomicBool,
}

/// The server.
pub struct Smtp {
    port: Port,
    desk: Arc<Desk>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock")
}

impl Smtp {
    pub fn start() -> Self {
        let desk =
            Desk { manner: Mutex::new(Manner::Takes), received: Mutex::default(), is_away: AtomicBool::new(false) };
        let server = Self { port: Port::reserve(), desk: Arc::new(desk) };
        server.come();
        server
    }

    /// Begins to listen, where it listened before.
    pub fn come(&self) {
        let listener = TcpListener::bind(self.port.address()).expect("to listen");
        self.desk.is_away.store(false, Ordering::SeqCst);
        let desk = Arc::clone(&self.desk);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if desk.is_away.load(Ordering::SeqCst) {
                    return;
                }
                let (desk, stream) = (Arc::clone(&desk), stream.expect("a connection"));
                // Whoever hangs up in between is none of the test's business.
                thread::spawn(move || drop(talk(&desk, &stream)));
            }
        });
    }

    /// Is away from now on: connections are refused.
    pub fn leave(&self) {
        self.desk.is_away.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.port.address()));
        eventually(5, "nobody listens", || TcpStream::connect(self.port.address()).is_err().then_some(()));
    }

    pub fn behave(&self, manner: Manner) {
        *lock(&self.desk.manner) = manner;
    }

    /// The settings of a server that sends its mails here.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        [
            ("mail.smtp_url", format!("smtp://{}", self.port.address())),
            ("mail.from", "Office Maker <updates@vendor.example>".to_owned()),
        ]
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.desk.received).clone()
    }

    /// Waits until there are so many mails, and not more.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let received = eventually(20, "mails", || Some(self.received()).filter(|received| received.len() >= count));
        assert_eq!(received.len(), count, "{received:#?}");
        received
    }
}

/// One connection (RFC 5321).
fn talk(desk: &Desk, stream: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut out = stream;
    if let Manner::Greets(answer) = *lock(&desk.manner) {
        return out.write_all(format!("{answer}\r\n").as_bytes());
    }
    out.write_all(b"220 mail.test ESMTP\r\n")?;
    let mut recipients = Vec::new();
    while let Some(line) = lines.next().transpose()? {
        let manner = *lock(&desk.manner);
        let command = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let own = |to: &str| match manner {
            Manner::Answers(command, answer) if command == to => Some(answer.to_owned()),
            _ => None,
        };
        let answer = match command.as_str() {
            said if own(said).is_some() => own(said).unwrap_or_default(),
            "EHLO" => "250-mail.test\r\n250-8BITMIME\r\n250-AUTH PLAIN\r\n250 SMTPUTF8".to_owned(),
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                recipients.push(address.to_owned());
                "250 OK".to_owned()
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                // Whoever goes away before the line with the dot has sent no mail (RFC 5321, 4.1.1.4).
                let Some(raw) = data(&mut lines)? else { return Ok(()) };
                if let Some(answer) = own(".") {
                    out.write_all(format!("{answer}\r\n").as_bytes())?;
                    continue;
                }
                lock(&desk.received).push(Received { recipients: std::mem::take(&mut recipients), raw });
                if manner == Manner::HangsUp {
                    return stream.shutdown(std::net::Shutdown::Both);
                }
                "250 OK".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 OK".to_owned(),
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

/// The text of a mail up to the line that ends it; none, where the connection ended before.
fn data(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<Option<String>> {
    let mut raw = String::new();
    for line in lines {
        let line = line?;
        if line == "." {
            return Ok(Some(raw));
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
        raw.push_str("\r\n");
    }
    Ok(None)
}
