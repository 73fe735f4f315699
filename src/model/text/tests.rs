//! Text of every kind made safe: what is shown for what, in how many cells, in which look.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::*;

fn shown(bytes: &[u8]) -> String {
    SafeText::from_bytes(bytes).to_string()
}

fn coloured(bytes: &[u8]) -> SafeText {
    SafeText::line(bytes, ColourHandling::Kept, MAX_SHOWN_BYTES)
}

/// The text with the looks of its parts, in short: `[1 red] plain`.
fn looks(text: &SafeText) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (range, look) in text.looks() {
        assert!(
            at <= range.start && !range.is_empty() && !look.is_plain(),
            "{text:?}"
        );
        out += &text.as_str()[at..range.start];
        let colour = |colour: Option<TextColour>| match colour {
            Some(TextColour::Basic(n)) => n.to_string(),
            Some(other) => format!("{other:?}"),
            None => String::new(),
        };
        let back = if look.bg.is_some() { "/" } else { "" };
        let bold = if look.bold { "!" } else { "" };
        out += &format!(
            "[{}{back}{}{bold} {}]",
            colour(look.fg),
            colour(look.bg),
            &text.as_str()[range.clone()]
        );
        at = range.end;
    }
    out + &text.as_str()[at..]
}

#[test]
fn colours_of_a_line_are_looks_and_every_other_sequence_is_shown() {
    let table: &[(&[u8], &str)] = &[
        (b"\x1b[31mred\x1b[0m plain", "[1 red] plain"),
        (
            b"a \x1b[1;31mERR\x1b[44mOR\x1b[m b",
            "a [1! ERR][1/4! OR] b",
        ),
        (b"\x1b[31m\x1b[0m\x1b[32m\x1b[mx", "x"),
        (b"\x1b[31ma\x1b[31mb", "[1 ab]"),
        (b"\x1b[31mred to the end", "[1 red to the end]"),
        (b"\x1b[31ma\nb", "[1 a␊]b"),
        (b"\x1b[5;8mx\x1b[m", "x"),
        (b"\x1b[31mx\x1b[Ky\x1b[2Jz", "[1 x␛[Ky␛[2Jz]"),
        (b"\x1b[31", "␛[31"),
        (b"\x1b[999mx", "␛[999mx"),
        (b"\x1b]0;\x1b[31mt\x07", "␛]0;[1 t␇]"),
        (b"\x1b[31m\xff\tb", "[1 \\xFF    b]"),
        ("\u{9b}31mx".as_bytes(), "<9B>31mx"),
        ("e\x1b[31m\u{301}x".as_bytes(), "e\u{301}[1 x]"),
        ("\x1b[31me\x1b[m\u{301}x".as_bytes(), "[1 e\u{301}]x"),
        ("\x1b[31m\u{301}".as_bytes(), "[1 <U+0301>]"),
    ];
    for (bytes, expected) in table {
        assert_eq!(looks(&coloured(bytes)), *expected, "{bytes:?}");
    }
}

#[test]
fn tabs_and_windows_do_not_count_colours() {
    let text = coloured("ab\x1b[31m\tc日\x1b[1m本\x1b[m!".as_bytes());
    assert_eq!(looks(&text), "ab[1       c日][1! 本]!");
    assert_eq!(text.width(), 14);
    for (skip, width, seen) in [
        (0, 99, "ab[1       c日][1! 本]!"),
        (1, 3, "b[1   ]"),
        (8, 4, "[1 c日] "),
        (10, 4, " [1! 本]!"),
        (13, 9, "!"),
    ] {
        assert_eq!(
            looks(&text.slice_cells(skip, width)),
            seen,
            "{skip} {width}"
        );
    }
}

#[test]
fn a_line_without_its_colours_is_what_is_shown_of_it() {
    for (line, plain) in [
        ("plain", "plain"),
        (
            "\x1b[2mtime\x1b[0m \x1b[32m INFO\x1b[0m shop",
            "time  INFO shop",
        ),
        ("ER\x1b[1mR\x1b[mOR\x1b[K", "ERROR\x1b[K"),
        ("\x1b\x1b[31mx", "\x1bx"),
        ("\x1b[3", "\x1b[3"),
    ] {
        assert_eq!(
            without_colours(line.as_bytes()),
            plain.as_bytes(),
            "{line:?}"
        );
    }
}

