//! Looks of log lines in a theme: its own sixteen colours for the basic ones, the nearest that the
//! terminal has for the others, and never letters that cannot be distinguished from their background.

use ratatui::style::{Color, Modifier, Style};

use super::{Depth, Role, Theme, limit};
use crate::model::text::{MIN_CONTRAST, TextColour, TextLook, contrast, luminance};

type Rgb = (u8, u8, u8);

/// What letters have that take the place of others (WCAG's AA).
const GOOD_CONTRAST: f64 = 4.5;

impl Theme {
    /// The style of text that would have the style `own` if it had no look.
    pub fn look(&self, own: Style, look: TextLook) -> Style {
        let style = own.add_modifier(modifiers(look));
        let (fg, bg) = (
            look.fg.and_then(|fg| self.colour(fg)),
            look.bg.and_then(|bg| self.colour(bg)),
        );
        if fg.is_none() && bg.is_none() {
            return style;
        }
        self.readable(Style {
            fg: fg.or(own.fg),
            bg: bg.or(own.bg),
            ..style
        })
    }

    /// `None` in a theme without colours.
    fn colour(&self, colour: TextColour) -> Option<Color> {
        if self.ansi.is_empty() {
            return None;
        }
        Some(match colour {
            TextColour::Basic(n) => self.ansi[usize::from(n) % self.ansi.len()],
            TextColour::Indexed(n) => limit(Color::Indexed(n), self.depth),
            TextColour::Rgb(r, g, b) => limit(Color::Rgb(r, g, b), self.depth),
        })
    }

    /// The style with other letters where those it has could not be read.
    fn readable(&self, style: Style) -> Style {
        let text = self.get(Role::Text);
        let Some(back) = style.bg.and_then(rgb).or_else(|| self.background()) else {
            return style;
        };
        let Some(front) = style.fg.and_then(rgb).or_else(|| text.fg.and_then(rgb)) else {
            return style;
        };
        if contrast(front, back) >= MIN_CONTRAST {
            return style;
        }
        let (black, white) = match self.depth {
            Depth::Sixteen => (0, 15),
            _ => (16, 231),
        };
        let candidates = [
            text.fg,
            Some(Color::Indexed(black)),
            Some(Color::Indexed(white)),
        ];
        // Of black and white one always has.
        let good =
            |fg: &Color| rgb(*fg).is_some_and(|front| contrast(front, back) >= GOOD_CONTRAST);
        let best = candidates.into_iter().flatten().find(good);
        Style {
            fg: best.or(style.fg),
            ..style
        }
    }

    /// What is behind text without a background of its own: the theme's, or else the terminal's,
    /// which nobody knows but the one who chose letters for it.
    fn background(&self) -> Option<Rgb> {
        let text = self.get(Role::Text);
        let of_letters = |fg: Rgb| {
            if luminance(fg) > 0.3 {
                (0, 0, 0)
            } else {
                (255, 255, 255)
            }
        };
        text.bg
            .and_then(rgb)
            .or_else(|| text.fg.and_then(rgb).map(of_letters))
    }
}

fn modifiers(look: TextLook) -> Modifier {
    let attributes = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underlined, Modifier::UNDERLINED),
        (look.reversed, Modifier::REVERSED),
    ];
    attributes
        .into_iter()
        .filter(|(on, _)| *on)
        .fold(Modifier::empty(), |all, (_, one)| all | one)
}

/// `None` for the terminal's own colour of letters, or of what is behind them.
pub(super) fn rgb(colour: Color) -> Option<Rgb> {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(n) => Some(TextColour::of_palette(n).rgb()),
        named => (0..16)
            .find(|n| NAMED[usize::from(*n)] == named)
            .map(|n| TextColour::Basic(n).rgb()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEMES: [&str; 4] = ["dark", "light", "high-contrast", "none"];

    fn theme(name: &str) -> Theme {
        Theme::load(name, None, Depth::True).expect("built in")
    }

    fn every_colour() -> impl Iterator<Item = Option<TextColour>> + Clone {
        let palette = (0..=255).step_by(5).map(TextColour::of_palette);
        let basic = (0..16).map(TextColour::Basic);
        let rgb = [
            (0, 0, 0),
            (1, 2, 3),
            (255, 255, 255),
            (250, 251, 252),
            (128, 128, 128),
        ]
        .map(|(r, g, b)| TextColour::Rgb(r, g, b));
        std::iter::once(None).chain(basic.chain(palette).chain(rgb).map(Some))
    }

    #[test]
    fn letters_can_be_read_on_whatever_is_behind_them() {
        for name in THEMES {
            let theme = theme(name);
            for (fg, bg) in every_colour().flat_map(|fg| every_colour().map(move |bg| (fg, bg))) {
                let style = theme.look(
                    theme.get(Role::LineInfo),
                    TextLook {
                        fg,
                        bg,
                        ..TextLook::default()
                    },
                );
                let back = style.bg.and_then(rgb).or(theme.background());
                let front = style.fg.and_then(rgb);
                if let (Some(front), Some(back)) = (front, back) {
                    assert!(
                        contrast(front, back) >= MIN_CONTRAST,
                        "{name}: {fg:?} on {bg:?} is {style:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_theme_without_colours_keeps_what_is_bold_and_no_colour() {
        let red = TextLook {
            fg: Some(TextColour::Basic(1)),
            bg: Some(TextColour::Rgb(1, 2, 3)),
            bold: true,
            ..TextLook::default()
        };
        assert_eq!(theme("none").look(Style::new(), red), Style::new().bold());
    }

    #[test]
    fn basic_colours_are_those_of_the_theme() {
        let red = TextLook {
            fg: Some(TextColour::Basic(1)),
            ..TextLook::default()
        };
        for name in ["dark", "light"] {
            let theme = theme(name);
            assert_eq!(
                theme.look(Style::new(), red).fg,
                theme.get(Role::LineError).fg,
                "{name}"
            );
        }
    }

    #[test]
    fn what_a_look_does_not_say_is_as_it_would_be() {
        let theme = theme("dark");
        let own = theme.get(Role::LineFatal);
        assert_eq!(
            theme.look(
                own,
                TextLook {
                    underlined: true,
                    ..TextLook::default()
                }
            ),
            own.underlined()
        );
    }

    #[test]
    fn colours_are_those_that_the_terminal_has() {
        let theme = Theme::load("dark", None, Depth::Indexed).expect("built in");
        let look = TextLook {
            fg: Some(TextColour::Rgb(255, 0, 0)),
            ..TextLook::default()
        };
        assert_eq!(theme.look(Style::new(), look).fg, Some(Color::Indexed(196)));
    }
}
