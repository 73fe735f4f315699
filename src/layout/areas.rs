//! How the screen is divided.

use ratatui::layout::Rect;

use super::options::ViewOptions;

/// Narrower screens have no room for the host list beside the log.
const SIDE_FROM_WIDTH: u16 = 72;
/// Lower screens have no row to spare for hints.
const HINTS_FROM_HEIGHT: u16 = 12;
/// Rows of the host list below which the metrics of the selected host would crowd it out.
const METRICS_FROM_HEIGHT: u16 = 16;
/// Rows for the metrics of the selected host, with their heading: fewest, and most where the list
/// leaves them free.
const METRICS_HEIGHT: u16 = 10;
const METRICS_MOST: u16 = 28;

/// Parts of the screen; those without room are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// The host list.
    pub side: Rect,
    /// Metrics of the selected host, below it.
    pub metrics: Rect,
    /// The log panes.
    pub main: Rect,
    /// The status line.
    pub status: Rect,
    /// The prompt or, without one, the hints; the same as `status` on low screens.
    pub bottom: Rect,
}

impl Areas {
    /// Divides a screen. On a narrow one the host list takes the place of the panes while it has
    /// the focus. What the list of so many hosts does not need, the metrics have.
    #[must_use]
    pub fn of(screen: Rect, options: &ViewOptions, side_focused: bool, hosts: usize) -> Self {
        let hint_rows = u16::from(options.hints && screen.height >= HINTS_FROM_HEIGHT);
        let bottom_rows = (1 + hint_rows).min(screen.height);
        let body = Rect {
            height: screen.height - bottom_rows,
            ..screen
        };
        let status = Rect {
            y: screen.y + body.height,
            height: bottom_rows.min(1),
            ..screen
        };
        let bottom = if hint_rows == 1 {
            Rect {
                y: status.y + 1,
                ..status
            }
        } else {
            status
        };
        let width = if options.side {
            side_width(screen.width, side_focused)
        } else {
            0
        };
        let (side, metrics) = divide_side(Rect { width, ..body }, hosts);
        Self {
            side,
            metrics,
            main: Rect {
                x: body.x + width,
                width: body.width - width,
                ..body
            },
            status,
            bottom,
        }
    }
}

fn side_width(width: u16, focused: bool) -> u16 {
    match width {
        160.. => 48,
        110.. => 40,
        SIDE_FROM_WIDTH.. => 28,
        _ if focused => width,
        _ => 0,
    }
}

fn divide_side(side: Rect, hosts: usize) -> (Rect, Rect) {
    // A heading and a blank row below the last host.
    let list = u16::try_from(hosts).unwrap_or(u16::MAX).saturating_add(2);
    let free = side.height.saturating_sub(list);
    let rows = if side.height >= METRICS_FROM_HEIGHT {
        free.clamp(METRICS_HEIGHT, METRICS_MOST)
    } else {
        0
    };
    let list = Rect {
        height: side.height - rows,
        ..side
    };
    (
        list,
        Rect {
            y: side.y + list.height,
            height: rows,
            ..side
        },
    )
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn the_metrics_have_what_the_list_of_hosts_leaves_free_and_never_less_than_they_need() {
        for (height, hosts, expect) in [
            (38, 5, 28),
            (60, 5, 28),
            (38, 30, 10),
            (22, 5, 15),
            (15, 5, 0),
            (22, 99, 10),
        ] {
            let options = ViewOptions::new(TimeZone::UTC);
            let areas = Areas::of(Rect::new(0, 0, 140, height + 2), &options, false, hosts);
            assert_eq!(
                areas.metrics.height, expect,
                "{hosts} hosts in {height} rows"
            );
            assert_eq!(areas.side.height + areas.metrics.height, height);
        }
    }
}