#[test]
fn a_line_without_its_beginning_looks_as_it_did() {
    for (line, bytes, rest) in [
        ("plain", 2, "ain"),
        ("plain", 0, "plain"),
        ("plain", 9, ""),
        (
            "\x1b[31mred and \x1b[1mbold\x1b[m",
            8,
            "\x1b[31m\x1b[1mbold\x1b[m",
        ),
        ("\x1b[2mat\x1b[0m \x1b[32mx", 3, "\x1b[2m\x1b[0m\x1b[32mx"),
        ("\x1b[Kx", 1, "[Kx"),
    ] {
        assert_eq!(
            without_beginning(line.as_bytes(), bytes),
            rest.as_bytes(),
            "{line:?}"
        );
    }
}

#[test]
fn a_run_of_nul_bytes_is_its_length() {
    assert_eq!(
        shown(&[b"a".as_slice(), &[0; 7], b"b"].concat()),
        "a␀␀␀␀␀␀␀b"
    );
    assert_eq!(
        shown(&[b"a".as_slice(), &[0; 8], b"b"].concat()),
        "a<NUL×8>b"
    );
    assert_eq!(shown(&vec![0; 1 << 20]), "<NUL×1048576>");
}

#[test]
fn rows_have_whole_characters_and_all_of_them() {
    for (text, width, rows) in [
        ("", 4, vec![""]),
        ("abcdef", 4, vec!["abcd", "ef"]),
        ("abcd", 4, vec!["abcd"]),
        ("abc日本e\u{301}z", 4, vec!["abc", "日本", "e\u{301}z"]),
        ("日本", 1, vec!["日", "本"]),
        ("日\u{301}本", 1, vec!["日\u{301}", "本"]),
        ("ab", 0, vec!["a", "b"]),
    ] {
        let text = SafeText::new(text);
        let found: Vec<_> = text
            .rows(width)
            .into_iter()
            .map(|row| &text.as_str()[row])
            .collect();
        assert_eq!(found, rows);
    }
}

#[test]
fn an_invalid_byte_is_shown_wherever_it_stands() {
    let line = "gr\u{fc}\x1b[1m日\u{301}\x1b[0m\tz";
    for at in 0..=line.len() {
        for bad in [
            b"\xff".as_slice(),
            b"\xc0",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"\x80",
        ] {
            let bytes = [&line.as_bytes()[..at], bad, &line.as_bytes()[at..]].concat();
            // Within a character, both together may be another one.
            let shows = if line.is_char_boundary(at) {
                format!("\\x{:02X}", bad[0])
            } else {
                String::new()
            };
            for text in [SafeText::from_bytes(&bytes), coloured(&bytes)] {
                assert_safe(&text);
                assert!(text.as_str().contains(&shows), "{bytes:?} {text}");
            }
        }
    }
}

#[test]
fn a_line_of_a_megabyte_is_shown_in_part_and_says_how_much_is_left() {
    let line = [b"\x1b[31m".as_slice(), &vec![b'x'; 1 << 20], b"\x1b[0m"].concat();
    let text = coloured(&line);
    assert!(text.as_str().len() <= MAX_SHOWN_BYTES);
    let (seen, note) = text.as_str().split_once('…').expect("a note");
    assert_eq!(note, format!("+{} B", line.len() - 5 - seen.len()));
    assert!(
        text.looks()
            .map(|(range, _)| range)
            .eq(std::iter::once(0..seen.len()))
    );
    let short = SafeText::line(&line, ColourHandling::Kept, 100);
    assert!(
        short.as_str().len() <= 100 && short.as_str().ends_with(" B"),
        "{short}"
    );
}

#[test]
fn a_line_of_nothing_but_colours_is_bounded() {
    let line = b"\x1b[31mx\x1b[m".repeat(1 << 17);
    let text = coloured(&line);
    assert!(
        text.looks().count() <= MAX_SPANS,
        "{}",
        text.looks().count()
    );
    assert_eq!(
        text.as_str().trim_matches('x'),
        format!(
            "…+{} B",
            line.len() - text.as_str().matches('x').count() * 9
        )
    );
}

#[test]
fn a_line_is_cut_neither_in_a_character_nor_in_a_colour() {
    assert_eq!(beginning("aaé".as_bytes(), 3), b"aa");
    assert_eq!(beginning("aaé".as_bytes(), 4), "aaé".as_bytes());
    assert_eq!(beginning(&[0x80; 9], 5).len(), 2);
    for most in 2..7 {
        assert_eq!(beginning(b"aa\x1b[31mb", most), b"aa", "{most}");
    }
    assert_eq!(beginning(b"aa\x1b[31mb", 7), b"aa\x1b[31m");
    assert_eq!(beginning(b"aa\x1b[31Kb", 4), b"aa\x1b[");
}

