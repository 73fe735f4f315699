//! The split tree: which panes there are and where they lie. It knows numbers of panes and
//! rectangles, not logs.

use ratatui::layout::{Direction, Position, Rect};

/// A pane; never reused in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaneId(pub u32);

/// Where to go from a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are directions")]
pub enum Side {
    Left,
    Down,
    Up,
    Right,
}

impl Side {
    fn axis(self) -> Direction {
        match self {
            Self::Left | Self::Right => Direction::Horizontal,
            Self::Up | Self::Down => Direction::Vertical,
        }
    }

    /// Whether `other` lies on this side of `here`.
    fn has(self, here: Rect, other: Rect) -> bool {
        match self {
            Self::Left => other.right() <= here.x,
            Self::Right => other.x >= here.right(),
            Self::Up => other.bottom() <= here.y,
            Self::Down => other.y >= here.bottom(),
        }
    }

    /// How far away `other` is in this direction; what is straight ahead is nearer.
    fn distance(self, here: Rect, other: Rect) -> u16 {
        let dx = center(here).x.abs_diff(center(other).x);
        let dy = center(here).y.abs_diff(center(other).y);
        match self.axis() {
            Direction::Horizontal => dx.saturating_add(dy.saturating_mul(3)),
            Direction::Vertical => dy.saturating_add(dx.saturating_mul(3)),
        }
    }
}

fn center(rect: Rect) -> Position {
    Position::new(rect.x + rect.width / 2, rect.y + rect.height / 2)
}

/// The weight of a fresh child. Large, so that growing in steps is fine enough.
const WEIGHT: u16 = 100;
/// What one key press of growing or shrinking moves.
const STEP: u16 = 15;
/// No child is squeezed below this.
const MIN_WEIGHT: u16 = 20;
/// Smallest panes that a split may make; below it nothing could be read.
const MIN_WIDTH: u16 = 12;
const MIN_HEIGHT: u16 = 3;

/// The panes of the screen and how it is divided among them. Never empty.
#[derive(Debug)]
pub struct Tree {
    root: Node,
    zoomed: bool,
}

#[derive(Debug)]
enum Node {
    Leaf(PaneId),
    Split {
        direction: Direction,
        children: Vec<(u16, Node)>,
    },
}

impl Tree {
    /// One pane that has everything.
    #[must_use]
    pub fn new(pane: PaneId) -> Self {
        Self {
            root: Node::Leaf(pane),
            zoomed: false,
        }
    }

    /// All panes in reading order.
    #[must_use]
    pub fn panes(&self) -> Vec<PaneId> {
        let mut panes = Vec::new();
        self.root.collect(&mut panes);
        panes
    }

    /// Puts `new` to the right of `at` or below it. False where there is no room in `area`.
    pub fn split(&mut self, at: PaneId, new: PaneId, direction: Direction, area: Rect) -> bool {
        self.zoomed = false;
        let room = self
            .areas(area, at)
            .into_iter()
            .find(|(pane, _)| *pane == at)
            .map(|(_, rect)| rect);
        let fits = room.is_some_and(|rect| match direction {
            Direction::Horizontal => rect.width > 2 * MIN_WIDTH,
            Direction::Vertical => rect.height >= 2 * MIN_HEIGHT,
        });
        fits && self.root.split(at, new, direction)
    }

    /// Removes a pane; the last one stays. True if it was removed.
    pub fn close(&mut self, pane: PaneId) -> bool {
        self.zoomed = false;
        if matches!(self.root, Node::Leaf(_)) {
            return false;
        }
        self.root.close(pane);
        self.root.simplify();
        true
    }

    /// Closes all panes but one.
    pub fn only(&mut self, pane: PaneId) {
        *self = Self::new(pane);
    }

    /// Gives the whole area to the focused pane, or takes it back.
    pub fn zoom(&mut self) {
        self.zoomed = !self.zoomed && !matches!(self.root, Node::Leaf(_));
    }

    /// Whether one pane has the whole area for the moment.
    #[must_use]
    pub fn is_zoomed(&self) -> bool {
        self.zoomed
    }

    /// The same room for all.
    pub fn equalise(&mut self) {
        self.root.equalise();
    }

    /// Makes a pane larger along an axis, or smaller.
    pub fn resize(&mut self, pane: PaneId, direction: Direction, grow: bool) {
        self.root.resize(pane, direction, grow);
    }

