//! The JSON Lines as a table: every type, its fields, what they mean. The man page logtrail-json(5)
//! is made of it, and tests hold all output against it; the types that are written are in
//! [`super::json`].

mod check;
mod kinds;
mod types;

pub use check::check;
pub use kinds::KINDS;
pub use types::{Kind, SchemaField, SchemaType};
