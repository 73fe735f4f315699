//! Screens: styled snapshots, hostile text as a terminal sees it, and any state in any rectangle.

use proptest::prelude::*;
use ratatui::backend::CrosstermBackend;
use ratatui::style::{Color, Modifier};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::styled::{styled, text};
use super::*;
use crate::app::keys::parse_keys;
use crate::app::{Event, QuestionId, fixture};
use crate::model::host::{HostId, HostName};
use crate::model::prompt::OperatorPrompt;
use crate::model::state::{HostStatus, LinkState};
use crate::model::update::Update;
use crate::query::request::{LogResponse, ResponseTotals};
use crate::query::{Query, ReferenceTime};

fn theme(name: &str) -> Theme {
    Theme::load(name, None, Depth::True).expect("built in")
}

fn screen(app: &App, name: &str, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(app, &theme(name), area, &mut buffer);
    buffer
}

/// Holds a screen against `tests/snapshots`.
fn snapshot(name: &str, screen: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("screen_{}", name), screen));
}

/// The busy fixture after some keys.
fn after(keys: &str, width: u16, height: u16) -> App {
    let mut app = fixture::busy(width, height, 200);
    app.keys(keys);
    app
}

#[test]
fn the_main_screen_in_every_size_with_and_without_colour() {
    for (width, height) in [(80, 24), (200, 60), (40, 10), (1, 1)] {
        for name in ["dark", "none"] {
            let app = after("", width, height);
            snapshot(
                &format!("main_{width}x{height}_{name}"),
                &styled(&screen(&app, name, width, height)),
            );
        }
    }
}

/// The busy fixture after these hosts have come into these states.
fn in_states(states: &[(u32, LinkState)], width: u16, height: u16) -> App {
    let mut app = fixture::busy(width, height, 200);
    // A host that is dialled after a failure is shown with that.
    let up = |&(host, _): &(u32, _)| Update::Status(HostId(host), HostStatus::plain(LinkState::Ok));
    app.update(Event::Batch(states.iter().map(up).collect()), app.now());
    let update = |&(host, state)| {
        Update::Status(
            HostId(host),
            HostStatus::because(state, "why", "what to do"),
        )
    };
    app.update(Event::Batch(states.iter().map(update).collect()), app.now());
    app
}

#[test]
fn on_small_screens_the_worst_state_of_a_host_is_the_last_to_go_from_the_status_line() {
    use LinkState::{Connecting, Denied, HostKeyChanged, Unreachable};
    for (width, height) in [(40, 12), (60, 14), (20, 5)] {
        let down = in_states(&[(0, Unreachable), (1, Connecting)], width, height);
        snapshot(
            &format!("status_down_{width}x{height}"),
            &text(&screen(&down, "dark", width, height)),
        );
        let changed = in_states(&[(0, HostKeyChanged), (1, Denied)], width, height);
        snapshot(
            &format!("status_changed_{width}x{height}"),
            &text(&screen(&changed, "dark", width, height)),
        );
    }
}

#[test]
fn no_width_shows_a_better_state_of_a_host_in_place_of_a_worse_one() {
    let all = LinkState::WORST_FIRST;
    for width in 12..120 {
        for shift in 0..all.len() {
            let states: Vec<_> = (0..5)
                .map(|host| (host, all[(host as usize + shift) % all.len()]))
                .collect();
            let screen = text(&screen(&in_states(&states, width, 6), "dark", width, 6));
            let shown = |state: LinkState| screen.contains(&format!("1 {state}"));
            let told: Vec<bool> = all
                .iter()
                .filter(|state| states.iter().any(|(_, it)| it == *state))
                .map(|state| shown(*state))
                .collect();
            assert!(
                told.is_sorted_by(|worse, better| worse >= better),
                "{width}: {states:?}\n{screen}"
            );
            assert!(told[0] || width < 20, "{width}: {states:?}\n{screen}");
        }
    }
}