    /// The panes on the screen with their rectangles; between panes side by side a column is left
    /// for the border.
    #[must_use]
    pub fn areas(&self, area: Rect, focus: PaneId) -> Vec<(PaneId, Rect)> {
        if self.zoomed {
            return vec![(focus, area)];
        }
        let mut areas = Vec::new();
        self.root.areas(area, &mut areas);
        areas
    }

    /// The nearest pane on that side.
    #[must_use]
    pub fn neighbour(&self, from: PaneId, side: Side, area: Rect) -> Option<PaneId> {
        let areas = self.areas(area, from);
        let here = areas.iter().find(|(pane, _)| *pane == from)?.1;
        areas
            .iter()
            .filter(|(_, rect)| side.has(here, *rect))
            .min_by_key(|(_, rect)| side.distance(here, *rect))
            .map(|(pane, _)| *pane)
    }
}

impl Node {
    fn collect(&self, panes: &mut Vec<PaneId>) {
        match self {
            Self::Leaf(pane) => panes.push(*pane),
            Self::Split { children, .. } => {
                children.iter().for_each(|(_, child)| child.collect(panes));
            }
        }
    }

    fn split(&mut self, at: PaneId, new: PaneId, direction: Direction) -> bool {
        match self {
            Self::Leaf(pane) if *pane == at => {
                let children = vec![(WEIGHT, Self::Leaf(at)), (WEIGHT, Self::Leaf(new))];
                *self = Self::Split {
                    direction,
                    children,
                };
                true
            }
            Self::Leaf(_) => false,
            Self::Split {
                direction: own,
                children,
            } => {
                let here = children
                    .iter()
                    .position(|(_, child)| matches!(child, Self::Leaf(pane) if *pane == at));
                match here {
                    Some(index) if *own == direction => {
                        let weight = children[index].0;
                        children.insert(index + 1, (weight, Self::Leaf(new)));
                        true
                    }
                    _ => children
                        .iter_mut()
                        .any(|(_, child)| child.split(at, new, direction)),
                }
            }
        }
    }

    fn close(&mut self, pane: PaneId) {
        if let Self::Split { children, .. } = self {
            children.retain(|(_, child)| !matches!(child, Self::Leaf(id) if *id == pane));
            for (_, child) in children {
                child.close(pane);
            }
        }
    }

    /// A split with one child is that child.
    fn simplify(&mut self) {
        if let Self::Split { children, .. } = self {
            for (_, child) in children.iter_mut() {
                child.simplify();
            }
            if children.len() == 1
                && let Some((_, only)) = children.pop()
            {
                *self = only;
            }
        }
    }

    fn equalise(&mut self) {
        if let Self::Split { children, .. } = self {
            for (weight, child) in children {
                *weight = WEIGHT;
                child.equalise();
            }
        }
    }

    /// True if the pane is in here; the innermost split along the axis gives or takes.
    fn resize(&mut self, pane: PaneId, axis: Direction, grow: bool) -> Resized {
        let Self::Split {
            direction,
            children,
        } = self
        else {
            return if matches!(self, Self::Leaf(id) if *id == pane) {
                Resized::Here
            } else {
                Resized::Not
            };
        };
        for (weight, child) in children {
            match child.resize(pane, axis, grow) {
                Resized::Here if *direction == axis => {
                    *weight = if grow {
                        weight.saturating_add(STEP)
                    } else {
                        weight.saturating_sub(STEP).max(MIN_WEIGHT)
                    };
                    return Resized::Done;
                }
                Resized::Not => {}
                found => return found,
            }
        }
        Resized::Not
    }

