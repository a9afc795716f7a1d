//! Mail: one plain text to one address, over SMTP. The only room that names lettre. What is written, and when it is
//! tried again, is decided above.

use std::{error::Error as _, net::IpAddr, time::Duration};

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        self, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Tls, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use percent_encoding::percent_decode_str;
use url::Url;

/// The longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest attempt to send a mail, however long the server takes for each of its answers.
pub const LONGEST_TRY: Duration = Duration::from_mins(2);

/// The part of [`LONGEST_TRY`] reserved for QUIT. The mail has been accepted or refused by then.
const TO_TAKE_LEAVE: Duration = Duration::from_secs(5);

/// The code of a server that is shutting down (RFC 5321, section 3.8). It says nothing about the mail.
const CLOSES: u16 = 421;

/// Codes that refuse this client (RFC 4954, section 6; RFC 3207). They say nothing about the mail.
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

/// Enhanced codes that, in answer to RCPT, refuse the sender rather than the recipient (RFC 3463, section 3.8). Many
/// servers refuse a sender only after they know the recipient.
const MAY_NOT_WRITE_TO: [&str; 1] = ["5.7."];

/// Enhanced codes that, in answer to DATA, refuse the sender: not authenticated (RFC 7372: SPF, DKIM and the like), not
/// logged in, or not allowed to use this address (Exchange). Most other codes are about the text here.
const MAY_NOT_WRITE_SO: [&str; 5] = ["5.7.2", "5.7.8", "5.7.9", "5.7.60", "5.2.252"];

/// A mail to send.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The part of the `Message-ID` before the `@`.
    pub id: &'a str,
    /// One plain address, without a name.
    pub recipient: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
}

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server refuses this mail for good.
    #[error("{0}")]
    Refused(String),
    /// The server does not take this mail at the moment.
    #[error("{0}")]
    Later(String),
    /// The server cannot be reached, or takes no mail from this server at the moment.
    #[error("{0}")]
    Away(String),
}

/// Why the mail configuration cannot be used. The text does not contain the password.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct NoMailer(String);

/// Hands mails to an SMTP server. It tells the steps of the conversation apart, which lettre's own transport does not:
/// an answer before the recipient is named says nothing about the mail.
pub struct Mailer {
    server: Server,
    from: Mailbox,
    host: String,
}

/// An SMTP server, and how to connect to it.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl Server {
    /// Reads the URL of a server; `None` if it is invalid.
    fn of(url: &str, hello: ClientId) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let parameters = || TlsParameters::new(host.clone()).ok();
        let wish = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, wish)| wish);
        let (port, tls) = match (url.scheme(), wish.as_deref()) {
            ("smtp", None) => (SMTP_PORT, Tls::None),
            ("smtp", Some("required")) => (SUBMISSION_PORT, Tls::Required(parameters()?)),
            ("smtp", Some("opportunistic")) => (SUBMISSION_PORT, Tls::Opportunistic(parameters()?)),
            ("smtps", _) => (SUBMISSIONS_PORT, Tls::Wrapper(parameters()?)),
            _ => return None,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Some(Self { port: url.port().unwrap_or(port), host, tls, credentials, hello })
    }

    /// Opens a connection, encrypted and logged in as configured.
    async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let from_the_start = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(PATIENCE), &self.hello, from_the_start, None).await?;
        match &self.tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &self.hello).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &self.hello).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

impl std::fmt::Debug for Mailer {
    /// Does not show the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer for the server at `url`. `host` is the name of this server, used in ids and greetings.
    pub fn new(url: &str, from: &str, host: &str) -> Result<Self, NoMailer> {
        let from: Mailbox = from.parse().map_err(|_| {
            NoMailer(format!("mail.from: `{from}` must be an address such as `Office Maker <updates@example.com>`"))
        })?;
        let server = Server::of(url, greeting(host)).ok_or_else(|| {
            NoMailer("mail.smtp_url must be like `smtp://user:password@mail.example.com:587?tls=required`".to_owned())
        })?;
        Ok(Self { server, from, host: host.to_owned() })
    }

