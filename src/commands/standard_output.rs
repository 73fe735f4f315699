//! Standard output, for what is printed at once and for what is counted.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd as _;

use anyhow::Result;

/// Prints something that is there already. Returns the exit code.
pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(0)
}

/// Standard output; without a buffer where it is counted what was printed.
pub(super) fn open(is_counted: bool) -> io::Result<Box<dyn Write>> {
    if is_counted {
        let unbuffered = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Box::new(unbuffered))
    } else {
        Ok(Box::new(io::stdout().lock()))
    }
}
