//! The real binary in a real terminal: what it draws, kept by an independent terminal emulator.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::binary::BINARY;

/// The console in a terminal. Killed when it is dropped.
pub(crate) struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    /// A frame has begun and is not whole yet.
    is_drawing: bool,
    /// The text of the last whole frame.
    shown: String,
}

/// Begin and end of a frame that is shown as a whole: synchronized output.
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

impl Seen {
    /// Takes what the program writes. Half a frame is not shown, as on a terminal.
    fn take(&mut self, written: &[u8]) {
        for &byte in written {
            self.screen.process(&[byte]);
            self.bytes.push(byte);
            if self.bytes.ends_with(FRAME_BEGINS) {
                self.is_drawing = true;
            } else if self.bytes.ends_with(FRAME_ENDS) {
                self.is_drawing = false;
                self.shown = self.screen.screen().contents();
            }
        }
        if !self.is_drawing {
            self.shown = self.screen.screen().contents();
        }
    }
}

impl Pty {
    /// Starts it in a terminal of so many columns and rows.
    pub(crate) fn start(args: &[&str], size: (u16, u16)) -> Self {
        Self::run(BINARY, args, size)
    }

    /// The same with an inventory and nothing else.
    pub(crate) fn console(inventory: &Path, size: (u16, u16)) -> Self {
        let inventory = inventory.to_str().expect("UTF-8");
        Self::start(&["--no-ssh-config", "--config", inventory], size)
    }

    /// The same behind the pipe of a shell: standard input is what `from` prints, and not the
    /// terminal.
    pub(crate) fn behind(from: &str, args: &[&str], size: (u16, u16)) -> Self {
        let script = format!("{from} | {} {}", BINARY, args.join(" "));
        Self::run("sh", &["-c", &script], size)
    }

    fn run(program: &str, args: &[&str], size: (u16, u16)) -> Self {
        let size = PtySize {
            cols: size.0,
            rows: size.1,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env_remove("LOGTRAIL_HOSTS");
        let child = pair
            .slave
            .spawn_command(command)
            .expect("start the console");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let screen = vt100::Parser::new(cells(size.rows), cells(size.cols), 0);
        let seen = Arc::new(Mutex::new(Seen {
            screen,
            bytes: Vec::new(),
            is_drawing: false,
            shown: String::new(),
        }));
        let drawn = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                drawn.lock().expect("no panic").take(&buffer[..n]);
            }
        });
        Self {
            child,
            master: pair.master,
            keys,
            seen,
        }
    }

    /// What the screen shows.
    pub(crate) fn screen(&self) -> String {
        self.seen.lock().expect("no panic").shown.clone()
    }

    /// Everything that was written to the terminal.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.lock().expect("no panic").bytes.clone()
    }

    /// Whether the terminal is on its alternate screen.
    pub(crate) fn on_alternate_screen(&self) -> bool {
        self.seen
            .lock()
            .expect("no panic")
            .screen
            .screen()
            .alternate_screen()
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("type");
        self.keys.flush().expect("type");
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        let pty = PtySize {
            cols: size.0,
            rows: size.1,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.seen
            .lock()
            .expect("no panic")
            .screen
            .screen_mut()
            .set_size(cells(size.1), cells(size.0));
        self.master.resize(pty).expect("resize");
    }

    /// Waits until the screen shows a text.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text));
    }

    /// Waits until the screen is as wished; fails with the screen.
    pub(crate) fn wait_until(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.screen()) {
            assert!(
                Instant::now() < deadline,
                "{what} did not appear in {PATIENCE:?}:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process number");
        kill_process(pid, signal).expect("a signal");
    }

    /// Waits for it to end by itself; fails with the screen.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it did not end in {PATIENCE:?}:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has at least one cell")
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
