//! What is wrong on a host though it is connected, and what can be done about it.
//!
//! Problems are kept by what they are about, so that one that ends takes no other with it. How a
//! host with problems is shown is left to `state`.

use std::collections::BTreeMap;

use crate::model::state::HostStatus;
use crate::transport::LinkError;

/// Problems that the reason of a host's state names; it is one line, and the others are counted.
const PROBLEMS_NAMED: usize = 3;

/// A reason and a hint, perhaps empty, in which `{user}` is replaced by the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong, one line.
    pub reason: String,
    /// What helps.
    pub hint: String,
}

impl Problem {
    /// With a hint.
    #[must_use]
    pub(crate) fn new(reason: &str, hint: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// Where the reason says it all.
    #[must_use]
    pub(crate) fn plain(reason: &str) -> Self {
        Self::new(reason, "")
    }

    /// Reason and hint in one line, where the login is not known.
    #[must_use]
    pub(crate) fn told(self) -> String {
        if self.hint.is_empty() {
            return self.reason;
        }
        let hint = self.hint.replace("{user}", "the login");
        format!("{} – {hint}", self.reason)
    }

    /// The same, of something.
    #[must_use]
    pub(crate) fn of(&self, what: &str) -> Self {
        Self {
            reason: format!("{what}: {}", self.reason),
            hint: self.hint.clone(),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        Self::from(error.status)
    }
}

impl From<HostStatus> for Problem {
    fn from(status: HostStatus) -> Self {
        Self {
            reason: status.reason.unwrap_or_default(),
            hint: status.hint.unwrap_or_default(),
        }
    }
}

/// What a problem is about, the most important first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProblemKey {
    /// The way to the host, though it leads there.
    Route,
    /// A followed file, by the number of its source.
    Source(u32),
    /// The last lines of a followed file, of which a bounded pass shows fewer than were asked for.
    Tail(u32),
    /// What a pattern should bring, by its name in the inventory.
    Pattern(String),
    /// sudo, which every file that needs it waits for.
    Privilege,
    /// A program, or the containers that a source looks for, by its name in the inventory.
    Program(String),
}

/// The problems of one host.
#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeMap<ProblemKey, Problem>);

impl Problems {
    /// Replaces the problem of something, or (`None`) ends it.
    pub(crate) fn set(&mut self, key: ProblemKey, problem: Option<Problem>) {
        match problem {
            Some(problem) => self.0.insert(key, problem),
            None => self.0.remove(&key),
        };
    }

    /// Whether there is one of this.
    pub(crate) fn has(&self, key: &ProblemKey) -> bool {
        self.0.contains_key(key)
    }

    /// All in one, if there are any: the first few reasons, how many others there are, and the hint
    /// of the first.
    pub(crate) fn summary(&self, user: &str) -> Option<Problem> {
        let first = self.0.values().next()?;
        let named: Vec<&str> = self.0.values().take(PROBLEMS_NAMED).map(reason).collect();
        let named = named.join("; ");
        let reason = match self.0.len().saturating_sub(PROBLEMS_NAMED) {
            0 => named,
            more => format!("{named} (and {more} more)"),
        };
        let hint = first.hint.replace("{user}", user);
        Some(Problem { reason, hint })
    }
}

fn reason(problem: &Problem) -> &str {
    &problem.reason
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_key() -> impl Strategy<Value = ProblemKey> {
        prop_oneof![
            Just(ProblemKey::Route),
            (0..3u32).prop_map(ProblemKey::Source),
            (0..3u32).prop_map(ProblemKey::Tail),
            "[a-c]".prop_map(ProblemKey::Pattern),
            Just(ProblemKey::Privilege),
            "[a-c]".prop_map(ProblemKey::Program),
        ]
    }

    fn first(problems: &Problems) -> Option<String> {
        let reason = problems.summary("ops")?.reason;
        reason.split("; ").next().map(str::to_owned)
    }

    #[test]
    fn three_problems_are_named_and_the_others_are_counted() {
        let mut problems = Problems::default();
        for name in ["d", "c", "b", "a"] {
            let problem = Problem::new(&format!("no {name}"), &format!("let {{user}} see {name}"));
            problems.set(ProblemKey::Pattern(name.to_owned()), Some(problem));
        }
        let summary = problems.summary("ops").expect("a problem");
        let expected = Problem::new("no a; no b; no c (and 1 more)", "let ops see a");
        assert_eq!(summary, expected);
    }

    proptest! {
        #[test]
        fn a_problem_that_ends_is_gone_and_takes_no_other_with_it(
            keys in proptest::collection::btree_set(any_key(), 1..8),
            which in any::<proptest::sample::Index>(),
        ) {
            let mut problems = Problems::default();
            for key in &keys {
                problems.set(key.clone(), Some(Problem::plain("wrong")));
            }
            let ended = keys.iter().nth(which.index(keys.len())).expect("a key").clone();
            problems.set(ended.clone(), None);
            for key in &keys {
                prop_assert_eq!(problems.has(key), *key != ended);
            }
        }

        #[test]
        fn the_most_important_problem_comes_first_whichever_came_last(
            keys in proptest::collection::vec(any_key(), 1..8),
        ) {
            let mut problems = Problems::default();
            for key in &keys {
                problems.set(key.clone(), Some(Problem::plain(&format!("{key:?}"))));
            }
            let expected = keys.iter().min().map(|key| format!("{key:?}"));
            let told = first(&problems).map(|told| told.split(" (and").next().map(str::to_owned));
            prop_assert_eq!(told.flatten(), expected);
        }

        #[test]
        fn without_problems_there_is_nothing_to_say(
            keys in proptest::collection::vec(any_key(), 0..8),
        ) {
            let mut problems = Problems::default();
            for key in &keys {
                problems.set(key.clone(), Some(Problem::plain("wrong")));
            }
            for key in keys {
                problems.set(key, None);
            }
            prop_assert_eq!(problems.summary("ops"), None);
        }
    }
}
