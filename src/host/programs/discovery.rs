//! Containers that come and go: a source of them is looked up again and again, and each that is
//! found is a stream.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::model::source::{ContainerEngine, PodSelector, SourceKind, SourceSpec};
use crate::transport::LinkError;

use super::argv;
use super::container::FollowedContainer;
use super::host::ProgramsHost;
use super::list_output::{ContainerLog, ContainerState, ContainerTarget, WantedContainers};
use super::listing::Listing;
use super::problem;
use super::report::SourceReport;
use super::source::{ProgramSource, SharedSource};
use crate::host::driver::programs::RunPrograms;
use crate::host::problems::Problem;
use crate::host::state::SharedState;

/// Containers are looked up as often as patterns of files are expanded.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Each look at pods costs several requests to the cluster.
const LOOK_AT_PODS_EVERY: Duration = Duration::from_secs(5);

/// Streams of one source: what a person can still tell apart, and one connection bring.
pub(super) const MAX_CONTAINERS: usize = 200;

/// What podman says first where it is called as `docker`.
const EMULATED: &str = "Emulate Docker CLI using podman";

/// Each time that podman is kept from writing it may leave an empty file of its own behind.
const LOOK_AT_REFUSED_EVERY: Duration = Duration::from_secs(60);

/// Of one source, across connections.
pub(super) struct Discovery {
    spec: SourceSpec,
    wanted: WantedContainers,
    /// Which engine there is, once that is known.
    engine: Option<ContainerEngine>,
    /// What each container that was ever found is like.
    known: BTreeMap<String, watch::Sender<Option<ContainerTarget>>>,
    /// The one that the source names, where it is no pattern.
    only: Option<watch::Sender<Option<ContainerTarget>>>,
    has_looked: bool,
    /// When each ended, and how often that was seen.
    ends: ContainerEnds,
}

/// When containers ended last. Of one that runs for less than the time between two looks all that
/// is ever seen is that it has ended: a job that is started every minute, or what crashes and is
/// started again.
#[derive(Debug, Default)]
struct ContainerEnds(BTreeMap<String, (Instant, u32)>);

/// Engines cut fractions of seconds off.
const SAME_END: Duration = Duration::from_millis(1500);

impl ContainerEnds {
    /// Makes those that have run again since the last look known by their number of restarts.
    fn note(&mut self, targets: &mut [(String, ContainerTarget)], now: Instant) {
        for (name, target) in targets
            .iter_mut()
            .filter(|(_, target)| target.restarts == 0)
        {
            let known = self.0.get(name).copied();
            let ended = target.ended.and_then(|ago| now.checked_sub(ago));
            let times = match (known, ended) {
                (Some((last, times)), Some(ended)) if ended > last + SAME_END => times + 1,
                (known, _) => known.map_or(0, |(_, times)| times),
            };
            target.restarts = times;
            if let Some(ended) = ended.filter(|_| known.is_none_or(|(_, was)| was != times)) {
                self.0.insert(name.clone(), (ended, times));
            }
            // How long ago it was changes with each look; that it has run again does not.
            target.ended = None;
        }
        self.0
            .retain(|name, _| targets.iter().any(|(found, _)| found == name));
    }
}

/// What streams are handed to.
pub(super) type Found = mpsc::Sender<SharedSource>;

impl Discovery {
    /// For a source of containers; with the stream of the one that it names where it is no pattern.
    pub(super) fn new(
        spec: &SourceSpec,
        state: &SharedState,
    ) -> Option<(Self, Option<ProgramSource>)> {
        let mut discovery = Self {
            spec: spec.clone(),
            wanted: WantedContainers::new(&spec.kind)?,
            engine: None,
            known: BTreeMap::new(),
            only: None,
            has_looked: false,
            ends: ContainerEnds::default(),
        };
        if spec.kind.is_glob() {
            return Some((discovery, None));
        }
        let (sender, target) = watch::channel(None);
        discovery.only = Some(sender);
        let label = spec.kind.to_string();
        let registered = state.lock().add_source(&spec.name, &label);
        let report = SourceReport::new(registered, label, true);
        let container = FollowedContainer::new(target, false);
        let stream = ProgramSource::container(spec, report, container);
        Some((discovery, Some(stream)))
    }

