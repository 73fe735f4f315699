//! Lines of pages of many sources into one order by time. They wait until every host has answered,
//! or until they take more memory than lines may; then the earliest go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line};
use crate::model::source::{SourceId, SourceInfo};
use crate::model::time::Time;
use crate::model::update::Update;
use crate::query::request::MissingBytes;

use super::merge::{Merge, Release, ReleaseMoment};

/// Lines of pages, and the numbers of their sources.
#[derive(Debug, Default)]
pub(super) struct Pages {
    merge: Merge,
    sources: BTreeMap<(HostId, Arc<str>), SourceId>,
    /// The time of the last line of each source, by which a gap keeps its place.
    last: BTreeMap<SourceId, Time>,
}

impl Pages {
    /// Takes in lines. The source, where it is new; of its place nothing is known.
    pub(super) fn lines(
        &mut self,
        host: HostId,
        name: &Arc<str>,
        lines: Vec<Line>,
    ) -> Option<Update> {
        let (source, new) = self.source(host, name);
        for line in lines {
            self.last.insert(source, line.time);
            self.merge
                .line(FleetLine::new(host, source, line), Duration::ZERO);
        }
        new
    }

    /// Takes in a gap. The source, where it is new.
    pub(super) fn gap(
        &mut self,
        host: HostId,
        name: &Arc<str>,
        missing: &MissingBytes,
    ) -> Option<Update> {
        let (source, new) = self.source(host, name);
        let MissingBytes { from, to, reason } = *missing;
        let until = self.last.get(&source).copied().unwrap_or(Time(i64::MIN));
        self.merge.gap(
            Gap {
                host,
                source,
                from,
                to,
                reason,
                since: None,
                until,
            },
            Duration::ZERO,
        );
        new
    }

    /// Takes in what a source is. It, as the fleet numbers it.
    pub(super) fn info(&mut self, host: HostId, info: &SourceInfo) -> Update {
        let (source, _) = self.source(host, &info.name);
        Update::Source(host, source, info.clone())
    }

    /// Releases a batch of all there is, or only what there is no room for.
    pub(super) fn release(&mut self, all: bool) -> Vec<Update> {
        let mut out = Vec::new();
        let release = if all { Release::All } else { Release::Nothing };
        let now = ReleaseMoment {
            elapsed: Duration::ZERO,
            wall: Time(i64::MAX),
        };
        self.merge.release(release, now, &mut out);
        out
    }

    fn source(&mut self, host: HostId, name: &Arc<str>) -> (SourceId, Option<Update>) {
        let key = (host, Arc::clone(name));
        if let Some(known) = self.sources.get(&key) {
            return (*known, None);
        }
        let source = SourceId::of_index(self.sources.len());
        self.sources.insert(key, source);
        self.merge.name(source, host, name);
        let info = SourceInfo {
            name: Arc::clone(name),
            path: "".into(),
            problem: None,
            stamps: None,
        };
        (source, Some(Update::Source(host, source, info)))
    }
}