#[test]
fn what_a_terminal_would_obey_is_shown() {
    let table: &[(&[u8], &str)] = &[
        (b"plain text ~", "plain text ~"),
        ("größe 日本語".as_bytes(), "größe 日本語"),
        (b"\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        (b"\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        (b"a\0b\x08c\x7f", "a␀b␈c␡"),
        ("a\u{9b}31m\u{85}b".as_bytes(), "a<9B>31m<85>b"),
        (b"a\x9b31m", "a\\x9B31m"),
        (b"\xff\xfe\xe2\x82", "\\xFF\\xFE\\xE2\\x82"),
        (b"\xed\xa0\x80", "\\xED\\xA0\\x80"),
        ("user\u{202e}gpj".as_bytes(), "user<U+202E>gpj"),
        (
            "a\u{200b}b\u{ad}c\u{feff}".as_bytes(),
            "a<U+200B>b<U+00AD>c<U+FEFF>",
        ),
        (
            "\u{e0041}\u{2028}\u{2066}".as_bytes(),
            "<U+E0041><U+2028><U+2066>",
        ),
        (
            "\u{e000}\u{ffff}\u{10fffe}".as_bytes(),
            "<U+E000><U+FFFF><U+10FFFE>",
        ),
        ("👨\u{200d}👩".as_bytes(), "👨<U+200D>👩"),
        ("❤\u{fe0f}👍\u{1f3fd}".as_bytes(), "❤<U+FE0F>👍<U+1F3FD>"),
        ("🇩🇪 1\u{a0}000".as_bytes(), "🇩🇪 1\u{a0}000"),
    ];
    for &(bytes, expected) in table {
        assert_eq!(shown(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn a_carriage_return_is_part_of_the_line_end_only_at_the_end() {
    assert_eq!(shown(b"done\r"), "done");
    assert_eq!(shown(b"10%\r20%\r\r"), "10%␍20%␍");
}

#[test]
fn tabs_go_to_the_next_column_of_eight() {
    assert_eq!(shown(b"a\tb\t\tc"), "a       b               c");
    assert_eq!(shown("日本\tx".as_bytes()), "日本    x");
    assert_eq!(shown(b"\x1b\tx"), "␛       x");
}

#[test]
fn a_letter_carries_eight_marks_and_shows_the_surplus() {
    let flood = format!("a{}b\u{301}", "\u{301}".repeat(10));
    let marks = "\u{301}".repeat(8);
    assert_eq!(
        SafeText::new(&flood).as_str(),
        format!("a{marks}<U+0301><U+0301>b\u{301}")
    );
}

#[test]
fn a_mark_with_no_letter_before_it_does_not_reach_the_cell_of_another_widget() {
    assert_eq!(
        SafeText::new("\u{301}a\u{301}").as_str(),
        "<U+0301>a\u{301}"
    );
}

#[test]
fn a_huge_line_says_how_much_of_it_is_not_shown() {
    let text = SafeText::from_bytes(&vec![b'x'; MAX_SHOWN_BYTES + 100]);
    assert!(text.as_str().len() <= MAX_SHOWN_BYTES);
    assert!(
        text.as_str().ends_with("x…+132 B"),
        "{}",
        &text.as_str()[MAX_SHOWN_BYTES - 64..]
    );
    assert_eq!(SafeText::new(text.as_str()), text);
    assert_eq!(
        SafeText::from_bytes(&vec![b'x'; MAX_SHOWN_BYTES]).width(),
        MAX_SHOWN_BYTES
    );
}

#[test]
fn a_huge_line_that_grows_is_bounded_too() {
    for bytes in [
        vec![1_u8; MAX_SHOWN_BYTES],
        vec![0xff; 3 * MAX_SHOWN_BYTES],
        vec![b'\t'; MAX_SHOWN_BYTES],
    ] {
        let text = SafeText::from_bytes(&bytes);
        assert!(text.as_str().len() <= MAX_SHOWN_BYTES);
        assert!(text.as_str().ends_with(" B"));
        assert_eq!(SafeText::new(text.as_str()), text);
    }
}

#[test]
fn a_window_leaves_a_blank_for_half_a_character() {
    let text = SafeText::new("a日本e\u{301}z");
    let seen = |skip, width| text.slice_cells(skip, width).to_string();
    assert_eq!(seen(0, 99), "a日本e\u{301}z");
    assert_eq!(seen(1, 4), "日本");
    assert_eq!(seen(2, 4), " 本e\u{301}");
    assert_eq!(seen(0, 2), "a ");
    assert_eq!(seen(2, 1), " ");
    assert_eq!(seen(2, 0), "");
    assert_eq!(seen(6, 5), "z");
    assert_eq!(seen(7, 5), "");
    assert_eq!(SafeText::new("hello").slice_cells(1, 3).as_str(), "ell");
    assert_eq!(
        SafeText::new("hello")
            .slice_cells(usize::MAX, usize::MAX)
            .as_str(),
        ""
    );
}

#[test]
fn every_character_there_is_becomes_safe_and_stays_as_it_became() {
    for c in '\0'..=char::MAX {
        let text = SafeText::new(&format!("a{c}b"));
        assert_safe(&text);
        assert_eq!(SafeText::new(text.as_str()), text, "{:x}", u32::from(c));
    }
}

fn assert_safe(text: &SafeText) {
    let dangerous =
        |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    assert!(!text.as_str().contains(dangerous), "{text:?}");
    // Widgets lay out clusters; terminals lay out characters.
    let clusters: usize = text
        .as_str()
        .graphemes(true)
        .map(UnicodeWidthStr::width)
        .sum();
    assert_eq!(text.width(), clusters, "{text:?}");
}

/// Characters that have something about them, among any others.
fn odd() -> impl Strategy<Value = String> {
    let special = prop::sample::select("\t\r\n\0\x1b\u{85}\u{300}\u{20dd}\u{200d}\u{fe0f}👍\u{1f3fd}🇩가\u{1100}\u{1161}\u{11a8}\u{94d}क日ﷺ\u{17d2}ក\u{644}\u{627}\u{600}\u{16d63}\u{16d67}".chars().collect::<Vec<_>>());
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..20)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Text with colours in it, and with what looks like colours.
fn colourful() -> impl Strategy<Value = String> {
    let codes = prop::sample::select(vec![
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[1;44m",
        "\x1b[38;5;200m",
        "\x1b[",
        "\x1b[3",
        "m",
        "\x1b[9999m",
    ]);
    prop::collection::vec(prop_oneof![codes.prop_map(str::to_owned), odd()], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn colours_change_how_a_text_looks_and_not_what_it_says(text in colourful()) {
        // A carriage return at the very end would not be shown.
        let text = text + ".";
        let seen = coloured(text.as_bytes());
        assert_safe(&seen);
        looks(&seen);
        // A mark after a colour belongs to the letter before it, and tabs go by cells: so the same
        // text.
        let plain = without_colours(text.as_bytes());
        // Taking colours out may put together a new one, which has not been there before.
        if without_colours(&plain) == plain {
            let again = coloured(&plain);
            prop_assert_eq!(again.as_str(), seen.as_str());
        }
    }

    #[test]
    fn rows_make_up_the_text_and_fit(text in colourful(), width in 2..30_usize) {
        let text = coloured(text.as_bytes());
        let rows = text.rows(width);
        let joined: String = rows.iter().map(|row| &text.as_str()[row.clone()]).collect();
        prop_assert_eq!(joined.as_str(), text.as_str());
        for row in rows {
            prop_assert!(SafeText::new(&text.as_str()[row]).width() <= width);
        }
    }

    #[test]
    fn any_bytes_become_safe(bytes: Vec<u8>) {
        assert_safe(&SafeText::from_bytes(&bytes));
    }

    #[test]
    fn any_text_becomes_safe_and_stays_as_it_became(text in odd()) {
        let safe = SafeText::new(&text);
        assert_safe(&safe);
        prop_assert_eq!(SafeText::new(safe.as_str()), safe);
    }

    #[test]
    fn a_terminal_moves_by_as_many_cells_as_we_count(text in odd()) {
        // The one character that the model of a terminal refuses to print.
        let text = SafeText::new(&text.replace(char::REPLACEMENT_CHARACTER, "?"));
        let size = |cells| std::num::NonZeroU16::new(cells).expect("not zero");
        let mut terminal = vt100::Parser::new(size(1), size(2000), 0);
        terminal.process(text.as_str().as_bytes());
        prop_assert_eq!(usize::from(terminal.screen().cursor_position().1), text.width(), "{:?}", text);
    }

    #[test]
    fn a_window_is_never_wider_than_asked(text in odd(), skip in 0..30_usize, width in 0..30_usize) {
        let text = SafeText::new(&text);
        let seen = text.slice_cells(skip, width);
        prop_assert_eq!(seen.width(), width.min(text.width().saturating_sub(skip)));
        prop_assert_eq!(SafeText::new(seen.as_str()), seen);
    }
}
