//! The scrollback against its models: the ring against a `VecDeque`, the lens kept up against the
//! lens worked out anew.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::cursor::{Cursor, FileId};
use crate::model::host::{Endpoint, HostName, TransportKind};
use crate::model::line::{ByteSpan, Line, LineOrder};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::TimeSource;
use crate::query::ReferenceTime;

fn fleet_line(host: u32, text: &str) -> FleetLine {
    FleetLine {
        host: HostId(host),
        source: SourceId(host),
        order: LineOrder::InOrder,
        content: Line {
            time: Time(0),
            time_from: TimeSource::Arrival,
            cursor: Cursor {
                file: FileId::default(),
                offset: 0,
            },
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            raw: Bytes::copy_from_slice(text.as_bytes()),
            stored: None,
        },
    }
}

fn scrollback(budget: usize) -> Scrollback {
    Scrollback::new(&[], budget)
}

fn numbers(lens: &Lens) -> Vec<u64> {
    (0..lens.len())
        .filter_map(|index| lens.get(index))
        .map(|seq| seq - Seq::BEGIN)
        .collect()
}

fn only(hosts: &[u32]) -> Filter {
    Filter {
        hosts: Some(hosts.iter().copied().map(HostId).collect::<BTreeSet<_>>()),
        ..Filter::default()
    }
}

#[test]
fn the_oldest_lines_leave_when_the_budget_is_used_up_and_numbers_stay() {
    let mut scrollback = scrollback(3 * 300);
    let line = "x".repeat(80);
    scrollback.apply(
        vec![Update::Lines(
            (0..10).map(|_| fleet_line(0, &line)).collect(),
        )],
        Time(0),
    );
    let ring = scrollback.ring();
    assert_eq!(
        (ring.end() - Seq::BEGIN, ring.forgotten()),
        (10, ring.first() - Seq::BEGIN)
    );
    assert!(ring.bytes() <= ring.budget());
    assert!(
        ring.first() > Seq::BEGIN
            && ring.get(ring.first() - 1).is_none()
            && ring.get(Seq::BEGIN + 9).is_some()
            && ring.get(Seq::BEGIN + 10).is_none()
    );
}

#[test]
fn a_line_larger_than_the_budget_is_kept_alone() {
    let mut scrollback = scrollback(10);
    scrollback.apply(
        vec![Update::Lines(vec![
            fleet_line(0, "short"),
            fleet_line(0, &"x".repeat(1000)),
        ])],
        Time(0),
    );
    assert_eq!(
        (scrollback.ring().first(), scrollback.ring().end()),
        (Seq::BEGIN + 1, Seq::BEGIN + 2)
    );
}

#[test]
fn a_gap_is_an_entry_between_the_lines_and_passes_every_query() {
    let mut scrollback = scrollback(RING_BYTES);
    let gap = Gap {
        host: HostId(0),
        source: SourceId(0),
        from: 0,
        to: Some(10),
        reason: crate::model::gap::GapReason::Truncated,
        since: None,
        until: Time(0),
    };
    scrollback.apply(
        vec![
            Update::Lines(vec![fleet_line(0, "a")]),
            Update::Gap(gap),
            Update::Lines(vec![fleet_line(0, "b")]),
        ],
        Time(0),
    );
    let mut lens = Lens::new(only(&[0]), &scrollback);
    assert!(lens.advance(&scrollback, usize::MAX));
    assert_eq!(numbers(&lens), [0, 1, 2]);
    assert!(matches!(
        scrollback.ring().get(Seq::BEGIN + 1),
        Some(RingEntry::Gap(_))
    ));
    let mut other = Lens::new(only(&[1]), &scrollback);
    other.advance(&scrollback, usize::MAX);
    assert!(other.is_empty());
}

#[test]
fn a_rate_is_taken_over_whole_seconds_and_falls_to_nothing() {
    let at = |ms: i64| Time(ms * 1_000_000);
    let mut meter = Meter::default();
    for ms in (0..4000).step_by(10) {
        meter.count(at(ms));
    }
    assert_eq!(meter.per_second(at(4000)), 100.0);
    assert_eq!(meter.per_second(at(6000)), 50.0);
    assert_eq!(meter.per_second(at(9000)), 0.0);
}

