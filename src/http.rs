//! The edge: requests in, answers out. Handlers extract, call one use case, and map what it gives.
//!
//! The folder says who asks (`client`, `publisher`, `admin`), the file what about. Every route is in [`routes`],
//! every error in [`error`], every way in which a request is read in [`extract`].

pub mod admin;
pub mod approvals;
pub mod client;
pub mod error;
pub mod error_list;
pub mod extract;
pub mod headers;
#[cfg(test)]
mod in_process;
pub mod json;
pub mod middleware;
pub mod openapi;
pub mod operations;
pub mod paging;
pub mod product;
pub mod publisher;
pub mod release;
pub mod routes;
pub mod server;
pub mod setup;

pub use error::Problem;

/// The composed application, as handlers receive it.
pub type App = actix_web::web::Data<crate::app::App>;
