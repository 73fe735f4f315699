//! Alternatives in a pattern: `{a,b}` as in bash, nested too. Text only; what a pattern matches is
//! left to whoever has the files.

/// The most alternatives that one pattern may stand for.
pub const MOST_ALTERNATIVES: usize = 64;

/// Whether a pattern has alternatives: braces with a comma between them.
#[must_use]
pub fn has_alternatives(pattern: &str) -> bool {
    first_group(pattern).is_some()
}

/// All that a pattern stands for, each once, in the order of bash, and then the pattern as a name;
/// only itself where it has no alternatives. Where there are too many, the first [`MOST_ALTERNATIVES`] and one more. `**` at
/// the end means all files below.
#[must_use]
pub fn alternatives(pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Those that are still to be looked through, the next at the end.
    let mut rest = vec![pattern.to_owned()];
    while let Some(next) = rest.pop() {
        match first_group(&next) {
            Some(group) => rest.extend(group.spelt_out(&next).rev()),
            None if !found.contains(&next) => found.push(next),
            None => {}
        }
        if found.len() > MOST_ALTERNATIVES {
            break;
        }
        // What is left of a pattern with very many groups.
        rest.truncate(MOST_ALTERNATIVES * MOST_ALTERNATIVES);
    }
    // Any name may be that of a file.
    if has_alternatives(pattern) && found.len() < MOST_ALTERNATIVES {
        found.push(pattern.to_owned());
    }
    found.iter().map(|one| with_whole_stars(one)).collect()
}

/// Two stars mean folders only where nothing else is in their part of the path.
fn with_whole_stars(pattern: &str) -> String {
    let mut parts: Vec<String> = pattern.split('/').map(str::to_owned).collect();
    for part in parts.iter_mut().filter(|part| *part != "**") {
        while part.contains("**") {
            *part = part.replace("**", "*");
        }
    }
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "**") {
        parts.push("*".to_owned());
    }
    parts.join("/")
}

/// The first braces of a pattern that hold alternatives: their places, and those of the commas.
struct BraceGroup {
    open: usize,
    commas: Vec<usize>,
    close: usize,
}

impl BraceGroup {
    /// The pattern with each of the alternatives in place of the braces.
    fn spelt_out<'a>(&'a self, pattern: &'a str) -> impl DoubleEndedIterator<Item = String> + 'a {
        // One more than may be, by which it is known that there are too many.
        let count = (self.commas.len() + 1).min(MOST_ALTERNATIVES + 1);
        (0..count).map(move |number| {
            let from = match number {
                0 => self.open,
                _ => self.commas[number - 1],
            };
            let to = self.commas.get(number).copied().unwrap_or(self.close);
            let one = &pattern[from + 1..to];
            [&pattern[..self.open], one, &pattern[self.close + 1..]].concat()
        })
    }
}

/// Braces that do not end, or have no comma, are text. A backslash quotes what follows it.
fn first_group(pattern: &str) -> Option<BraceGroup> {
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut found: Option<BraceGroup> = None;
    let mut bytes = pattern.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'{' => open.push((at, Vec::new())),
            b',' => open
                .last_mut()
                .into_iter()
                .for_each(|(_, commas)| commas.push(at)),
            b'}' => {
                let closed = open.pop().filter(|(_, commas)| !commas.is_empty());
                if let Some((open, commas)) = closed {
                    let is_outer = found.as_ref().is_none_or(|found| open < found.open);
                    if is_outer {
                        found = Some(BraceGroup {
                            open,
                            commas,
                            close: at,
                        });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_with_commas_are_alternatives_as_in_bash() {
        for (pattern, expected) in [
            ("/l/{a,b}.log", &["/l/a.log", "/l/b.log"][..]),
            ("/l/{a,b*}.log", &["/l/a.log", "/l/b*.log"]),
            ("/{x,y}/{a,b}", &["/x/a", "/x/b", "/y/a", "/y/b"]),
            ("/l/{a,{b,c}d}.log", &["/l/a.log", "/l/bd.log", "/l/cd.log"]),
            ("/l/a{,.1}", &["/l/a", "/l/a.1"]),
            ("/l/{a,a}", &["/l/a"]),
            ("/l/{a}.log", &["/l/{a}.log"]),
            ("/l/{a,b", &["/l/{a,b"]),
            ("/l/{{a,b}", &["/l/{a", "/l/{b"]),
            ("/l/\\{a,b}", &["/l/\\{a,b}"]),
            ("/l/a,b", &["/l/a,b"]),
            ("/l/**", &["/l/**/*"]),
            ("/l/a**b/***", &["/l/a*b/*"]),
        ] {
            let has_some = has_alternatives(pattern);
            let is_spelt_out = pattern.contains('{') && expected[0] != pattern;
            assert_eq!(has_some, is_spelt_out, "{pattern}");
            let as_name = has_some.then_some(pattern);
            let expected: Vec<&str> = expected.iter().copied().chain(as_name).collect();
            assert_eq!(alternatives(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn no_pattern_stands_for_more_than_the_most() {
        let wide = "{a,b}".repeat(200);
        assert_eq!(alternatives(&wide).len(), MOST_ALTERNATIVES + 1);
        let deep = format!("{}a{}", "{x,".repeat(500), "}".repeat(500));
        assert!(alternatives(&deep).len() <= MOST_ALTERNATIVES + 1);
        let flat = format!("{{{}}}", "a,".repeat(100_000));
        assert!(alternatives(&flat).len() <= MOST_ALTERNATIVES + 1);
    }
}
