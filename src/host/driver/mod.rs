//! What a driver of a host can do. Whoever supervises, follows or searches a host goes by these
//! traits and knows no driver: [`files`] answers questions about files, [`follow`] watches them and
//! samples the host. The shell driver does both; this machine's own does the first.

pub(crate) mod facts;
pub(crate) mod files;
pub(crate) mod follow;

#[cfg(test)]
mod tests;
