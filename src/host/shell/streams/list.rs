//! Containers that come and go: a source of them is looked up again and again, and each that is found is a stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::model::{Engine, SourceKind, SourceSpec};
use crate::transport::LinkError;

use super::listing::{At, State, Target, Wanted};
use super::program::Shell;
use super::stream::{Followed, Stream, What};
use super::trouble::{self, Trouble};
use super::{Host, Numbers, words};

/// Containers are looked up as often as patterns of files are expanded.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Each look at pods costs several requests to the cluster.
const LOOK_AT_PODS_EVERY: Duration = Duration::from_secs(5);

/// Streams of one source: what a person can still tell apart, and one connection bring.
const MAX_STREAMS: usize = 200;

/// Channels are closed a moment before the connection says why it ended.
const END_TOLD_WITHIN: Duration = Duration::from_secs(1);

/// Of one source, across connections.
pub(super) struct List {
    spec: SourceSpec,
    wanted: Wanted,
    /// Which engine there is, once that is known.
    engine: Option<Engine>,
    /// What each container that was ever found is like.
    known: BTreeMap<String, watch::Sender<Option<Target>>>,
    /// The one that the source names, where it is no pattern.
    only: Option<watch::Sender<Option<Target>>>,
    has_looked: bool,
}

/// What streams are handed to.
pub(super) type Found = mpsc::Sender<Arc<Mutex<Stream>>>;

impl List {
    /// For a source of containers; with the stream of the one that it names where it is no pattern.
    pub(super) fn new(spec: &SourceSpec, numbers: &Numbers) -> Option<(Self, Option<Stream>)> {
        let wanted = Wanted::new(&spec.kind)?;
        let engine = match &spec.kind {
            SourceKind::Container(container) => container.engine,
            _ => None,
        };
        let (only, stream) = if spec.kind.is_glob() {
            (None, None)
        } else {
            let (sender, target) = watch::channel(None);
            let what = What::Container(Box::new(Followed::new(target, false)));
            let stream = Stream::new(numbers.next(), spec.name.clone(), spec.kind.to_string(), spec, what);
            (Some(sender), Some(stream))
        };
        let known = BTreeMap::new();
        Some((Self { spec: spec.clone(), wanted, engine, known, only, has_looked: false }, stream))
    }

