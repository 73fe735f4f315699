//! A fan-out over invented hosts: who holds up whom, how each ends, in which order lines come.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::*;
use crate::fleet::host_requests::HostChannel;
use crate::model::cursor::{Cursor, FileId};
use crate::model::gap::GapReason;
use crate::model::host::{Endpoint, HostName};
use crate::model::line::{ByteSpan, Line};
use crate::model::time::{Time, TimeSource};
use crate::query::request::{MissingBytes, RequestKind, ResponseTotals};
use crate::transport::LinkError;

const SILENCE: Duration = Duration::from_secs(30);

/// Hosts that do what their names say.
#[derive(Clone, Default)]
struct Invented {
    tries: Arc<AtomicU32>,
}

impl Reach for Invented {
    async fn ask(
        &self,
        host: &HostSpec,
        asks: &[LogRequest],
        heard: &HostChannel,
    ) -> Result<(), LinkError> {
        let say = async |reply| heard.send(HostResponse::Reply(reply)).await;
        let name = host.name().as_str().to_owned();
        if name == "busy" && self.tries.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(LinkError::from(HostStatus::because(
                LinkState::Throttled,
                "too many",
                "",
            )));
        }
        if name == "refusing" {
            return Err(LinkError::from(HostStatus::because(
                LinkState::Denied,
                "no key fits",
                "",
            )));
        }
        if name == "gone" {
            return Err(LinkError::from(HostStatus::because(
                LinkState::Unreachable,
                "refused",
                "",
            )));
        }
        if name == "silent" {
            sleep(SILENCE / 3).await;
            return Err(LinkError::from(HostStatus::because(
                LinkState::Timeout,
                "said nothing",
                "",
            )));
        }
        heard.send(HostResponse::Connected).await;
        if matches!(name.as_str(), "killed" | "cut")
            && self.tries.fetch_add(1, Ordering::SeqCst) < 2
        {
            if name == "cut" {
                say(LogResponse::Lines("app".into(), vec![line(10, "first")])).await;
            }
            return Err(LinkError::from(HostStatus::because(
                LinkState::Unreachable,
                "its shell was killed",
                "",
            ))
            .passing());
        }
        match name.as_str() {
            "hung" => std::future::pending().await,
            "without-a-shell" => {
                for waited in (0..).step_by(7) {
                    let words = format!("logged in; waiting for its shell for {waited} s");
                    heard.send(HostResponse::Waits(words)).await;
                    sleep(Duration::from_secs(7)).await;
                }
            }
            "noisy" => {
                for printed in 1..=4 {
                    sleep(SILENCE / 3).await;
                    let words = format!("logged in; waiting for its shell, past {printed} KiB");
                    heard.send(HostResponse::Waits(words)).await;
                    heard.send(HostResponse::Alive).await;
                }
                return Err(LinkError::from(HostStatus::because(
                    LinkState::Timeout,
                    "no shell answered",
                    "",
                )));
            }
            "slow" => {
                for done in 0..10 {
                    sleep(SILENCE * 2 / 3).await;
                    say(LogResponse::Progress(done, 10)).await;
                }
            }
            "talking" => {
                for _ in 0..10 {
                    sleep(SILENCE * 2 / 3).await;
                    heard.send(HostResponse::Alive).await;
                }
            }
            "damaged" => {
                for n in 0..5 {
                    say(LogResponse::Failed(
                        format!("s{n}").into(),
                        "damaged".to_owned(),
                    ))
                    .await;
                }
            }
            "late" => {
                sleep(Duration::from_secs(1)).await;
                say(LogResponse::Lines(
                    "app".into(),
                    vec![line(10, "first"), line(30, "third")],
                ))
                .await;
            }
            "gappy" => {
                say(LogResponse::Lines("app".into(), vec![line(20, "second")])).await;
                let missing = MissingBytes {
                    from: 5,
                    to: None,
                    reason: GapReason::RotatedAway,
                };
                say(LogResponse::Gap("app".into(), missing)).await;
                say(LogResponse::Lines("app".into(), vec![line(40, "fourth")])).await;
            }
            "endless" => {
                let endless = async {
                    loop {
                        say(LogResponse::Progress(0, 1)).await;
                        tokio::task::yield_now().await;
                    }
                };
                tokio::select! {
                    () = heard.closed() => {}
                    () = endless => {}
                }
            }
            _ => {}
        }
        for _ in asks {
            say(LogResponse::Done(ResponseTotals::default())).await;
        }
        Ok(())
    }
}

fn line(at: i64, text: &str) -> Line {
    Line {
        time: Time(at * 1_000_000_000),
        time_from: TimeSource::Stamp,
        continues: false,
        dialect: None,
        stamp: ByteSpan::default(),
        cursor: Cursor {
            file: FileId::default(),
            offset: 0,
        },
        raw: Bytes::copy_from_slice(text.as_bytes()),
        stored: None,
    }
}

