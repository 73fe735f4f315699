//! How text looks: what is left of the colours of a log line, free of any terminal. Which cell has
//! which colour on a screen is left to the theme; reading the escape sequences to `sgr`.

/// How a piece of text looks. The default is text like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TextLook {
    /// The colour of the letters.
    pub fg: Option<TextColour>,
    /// The colour behind them.
    pub bg: Option<TextColour>,
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined, in whichever way.
    pub underlined: bool,
    /// Letters and background change places.
    pub reversed: bool,
}

/// A colour as a terminal knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextColour {
    /// One of the sixteen that every terminal has and every user may choose: black, red, green,
    /// yellow, blue, magenta, cyan, white, then the same eight brighter.
    Basic(u8),
    /// One of the other 240 of the palette of 256: a cube of 216 from 16, a ramp of 24 greys from
    /// 232.
    Indexed(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// Letters with less contrast to what is behind them are not readable (WCAG asks for 4.5, a dim
/// theme has 3; blue on black, as many terminals have it, has 2).
pub const MIN_CONTRAST: f64 = 2.0;

/// The sixteen as xterm has them. Themes have their own; this is for judging what can be read.
const BASIC: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// The steps of the cube of 216.
pub const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl TextLook {
    /// Whether it is like any other text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl TextColour {
    /// The colour of that number in the palette of 256.
    #[must_use]
    pub fn of_palette(number: u8) -> Self {
        if number < 16 {
            Self::Basic(number)
        } else {
            Self::Indexed(number)
        }
    }

    /// Red, green and blue; for the basic ones as xterm has them.
    #[must_use]
    pub fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Rgb(r, g, b) => (r, g, b),
            Self::Basic(n) => BASIC[usize::from(n % 16)],
            Self::Indexed(n @ 232..) => {
                let grey = 8 + 10 * (n - 232);
                (grey, grey, grey)
            }
            Self::Indexed(n) => {
                let n = usize::from(n.max(16) - 16);
                (CUBE[n / 36], CUBE[n / 6 % 6], CUBE[n % 6])
            }
        }
    }
}

/// The contrast of two colours, from 1 (the same) to 21 (black and white), as WCAG 2 defines it.
#[must_use]
pub fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// From 0 (black) to 1 (white), as WCAG 2 defines it.
#[must_use]
pub fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_palette_is_a_colour() {
        for (number, rgb) in [
            (1, (205, 0, 0)),
            (16, (0, 0, 0)),
            (196, (255, 0, 0)),
            (231, (255, 255, 255)),
        ] {
            assert_eq!(TextColour::of_palette(number).rgb(), rgb);
        }
        assert_eq!(TextColour::of_palette(232).rgb(), (8, 8, 8));
        assert_eq!(TextColour::of_palette(255).rgb(), (238, 238, 238));
    }

    #[test]
    fn contrast_is_what_the_standard_says() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        assert!((contrast((9, 9, 9), (9, 9, 9)) - 1.0).abs() < 1e-9);
        assert!((contrast((255, 0, 0), (255, 255, 255)) - 3.998).abs() < 0.01);
    }
}
