//! One host's operations as one async interface, and its supervision.