    /// Looks until the connection ends; in a bounded pass once.
    pub(super) async fn keep_looking(&mut self, host: &Host<'_>, numbers: &Numbers, found: Found) {
        let every = match self.spec.kind {
            SourceKind::Pod(_) => LOOK_AT_PODS_EVERY,
            _ => LOOK_EVERY,
        };
        loop {
            let next = Instant::now() + every;
            match self.look(host).await {
                Ok(Ok(targets)) => self.take(targets, host, numbers, &found).await,
                Ok(Err(trouble)) => self.fail(trouble, host),
                Err(_) if timeout(END_TOLD_WITHIN, host.connection.ended()).await.is_ok() => {
                    // Not the engine's trouble; whoever holds the connection knows.
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
    async fn look(&mut self, host: &Host<'_>) -> Result<Result<Vec<(String, Target)>, Trouble>, LinkError> {
        let mut shared = host.shared(self.spec.as_root).await;
        let mut shell = match shared.take() {
            Some(shell) => shell,
            None => Shell::start(host.connection, self.spec.as_root).await?,
        };
        let listed = match &self.spec.kind {
            SourceKind::Pod(pod) => match shell.answer(&words::pods(pod)).await? {
                (lines, 0) => Ok(self.wanted.found(Engine::Docker, &lines)),
                (lines, code) => Err(trouble::of_kubectl(code, last(&lines))),
            },
            _ => self.look_at_engines(&mut shell).await?,
        };
        *shared = Some(shell);
        Ok(listed)
    }

    /// The first engine that answers, and from then on that one.
    async fn look_at_engines(
        &mut self,
        shell: &mut Shell,
    ) -> Result<Result<Vec<(String, Target)>, Trouble>, LinkError> {
        let both = [Engine::Docker, Engine::Podman];
        let engines = self.engine.as_ref().map_or(&both[..], std::slice::from_ref).to_vec();
        let mut why = None;
        for &engine in &engines {
            let (lines, code) = shell.answer(&words::containers(engine)).await?;
            match code {
                0 => {
                    self.engine = Some(engine);
                    return Ok(Ok(self.wanted.found(engine, &lines)));
                }
                127 if engines.len() > 1 => {}
                code => why = why.or_else(|| Some(trouble::of_engine(engine, code, last(&lines)))),
            }
        }
        let hint = "name the hosts that have containers: `sources` in hosts.toml";
        Ok(Err(why.unwrap_or_else(|| Trouble::new("there is neither docker nor podman on this host", hint))))
    }

    /// What was known is to be looked up anew: containers may have been started again meanwhile.
    pub(super) fn forget(&self) {
        for known in self.known.values().chain(&self.only) {
            known.send_replace(None);
        }
    }

    fn fail(&self, trouble: Trouble, host: &Host<'_>) {
        match &self.only {
            Some(only) => set(only, Target::without(State::Unknown(trouble))),
            None => trouble::note(host.problems, &self.spec.name, Some(trouble.of(&self.spec.kind.to_string()))),
        }
    }

    async fn take(&mut self, targets: Vec<(String, Target)>, host: &Host<'_>, numbers: &Numbers, found: &Found) {
        let nothing = Trouble::new(&self.nothing(), "it is followed as soon as it appears; check the name");
        if let Some(only) = &self.only {
            let target = targets.into_iter().next().map(|(_, target)| target);
            return set(only, target.unwrap_or_else(|| Target::without(State::Gone(nothing))));
        }
        for (name, known) in &self.known {
            if !targets.iter().any(|(found, _)| found == name) {
                set(known, Target::without(State::Gone(Trouble::plain("removed"))));
            }
        }
        let count = targets.len();
        let too_many = format!("more than {MAX_STREAMS} containers, of which the rest is not followed");
        let trouble = match count {
            0 => Some(nothing),
            _ if count > MAX_STREAMS => Some(Trouble::new(&too_many, "name fewer by a narrower pattern")),
            _ => None,
        };
        trouble::note(host.problems, &self.spec.name, trouble.map(|why| why.of(&self.spec.kind.to_string())));
        for (name, target) in targets {
            if let Some(known) = self.known.get(&name) {
                set(known, target);
            } else if self.known.len() < MAX_STREAMS {
                self.add(name, target, numbers, found).await;
            }
        }
        self.has_looked = true;
    }

    async fn add(&mut self, name: String, target: Target, numbers: &Numbers, found: &Found) {
        let label = target.label();
        let (sender, target) = watch::channel(Some(target));
        // What came into being since we looked is new from its first line.
        let what = What::Container(Box::new(Followed::new(target, self.has_looked)));
        let called = format!("{}/{name}", self.spec.name);
        let stream = Stream::new(numbers.next(), called, label, &self.spec, what).one_of_many();
        self.known.insert(name, sender);
        // Where nobody takes it the connection is ending; it is taken up again with the next.
        let _ = found.send(Arc::new(Mutex::new(stream))).await;
    }

    fn nothing(&self) -> String {
        match &self.spec.kind {
            SourceKind::Pod(_) => "no such pod".to_owned(),
            _ => "no such container".to_owned(),
        }
    }
}

impl Target {
    /// In place of one that is not there.
    fn without(state: State) -> Self {
        Self { instance: String::new(), at: At::Engine(Engine::Docker, String::new()), restarts: 0, state }
    }
}

/// The last line that says something is the one that says why.
fn last(lines: &[String]) -> &str {
    lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default()
}

fn set(known: &watch::Sender<Option<Target>>, target: Target) {
    known.send_if_modified(|was| {
        let is_new = was.as_ref() != Some(&target);
        if is_new {
            *was = Some(target);
        }
        is_new
    });
}