    fn areas(&self, area: Rect, out: &mut Vec<(PaneId, Rect)>) {
        match self {
            Self::Leaf(pane) => out.push((*pane, area)),
            Self::Split {
                direction,
                children,
            } => {
                for ((_, child), part) in children.iter().zip(divide(*direction, children, area)) {
                    child.areas(part, out);
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Resized {
    Not,
    Here,
    Done,
}

/// Parts of an area by weight; the last one has what rounding leaves.
fn divide(direction: Direction, children: &[(u16, Node)], area: Rect) -> Vec<Rect> {
    let count = u16::try_from(children.len()).unwrap_or(u16::MAX);
    let (length, gap) = match direction {
        Direction::Horizontal => (area.width, 1),
        Direction::Vertical => (area.height, 0),
    };
    let free = length.saturating_sub(gap * count.saturating_sub(1));
    let total: u64 = children
        .iter()
        .map(|(weight, _)| u64::from(*weight))
        .sum::<u64>()
        .max(1);
    let mut sum = 0u64;
    let mut used = 0u16;
    let gaps = (0u16..).map(|before| before.saturating_mul(gap));
    children
        .iter()
        .zip(gaps)
        .map(|((weight, _), gaps)| {
            sum += u64::from(*weight);
            let upto = u16::try_from(u64::from(free) * sum / total).unwrap_or(free);
            let begin = used.saturating_add(gaps).min(length);
            let size = (upto - used).min(length - begin);
            used = upto;
            part(area, direction, begin, size)
        })
        .collect()
}

/// A part of an area along an axis.
fn part(area: Rect, axis: Direction, begin: u16, size: u16) -> Rect {
    match axis {
        Direction::Horizontal => Rect {
            x: area.x + begin,
            width: size,
            ..area
        },
        Direction::Vertical => Rect {
            y: area.y + begin,
            height: size,
            ..area
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCREEN: Rect = Rect {
        x: 0,
        y: 0,
        width: 80,
        height: 24,
    };

    fn pane(id: u32) -> PaneId {
        PaneId(id)
    }

    /// 0 left; 1 above 2 on the right.
    fn three() -> Tree {
        let mut tree = Tree::new(pane(0));
        assert!(tree.split(pane(0), pane(1), Direction::Horizontal, SCREEN));
        assert!(tree.split(pane(1), pane(2), Direction::Vertical, SCREEN));
        tree
    }

    #[test]
    fn focus_moves_to_the_pane_on_that_side() {
        let tree = three();
        let go = |from, side| tree.neighbour(pane(from), side, SCREEN).map(|pane| pane.0);
        assert!(go(0, Side::Right).is_some());
        assert_eq!(go(1, Side::Left), Some(0));
        assert_eq!(go(2, Side::Up), Some(1));
        assert_eq!(go(1, Side::Down), Some(2));
        assert_eq!(go(0, Side::Left), None);
    }

    #[test]
    fn closing_gives_the_room_back_and_the_last_pane_stays() {
        let mut tree = three();
        assert!(tree.close(pane(1)));
        assert_eq!(tree.panes(), [pane(0), pane(2)]);
        assert!(tree.close(pane(0)));
        assert!(!tree.close(pane(2)));
        assert_eq!(tree.areas(SCREEN, pane(2)), [(pane(2), SCREEN)]);
    }

    #[test]
    fn zoom_gives_all_to_one_and_back() {
        let mut tree = three();
        tree.zoom();
        assert_eq!(tree.areas(SCREEN, pane(1)), [(pane(1), SCREEN)]);
        tree.zoom();
        assert_eq!(tree.areas(SCREEN, pane(1)).len(), 3);
    }

    #[test]
    fn a_pane_too_small_is_not_split() {
        let mut tree = Tree::new(pane(0));
        assert!(!tree.split(
            pane(0),
            pane(1),
            Direction::Horizontal,
            Rect::new(0, 0, 20, 20)
        ));
        assert_eq!(tree.panes(), [pane(0)]);
    }

    #[test]
    fn growing_moves_the_border() {
        let mut tree = three();
        let width = |tree: &Tree| tree.areas(SCREEN, pane(0))[0].1.width;
        let before = width(&tree);
        tree.resize(pane(0), Direction::Horizontal, true);
        assert!(width(&tree) > before);
        tree.equalise();
        assert_eq!(width(&tree), before);
    }

    proptest! {
        #[test]
        fn areas_never_overlap_and_never_leave_the_screen(
            splits in prop::collection::vec((0u32..8, any::<bool>()), 0..8),
            width in 0u16..200, height in 0u16..60,
        ) {
            let mut tree = Tree::new(pane(0));
            let big = Rect::new(0, 0, 400, 200);
            for (new, (at, horizontal)) in (1..).zip(splits) {
                let direction = if horizontal { Direction::Horizontal } else { Direction::Vertical };
                tree.split(pane(at), pane(new), direction, big);
            }
            let screen = Rect::new(0, 0, width, height);
            let areas = tree.areas(screen, pane(0));
            prop_assert_eq!(areas.len(), tree.panes().len());
            for (at, (_, one)) in areas.iter().enumerate() {
                prop_assert_eq!(one.intersection(screen).area(), one.area());
                for (_, other) in &areas[at + 1..] {
                    prop_assert_eq!(one.intersection(*other).area(), 0);
                }
            }
        }
    }
}
