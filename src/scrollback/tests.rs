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
            stamp: ByteSpan::default(),
            raw: Bytes::copy_from_slice(text.as_bytes()),
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
            let subject = MatchInput { host: "", source: "", time: Time(0), raw: text.as_bytes() };
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
