//! Which characters show themselves, and what is shown for those that do not.

use unicode_width::UnicodeWidthChar;

/// Cells that a character takes.
pub(super) fn cells_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Bytes that are shown as they are.
pub(super) fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// Unicode has a picture for each of the first 32 control characters, in the same order.
pub(super) fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('␦')
}

/// Whether a character that is not a control shows itself, in its place and with a width that
/// terminals agree on.
pub(super) fn is_visible(c: char) -> bool {
    match c {
        // Blanks are seen by what surrounds them.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            true
        }
        // Invisible letters and marks.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{ffa0}' => false,
        // Variation selectors.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => false,
        // Khmer's joiner and two vowels of Kirat Rai: layouts join their neighbours in one cell,
        // terminals do not.
        '\u{17d2}' | '\u{16d67}' | '\u{16d68}' => false,
        // Skin tones.
        '\u{1f3fb}'..='\u{1f3ff}' => false,
        // What the standard library would not print raw in a debug string either: formats (joiners,
        // bidi controls, tags), line separators, private use, noncharacters, unassigned. It would
        // escape marks as well.
        _ => cells_of(c) == 0 && !is_format(c) || c.escape_debug().len() == 1,
    }
}

/// Characters without a cell that are not marks (general category Cf).
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
