//! Names of rotated files: which of the files that a pattern matches belong to the log of another
//! one.

use std::collections::HashSet;

/// Compressed files are history, not lines.
const COMPRESSED: [&[u8]; 6] = [b".gz", b".bz2", b".xz", b".zst", b".lz4", b".Z"];

/// Whether a file is an old generation of another one of those that a pattern matches, which is
/// read when it is one and not followed by itself; or is compressed. A name with a date and no
/// other file is a log of its own.
pub fn is_rotated(file: &[u8], all: &HashSet<&[u8]>) -> bool {
    if COMPRESSED.iter().any(|ending| file.ends_with(ending)) {
        return true;
    }
    let number = |byte: &&u8| byte.is_ascii_digit() || b"-._".contains(*byte);
    let stem = file.len() - file.iter().rev().take_while(number).count();
    // "app.log" with ".1", "app.log" with "-20261120": the stem has no separator at its end.
    stem > 0 && stem < file.len() && !file[stem].is_ascii_digit() && all.contains(&file[..stem])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_generations_and_compressed_files_are_told_from_logs() {
        let all = [
            "/l/app.log",
            "/l/app.log.1",
            "/l/app.log-20261120",
            "/l/web-2.log",
            "/l/x.1",
        ];
        let all: HashSet<&[u8]> = all.iter().map(|path| path.as_bytes()).collect();
        for (file, rotated) in [
            ("/l/app.log", false),
            ("/l/app.log.1", true),
            ("/l/app.log-20261120", true),
            ("/l/app.log.2.gz", true),
            ("/l/web-2.log", false),
            ("/l/x.1", false),
            ("/l/", false),
        ] {
            assert_eq!(is_rotated(file.as_bytes(), &all), rotated, "{file}");
        }
    }
}
