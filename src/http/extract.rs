//! How a request is read: path, query, body and credentials. What cannot be read is refused here.

pub mod address;
pub mod body;
pub mod caller;
pub mod if_match;
pub mod license;
mod mistake;
pub mod path;
pub mod query;
mod texts;

pub use address::ClientAddress;
pub use body::{Body, MaybeBody, Nothing};
pub use caller::Caller;
pub use if_match::IfMatch;
pub use license::License;
pub use path::Segments;
pub use query::Query;
