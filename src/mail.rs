//! Mail: one plain text to one address, over SMTP. The only room that names lettre. What is written and when it is tried
//! again is decided above.

use std::{net::IpAddr, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{self, extension::ClientId},
};

/// An SMTP server that has not answered for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// No try takes longer, whatever the server does: each of its answers may take `PATIENCE`.
pub const LONGEST_TRY: Duration = Duration::from_mins(2);

/// What a server answers when it closes (RFC 5321, section 3.8): it says nothing about the mail.
const CLOSES: u16 = 421;

/// What a server answers that does not let this client in (RFC 4954, section 6; RFC 3207): it says nothing about the mail.
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

/// A mail as it goes out.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// What its `Message-ID` has before the `@`.
    pub id: &'a str,
    /// One plain address.
    pub recipient: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub body: &'a str,
}

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server refuses this mail, today and tomorrow.
    #[error("{0}")]
    Refused(String),
    /// The server does not take this mail just now.
    #[error("{0}")]
    Later(String),
    /// The server cannot be reached, or takes no mail just now.
    #[error("{0}")]
    Away(String),
}

/// Why there can be no [`Mailer`]. Says nothing of the password.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct NoMailer(String);

/// Somebody who hands mails to an SMTP server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

impl std::fmt::Debug for Mailer {
    /// Never the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer for the server that a URL names. `host` is the name of this server, in ids and greetings.
    ///
    /// # Errors
    /// With the key that is wrong.
    pub fn new(url: &str, from: &str, host: &str) -> Result<Self, NoMailer> {
        let from: Mailbox = from.parse().map_err(|_| {
            NoMailer(format!("mail.from: `{from}` must be an address such as `Office Maker <updates@example.com>`"))
        })?;
        // What the library says of a URL may have a piece of the password in it.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| {
            NoMailer("mail.smtp_url must be like `smtp://user:password@mail.example.com:587?tls=required`".to_owned())
        })?;
        let transport = builder.timeout(Some(PATIENCE)).hello_name(greeting(host)).build::<Tokio1Executor>();
        Ok(Self { transport, from, host: host.to_owned() })
    }

    /// Sends a mail; it is accepted when this returns.
    ///
    /// # Errors
    /// [`MailError`] with what the server said.
    pub async fn send(&self, letter: Letter<'_>) -> Result<(), MailError> {
        let message = self.message(letter).map_err(MailError::Refused)?;
        match tokio::time::timeout(LONGEST_TRY, self.transport.send(message)).await {
            Ok(sent) => sent.map(drop).map_err(|error| judge(&error)),
            Err(_) => Err(MailError::Away(format!("it took longer than {} s", LONGEST_TRY.as_secs()))),
        }
    }

    fn message(&self, letter: Letter<'_>) -> Result<Message, String> {
        let recipient: Address =
            letter.recipient.parse().map_err(|error| format!("`{}`: {error}", letter.recipient))?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient))
            .subject(letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.host)))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.to_owned())
            .map_err(|error| error.to_string())?;
        // RFC 3834: no answering machine is to answer it.
        message.headers_mut().insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
        Ok(message)
    }
}

/// How this server greets another one (RFC 5321, section 4.1.3): by its name, or by an address that is marked as one.
fn greeting(host: &str) -> ClientId {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

/// Whether trying again is of use.
fn judge(error: &smtp::Error) -> MailError {
    let text = error.to_string();
    let Some(code) = error.status().map(u16::from) else { return MailError::Away(text) };
    match code {
        CLOSES => MailError::Away(text),
        code if NOT_LET_IN.contains(&code) => MailError::Away(text),
        _ if error.is_permanent() => MailError::Refused(text),
        _ => MailError::Later(text),
    }
}

/// Whether this is one plain address.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}