    /// Looks until the connection ends; in a bounded pass once.
    pub(super) async fn keep_looking(&mut self, host: &ProgramsHost<'_>, found: Found) {
        let is_of_pods = matches!(self.spec.kind, SourceKind::Pod(_));
        let every = if is_of_pods {
            LOOK_AT_PODS_EVERY
        } else {
            LOOK_EVERY
        };
        loop {
            let mut next = Instant::now() + every;
            match self.look(host).await {
                Ok(Ok(targets)) => self.take(targets, host, &found).await,
                Ok(Err(problem)) => {
                    if problem::is_of_writing(&problem) {
                        next += LOOK_AT_REFUSED_EVERY;
                    }
                    self.fail(problem, host);
                }
                Err(error) if host.connection.has_ended_by(&error).await => {
                    // Not the engine's problem; whoever holds the connection knows.
                    return std::future::pending().await;
                }
                Err(error) => self.fail(error.into(), host),
            }
            if host.work.once {
                return;
            }
            sleep_until(next).await;
        }
    }

    /// What there is now, or why nobody knows.
    async fn look(&mut self, host: &ProgramsHost<'_>) -> Result<LookResult, LinkError> {
        let mut shared = host.shared_shell(self.spec.as_root).await?;
        let programs = &mut shared.shell;
        let mut listed = look(programs, &self.spec.kind, &self.wanted, &mut self.engine).await?;
        if let Ok(targets) = &mut listed {
            self.ends.note(targets, Instant::now());
        }
        shared.give_back();
        Ok(listed)
    }

    /// What was known is to be looked up anew: containers may have been started again meanwhile.
    pub(super) fn forget(&self) {
        for known in self.known.values().chain(&self.only) {
            known.send_replace(None);
        }
    }

    fn fail(&self, problem: Problem, host: &ProgramsHost<'_>) {
        match &self.only {
            Some(only) => {
                let unknown = ContainerState::Unknown(problem);
                set(only, ContainerTarget::without(unknown));
            }
            None => {
                let problem = problem.of(&self.spec.kind.to_string());
                host.set_problem(&self.spec.name, Some(problem));
            }
        }
    }

    async fn take(
        &mut self,
        targets: Vec<(String, ContainerTarget)>,
        host: &ProgramsHost<'_>,
        found: &Found,
    ) {
        if let Some(only) = &self.only {
            let target = targets.into_iter().next().map(|(_, target)| target);
            return set(
                only,
                target.unwrap_or_else(|| ContainerTarget::gone(self.none())),
            );
        }
        for (name, known) in &self.known {
            if !targets.iter().any(|(found, _)| found == name) {
                set(known, ContainerTarget::gone(Problem::plain("removed")));
            }
        }
        let problem = self.problem_with_count(targets.len());
        let problem = problem.map(|problem| problem.of(&self.spec.kind.to_string()));
        host.set_problem(&self.spec.name, problem);
        for (name, target) in targets {
            if let Some(known) = self.known.get(&name) {
                set(known, target);
            } else if self.known.len() < MAX_CONTAINERS {
                self.add(name, target, host, found).await;
            }
        }
        self.has_looked = true;
    }

    fn problem_with_count(&self, count: usize) -> Option<Problem> {
        let too_many =
            format!("more than {MAX_CONTAINERS} containers, of which the rest is not followed");
        match count {
            0 => Some(self.none()),
            1..=MAX_CONTAINERS => None,
            _ => Some(Problem::new(&too_many, "name fewer by a narrower pattern")),
        }
    }

    /// There is no such container.
    fn none(&self) -> Problem {
        Problem::new(
            nothing(&self.spec.kind),
            "it is followed as soon as it appears; check the name",
        )
    }

    async fn add(
        &mut self,
        name: String,
        target: ContainerTarget,
        host: &ProgramsHost<'_>,
        found: &Found,
    ) {
        let label = target.label();
        let (sender, target) = watch::channel(Some(target));
        let wanted = format!("{}/{name}", self.spec.name);
        let registered = host.state.lock().add_source(&wanted, &label);
        // That one of several has ended is no problem of the host.
        let report = SourceReport::new(registered, label, false);
        // What came into being since we looked is new from its first line.
        let container = FollowedContainer::new(target, self.has_looked);
        let stream = ProgramSource::container(&self.spec, report, container);
        self.known.insert(name, sender);
        // Where nobody takes it the connection is ending; it is taken up again with the next.
        let _ = found.send(stream.shared()).await;
    }
}

impl ContainerTarget {
    fn gone(why: Problem) -> Self {
        Self::without(ContainerState::Gone(why))
    }

    /// In place of one that is not there.
    fn without(state: ContainerState) -> Self {
        Self {
            instance: String::new(),
            at: ContainerLog::Engine(ContainerEngine::Docker, String::new()),
            restarts: 0,
            state,
            ended: None,
        }
    }
}

