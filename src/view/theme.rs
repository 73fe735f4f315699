//! Themes: a style for every role, from TOML. A user's file may inherit from a built-in theme and
//! change a few roles.

mod basic;
mod looks;

use std::collections::BTreeMap;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::model::text::CUBE;

macro_rules! roles {
    ($($role:ident $name:literal;)*) => {
        /// What a cell is, for which a theme says how it looks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "they are named after what they style; themes/dark.toml shows all of them")]
        pub enum Role { $($role,)* }

        /// Names of the roles, as in theme files.
        pub const ROLES: &[(Role, &str)] = &[$((Role::$role, $name),)*];
    };
}

roles! {
    Text "text"; Dim "dim"; Faint "faint"; Strong "strong";
    PaneHeader "pane.header"; PaneHeaderFocused "pane.header.focused"; PanePaused "pane.paused"; PaneBorder "pane.border";
    LineCursor "line.cursor"; LineTime "line.time"; LineSource "line.source"; LineStamp "line.stamp"; LineKey "line.key";
    LineTrace "line.trace"; LineDebug "line.debug"; LineInfo "line.info"; LineWarn "line.warn"; LineError "line.error";
    LineFatal "line.fatal"; LineNone "line.none"; LineLate "line.late"; LineBookmark "line.bookmark";
    LineMark "line.mark"; LineGap "line.gap";
    LevelTrace "level.trace"; LevelDebug "level.debug"; LevelInfo "level.info"; LevelNotice "level.notice";
    LevelWarn "level.warn"; LevelError "level.error"; LevelFatal "level.fatal";
    Hit "hit";
    HostOk "host.ok"; HostDegraded "host.degraded"; HostConnecting "host.connecting"; HostDown "host.down";
    HostSelected "host.selected";
    Spark "spark"; SparkHigh "spark.high"; SparkCritical "spark.critical";
    Status "status"; StatusGood "status.good"; StatusBad "status.bad"; StatusWarn "status.warn"; StatusDim "status.dim";
    Notice "notice"; HintKey "hint.key"; HintText "hint.text";
    PromptSign "prompt.sign"; PromptText "prompt.text"; PromptError "prompt.error";
    Popup "popup"; PopupBorder "popup.border"; PopupTitle "popup.title"; PopupKey "popup.key"; PopupDim "popup.dim";
    PopupChosen "popup.chosen"; PopupBad "popup.bad";
}

/// The themes that are part of the program.
const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    ("none", include_str!("../../themes/none.toml")),
];

/// A file inherits from a built-in theme or from another file, no deeper than this.
const MAX_DEPTH: usize = 8;

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The palette of 256.
    Indexed,
    /// The basic ones.
    Sixteen,
}

