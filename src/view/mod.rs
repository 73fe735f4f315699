//! The console as cells: a function of [`App`] and a theme. It keeps no state and does no I/O.
//!
//! ```text
//! ┌ host list ──────┬ pane header ─────────────── state ┐
//! │ ● web-1 ▂▃▅ 12% │ web-1 13:02:11.123 E app text …   │
//! │ ○ web-2 timeout │ ── gap: 3.4 kB lost, truncated ── │
//! ├ metrics ────────┤ web-3 13:02:11.201 I app text …   │
//! │ cpu ▂▃▅▂▁   12% │                                   │
//! ├─────────────────┴───────────────────────────────────┤
//! │ 2/3 hosts · 1 timeout · complete to 13:02:11 · …    │  status
//! │ / search  & filter  ? help                          │  hints or prompt
//! └─────────────────────────────────────────────────────┘
//! ```
//!
//! Only rows on the screen are parsed. Text reaches the screen through `paint`, which accepts
//! nothing from outside but [`SafeText`](crate::model::text::SafeText).

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::{App, Pane};

mod ascii;
mod dialog;
mod help;
mod hints;
mod host;
mod hosts;
mod log;
mod metrics;
mod paint;
mod panel;
mod popup;
mod question;
mod record;
mod status;
mod theme;
mod time;

use log::LogView;
use panel::draw_border;

pub use ascii::Drawing;
pub use theme::{Depth, ROLES, Role, Theme, ThemeError};

/// Draws the console. Returns where the cursor goes, if text is being typed.
pub fn draw(app: &App, theme: &Theme, screen: Rect, buffer: &mut Buffer) -> Option<Position> {
    let screen = screen.intersection(buffer.area);
    buffer.set_style(screen, theme.get(Role::Text));
    let areas = app.areas(screen);
    for (pane, area) in app.panes_on(&areas) {
        match pane {
            Pane::Hosts(_) => hosts::draw(app, theme, area, buffer),
            Pane::Metrics(_) => metrics::draw(app, theme, area, buffer),
            Pane::Log(id, pane) => {
                if area.right() < areas.main.right() {
                    draw_border(theme, area.right(), area, buffer);
                }
                let view = LogView {
                    app,
                    theme,
                    id,
                    pane,
                };
                log::draw(view, area, buffer);
            }
            // They open above all others.
            Pane::Help(_) | Pane::Host(_) | Pane::Record(_) => {}
        }
    }
    status::draw(app, theme, areas.status, buffer);
    let cursor = status::draw_bottom(app, theme, areas, buffer);
    // A screen too small for what is typed has no place for the cursor.
    popup::draw(app, theme, screen, buffer)
        .or(cursor)
        .filter(|at| screen.contains(*at))
}

#[cfg(test)]
pub(crate) mod styled;
#[cfg(test)]
mod tests;