#[test]
fn what_had_piled_up_before_us_is_no_rate() {
    let at = |ms: i64| Time(ms * 1_000_000);
    let mut meter = Meter::default();
    (0..1000).for_each(|_| meter.count(at(100)));
    (1000..5000).step_by(100).for_each(|ms| meter.count(at(ms)));
    assert_eq!(
        (meter.per_second(at(2100)), meter.per_second(at(5000))),
        (10.0, 10.0)
    );
    assert!(!meter.is_settled(at(4000)) && meter.is_settled(at(5000)));
}

#[test]
fn the_wait_for_the_next_try_counts_down() {
    let spec = HostSpec {
        endpoint: Endpoint {
            name: HostName::new("web-1").expect("valid"),
            address: None,
            port: None,
            user: None,
            identity: Vec::new(),
            known_hosts: Vec::new(),
            host_keys: None,
        },
        via: Vec::new(),
        tags: Vec::new(),
        sources: Vec::new(),
        transport: TransportKind::Auto,
    };
    let mut scrollback = Scrollback::new(&[spec], 1000);
    let status = HostStatus {
        retry_in_s: Some(3),
        ..HostStatus::plain(LinkState::Timeout)
    };
    scrollback.apply(vec![Update::Status(HostId(0), status)], Time(0));
    let left = |ms: i64| scrollback.hosts()[0].retry_in_s(Time(ms * 1_000_000));
    assert_eq!(
        (left(0), left(1100), left(9000)),
        (Some(3), Some(2), Some(0))
    );
    scrollback.apply(
        vec![Update::Status(HostId(0), HostStatus::plain(LinkState::Ok))],
        Time(0),
    );
    assert_eq!(scrollback.hosts()[0].retry_in_s(Time(0)), None);
}

fn rest(host: u32, text: &str) -> FleetLine {
    let mut line = fleet_line(host, text);
    line.content.continues = true;
    line
}

fn query(text: &str) -> Filter {
    Filter {
        query: Some(crate::query::Query::parse(text, &ReferenceTime::default()).expect("a query")),
        ..Filter::default()
    }
}

#[test]
fn a_record_passes_with_all_of_its_lines_or_not_at_all() {
    let mut scrollback = scrollback(100_000);
    let first = vec![
        fleet_line(0, "ERROR no luck"),
        fleet_line(1, "other"),
        rest(0, "  at Cart.add"),
        rest(1, "  Cart too"),
    ];
    scrollback.apply(vec![Update::Lines(first)], Time(0));
    let seen = |text: &str, scrollback: &Scrollback| {
        let mut lens = Lens::new(query(text), scrollback);
        while !lens.advance(scrollback, 100) {}
        numbers(&lens)
    };
    assert_eq!(seen("luck Cart", &scrollback), [0, 2]);
    assert_eq!(seen("level:error", &scrollback), [0, 2]);
    assert_eq!(seen("-luck", &scrollback), [1, 3]);
    assert_eq!(seen("-Cart", &scrollback), [] as [u64; 0]);
}

#[test]
fn a_line_that_comes_later_decides_for_its_whole_record_again() {
    let mut scrollback = scrollback(100_000);
    scrollback.apply(
        vec![Update::Lines(vec![
            fleet_line(0, "no luck"),
            fleet_line(1, "other"),
        ])],
        Time(0),
    );
    let (mut with, mut without) = (
        Lens::new(query("Cart"), &scrollback),
        Lens::new(query("-Cart"), &scrollback),
    );
    let advance = |lens: &mut Lens, scrollback: &Scrollback| {
        while !lens.advance(scrollback, 100) {}
        numbers(lens)
    };
    assert_eq!(
        (
            advance(&mut with, &scrollback),
            advance(&mut without, &scrollback)
        ),
        (vec![], vec![0, 1])
    );
    scrollback.apply(
        vec![Update::Lines(vec![
            fleet_line(1, "more"),
            rest(0, "  at Cart.add"),
            rest(0, "  at Main"),
        ])],
        Time(0),
    );
    assert_eq!(
        (
            advance(&mut with, &scrollback),
            advance(&mut without, &scrollback)
        ),
        (vec![0, 3, 4], vec![1, 2])
    );
    assert_eq!(
        scrollback
            .whole(Seq::BEGIN + 3)
            .map(|whole| whole.text().to_owned()),
        Some(b"no luck\n  at Cart.add\n  at Main".to_vec())
    );
}

