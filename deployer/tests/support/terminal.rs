//! The binary in a pseudo-terminal: what it writes byte by byte, what a person then sees, and keys that a person presses.

use crate::{repository, wait_for};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const COLUMNS: u16 = 80;

/// So many that nothing scrolls away.
const ROWS: u16 = 500;

const LONGEST: Duration = Duration::from_mins(2);

/// Becomes the program of its arguments, with stdin as its controlling terminal: only that turns Ctrl-C into a signal.
const IN_A_SESSION_OF_ITS_OWN: &str = "import fcntl, os, sys, termios; os.setsid(); \
                                       fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])";

/// A run in a terminal. Dropped, it is killed.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: Keyboard,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// Types into a terminal.
#[derive(Debug)]
pub struct Keyboard(File);

/// What a run in a terminal has left behind.
#[derive(Debug)]
pub struct Ended {
    /// Absent when a signal ended it.
    pub code: Option<i32>,
    /// Everything that was written to the terminal.
    pub written: String,
    /// What stands on it in the end.
    pub screen: Screen,
}

impl Terminal {
    /// Runs a command with its arguments, variables and folder, but without `CI`, in which nothing is drawn or asked.
    pub(crate) fn start(described: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        fcntl_setfd(&master, FdFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = || {
            let path = OsStr::from_bytes(name.to_bytes());
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        let mut command = Command::new(repository().join(".venv/bin/python"));
        command.args(["-ISc", IN_A_SESSION_OF_ITS_OWN]).arg(described.get_program());
        command.args(described.get_args()).env_clear().env("TERM", "xterm-256color");
        for (name, value) in described.get_envs() {
            if let (Some(value), true) = (value, name != "CI") {
                command.env(name, value);
            }
        }
        if let Some(folder) = described.get_current_dir() {
            command.current_dir(folder);
        }
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().expect("Python starts");
        // It holds the other side, and the terminal ends when nobody does any more.
        drop(command);
        let mut screen = File::from(master);
        let keyboard = Keyboard(screen.try_clone().unwrap());
        let written = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&written);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Linux ends a terminal with an error, others with an empty read.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..length]);
            }
        });
        Self { child, keyboard, written, reader: Some(reader) }
    }

    /// Another hand on the same keyboard.
    pub fn keyboard(&self) -> Keyboard {
        Keyboard(self.keyboard.0.try_clone().unwrap())
    }

    /// Waits until this has been written.
    pub fn wait_for_text(&self, text: &str) {
        wait_for(text, LONGEST, || self.written().contains(text).then_some(()));
    }

    /// Presses keys.
    pub fn press(&self, keys: &str) {
        self.keyboard.press(keys);
    }

    /// Waits until it ends.
    pub fn wait(mut self) -> Ended {
        let status = wait_for("the run in a terminal", LONGEST, || self.child.try_wait().unwrap());
        self.reader.take().unwrap().join().unwrap();
        let written = self.written();
        Ended { code: status.code(), screen: Screen::of(&written), written }
    }

    fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Keyboard {
    /// Presses keys; Ctrl-C is `\x03`.
    pub fn press(&self, keys: &str) {
        (&self.0).write_all(keys.as_bytes()).unwrap();
    }
}

impl Ended {
    /// The same, if it ended with this exit code.
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.written);
        self
    }
}

/// What a terminal shows that understands colours, and what a progress display needs of cursor movements.
#[derive(Debug)]
pub struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// Whether the cursor can be seen.
    pub cursor: bool,
    /// What steers a terminal in any other way, or is invisible, in the order in which it came.
    pub unexpected: Vec<String>,
    /// How many changes of colour there were.
    pub colours: usize,
}

impl Screen {
    fn of(written: &str) -> Self {
        let mut screen =
            Self { lines: Vec::new(), row: 0, column: 0, cursor: true, unexpected: Vec::new(), colours: 0 };
        let mut rest = written.chars();
        while let Some(c) = rest.next() {
            match c {
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\u{1b}' => screen.control(&mut rest),
                c if c.is_control() || is_invisible(c) => screen.unexpected.push(format!("{c:?}")),
                c => screen.put(c),
            }
        }
        screen
    }

    /// The lines, without trailing spaces and empty lines at the end.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Whether a shell's prompt would begin an empty line.
    pub fn is_ready_for_a_prompt(&self) -> bool {
        let below = self.lines.iter().skip(self.row).flatten();
        self.cursor && self.column == 0 && below.copied().all(|c| c == ' ')
    }

    fn control(&mut self, rest: &mut std::str::Chars<'_>) {
        let mut sequence = String::new();
        for c in rest.by_ref() {
            sequence.push(c);
            if c != '[' && ('\u{40}'..='\u{7e}').contains(&c) {
                break;
            }
        }
        let parameter = sequence.trim_start_matches('[').trim_end_matches(char::is_alphabetic);
        let number = parameter.parse().unwrap_or(1);
        match (sequence.chars().last(), parameter) {
            (Some('m'), _) => self.colours += 1,
            (Some('A'), _) => self.row = self.row.saturating_sub(number),
            (Some('B'), _) => self.row += number,
            (Some('K'), "2") => self.clear_from(0),
            (Some('K'), "" | "0") => self.clear_from(self.column),
            (Some('J'), "" | "0") => {
                self.clear_from(self.column);
                self.lines.truncate(self.row + 1);
            }
            (Some('h'), "?25") => self.cursor = true,
            (Some('l'), "?25") => self.cursor = false,
            _ => self.unexpected.push(format!("{:?}", format!("\u{1b}{sequence}"))),
        }
    }

    fn clear_from(&mut self, column: usize) {
        if let Some(line) = self.lines.get_mut(self.row) {
            line.truncate(column);
        }
    }

    fn put(&mut self, c: char) {
        if self.column == usize::from(COLUMNS) {
            self.row += 1;
            self.column = 0;
        }
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
        let line = &mut self.lines[self.row];
        if line.len() <= self.column {
            line.resize(self.column + 1, ' ');
        }
        line[self.column] = c;
        self.column += 1;
    }
}

/// The direction marks and zero-width characters of the attacks that are tested.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
