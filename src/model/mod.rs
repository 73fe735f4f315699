//! The nouns of the program: host, source, record, gap, sample, link state, question, update.
//!
//! Everything here is data or a pure function of data. Nothing reads a clock, a file, a socket or a
//! terminal; that is left to the modules above, which all speak in these words.

pub mod ask;
pub mod cursor;
pub mod fields;
pub mod file;
pub mod filled;
pub mod gap;
pub mod host;
pub mod joiner;
pub mod level;
pub mod listing;
pub mod log_names;
pub mod metrics;
pub mod query;
pub mod question;
pub mod reached;
pub mod reading;
pub mod record;
pub mod source;
pub mod stamp;
pub mod state;
pub mod text;
pub mod update;

pub use ask::{Ask, Reply};
pub use cursor::{Cursor, FileId, Place};
pub use file::{Generation, LogFile, Packing};
pub use filled::Filled;
pub use gap::{Gap, GapReason};
pub use host::{Endpoint, Facts, HostId, HostKeyPolicy, HostName, HostSpec, TransportKind};
pub use joiner::Joiner;
pub use level::Level;
pub use listing::{Listing, LogLink};
pub use log_names::LogNames;
pub use metrics::Sample;
pub use query::Query;
pub use question::{Answer, Question};
pub use reached::{Printed, Reached, Remembered};
pub use reading::Reading;
pub use record::{Line, Record, Time, TimeFrom};
pub use source::{Container, Engine, Pod, SourceId, SourceInfo, SourceKind, SourceSpec};
pub use state::{HostStatus, LinkState};
pub use text::SafeText;
pub use update::{Ledger, Update};
