//! What a driver of a host can do. Once a driver is started, supervision, following and search go by
//! these traits: [`files`] answers questions about files, [`follow`] watches them and
//! samples the host, and [`programs`] runs programs that print logs. The shell driver does all
//! three; this machine's own does the first.

pub(crate) mod facts;
pub(crate) mod files;
pub(crate) mod follow;
pub(crate) mod line_splitter;
pub(crate) mod programs;

#[cfg(test)]
mod tests;