#[test]
fn a_line_without_an_end_stays_until_its_record_or_a_gap_comes() {
    let at = |offset: u64, text: &str| {
        let cursor = Cursor {
            file: FileId { dev: 1, ino: 1 },
            offset,
        };
        let mut line = fleet_line(0, text);
        line.content.cursor = cursor;
        line
    };
    let mut scrollback = scrollback(100_000);
    let texts = |scrollback: &Scrollback| {
        scrollback
            .unfinished()
            .iter()
            .map(|line| line.content.raw.clone())
            .collect::<Vec<_>>()
    };
    scrollback.apply(
        vec![
            Update::Unfinished(Box::new(at(10, "a"))),
            Update::Unfinished(Box::new(at(10, "a b"))),
        ],
        Time(0),
    );
    scrollback.apply(vec![Update::Lines(vec![at(0, "before it")])], Time(0));
    assert_eq!(texts(&scrollback), ["a b"]);
    scrollback.apply(vec![Update::Lines(vec![at(10, "a b c")])], Time(0));
    assert_eq!(texts(&scrollback), [] as [&str; 0]);
    assert_eq!(scrollback.ring().end(), Seq::BEGIN + 2);
}

#[derive(Debug, Clone)]
enum Step {
    Push(u32, usize),
    Advance(usize),
    Refilter(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0u32..4, 0usize..200).prop_map(|(host, len)| Step::Push(host, len)),
        3 => (0usize..500).prop_map(Step::Advance),
        1 => (0u32..4).prop_map(Step::Refilter),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn the_ring_is_a_queue_that_forgets_its_oldest(lengths in prop::collection::vec(0usize..300, 0..200), budget in 0usize..4000) {
        let mut ring = Ring::new(budget);
        let mut model: VecDeque<(Seq, usize)> = VecDeque::new();
        for (seq, len) in Seq::BEGIN.onwards().zip(lengths) {
            ring.push(RingEntry::Line(fleet_line(0, &"x".repeat(len))));
            model.push_back((seq, len));
            while model.front().is_some_and(|(seq, _)| *seq < ring.first()) {
                model.pop_front();
            }
            prop_assert_eq!(model.len() as u64, ring.end() - ring.first());
            prop_assert!(ring.bytes() <= budget || model.len() == 1);
            for (seq, len) in &model {
                prop_assert_eq!(ring.get(*seq).and_then(RingEntry::line).map(|line| line.content.raw.len()), Some(*len));
            }
        }
    }

    #[test]
    fn a_lens_with_a_query_equals_asking_each_record(
        lines in prop::collection::vec((0u32..3, any::<bool>(), prop::sample::select(vec!["a", "b", "a b", "c"])), 0..60),
        budgets in prop::collection::vec(0usize..400, 60),
        asked in prop::sample::select(vec!["a", "-a", "a b", "-c b"]),
    ) {
        let mut scrollback = scrollback(1 << 20);
        let mut lens = Lens::new(query(asked), &scrollback);
        let mut records: Vec<(u32, Vec<u64>, String)> = Vec::new();
        for (seq, ((host, continues, text), budget)) in (0u64..).zip(lines.iter().zip(budgets)) {
            let line = { let mut line = fleet_line(*host, text); line.content.continues = *continues; line };
            scrollback.apply(vec![Update::Lines(vec![line])], Time(0));
            match records.iter_mut().rev().find(|record| record.0 == *host).filter(|_| *continues) {
                Some(record) => {
                    record.1.push(seq);
                    record.2 += &format!("\n{text}");
                }
                None => records.push((*host, vec![seq], (*text).to_owned())),
            }
            lens.advance(&scrollback, budget);
        }
        while !lens.advance(&scrollback, 300) {}
        let filter = query(asked);
        let matches = |text: &str| {
            let subject = MatchInput { host: "", source: "", time: Time(0), dialect: None, raw: text.as_bytes() };
            filter.query.as_ref().is_some_and(|query| query.matches(&subject))
        };
        let mut expected: Vec<u64> =
            records.iter().filter(|record| matches(&record.2)).flat_map(|record| record.1.clone()).collect();
        expected.sort_unstable();
        prop_assert_eq!(numbers(&lens), expected);
    }

