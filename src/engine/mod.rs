//! The work on files itself, on the machine it runs on. Synchronous; knows no network and no terminal.
