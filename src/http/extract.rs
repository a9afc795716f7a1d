//! How a request is read: its path, query, body and credentials. What cannot be read is refused here, in one way.

pub mod address;
pub mod body;
pub mod caller;
pub mod if_match;
pub mod license;
pub mod path;
pub mod query;

pub use address::ClientAddress;
pub use body::{Body, MaybeBody, Nothing};
pub use caller::Caller;
pub use if_match::IfMatch;
pub use license::License;
pub use path::Segments;
pub use query::Query;

use crate::services::Code;

/// The code for a value that is none: versions have one of their own (contract section 4).
fn code_of(message: &str, other: Code) -> Code {
    // serde carries errors as text, so this is the text that `InvalidValue` writes.
    if message.contains("` is no version; expected") { Code::VersionInvalid } else { other }
}

/// What is wrong with a text, naming the text: not every type that is read from one says what it was.
fn naming_text(text: &str, message: String) -> String {
    let shown: String = text.chars().take(100).collect();
    if message.contains(&shown) || message.starts_with("invalid type") {
        message
    } else {
        format!("`{shown}`: {message}")
    }
}