    #[test]
    fn a_lens_that_is_kept_up_equals_one_that_is_worked_out_anew(steps in steps()) {
        let mut scrollback = scrollback(4000);
        let mut lens = Lens::new(only(&[0, 1]), &scrollback);
        for step in steps {
            match step {
                Step::Push(host, len) => scrollback.apply(vec![Update::Lines(vec![fleet_line(host, &"x".repeat(len))])], Time(0)),
                Step::Advance(budget) => { lens.advance(&scrollback, budget); }
                Step::Refilter(host) => lens.set_filter(only(&[host]), &scrollback),
            }
        }
        while !lens.advance(&scrollback, 500) {}
        prop_assert_eq!(lens.pending(&scrollback), 0);
        let expected: Vec<u64> = scrollback.ring().from(Seq::NOTICE)
            .filter(|(_, entry)| lens.filter().admits_origin(entry))
            .map(|(seq, _)| seq - Seq::BEGIN)
            .collect();
        prop_assert_eq!(numbers(&lens), expected);
    }
}

fn at(host: u32, time: i64, order: LineOrder) -> FleetLine {
    let mut line = fleet_line(host, &format!("{host} at {time}"));
    line.order = order;
    line.content.time = Time(time);
    line.content.cursor.offset = time.unsigned_abs();
    line
}

fn texts(scrollback: &Scrollback, seqs: impl Iterator<Item = Seq>) -> Vec<String> {
    let line = |seq| scrollback.ring().get(seq)?.line();
    seqs.filter_map(line)
        .map(|line| String::from_utf8_lossy(&line.content.raw).into_owned())
        .collect()
}

fn all_texts(scrollback: &Scrollback) -> Vec<String> {
    let ring = scrollback.ring();
    texts(scrollback, ring.first().onwards().take(ring.len()))
}

#[test]
fn the_first_lines_of_a_host_that_comes_late_go_where_they_belong_and_keep_their_order() {
    use LineOrder::{Backlog, InOrder, Late};
    let mut scrollback = scrollback(1 << 20);
    let shown = [
        at(0, 10, InOrder),
        at(0, 30, InOrder),
        at(2, 5, Late),
        at(0, 50, InOrder),
    ];
    scrollback.apply(vec![Update::Lines(shown.into())], Time(0));
    let mut lens = Lens::new(Filter::default(), &scrollback);
    while !lens.advance(&scrollback, 1 << 20) {}
    // The second chunk of a source goes behind its first, though one of its stamps is older.
    let chunks = [
        vec![at(1, 1, Backlog), at(1, 20, Backlog), at(1, 30, Backlog)],
        vec![at(1, 40, Backlog), at(1, 35, Backlog), at(1, 60, InOrder)],
    ];
    for chunk in chunks {
        scrollback.apply(vec![Update::Lines(chunk)], Time(0));
        lens.renumber(&scrollback.take_renumbered(), &scrollback);
        while !lens.advance(&scrollback, 1 << 20) {}
    }
    let expected = [
        "1 at 1", "0 at 10", "1 at 20", "0 at 30", "1 at 30", "2 at 5", "1 at 40", "1 at 35",
        "0 at 50", "1 at 60",
    ];
    let all = all_texts(&scrollback);
    assert_eq!(all.iter().filter(|text| *text != "2 at 5").count(), 9);
    let in_order = |all: &[String]| -> Vec<String> {
        all.iter()
            .filter(|text| *text != "2 at 5")
            .cloned()
            .collect()
    };
    assert_eq!(in_order(&all), in_order(&expected.map(str::to_owned)));
    let seen = (0..lens.len()).filter_map(|index| lens.get(index));
    assert_eq!(texts(&scrollback, seen), all, "the lens has followed");
    let marked = scrollback.ring().from(scrollback.ring().first());
    let marked = marked.filter_map(|(_, entry)| entry.line());
    assert_eq!(marked.filter(|line| line.order != InOrder).count(), 1);
}

