//! The one adapter to the `russh` library, pinned to 0.65.1, and the workarounds that this version
//! needs.
//!
//! A channel that nobody drains freezes its whole connection, silently and for ever: `channel`
//! drains each one at once. A channel that we close never says so: nothing waits for it. A
//! handshake that is given up leaks its task and socket: they are cut (`stream`). Rekeying by the
//! client can kill a busy connection: it is left to the server. The library's keepalive takes a
//! link that is busy for a dead one: `watchdog` counts bytes. No raw handle or channel of the
//! library leaves this folder.

mod agent;
pub(super) mod auth;
pub(super) mod channel;
pub(super) mod client;
pub(super) mod trust;
mod watchdog;
