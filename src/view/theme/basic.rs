//! Themes on terminals with sixteen colours: what is a shade there is an attribute, as without
//! colours, and only hues stay colours.

use ratatui::style::{Color, Style};

use crate::model::text::TextColour;

type Rgb = (u8, u8, u8);

/// Less between the strongest and the weakest part of a colour, and it is a grey.
const LEAST_HUE: u8 = 40;

/// A style whose attributes are those of the theme without colours, in the nearest of the twelve
/// hues. Greys are left to the terminal, whose background nobody knows.
pub(super) fn basic_style(style: Style, plain: Style) -> Style {
    Style {
        fg: style.fg.and_then(basic_hue),
        bg: None,
        ..plain
    }
}

/// The nearest of the hues that a terminal has; `None` for greys.
fn basic_hue(colour: Color) -> Option<Color> {
    let rgb = super::looks::rgb(colour)?;
    has_hue(rgb).then(|| nearest_of(rgb, (1..7).chain(9..15)))
}

/// The nearest of the sixteen.
pub(super) fn nearest_basic(colour: Color) -> Color {
    super::looks::rgb(colour).map_or(colour, |rgb| nearest_of(rgb, 0..16))
}

fn has_hue((r, g, b): Rgb) -> bool {
    r.max(g).max(b) - r.min(g).min(b) >= LEAST_HUE
}

fn nearest_of(rgb: Rgb, among: impl Iterator<Item = u8>) -> Color {
    let nearest = among.min_by_key(|&index| distance(TextColour::of_palette(index).rgb(), rgb));
    Color::Indexed(nearest.unwrap_or(7))
}

fn distance(one: Rgb, other: Rgb) -> u32 {
    let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    part(one.0, other.0) + part(one.1, other.1) + part(one.2, other.2)
}