proptest! {
    #[test]
    fn whatever_comes_late_a_lens_and_numbers_follow(
        shown in prop::collection::vec((0u32..3, 0i64..40), 1..40),
        backlog in prop::collection::vec((3u32..6, 0i64..40, any::<bool>()), 0..40),
        chunk in 1usize..6,
    ) {
        let mut shown = shown;
        shown.sort_by_key(|line| line.1);
        let mut scrollback = scrollback(1 << 20);
        let lines = shown.iter().map(|&(host, time)| at(host, time, LineOrder::InOrder));
        scrollback.apply(vec![Update::Lines(lines.collect())], Time(0));
        let mut lens = Lens::new(only(&[0, 4]), &scrollback);
        while !lens.advance(&scrollback, 64) {}
        let mut watched = scrollback.ring().first() + (shown.len() as u64 / 2);
        let watched_text = texts(&scrollback, std::iter::once(watched));
        for lines in backlog.chunks(chunk) {
            let line = |&(host, time, continues): &(u32, i64, bool)| {
                let mut line = at(host, time, LineOrder::Backlog);
                line.content.continues = continues;
                line
            };
            scrollback.apply(vec![Update::Lines(lines.iter().map(line).collect())], Time(0));
            let renumbered = scrollback.take_renumbered();
            watched = renumbered.iter().fold(watched, |seq, next| next.of_live(seq));
            lens.renumber(&renumbered, &scrollback);
            while !lens.advance(&scrollback, 64) {}
        }
        let mut anew = Lens::new(only(&[0, 4]), &scrollback);
        while !anew.advance(&scrollback, 1 << 20) {}
        let seqs = |lens: &Lens| (0..lens.len()).filter_map(|index| lens.get(index)).collect::<Vec<_>>();
        prop_assert_eq!(seqs(&lens), seqs(&anew));
        prop_assert_eq!(texts(&scrollback, std::iter::once(watched)), watched_text);
        prop_assert_eq!(scrollback.ring().len(), shown.len() + backlog.len());
        for source in 0..6 {
            let own = |text: &String| text.starts_with(&format!("{source} "));
            let got: Vec<_> = all_texts(&scrollback).into_iter().filter(own).collect();
            let sent = shown.iter().map(|line| (line.0, line.1));
            let sent = sent.chain(backlog.iter().map(|line| (line.0, line.1)));
            let sent: Vec<_> = sent.map(|(host, time)| format!("{host} at {time}")).filter(own).collect();
            prop_assert_eq!(got, sent);
        }
    }
}

#[test]
fn a_host_that_is_tried_again_keeps_its_past_and_its_uptime_grows_while_it_is_up() {
    let spec = HostSpec::new(Endpoint::new(HostName::new("web-1").expect("valid")));
    let mut scrollback = Scrollback::new(&[spec], 1 << 20);
    let mut tell = |status: HostStatus, second: i64| {
        let update = Update::Status(HostId(0), status);
        scrollback.apply(vec![update], Time(second * 1_000_000_000));
        let row = &scrollback.hosts()[0];
        let lasting = row.lasting_status();
        (lasting.state, row.failures, row.is_tried_again())
    };
    let failed = || HostStatus::because(LinkState::Timeout, "no answer", "wait");
    let connecting = || HostStatus::plain(LinkState::Connecting);
    assert_eq!(tell(connecting(), 0), (LinkState::Connecting, 0, false));
    for tries in 1..3 {
        assert_eq!(tell(failed(), 1), (LinkState::Timeout, tries, false));
        assert_eq!(tell(connecting(), 2), (LinkState::Timeout, tries, true));
    }
    let up = HostStatus::plain(LinkState::Ok);
    assert_eq!(tell(up, 3), (LinkState::Ok, 0, false));
    assert_eq!(tell(connecting(), 4), (LinkState::Connecting, 0, false));
}

#[test]
fn uptime_grows_while_a_host_is_connected_and_not_while_it_is_lost() {
    let spec = HostSpec::new(Endpoint::new(HostName::new("web-1").expect("valid")));
    let mut scrollback = Scrollback::new(&[spec], 1 << 20);
    let second = |second: i64| Time(second * 1_000_000_000);
    let facts = crate::model::host::SystemFacts {
        uptime_s: 100,
        ..Default::default()
    };
    let facts = Update::Facts(HostId(0), Arc::new(facts));
    scrollback.apply(vec![facts], second(0));
    let uptime = |scrollback: &Scrollback, now| scrollback.hosts()[0].uptime_s(second(now));
    assert_eq!(uptime(&scrollback, 360), Some(460));
    let lost = HostStatus::because(LinkState::Unreachable, "gone", "");
    scrollback.apply(vec![Update::Status(HostId(0), lost)], second(400));
    assert_eq!(uptime(&scrollback, 900), Some(500));
    let sample = crate::model::metrics::Sample {
        uptime_s: Some(12.4),
        ..Default::default()
    };
    scrollback.apply(
        vec![Update::Sample(HostId(0), Arc::new(sample))],
        second(1000),
    );
    assert_eq!(uptime(&scrollback, 1010), Some(22), "it was started again");
}
