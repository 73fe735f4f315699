//! The terminal: taken on the way in, given back on every way out, drawn to in between.

use std::fs::File;
use std::io::{self, IsTerminal, Write, stdout};
use std::os::fd::AsFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};

use super::basic_colours::with_basic_colours;
use super::capability::TerminalCapability;
use super::writer::{FrameBuffer, Output};
use crate::app::App;
use crate::view::{self, Depth, Drawing, Theme};

/// How long the way out waits for a terminal that takes nothing: long enough for a slow line, short
/// enough for a person.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the loop draws on.
pub(super) trait Screen {
    /// False while the last frame is still on its way; nothing is drawn then.
    fn is_ready(&self) -> bool;
    /// Waits until a frame has been written. Cancel-safe.
    fn written(&self) -> impl Future<Output = ()>;
    /// How long the last frame took.
    fn took(&self) -> Duration;
    /// Columns and rows.
    fn size(&self) -> io::Result<Size>;
    /// Draws; repaints every cell if `full_redraw`.
    fn draw(&mut self, app: &App, theme: &Theme, full_redraw: bool) -> io::Result<()>;
    /// Puts text into the clipboard of the operator's machine, with the next frame.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Gives the terminal back, stops this process until it is continued, and takes the terminal
    /// again. False where nobody could continue it.
    fn suspend(&mut self) -> io::Result<bool>;
}

/// The terminal of this process.
pub(super) struct Console {
    terminal: Terminal<CrosstermBackend<FrameBuffer>>,
    frame: FrameBuffer,
    output: Output,
    capability: TerminalCapability,
    _guard: TerminalGuard,
}

impl Console {
    /// Takes the terminal.
    pub(super) fn enter(capability: TerminalCapability) -> io::Result<Self> {
        if !stdout().is_terminal() {
            return Err(io::Error::other(
                "standard output is not a terminal; use --once to print",
            ));
        }
        // A descriptor of its own: the lock of std's stdout would be held for as long as the
        // terminal takes nothing.
        let output = Output::start(File::from(stdout().as_fd().try_clone_to_owned()?))?;
        let guard = TerminalGuard::enter(output.clone())?;
        let frame = FrameBuffer::default();
        let terminal = Terminal::new(CrosstermBackend::new(frame.clone()))?;
        Ok(Self {
            terminal,
            frame,
            output,
            capability,
            _guard: guard,
        })
    }
}

impl Screen for Console {
    fn is_ready(&self) -> bool {
        self.output.is_idle()
    }

    async fn written(&self) {
        self.output.written().await;
    }

    fn took(&self) -> Duration {
        self.output.took()
    }

    fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    fn draw(&mut self, app: &App, theme: &Theme, full_redraw: bool) -> io::Result<()> {
        if let Some(error) = self.output.error() {
            return Err(io::Error::other(error));
        }
        let mut buffer = self.frame.clone();
        queue!(buffer, BeginSynchronizedUpdate)?;
        if full_redraw {
            // Not `clear`: that asks the terminal where its cursor is, and waits for the answer.
            let size = self.terminal.size()?;
            self.terminal
                .resize(Rect::from((ratatui::layout::Position::ORIGIN, size)))?;
        }
        draw_frame(&mut self.terminal, app, theme, self.capability.drawing)?;
        queue!(buffer, EndSynchronizedUpdate)?;
        let frame = self.frame.take();
        self.output.send(match self.capability.depth {
            Depth::Sixteen => with_basic_colours(&frame),
            Depth::Indexed | Depth::True => frame,
        });
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let in_screen = std::env::var_os("STY").is_some();
        self.frame.write_all(&clipboard_sequence(text, in_screen))
    }

    fn suspend(&mut self) -> io::Result<bool> {
        if is_alone() {
            return Ok(false);
        }
        leave(&self.output);
        // The whole group, as the terminal's own Ctrl-Z: a wrapper that we were started by must
        // stop too.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        enter(&self.output)?;
        Ok(true)
    }
}

pub(super) fn draw_frame<B: ratatui::backend::Backend>(
    terminal: &mut Terminal<B>,
    app: &App,
    theme: &Theme,
    drawing: Drawing,
) -> Result<(), B::Error> {
    terminal.draw(|frame| {
        let area: Rect = frame.area();
        let cursor = view::draw(app, theme, area, frame.buffer_mut());
        drawing.apply(frame.buffer_mut());
        if let Some(cursor) = cursor {
            frame.set_cursor_position(cursor);
        }
    })?;
    Ok(())
}

/// True where this process leads its session: there is no shell behind it that could bring it back.
fn is_alone() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session == rustix::process::getpid())
}

/// OSC 52. The payload is base64, so no byte of the text is seen by the terminal itself. GNU screen
/// passes it on only in pieces of a device control string; tmux understands it as it is.
fn clipboard_sequence(text: &str, in_screen: bool) -> Vec<u8> {
    /// Screen drops longer strings.
    const PIECE: usize = 256;
    let payload = base64::engine::general_purpose::STANDARD.encode(text);
    let sequence = format!("\x1b]52;c;{payload}\x07").into_bytes();
    if !in_screen {
        return sequence;
    }
    sequence
        .chunks(PIECE)
        .flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat())
        .collect()
}

/// Restores the terminal when it is dropped, and when the program panics.
struct TerminalGuard {
    output: Output,
}

/// Whether the terminal is ours at present; read by the panic hook.
static OURS: AtomicBool = AtomicBool::new(false);

impl TerminalGuard {
    fn enter(output: Output) -> io::Result<Self> {
        restore_on_panic();
        enter(&output)?;
        Ok(Self { output })
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        leave(&self.output);
    }
}

fn enter(output: &Output) -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    let mut bytes = Vec::new();
    // A console without an alternate screen still shows what was there.
    queue!(
        bytes,
        EnterAlternateScreen,
        EnableBracketedPaste,
        Clear(ClearType::All),
        Hide
    )?;
    output.send(bytes);
    output.drain(LAST_WORDS);
    Ok(())
}

/// A terminal that takes nothing keeps its alternate screen, but never its raw mode, and we never
/// wait for it long.
fn leave(output: &Output) {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    output.drain(LAST_WORDS);
    output.send(farewell());
    output.drain(LAST_WORDS);
    let _ = disable_raw_mode();
}

fn farewell() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    bytes
}

/// The message of a panic belongs on the main screen, in a terminal that is in order.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if OURS.swap(false, Ordering::SeqCst) {
                let _ = disable_raw_mode();
                let _ = stdout()
                    .write_all(&farewell())
                    .and_then(|()| stdout().flush());
            }
            before(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_one_sequence_of_base64_and_wrapped_for_screen() {
        assert_eq!(clipboard_sequence("hi\n", false), b"\x1b]52;c;aGkK\x07");
        assert_eq!(
            clipboard_sequence("hi\n", true),
            b"\x1bP\x1b]52;c;aGkK\x07\x1b\\"
        );
    }

    #[test]
    fn the_last_words_undo_what_was_done_on_the_way_in() {
        let words = String::from_utf8(farewell()).expect("text");
        for undone in ["\x1b[?1049l", "\x1b[?2004l", "\x1b[?25h", "\x1b[?2026l"] {
            assert!(words.contains(undone), "{undone:?}");
        }
    }
}