/// A style for every role, and the colours of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    styles: Vec<Style>,
    hosts: Vec<Color>,
    /// For the sixteen basic colours in log lines; empty where lines have none.
    ansi: Vec<Color>,
    depth: Depth,
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No built-in theme and no file has this name.
    #[error("theme {0:?}: there is none; built in are dark, light, high-contrast and none")]
    Unknown(String),
    /// The file cannot be read.
    #[error("theme {name:?}: read {path}: {source}")]
    Read {
        /// The theme.
        name: String,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or not of this shape.
    #[error("theme {name:?}: {message}")]
    Syntax {
        /// The theme.
        name: String,
        /// What is wrong, and where.
        message: String,
    },
    /// It names a role that does not exist.
    #[error("theme {name:?}: no role {role:?}; did you mean {near:?}?")]
    Role {
        /// The theme.
        name: String,
        /// The role.
        role: String,
        /// The most similar role.
        near: &'static str,
    },
    /// A colour that is not one.
    #[error(
        "theme {name:?}: {given:?} is no colour: use #rrggbb, a name such as light-blue, or one of the palette"
    )]
    Colour {
        /// The theme.
        name: String,
        /// What was given.
        given: String,
    },
    /// A role that neither it nor what it inherits from defines.
    #[error("theme {name:?}: role {role:?} is missing; add it, or inherits = \"dark\"")]
    Missing {
        /// The theme.
        name: String,
        /// The role.
        role: &'static str,
    },
    /// Another number of colours for log lines than the basic ones.
    #[error(
        "theme {name:?}: ansi.colours has {count} colours; give 16, in the order of terminals, or none at all"
    )]
    Ansi {
        /// The theme.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// Themes that inherit in a circle.
    #[error("theme {0:?}: inherits in a circle")]
    Circle(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, StyleFile>,
    hosts: Option<ListFile>,
    ansi: Option<ListFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    colours: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StyleFile {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
}

impl Theme {
    /// The theme of that name: a file `NAME.toml` in `folder`, else a built-in one.
    ///
    /// # Errors
    /// Where there is none, or it is not in order; says what to change.
    pub fn load(name: &str, folder: Option<&Path>, depth: Depth) -> Result<Self, ThemeError> {
        let mut merged = ThemeFile::default();
        let mut next = Some(name.to_owned());
        for _ in 0..MAX_DEPTH {
            let Some(current) = next.take() else {
                return Self::build(name, &merged, depth).map(Self::limited);
            };
            // A file that is called like a built-in theme may inherit from it.
            let above = (current == name && merged.inherits.is_some()).then_some(name);
            let file = read(&current, if above.is_some() { None } else { folder })?;
            next = file.inherits.clone();
            merge(&mut merged, file);
        }
        Err(ThemeError::Circle(name.to_owned()))
    }

    /// The same on a terminal with sixteen colours, where backgrounds and shades are attributes.
    fn limited(self) -> Self {
        if self.depth != Depth::Sixteen {
            return self;
        }
        let plain = Self::load("none", None, Depth::True).unwrap_or_else(|_| Self::plain());
        let styles = self.styles.iter().zip(&plain.styles);
        let hosts = self.hosts.iter().map(|host| limit(*host, self.depth));
        Self {
            hosts: hosts.collect(),
            styles: styles
                .map(|(style, plain)| basic::basic_style(*style, *plain))
                .collect(),
            ..self
        }
    }

    /// The dark theme, which is always there.
    #[must_use]
    pub fn dark() -> Self {
        Self::load("dark", None, Depth::True).unwrap_or_else(|_| Self::plain())
    }

    /// No colours and no attributes.
    fn plain() -> Self {
        Self {
            styles: vec![Style::new(); ROLES.len()],
            hosts: Vec::new(),
            ansi: Vec::new(),
            depth: Depth::True,
        }
    }

    /// The style of a role.
    #[must_use]
    pub fn get(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The style of a host's name: by its place, so that the first hosts of a run are told apart
    /// best.
    #[must_use]
    pub fn host(&self, index: usize) -> Style {
        match self.hosts.len() {
            0 => self.get(Role::Strong),
            count => Style::new().fg(self.hosts[index % count]),
        }
    }

    fn build(name: &str, file: &ThemeFile, depth: Depth) -> Result<Self, ThemeError> {
        let colour = |given: &str| {
            let resolved = file.palette.get(given).map_or(given, String::as_str);
            let parsed = resolved.parse::<Color>().map(|colour| match depth {
                // Its hue decides, and the nearest colour may be a grey.
                Depth::Sixteen => colour,
                _ => limit(colour, depth),
            });
            parsed.map_err(|_| ThemeError::Colour {
                name: name.to_owned(),
                given: given.to_owned(),
            })
        };
        let styles = ROLES.iter().map(|(_, role)| -> Result<Style, ThemeError> {
            let style = file.roles.get(*role).ok_or(ThemeError::Missing {
                name: name.to_owned(),
                role,
            })?;
            style.resolve(colour)
        });
        let styles = styles.collect::<Result<_, _>>()?;
        let list = |list: &ListFile| -> Result<Vec<Color>, ThemeError> {
            list.colours.iter().map(|given| colour(given)).collect()
        };
        let ansi = file.ansi.as_ref().map(list).transpose()?;
        // A theme that does not say leaves them as the user has chosen them for the terminal.
        let ansi = ansi.unwrap_or_else(|| (0..16).map(Color::Indexed).collect());
        if !matches!(ansi.len(), 0 | 16) {
            return Err(ThemeError::Ansi {
                name: name.to_owned(),
                count: ansi.len(),
            });
        }
        let hosts = file.hosts.as_ref().map(list).transpose()?;
        Ok(Self {
            styles,
            hosts: hosts.unwrap_or_default(),
            ansi,
            depth,
        })
    }
}

impl StyleFile {
    fn resolve(
        &self,
        colour: impl Fn(&str) -> Result<Color, ThemeError>,
    ) -> Result<Style, ThemeError> {
        let mut style = Style::new();
        style.fg = self.fg.as_deref().map(&colour).transpose()?;
        style.bg = self.bg.as_deref().map(&colour).transpose()?;
        Ok(style.add_modifier(self.modifiers()))
    }

    fn modifiers(&self) -> Modifier {
        let attributes = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underlined, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        let set = attributes.into_iter().filter(|(on, _)| *on);
        set.map(|(_, modifier)| modifier).collect()
    }
}

fn read(name: &str, folder: Option<&Path>) -> Result<ThemeFile, ThemeError> {
    let own = folder
        .map(|folder| folder.join(format!("{name}.toml")))
        .filter(|_| !name.contains(['/', '\\']));
    let text = match own.map(|path| (std::fs::read_to_string(&path), path)) {
        Some((Ok(text), _)) => text,
        Some((Err(source), path)) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(ThemeError::Read {
                name: name.to_owned(),
                path: path.display().to_string(),
                source,
            });
        }
        _ => built_in(name)
            .ok_or_else(|| ThemeError::Unknown(name.to_owned()))?
            .to_owned(),
    };
    let file: ThemeFile = toml::from_str(&text).map_err(|error| ThemeError::Syntax {
        name: name.to_owned(),
        message: error.to_string().replace('\n', " "),
    })?;
    for role in file.roles.keys() {
        check_role(name, role)?;
    }
    Ok(file)
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

fn check_role(name: &str, role: &str) -> Result<(), ThemeError> {
    if ROLES.iter().any(|(_, known)| *known == role) {
        return Ok(());
    }
    let similar = |known: &str| strsim::jaro_winkler(known, role);
    let near = ROLES
        .iter()
        .map(|(_, known)| *known)
        .max_by(|a, b| similar(a).total_cmp(&similar(b)))
        .unwrap_or("text");
    Err(ThemeError::Role {
        name: name.to_owned(),
        role: role.to_owned(),
        near,
    })
}

/// Adds what `base` defines and `theme` does not.
fn merge(theme: &mut ThemeFile, base: ThemeFile) {
    for (name, colour) in base.palette {
        theme.palette.entry(name).or_insert(colour);
    }
    for (role, style) in base.roles {
        theme.roles.entry(role).or_insert(style);
    }
    theme.hosts = theme.hosts.take().or(base.hosts);
    theme.ansi = theme.ansi.take().or(base.ansi);
    theme.inherits = base.inherits.or(theme.inherits.take());
}

/// The nearest colour that the terminal has.
fn limit(colour: Color, depth: Depth) -> Color {
    match colour {
        Color::Rgb(r, g, b) if depth == Depth::Indexed => Color::Indexed(nearest(r, g, b)),
        colour if depth == Depth::Sixteen => basic::nearest_basic(colour),
        colour => colour,
    }
}

/// The nearest of the cube of 216 and the ramp of 24 greys.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    let step = |value: u8| {
        (0u8..6)
            .min_by_key(|&i| CUBE[usize::from(i)].abs_diff(value))
            .unwrap_or(0)
    };
    let (ri, gi, bi) = (step(r), step(g), step(b));
    let distance = |x: [u8; 3]| {
        x.iter()
            .zip([r, g, b])
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum::<u32>()
    };
    let cube = [
        CUBE[usize::from(ri)],
        CUBE[usize::from(gi)],
        CUBE[usize::from(bi)],
    ];
    let grey = (0u8..24)
        .min_by_key(|&i| distance([8 + 10 * i; 3]))
        .unwrap_or(0);
    if distance([8 + 10 * grey; 3]) < distance(cube) {
        232 + grey
    } else {
        16 + 36 * ri + 6 * gi + bi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_defines_every_role() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
                let theme =
                    Theme::load(name, None, depth).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(theme.styles.len(), ROLES.len());
            }
        }
    }

    #[test]
    fn every_file_in_themes_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/themes");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("the folder is part of the repository")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .replace(".toml", "")
            })
            .collect();
        let mut built_in: Vec<_> = BUILT_IN
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        files.sort();
        built_in.sort();
        assert_eq!(files, built_in);
    }

    #[test]
    fn the_theme_without_colour_has_none() {
        let theme = Theme::load("none", None, Depth::True).expect("built in");
        assert!(
            theme
                .styles
                .iter()
                .all(|style| style.fg.is_none() && style.bg.is_none())
        );
    }

    fn user(name: &str, text: &str) -> Result<Theme, ThemeError> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
        Theme::load(name, Some(folder.path()), Depth::True)
    }

    #[test]
    fn a_users_file_changes_a_few_roles_and_inherits_the_rest() {
        let theme = user(
            "mine",
            "inherits = \"dark\"\n[roles]\nhit = { bg = \"#123456\" }\n",
        )
        .expect("in order");
        assert_eq!(theme.get(Role::Hit).bg, Some(Color::Rgb(0x12, 0x34, 0x56)));
        assert_eq!(
            theme.get(Role::LineError),
            Theme::dark().get(Role::LineError)
        );
        let same_name = user(
            "dark",
            "inherits = \"dark\"\n[palette]\nred = \"#010203\"\n",
        )
        .expect("may extend its namesake");
        assert_eq!(same_name.get(Role::LineError).fg, Some(Color::Rgb(1, 2, 3)));
    }

    #[test]
    fn a_theme_that_is_not_in_order_says_what_to_change() {
        for (text, expected) in [
            ("[roles]\n", "role \"text\" is missing"),
            (
                "inherits = \"dark\"\n[roles]\nhitt = {}\n",
                "did you mean \"hit\"?",
            ),
            (
                "inherits = \"dark\"\n[roles]\nhit = { fg = \"blurple\" }\n",
                "\"blurple\" is no colour",
            ),
            ("inherits = \"nowhere\"\n", "there is none"),
            (
                "inherits = \"dark\"\n[ansi]\ncolours = [\"red\"]\n",
                "has 1 colours",
            ),
            ("colour = 1\n", "unknown field"),
        ] {
            let error = user("mine", text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn colours_are_brought_to_the_palette_of_256() {
        assert_eq!(nearest(255, 0, 0), 196);
        assert_eq!(nearest(128, 128, 128), 244);
    }
}
