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

use crate::app::App;

mod hosts;
mod log;
mod metrics;
mod paint;
mod panel;
mod popup;
mod status;
mod theme;
mod time;

pub use theme::{Depth, ROLES, Role, Theme, ThemeError};

/// Draws the console; says where the cursor is to stand, if text is being typed.
pub fn draw(app: &App, theme: &Theme, screen: Rect, buffer: &mut Buffer) -> Option<Position> {
    let screen = screen.intersection(buffer.area);
    buffer.set_style(screen, theme.get(Role::Text));
    let areas = app.areas(screen);
    hosts::draw(app, theme, areas.side, buffer);
    metrics::draw(app, theme, areas.metrics, buffer);
    log::draw(app, theme, areas.main, buffer);
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