    /// Sends a mail. It was accepted if this succeeds.
    pub async fn send(&self, letter: Letter<'_>) -> Result<(), MailError> {
        let message = self.message(letter).map_err(MailError::Refused)?;
        let conversation = async {
            let mut connection = self.server.connect().await.map_err(|error| away(&error))?;
            let outcome = self.hand_over(&mut connection, letter, &message).await;
            Ok((connection, outcome))
        };
        let patience = LONGEST_TRY.saturating_sub(TO_TAKE_LEAVE);
        let Ok(ended) = tokio::time::timeout(patience, conversation).await else {
            return Err(MailError::Away(format!("it took longer than {} s", patience.as_secs())));
        };
        let (mut connection, outcome) = ended?;
        let _ = tokio::time::timeout(TO_TAKE_LEAVE, connection.abort()).await;
        outcome
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        letter: Letter<'_>,
        message: &Message,
    ) -> Result<(), MailError> {
        let recipient = address(letter).map_err(MailError::Refused)?;
        let is_plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if !is_plain(&recipient) || !is_plain(&self.from.email) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let text = "the SMTP server takes no addresses beyond ASCII (SMTPUTF8)".to_owned();
                return Err(if is_plain(&recipient) { MailError::Away(text) } else { MailError::Refused(text) });
            }
            parameters.extend([MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        let sender = Mail::new(Some(self.from.email.clone()), parameters);
        connection.command(sender).await.map_err(|error| away(&error))?;
        connection.command(Rcpt::new(recipient, Vec::new())).await.map_err(|error| judge(&error, &MAY_NOT_WRITE_TO))?;
        let judge_text = |error| judge(&error, &MAY_NOT_WRITE_SO);
        connection.command(Data).await.map_err(judge_text)?;
        connection.message(&message.formatted()).await.map_err(judge_text)?;
        Ok(())
    }

    fn message(&self, letter: Letter<'_>) -> Result<Message, String> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address(letter)?))
            .subject(letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.host)))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.to_owned())
            .map_err(|error| error.to_string())?;
        // RFC 3834: no auto-responder should answer.
        message.headers_mut().insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
        Ok(message)
    }
}

fn address(letter: Letter<'_>) -> Result<Address, String> {
    letter.recipient.parse().map_err(|error| format!("`{}`: {error}", letter.recipient))
}

/// How this server introduces itself (RFC 5321, section 4.1.3): by its name, or by an address literal.
fn greeting(host: &str) -> ClientId {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

/// The meaning of an answer before the recipient was named: it holds for every mail until the configuration is fixed.
fn away(error: &smtp::Error) -> MailError {
    MailError::Away(error.to_string())
}

/// Whether to try again after an answer about this mail. A refusal of the sender (`about_the_sender`) may end once the
/// server is configured for it. It may concern this recipient alone, so other mails do not wait.
fn judge(error: &smtp::Error, about_the_sender: &[&str]) -> MailError {
    let text = error.to_string();
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let Some(code) = error.status().map(u16::from) else { return MailError::Away(text) };
    match code {
        CLOSES => MailError::Away(text),
        code if NOT_LET_IN.contains(&code) => MailError::Away(text),
        _ if about_the_sender.iter().any(|code| said.starts_with(code)) => MailError::Later(text),
        _ if error.is_permanent() => MailError::Refused(text),
        _ => MailError::Later(text),
    }
}

/// Whether a text is one plain address.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_server_and_who_logs_in() {
        let server = |url| Server::of(url, ClientId::default());
        for (url, host, port, user) in [
            ("smtp://mail.example", "mail.example", 25, None),
            ("smtp://[::1]:2525", "::1", 2525, None),
            ("smtp://mail.example?tls=required", "mail.example", 587, None),
            ("smtp://mail.example?tls=opportunistic", "mail.example", 587, None),
            ("smtps://anna%40x:hunter%2F2+%25@mail.example", "mail.example", 465, Some(("anna@x", "hunter/2+%"))),
        ] {
            let found = server(url).expect(url);
            let user = user.map(|(user, password)| Credentials::new(user.to_owned(), password.to_owned()));
            assert_eq!((found.host.as_str(), found.port, found.credentials), (host, port, user), "{url}");
        }
        for wrong in ["imap://mail.example", "smtp://mail.example?tls=never", "smtp:", "smtps://a:%ff@mail.example"] {
            assert!(server(wrong).is_none(), "{wrong}");
        }
    }
}
