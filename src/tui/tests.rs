//! Keys through the real loop, with a fake fleet, a clock that is wound by hand and a terminal in
//! memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::*;
use crate::app::fixture;
use crate::app::keys::{Key, parse_keys};
use crate::model::prompt::OperatorPrompt;
use crate::model::state::{HostStatus, LinkState};
use crate::query::ReferenceTime;
use crate::transport::PromptAnswerer;
use crate::view::{Drawing, styled};

/// Cells in memory, and what was copied.
struct Recorded {
    terminal: Terminal<TestBackend>,
    frames: usize,
    copied: Vec<String>,
}

impl Screen for Recorded {
    fn is_ready(&self) -> bool {
        true
    }

    async fn written(&self) {
        std::future::pending::<()>().await;
    }

    fn took(&self) -> Duration {
        Duration::ZERO
    }

    fn size(&self) -> io::Result<Size> {
        let Ok(size) = self.terminal.size();
        Ok(size)
    }

    fn draw(&mut self, app: &App, theme: &Theme, _full_redraw: bool) -> io::Result<()> {
        self.frames += 1;
        let Ok(()) = terminal::draw_frame(&mut self.terminal, app, theme, Drawing::Unicode);
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

/// A fleet that tells what is in it; then it is silent, or goes on for ever with the last batch.
struct Script {
    batches: VecDeque<Vec<Update>>,
    flood: bool,
}

impl Feed for Script {
    async fn next(&mut self) -> Option<Vec<Update>> {
        // As a channel of tokio does now and then; without it no timer would ever run.
        tokio::task::yield_now().await;
        match self.try_next() {
            Some(batch) => Some(batch),
            None => std::future::pending().await,
        }
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        let batch = self.batches.pop_front()?;
        if self.flood && self.batches.is_empty() {
            self.batches.push_back(batch.clone());
        }
        Some(batch)
    }

    fn close(&mut self) {}
}

/// A console on the fixture's hosts, to be driven through the real loop.
struct Console {
    turn: Loop<'static, Recorded, Box<dyn Fn() -> Time>>,
    feed: Script,
    asker: ConsoleAsker,
    ended: bool,
    reconnected: Rc<RefCell<Vec<HostId>>>,
}

/// The fixture: its beginning and so many lines.
fn app(lines: i64) -> Console {
    console(
        vec![
            fixture::beginning(),
            vec![Update::Lines(fixture::lines(lines))],
        ],
        false,
    )
}

fn console(batches: Vec<Vec<Update>>, flood: bool) -> Console {
    let Ok(terminal) = Terminal::new(TestBackend::new(100, 20));
    let screen = Recorded {
        terminal,
        frames: 0,
        copied: Vec::new(),
    };
    let began = Instant::now();
    let clock: Box<dyn Fn() -> Time> = Box::new(move || {
        fixture::START.plus_millis(i64::try_from(began.elapsed().as_millis()).unwrap_or(0))
    });
    let (asker, asked) = questions();
    let appearance = Appearance {
        theme: Theme::dark(),
        themes: None,
        depth: Depth::True,
    };
    let app = App::new(&fixture::hosts(), TimeZone::UTC);
    let mut turn = Loop::new(screen, app, appearance, asked, clock);
    let reconnected = Rc::new(RefCell::new(Vec::new()));
    let dialled = Rc::clone(&reconnected);
    turn.reconnect = Box::new(move |host| dialled.borrow_mut().push(host));
    Console {
        turn,
        feed: Script {
            batches: batches.into(),
            flood,
        },
        asker,
        ended: false,
        reconnected,
    }
}

/// A key every half second, then silence for as long.
fn typed(keys: Rc<RefCell<VecDeque<Key>>>) -> Pin<Box<dyn Stream<Item = io::Result<TermEvent>>>> {
    Box::pin(stream::unfold(keys, |keys| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let key = keys.borrow_mut().pop_front()?;
        Some((Ok(TermEvent::Key(key.into())), keys))
    }))
}

impl Console {
    /// Presses keys; goes on until half a second after the last one, or until the loop ends by
    /// itself.
    async fn keys(mut self, written: &str) -> Self {
        let keys = Rc::new(RefCell::new(VecDeque::from(parse_keys(written))));
        let mut signals = Signals::none();
        let run = self
            .turn
            .run(|| typed(keys.clone()), &mut self.feed, &mut signals);
        run.await.expect("a terminal in memory has no errors");
        // The loop ends when input does; that is what leaves keys unused only after a real end.
        self.ended = !keys.borrow().is_empty();
        self.turn.quit = false;
        self.turn.draw().expect("memory");
        self
    }