fn start(names: &[&str]) -> FanOut {
    let host = |name: &&str| HostSpec::new(Endpoint::new(HostName::new(name).expect("a name")));
    let asks = [LogRequest {
        sources: Vec::new(),
        what: RequestKind::List,
    }];
    FanOut::start_by(
        names.iter().map(host).collect(),
        &asks,
        SILENCE,
        Invented::default(),
    )
}

/// What is told of these hosts, shortly, with the time at which it is told.
async fn told(names: &[&str]) -> Vec<(u64, String)> {
    let mut fan_out = start(names);
    let started = Instant::now();
    let mut out = Vec::new();
    while let Some(event) = fan_out.next().await {
        let text = match event {
            FanOutEvent::Update(Update::Status(host, status)) if status.state != LinkState::Ok => {
                format!(
                    "{}: {}: {}",
                    names[host.index()],
                    status.state,
                    status.reason.unwrap_or_default()
                )
            }
            FanOutEvent::Update(Update::Lines(lines)) => {
                let texts: Vec<_> = lines
                    .iter()
                    .map(|line| String::from_utf8_lossy(&line.content.raw).into_owned())
                    .collect();
                texts.join(" ")
            }
            FanOutEvent::Update(Update::Gap(gap)) => format!("gap {}", gap.from),
            FanOutEvent::Done(host) => format!("{} is done", names[host.index()]),
            _ => continue,
        };
        out.push((started.elapsed().as_secs(), text));
    }
    out
}

fn texts(told: &[(u64, String)]) -> Vec<&str> {
    told.iter().map(|(_, text)| text.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hung_host_holds_up_nobody_and_has_timed_out_after_its_silence() {
    let told = told(&["hung", "quick"]).await;
    let expected = [
        (0, "quick is done"),
        (
            30,
            "hung: timeout: connected, but it has said nothing for 30.0 s",
        ),
        (30, "hung is done"),
    ];
    assert_eq!(told, expected.map(|(at, text)| (at, text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_slow_host_may_go_on_while_it_says_something() {
    assert_eq!(told(&["slow"]).await, [(200, "slow is done".to_owned())]);
    assert_eq!(
        told(&["talking"]).await,
        [(200, "talking is done".to_owned())],
        "no answer is whole yet"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_without_a_shell_has_timed_out_after_its_silence_and_says_what_it_waited_for() {
    let told = told(&["without-a-shell"]).await;
    let reason = "without-a-shell: timeout: logged in; waiting for its shell for 28 s when the time was over";
    assert_eq!(
        told,
        [
            (30, reason.to_owned()),
            (30, "without-a-shell is done".to_owned())
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_prints_may_go_on_until_the_connection_says_why_it_has_no_shell() {
    let told = told(&["noisy"]).await;
    let reason = "noisy: timeout: no shell answered";
    assert_eq!(
        told,
        [(40, reason.to_owned()), (40, "noisy is done".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_is_degraded_by_the_sources_that_failed_and_the_first_are_named() {
    let told = told(&["damaged"]).await;
    let expected = [
        "damaged: degraded: s0: damaged; s1: damaged; s2: damaged (and 2 more)",
        "damaged is done",
    ];
    assert_eq!(texts(&told), expected);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_host_is_tried_again_and_a_denied_one_is_not() {
    let told = told(&["busy", "refusing"]).await;
    assert_eq!(
        texts(&told),
        [
            "refusing: denied: no key fits",
            "refusing is done",
            "busy is done"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_asked_again_while_its_time_lasts_unless_it_has_answered_and_what_is_an_answer_is_not()
 {
    let told = told(&["silent", "gone", "killed", "cut"]).await;
    let last = |name: &str| {
        told.iter()
            .rfind(|(_, text)| text.starts_with(&format!("{name}: ")))
    };
    assert_eq!(
        last("gone"),
        Some(&(0, "gone: unreachable: refused".to_owned()))
    );
    assert_eq!(last("killed"), None, "{told:?}");
    assert_eq!(
        last("cut"),
        Some(&(0, "cut: unreachable: its shell was killed".to_owned())),
        "no line comes twice"
    );
    let (at, text) = last("silent").expect("it was given up");
    assert!(
        text.starts_with("silent: timeout: said nothing (the last of ")
            && text.ends_with(" tries)"),
        "{text}"
    );
    assert!((20..=30).contains(at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn lines_of_pages_come_in_order_when_all_have_answered_and_gaps_keep_their_place() {
    let told = told(&["late", "gappy"]).await;
    assert_eq!(
        texts(&told),
        [
            "gappy is done",
            "late is done",
            "first second",
            "gap 5",
            "third fourth"
        ]
    );
}

#[tokio::test]
async fn who_does_not_listen_stops_the_hosts_and_the_end_is_quick() {
    let mut fan_out = start(&["endless", "endless"]);
    assert!(fan_out.next().await.is_some());
    let began = std::time::Instant::now();
    fan_out.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}