#[test]
fn what_opens_and_what_is_typed() {
    for (name, keys) in [
        ("help", "?"),
        ("host", "<tab>jjj<ret>"),
        ("facts", "<tab><ret>"),
        ("record", "E<ret>"),
        ("search", "/payment<ret>"),
        ("filter", "&level>=warn<ret>"),
        ("error", "&level>=loud<ret>"),
        ("splits", "<C-w>v:hosts web-2<ret><C-w>s&payment<ret>"),
        ("completion", ":sp<bs><tab>"),
        ("sequence", "<C-w>"),
        ("wrapped", "z<C-w>v<C-w>v"),
    ] {
        let app = after(keys, 100, 24);
        snapshot(name, &styled(&screen(&app, "dark", 100, 24)));
    }
}

#[test]
fn the_row_above_the_oldest_line_says_how_it_goes_on() {
    let asked = |effects: Vec<crate::app::Effect>| {
        let asks = effects.into_iter().filter_map(|effect| match effect {
            crate::app::Effect::Ask(id, ..) => Some(id),
            _ => None,
        });
        asks.collect::<Vec<_>>()
    };
    let mut app = fixture::busy(100, 24, 12);
    let now = app.now();
    let ids: Vec<_> = parse_keys("kg")
        .into_iter()
        .flat_map(|key| asked(app.update(Event::Key(key.into()), now)))
        .collect();
    snapshot("past_reading", &text(&screen(&app, "dark", 100, 24)));
    for (at, id) in ids.into_iter().enumerate() {
        let replies = match at {
            0 => vec![LogResponse::Failed("".into(), "permission denied".into())],
            _ => vec![],
        };
        app.update(Event::Replies(id, replies), now);
        app.update(
            Event::Replies(id, vec![LogResponse::Done(ResponseTotals::default())]),
            now,
        );
    }
    snapshot("past_failed", &text(&screen(&app, "dark", 100, 24)));
}

#[test]
fn on_another_day_the_header_says_which_and_the_lines_say_when() {
    let mut app = fixture::busy(100, 24, 12);
    app.update(Event::Tick, app.now().plus_millis(24 * 3600 * 1000));
    app.keys("k");
    snapshot("another_day", &text(&screen(&app, "dark", 100, 24)));
}

#[test]
fn questions_of_hosts() {
    let trust = OperatorPrompt::TrustHostKey {
        host: HostName::new("db-1").expect("valid"),
        address: "10.0.0.13:22".into(),
        key_type: "ssh-ed25519".into(),
        fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGLxgJTQ9FjDPHRzFdM".into(),
    };
    let passphrase = OperatorPrompt::Passphrase {
        path: "~/.ssh/id_ed25519".into(),
        again: true,
    };
    for (name, question) in [("trust", trust), ("passphrase", passphrase)] {
        let mut app = after("", 80, 24);
        let rested = app.now().plus_millis(5000);
        app.update(Event::Ask(QuestionId(1), question), rested);
        for key in parse_keys("abc") {
            app.update(Event::Key(key.into()), rested.plus_millis(1000));
        }
        snapshot(name, &text(&screen(&app, "dark", 80, 24)));
    }
}

/// The console on one more line; then keys.
fn with_line(raw: &[u8], keys: &str) -> App {
    let mut app = fixture::busy(120, 20, 3);
    app.update(
        Event::Batch(vec![Update::Lines(vec![fixture::line(0, 9000, raw)])]),
        app.now(),
    );
    app.keys(keys);
    app
}

/// The colour of the letters, and of what is behind them, where a word stands on the screen.
fn style_of(word: &str, app: &App, name: &str) -> (Color, Color, Modifier) {
    let buffer = screen(app, name, 120, 20);
    let (y, line) = text(&buffer)
        .lines()
        .map(str::to_owned)
        .enumerate()
        .find(|(_, line)| line.contains(word))
        .expect(word);
    let x = line
        .split(word)
        .next()
        .map_or(0, |before| before.chars().count());
    let cell = &buffer[(x as u16, y as u16)];
    (cell.fg, cell.bg, cell.modifier)
}