    fn screen(&self) -> String {
        styled::text(self.turn.screen.terminal.backend().buffer())
    }

    fn says(&self, words: &str) {
        assert!(
            self.screen().contains(words),
            "{words:?} is not on the screen:\n{}",
            self.screen()
        );
    }

    fn says_not(&self, words: &str) {
        assert!(
            !self.screen().contains(words),
            "{words:?} is on the screen:\n{}",
            self.screen()
        );
    }
}

impl Feed for &mut Script {
    async fn next(&mut self) -> Option<Vec<Update>> {
        Script::next(self).await
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        Script::try_next(self)
    }

    fn close(&mut self) {
        Script::close(self);
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_lines_are_followed() {
    let console = app(100).keys("").await;
    console.says("following");
    console.says("checkpoint complete: wrote 98 buffers");
    console.says("W upstream 10.0.3.0 slow: 899 ms");
}

#[tokio::test(start_paused = true)]
async fn a_search_goes_to_the_newest_match_and_n_goes_on_in_that_direction() {
    let console = app(100).keys("/payment<ret>").await;
    console.says("E payment 93 failed");
    console.says("paused");
    let console = console.keys("n").await;
    console.says("E payment 85 failed");
    let console = console.keys("NN").await;
    console.says("search wrapped to the oldest line");
    console.says("E payment 5 failed");
}

#[tokio::test(start_paused = true)]
async fn at_the_newest_line_both_keys_of_a_search_go_up_and_keep_going() {
    for keys in ["nn", "NN"] {
        let console = app(100).keys("g/payment<ret>f").await;
        console.says("following");
        let console = console.keys(keys).await;
        console.says("E payment 85 failed");
        console.says_not("wrapped");
    }
    // Where the search went down, n does, too.
    let console = app(100).keys("g/payment<ret>n").await;
    console.says("E payment 13 failed");
}

#[tokio::test(start_paused = true)]
async fn a_search_from_the_first_line_finds_the_first_line() {
    app(100)
        .keys("g/orders/0<ret>")
        .await
        .says("GET /api/orders/0 HTTP");
    app(3).keys("gg/nowhere<ret>").await.says("no match");
}

#[tokio::test(start_paused = true)]
async fn a_split_has_its_own_search_and_both_go_on() {
    let console = app(100).keys("<C-w>v/payment<ret>").await;
    console.says("/ payment");
    assert_eq!(console.screen().matches("all hosts").count(), 2);
    console.says("following");
    let console = console.keys("<C-w>c").await;
    assert_eq!(console.screen().matches("all hosts").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_filter_shows_only_what_matches_and_an_empty_one_shows_all() {
    let console = app(100).keys("&payment<ret>").await;
    console.says("& payment");
    console.says("payment 93");
    console.says_not("checkpoint");
    let console = console.keys("&<C-u><ret>").await;
    console.says("checkpoint");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_is_not_one_stays_in_the_prompt_with_the_reason() {
    let console = app(10).keys("&level>=loud<ret>").await;
    console.says("&level>=loud");
    console.says("use one of trace");
    let console = console.keys("<esc>&<up>").await;
    console.says("&level>=loud");
}

#[tokio::test(start_paused = true)]
async fn scrolling_back_holds_the_place_and_counts_what_is_new() {
    let mut console = app(100).keys("<C-u>").await;
    console.says("paused");
    let before = console.screen();
    let held = before.lines().nth(1).expect("a line").to_owned();
    console
        .feed
        .batches
        .push_back(vec![Update::Lines(fixture::lines(7))]);
    let console = console.keys("").await;
    console.says(" · 7 new");
    console.says(&held);
    let console = console.keys("G").await;
    console.says("following");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_pane_keeps_what_it_shows() {
    let mut console = app(100).keys("p").await;
    console.says("frozen");
    console
        .feed
        .batches
        .push_back(vec![Update::Lines(vec![fixture::line(
            0,
            90_000,
            b"brand new",
        )])]);
    let console = console.keys("").await;
    console.says("frozen · 1 new");
    console.says_not("brand new");
    console.keys("p").await.says("brand new");
}

#[tokio::test(start_paused = true)]
async fn errors_are_gone_to_one_by_one() {
    let console = app(100).keys("E").await;
    console.says("payment 93");
    let console = console.keys("2E<ret>").await;
    console.says("payment 77 failed");
    console.says("level     error");
}

#[tokio::test(start_paused = true)]
async fn one_host_is_chosen_in_the_host_list_and_dialled_again() {
    let console = app(100).keys("<tab>jo").await;
    console.says("web-2");
    console.says_not("all hosts");
    let console = console.keys("jjr").await;
    assert_eq!(*console.reconnected.borrow(), [HostId(3)]);
    let console = console.keys("<ret>").await;
    console.says("connect to 10.0.0.14:22: no answer in 10 s");
    console.says("is the host up?");
}

#[tokio::test(start_paused = true)]
async fn commands_are_completed_and_done() {
    let console = app(20).keys(":hosts db<tab><ret>").await;
    console.says("db-1");
    console.says_not("all hosts");
    let console = console.keys(":nonsense<ret>").await;
    console.says("no command \"nonsense\"");
    let console = console.keys("<esc>:theme light<ret>").await;
    assert_ne!(console.turn.appearance.theme, Theme::dark());
}

#[tokio::test(start_paused = true)]
async fn what_is_done_out_of_sight_is_said() {
    let console = app(100).keys("gM").await;
    console.says("marked below the newest line");
    let console = console.keys(":theme<space>loud<ret>").await;
    console.says("theme \"loud\": there is none");
    let console = console.keys(":theme<space>light<ret>").await;
    console.says("theme light");
    console.says_not("loud");
}

#[tokio::test(start_paused = true)]
async fn lines_are_read_without_what_the_columns_say_and_in_full_on_request() {
    let raw = b"<28>2026-11-20T13:02:11Z WARN disk full".as_slice();
    let line = Update::Lines(vec![fixture::line(0, 11_000, raw)]);
    let console = console(vec![fixture::beginning(), vec![line]], false)
        .keys("")
        .await;
    console.says("W disk full");
    let console = console.keys("xr").await;
    console.says("W <28>2026-11-20T13:02:11Z WARN disk full");
    let console = console.keys("xr/<lt>28<ret>").await;
    console.says("paused");
}

#[tokio::test(start_paused = true)]
async fn a_gap_has_details_too() {
    let gap = Update::Gap(fixture::gap(5000));
    let console = console(vec![fixture::beginning(), vec![gap]], false)
        .keys("<ret>")
        .await;
    console.says("3.4 kB (bytes 1048576 to 1052000)");
    console.says("truncated");
}

#[tokio::test(start_paused = true)]
async fn the_first_pane_may_begin_with_a_filter() {
    let mut console = app(100);
    console.turn.app = App::new(&fixture::hosts(), TimeZone::UTC)
        .with_query(Query::parse("payment", &ReferenceTime::default()).ok());
    let console = console.keys("").await;
    console.says("& payment");
    console.says("E payment 93 failed");
    console.says_not("checkpoint");
}

#[tokio::test(start_paused = true)]
async fn escape_never_quits_and_q_asks_where_live_panes_would_be_lost() {
    let console = app(10).keys("<C-w>v?<esc><esc><esc>q").await;
    assert!(!console.ended);
    console.says("q again to quit");
    assert!(console.keys("qj").await.ended);
    assert!(app(10).keys("qj").await.ended);
    assert!(app(10).keys(":q<ret>j").await.ended);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_stops_first_and_quits_when_repeated() {
    let console = app(10).keys("?<C-c>").await;
    console.says_not("Keys and commands");
    let console = console.keys("<C-c>").await;
    console.says("Ctrl-C again to quit");
    assert!(console.keys("<C-c>j").await.ended);
}

#[tokio::test(start_paused = true)]
async fn q_leaves_a_fleet_that_is_dead_at_once() {
    let dead = (0..5)
        .map(|id| Update::Status(HostId(id), HostStatus::plain(LinkState::Timeout)))
        .collect();
    assert!(console(vec![dead], false).keys("qj").await.ended);
}

#[tokio::test]
async fn a_flood_leaves_q_responsive() {
    let flood = console(
        vec![
            fixture::beginning(),
            vec![Update::Lines(fixture::lines(1000))],
        ],
        true,
    );
    let quick = tokio::time::timeout(Duration::from_secs(20), flood.keys("qqj"))
        .await
        .expect("the loop ends");
    assert!(quick.ended);
    assert!(
        quick.turn.app.scrollback().ring().end() - crate::scrollback::Seq::BEGIN > 10_000,
        "the flood was taken in meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn the_line_is_copied_without_what_a_terminal_would_obey() {
    let hostile = vec![Update::Lines(vec![fixture::line(
        0,
        0,
        b"rm \x1b[31m-rf\x07 x\r\n",
    )])];
    let console = console(vec![hostile], false).keys("y").await;
    assert_eq!(console.turn.screen.copied, ["rm \u{FFFD}[31m-rf\u{FFFD} x"]);
    console.says("copied");
}

#[tokio::test(start_paused = true)]
async fn a_host_key_is_trusted_by_a_y_and_no_other_host_waits() {
    let console = app(100);
    let asker = console.asker.clone();
    let question = OperatorPrompt::TrustHostKey {
        host: crate::model::host::HostName::new("db-1").expect("valid"),
        address: "10.0.0.13:22".into(),
        key_type: "ssh-ed25519".into(),
        fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGLxgJTQ9FjDPHRzFdM".into(),
    };
    let answer = tokio::spawn(async move { asker.ask(question).await });
    let console = console.keys("").await;
    console.says("SHA256:uNiVztksCsDhcc0u9e8BgrJXVGLxgJTQ9FjDPHRzFdM");
    console.says("following");
    let console = console.keys("y").await;
    assert_eq!(answer.await.expect("answered"), PromptReply::Yes);
    console.says_not("SHA256");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_waits_for_any_more_goes_away() {
    let console = app(10);
    let asker = console.asker.clone();
    let asked = tokio::spawn(async move {
        asker
            .ask(OperatorPrompt::Passphrase {
                path: "~/.ssh/id".into(),
                again: false,
            })
            .await
    });
    let mut console = console.keys("").await;
    console.says("passphrase of ~/.ssh/id");
    asked.abort();
    let _ = asked.await;
    console.feed.batches.push_back(vec![Update::Status(
        HostId(0),
        HostStatus::plain(LinkState::Timeout),
    )]);
    console.keys("").await.says_not("passphrase");
}

#[tokio::test(start_paused = true)]
async fn an_idle_minute_draws_no_frame() {
    let mut console = console(vec![fixture::beginning()], false).keys("").await;
    let mut frames_in = async |seconds| {
        let before = console.turn.screen.frames;
        let mut signals = Signals::none();
        let run = console
            .turn
            .run(stream::pending, &mut console.feed, &mut signals);
        assert!(
            tokio::time::timeout(Duration::from_secs(seconds), run)
                .await
                .is_err(),
            "the loop goes on"
        );
        console.turn.screen.frames - before
    };
    let frames = frames_in(20).await;
    assert!(
        (10..=14).contains(&frames),
        "{frames} frames until the host that is down is dialled again"
    );
    assert_eq!(
        frames_in(65).await,
        1,
        "the first frame of a loop, and no other"
    );
}

#[test]
fn colours_follow_the_terminal_and_the_wish_for_none() {
    let terminal = TerminalCapability {
        depth: Depth::True,
        drawing: Drawing::Unicode,
    };
    let options = Options {
        terminal,
        theme: None,
        themes: None,
        query: None,
        utc: false,
    };
    assert_eq!(
        (start_theme(&options, true), start_theme(&options, false)),
        ("none", "dark")
    );
    let own = Options {
        theme: Some("light".into()),
        ..options
    };
    assert_eq!(start_theme(&own, true), "light");
}

#[test]
fn a_copy_has_no_line_end_at_its_end_and_an_upper_limit() {
    assert_eq!(copyable("a\tb\nc\r\n\n"), ("a\tb\nc".into(), false));
    let (text, cut) = copyable(&"é".repeat(MAX_COPY_BYTES));
    assert!(cut && text.len() <= MAX_COPY_BYTES);
}
