//! The console as a function of events.
