//! Logs in memory, asked and compared with what a naive reader finds.

mod fake;
mod finds;
mod pages;
mod real;
mod times;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::model::host::{Endpoint, HostName, HostSpec, SystemFacts};
use crate::model::line::Line;
use crate::model::source::{SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{
    LogRequest, LogResponse, PageRequest, PageStart, RequestKind, ResponseTotals,
};

use super::LogAnswerer;
use super::part_buffer::PartLimits;
use super::response_sender::ResponseSender;
use fake::Fake;

/// Small logs have as many borders between parts as large ones have with the usual limits.
const SMALL_PARTS: PartLimits = PartLimits {
    least: 1 << 10,
    most: 64 << 20,
    held: 4 << 10,
};

/// 20 November 2026, 12:00.
const NOON: i64 = 1_795_176_000;

pub(super) const ALWAYS: std::ops::Range<Time> = Time(i64::MIN)..Time(i64::MAX);

fn at(seconds: i64) -> Time {
    Time((NOON + seconds) * 1_000_000_000)
}

/// A line of this second.
fn stamped(second: i64, text: &str) -> String {
    format!("{} {text}\n", at(second).to_timestamp())
}

fn host(path: &str) -> HostSpec {
    let endpoint = Endpoint::new(HostName::new("web-1").expect("a name"));
    let kind = SourceKind::Path(path.to_owned());
    let source = SourceSpec {
        name: "app".to_owned(),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    };
    HostSpec {
        sources: vec![source],
        ..HostSpec::new(endpoint)
    }
}

/// All that is answered.
fn ask(files: &mut Fake, what: RequestKind) -> Vec<LogResponse> {
    ask_host(files, &host("/log/app"), what)
}

fn ask_host(
    files: &mut impl crate::host::Files,
    host: &HostSpec,
    what: RequestKind,
) -> Vec<LogResponse> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (replies, mut received) = mpsc::channel(1);
        let asked = LogRequest {
            sources: Vec::new(),
            what,
        };
        let facts = SystemFacts::default();
        let work = async move {
            let out = ResponseSender::new(&replies, ResponseTotals::default());
            let mut answerer = LogAnswerer::new(files, host, &facts, out);
            answerer.limits = SMALL_PARTS;
            let totals = answerer.answer(&asked).await.expect("an answer");
            // A test that wants no more has closed the channel.
            let _ = replies.send(LogResponse::Done(totals)).await;
        };
        let collect = async {
            let mut all = Vec::new();
            while let Some(reply) = received.recv().await {
                all.push(reply);
            }
            all
        };
        tokio::join!(work, collect).1
    })
}

fn totals(replies: &[LogResponse]) -> ResponseTotals {
    match replies.last() {
        Some(LogResponse::Done(totals)) => *totals,
        other => panic!("the last reply is {other:?}"),
    }
}

fn page(
    files: &mut Fake,
    start: PageStart,
    backwards: bool,
    lines: u32,
) -> (Vec<Line>, Vec<LogResponse>) {
    let replies = ask(
        files,
        RequestKind::Page(PageRequest {
            start,
            backwards,
            lines,
            window: ALWAYS,
        }),
    );
    (lines_of(&replies), replies)
}

fn lines_of(replies: &[LogResponse]) -> Vec<Line> {
    let lines = replies.iter().filter_map(|reply| match reply {
        LogResponse::Lines(_, lines) => Some(lines.clone()),
        LogResponse::Failed(name, why) => panic!("{name}: {why}"),
        _ => None,
    });
    lines.flatten().collect()
}

fn raws(lines: &[Line]) -> Vec<Bytes> {
    lines.iter().map(|line| line.raw.clone()).collect()
}
