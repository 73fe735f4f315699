//! Where things go on the screen: how it is divided, which columns a log pane has, and what of a
//! line goes beside them. Pure, and without colours: `app` pages by it, `view` draws it.

mod areas;
mod columns;
mod options;

pub use areas::Areas;
pub use columns::LineColumns;
pub use options::{TimeStyle, ViewOptions};