/// Containers by their names within a source, or why nobody knows them.
pub(super) type LookResult = Result<Vec<(String, ContainerTarget)>, Problem>;

/// What there is now of a source. The engine that answers is the one that is asked from then on.
pub(super) async fn look(
    programs: &mut impl RunPrograms,
    kind: &SourceKind,
    wanted: &WantedContainers,
    engine: &mut Option<ContainerEngine>,
) -> Result<LookResult, LinkError> {
    let named = match kind {
        SourceKind::Pod(pod) => return look_for_pods(programs, pod, wanted).await,
        SourceKind::Container(container) => container.engine,
        _ => None,
    };
    let engines = match engine.or(named) {
        Some(one) => vec![one],
        None => vec![ContainerEngine::Docker, ContainerEngine::Podman],
    };
    let mut why = None;
    for &asked in &engines {
        let listing = Listing::of(programs, &argv::containers(asked)).await?;
        let one = engine_behind(asked, &listing);
        match containers_of(one, &listing, wanted) {
            Ok(found) => {
                *engine = Some(one);
                return Ok(Ok(found));
            }
            Err(problem) if problem::is_of_writing(&problem) => why = Some(problem),
            Err(_) if listing.code == 127 && engines.len() > 1 => {}
            Err(problem) => why = why.or(Some(problem)),
        }
    }
    let hint = "name the hosts that have containers: `sources` in hosts.toml";
    Ok(Err(why.unwrap_or_else(|| {
        Problem::new("there is neither docker nor podman on this host", hint)
    })))
}

async fn look_for_pods(
    programs: &mut impl RunPrograms,
    pod: &PodSelector,
    wanted: &WantedContainers,
) -> Result<LookResult, LinkError> {
    let listing = Listing::of(programs, &argv::pods(pod)).await?;
    Ok(match listing.code {
        0 => Ok(wanted.found(ContainerEngine::Docker, &listing.lines)),
        code => Err(problem::of_kubectl(code, listing.complaint())),
    })
}

fn containers_of(
    engine: ContainerEngine,
    listing: &Listing,
    wanted: &WantedContainers,
) -> LookResult {
    if problem::wants_to_write(&listing.lines) {
        return Err(problem::of_writing(engine));
    }
    match listing.code {
        0 => Ok(wanted.found(engine, &listing.lines)),
        code => Err(problem::of_engine(engine, code, listing.complaint())),
    }
}

/// The engine that has answered: podman may be called as `docker`.
fn engine_behind(asked: ContainerEngine, listing: &Listing) -> ContainerEngine {
    if listing.lines.iter().any(|line| line.contains(EMULATED)) {
        ContainerEngine::Podman
    } else {
        asked
    }
}

/// What is said of a source of which there is none.
pub(super) fn nothing(kind: &SourceKind) -> &'static str {
    if matches!(kind, SourceKind::Pod(_)) {
        "no such pod"
    } else {
        "no such container"
    }
}

fn set(known: &watch::Sender<Option<ContainerTarget>>, target: ContainerTarget) {
    known.send_if_modified(|was| {
        let is_new = was.as_ref() != Some(&target);
        if is_new {
            *was = Some(target);
        }
        is_new
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_between_two_looks_is_known_by_when_it_ended() {
        let (mut ends, start) = (
            ContainerEnds::default(),
            Instant::now() + Duration::from_secs(1000),
        );
        let mut look = |at: f64, ended: Option<u64>| {
            let ended = ended.map(Duration::from_secs);
            let target = ContainerTarget {
                ended,
                ..ContainerTarget::without(ContainerState::Ended("exited with code 1".to_owned()))
            };
            let mut targets = vec![("job".to_owned(), target)];
            ends.note(&mut targets, start + Duration::from_secs_f64(at));
            targets[0].1.restarts
        };
        assert_eq!(
            [
                look(0.0, Some(3)),
                look(2.0, Some(5)),
                look(3.9, Some(6)),
                look(6.1, Some(9))
            ],
            [0; 4]
        );
        assert_eq!(
            [look(8.0, Some(0)), look(10.0, Some(2)), look(70.0, None)],
            [1; 3],
            "it was started again"
        );
        assert_eq!(
            [
                look(72.0, Some(0)),
                look(74.0, Some(0)),
                look(76.0, Some(2))
            ],
            [2, 3, 3],
            "and again"
        );
    }
}