#[test]
fn colours_of_a_line_are_those_of_the_theme() {
    let raw = b"plain \x1b[1;32mgreen\x1b[0m \x1b[30;40mhidden\x1b[m \x1b[38;2;255;250;240mpale\x1b[m rest";
    let app = with_line(raw, "");
    assert!(text(&screen(&app, "dark", 120, 20)).contains("plain green hidden pale rest"));
    let green = theme("dark").get(Role::HostOk).fg.expect("a colour");
    assert_eq!(
        style_of("green", &app, "dark"),
        (green, Color::Reset, Modifier::BOLD)
    );
    assert_eq!(style_of("pale", &app, "dark").0, Color::Rgb(255, 250, 240));
    // On paper it could not be read, and black on black nowhere.
    assert_eq!(
        style_of("pale", &app, "light").0,
        theme("light").get(Role::Text).fg.expect("a colour")
    );
    let (fg, bg, _) = style_of("hidden", &app, "dark");
    assert!(fg != bg && bg != Color::Reset, "{fg} on {bg}");
    assert_eq!(
        style_of("green", &app, "none"),
        (Color::Reset, Color::Reset, Modifier::BOLD)
    );
    assert_eq!(
        style_of("rest", &app, "dark"),
        style_of("plain", &app, "dark")
    );
}

#[test]
fn what_is_searched_stands_out_over_colours_and_across_them() {
    let app = with_line(
        b"say \x1b[31mwood\x1b[32mpecker\x1b[m and woodpecker",
        "/wood<ret>",
    );
    let hit = theme("dark").get(Role::Hit);
    let (fg, bg, _) = style_of("woodpecker and", &app, "dark");
    assert_eq!((Some(fg), Some(bg)), (hit.fg, hit.bg));
    let green = theme("dark").get(Role::HostOk).fg.expect("a colour");
    assert_eq!(style_of("pecker and", &app, "dark").0, green);
}

#[test]
fn the_raw_view_and_the_record_show_every_byte() {
    for keys in ["xr", "G<ret>"] {
        let shown = text(&screen(
            &with_line(b"\x1b[31m10%\r20%\r30%\r40%", keys),
            "dark",
            120,
            20,
        ));
        assert!(shown.contains("␛[31m10%␍20%␍30%␍40%"), "{shown}");
    }
    let shown = text(&screen(
        &with_line(b"\x1b[31m10%\r20%\r30%\r40%", ""),
        "dark",
        120,
        20,
    ));
    assert!(shown.contains(" ␍×3 40%"), "{shown}");
}

#[test]
fn a_wide_character_at_the_end_of_a_row_goes_to_the_next() {
    let app = with_line("x日本語".repeat(60).as_bytes(), "<C-w>w:wrap<ret>");
    let shown = text(&screen(&app, "dark", 120, 20));
    let found: String = shown.chars().filter(|c| "x日本語".contains(*c)).collect();
    assert!(found.contains(&"x日本語".repeat(60)), "{shown}");
}

/// Everything that has ever been used to take over a terminal from a log line, and text that only
/// looks like it.
const HOSTILE: &[&[u8]] = &[
    b"\x1b[2J\x1b[H\x1b[31mred\x1b[0m",
    b"\x1b]52;c;cm0gLXJmIC8K\x07\x1b]0;title\x07\x1b]8;;http://x\x1b\\link",
    b"\x1bP$q\"p\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    b"\x9b31m\xc2\x9b2J\xc2\x9d52;c;eA==\xc2\x9c",
    b"\x07\x08\x08\x08\rover\x0b\x0c\x7f\x00",
    b"\x1b[6n\x1b[c\x1b[21t\x1b]10;?\x07\x1b[?1049l\x1bc",
    "a\u{202e}txt.exe\u{2066}\u{200b}\u{feff}\u{e0041}b".as_bytes(),
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}"
        .as_bytes(),
    "日本語 👨‍👩‍👧 \u{1f1e9}\u{1f1ea}\ttab".as_bytes(),
    b"\xff\xfe\xc0\xaf\xed\xa0\x80",
];

/// What ratatui's backend writes for a screen.
fn bytes_of(app: &App, width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let options = TerminalOptions { viewport };
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(&mut bytes), options).expect("memory");
    terminal
        .draw(|frame| {
            draw(app, &theme("dark"), frame.area(), frame.buffer_mut());
        })
        .expect("memory");
    drop(terminal);
    bytes
}

fn hostile(keys: &str) -> App {
    let mut app = fixture::busy(120, 40, 3);
    let lines = (0i64..)
        .zip(HOSTILE)
        .map(|(ms, raw)| fixture::line(0, 1000 + ms, raw))
        .collect();
    app.update(Event::Batch(vec![Update::Lines(lines)]), app.now());
    app.keys(keys);
    app
}

/// Takes out the sequences that we write ourselves: cursor position, SGR, show and hide the cursor.
fn without_ours(bytes: &[u8]) -> String {
    let ours = regex::Regex::new(r"\x1b\[[0-9;]*[Hm]|\x1b\[\?25[hl]").expect("a valid expression");
    let text = std::str::from_utf8(bytes).expect("we write UTF-8");
    ours.replace_all(text, "").into_owned()
}

#[test]
fn hostile_lines_bring_no_sequence_to_the_terminal() {
    for keys in ["", "z", "/red<ret>", "<C-w>vl", "k<ret>", "<f1>"] {
        let left = without_ours(&bytes_of(&hostile(keys), 120, 40));
        let bad = left
            .chars()
            .find(|c| c.is_control() || "\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}".contains(*c));
        assert_eq!(bad, None, "after {keys:?}");
    }
}

#[test]
fn hostile_lines_are_seen_in_their_own_cells_and_nowhere_else() {
    let app = hostile("");
    let mut parser = vt100::Parser::new(
        40.try_into().expect("not 0"),
        120.try_into().expect("not 0"),
        0,
    );
    parser.process(&bytes_of(&app, 120, 40));
    let seen: Vec<_> = parser
        .screen()
        .rows(0, 120)
        .map(|row| row.trim_end().to_owned())
        .collect();
    let meant: Vec<_> = text(&screen(&app, "dark", 120, 40))
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(seen, meant);
    assert!(
        seen.iter()
            .any(|row| row.contains("[2J") && row.contains('␛')),
        "{seen:#?}"
    );
    assert!(seen.iter().any(|row| row.contains("<U+202E>")), "{seen:#?}");
}

#[test]
fn hostile_words_of_hosts_are_as_harmless_as_lines() {
    let mut app = hostile("");
    let reason = String::from_utf8_lossy(HOSTILE[0]).into_owned() + "\u{202e}";
    let status = HostStatus::because(LinkState::Unreachable, reason.clone(), reason.clone());
    app.update(
        Event::Batch(vec![Update::Status(HostId(0), status)]),
        app.now(),
    );
    app.keys("<tab><ret>");
    let question = OperatorPrompt::Secret {
        host: HostName::new("x").expect("valid"),
        prompt: reason,
        echo: true,
    };
    let later = app.now().plus_millis(9000);
    app.update(Event::Ask(QuestionId(1), question), later);
    let left = without_ours(&bytes_of(&app, 120, 40));
    assert_eq!(
        left.chars().find(|c| c.is_control() || *c == '\u{202e}'),
        None
    );
}

#[test]
fn the_cursor_goes_to_where_a_query_goes_wrong() {
    let app = after("/cart level>=wran x<ret>", 100, 20);
    let prompt = app.prompt().expect("it stays open");
    assert_eq!(
        prompt.error.as_deref(),
        Some("\"wran\" is not a level: did you mean warn?")
    );
    assert_eq!(prompt.editor.cursor(), 12);
}

#[test]
fn hits_are_highlighted_where_they_are_seen() {
    let mut app = fixture::busy(120, 30, 50);
    app.keys("/payment<ret>");
    let buffer = screen(&app, "dark", 120, 30);
    let hit = theme("dark").get(Role::Hit);
    let marked: String = buffer
        .content()
        .iter()
        .filter(|cell| Some(cell.bg) == hit.bg)
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert!(marked.starts_with("paymentpayment"), "{marked:?}");
    assert!(Query::parse("payment", &ReferenceTime::default()).is_ok());
}

fn keys() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "j",
        "k",
        "<pgup>",
        "<pgdn>",
        "<C-u>",
        "<C-d>",
        "g",
        "G",
        "9k",
        "l",
        "h",
        "0",
        "z",
        "f",
        "p",
        "P",
        "n",
        "N",
        "e",
        "E",
        "w",
        "W",
        "m",
        "[",
        "]",
        "M",
        "y",
        "Y",
        "<ret>",
        "<esc>",
        "/error<ret>",
        "&payment<ret>",
        "&<C-u><ret>",
        "<C-f>",
        "<tab>",
        "<S-tab>",
        "<C-w>v",
        "<C-w>s",
        "<C-w>c",
        "<C-w>o",
        "<C-w>z",
        "<C-w>=",
        "<C-w>h",
        "<C-w>j",
        "<C-w>k",
        "<C-w>l",
        "<C-w>+",
        "<C-w>-",
        "<C-w><gt>",
        "<C-w><lt>",
        "?",
        "<f2>",
        "<f3>",
        "o",
        "<space>",
        "a",
        "r",
        "xt",
        "xh",
        "xs",
        "xu",
        ":",
        "<C-w>",
        ":hosts db*<ret>",
        ":clear<ret>",
        "5",
        "<C-c>",
        "!",
        ":s<tab><tab>",
    ]);
    prop::collection::vec(key, 0..25).prop_map(|keys| keys.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn any_state_is_drawn_in_any_rectangle(
        keys in keys(), width in 0u16..130, height in 0u16..45, x in 0u16..9, y in 0u16..9, count in 0i64..60,
    ) {
        let mut app = fixture::busy(width, height, count);
        app.keys(&keys);
        let area = Rect::new(x, y, width, height);
        let mut buffer = Buffer::empty(area);
        let cursor = draw(&app, &theme("dark"), area, &mut buffer);
        prop_assert!(cursor.is_none_or(|at| area.contains(at)), "{cursor:?} is outside {area:?}");
        let mut smaller = Buffer::empty(Rect::new(0, 0, width / 2, height / 3));
        draw(&app, &theme("none"), area, &mut smaller);
    }
}

#[test]
fn the_popup_of_a_host_that_is_dialled_again_says_why_how_often_and_where_in_full() {
    let mut app = fixture::busy(80, 24, 20);
    let reason = format!(
        "connect to 10.0.0.14:22: {} the end",
        "very long words ".repeat(12)
    );
    let failed = HostStatus::because(LinkState::Timeout, reason, "is the host up?");
    let dialled = HostStatus::plain(LinkState::Connecting);
    let statuses = [failed, dialled].map(|status| Update::Status(HostId(3), status));
    app.update(Event::Batch(statuses.into()), app.now());
    let text_of = |app: &App| text(&screen(app, "dark", 80, 24));
    assert!(text_of(&app).contains("1 timeout"), "{}", text_of(&app));
    app.keys("<tab>jjj<ret>");
    let shown = text_of(&app);
    for words in [
        "timeout, dialled again now",
        "the end",
        "is the host up?",
        "cache-1",
        "2 have failed",
    ] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    let mut narrow = fixture::busy(44, 10, 20);
    narrow.update(
        Event::Batch(vec![Update::Status(
            HostId(3),
            HostStatus::because(LinkState::Timeout, "word ".repeat(60) + "last", "try"),
        )]),
        narrow.now(),
    );
    narrow.keys("<tab>jjj<ret>G");
    let shown = text(&screen(&narrow, "dark", 44, 10));
    assert!(shown.contains("lines"), "it scrolls to its end:\n{shown}");
}

#[test]
fn the_help_explains_every_sign_and_word_of_the_screen() {
    let mut app = fixture::busy(120, 180, 20);
    app.keys("?");
    let shown = text(&screen(&app, "dark", 120, 180));
    for sign in [
        "●", "◐", "◔", "◌", "◍", "○", "✕", "↑", "◆", "late", "frozen", "history", "gap",
    ] {
        assert!(shown.contains(sign), "{sign}:\n{shown}");
    }
}

#[test]
fn a_host_that_was_lost_shows_why_in_place_of_its_last_numbers() {
    let mut app = fixture::busy(80, 24, 20);
    let lost = HostStatus::because(LinkState::Unreachable, "it hung up", "r reconnects");
    app.update(
        Event::Batch(vec![Update::Status(HostId(0), lost)]),
        app.now(),
    );
    let shown = text(&screen(&app, "dark", 80, 24));
    assert!(shown.contains("it hung up"), "{shown}");
    assert!(!shown.contains("psi"), "{shown}");
}
