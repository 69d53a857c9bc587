//! A terminal: a program on it, and what stands on its screen.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The master's side of a pseudo-terminal.
pub struct Pty {
    master: File,
    slave: Option<OwnedFd>,
}

impl Pty {
    /// A terminal of 24 rows.
    pub fn new(columns: u16) -> Self {
        let [mut master, mut slave] = [-1; 2];
        // SAFETY: the two places are written; names, modes and sizes may be null
        let opened = unsafe {
            libc::openpty(
                &raw mut master,
                &raw mut slave,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        assert_eq!(opened, 0, "a pseudo-terminal");
        for end in [master, slave] {
            // SAFETY: the call sets a flag; a command that kept the master would keep its terminal open
            unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: both were just opened and belong to nobody else
        let (master, slave) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        let pty = Self {
            master,
            slave: Some(slave),
        };
        pty.set_columns(columns);
        pty
    }

    fn set_columns(&self, columns: u16) {
        let size = libc::winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the call reads a winsize
        let set =
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(set, 0, "the size of a terminal");
    }

    /// Starts a command with the terminal as its own.
    pub fn spawn(&mut self, mut command: Command) -> Child {
        let slave = self.slave.take().expect("one command a terminal");
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        // SAFETY: both calls may be made between fork and exec
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        command.spawn().unwrap()
    }

    /// Reads what is there; `false` at the end of the command.
    pub fn read(&mut self, into: &mut Vec<u8>) -> bool {
        let mut bytes = [0; 4096];
        match self.master.read(&mut bytes) {
            Ok(count) if count > 0 => {
                into.extend(&bytes[..count]);
                true
            }
            _ => false,
        }
    }

    /// Types.
    pub fn write(&mut self, bytes: &[u8]) {
        std::io::Write::write_all(&mut self.master, bytes).unwrap();
    }
}

/// The rows that a terminal of some columns shows, without blanks at their ends.
pub fn screen(bytes: &[u8], columns: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.chars().peekable();
    let mut rows: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0usize, 0usize);
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                letters.next_if_eq(&'[');
                let mut number = String::new();
                while let Some(digit) = letters.next_if(|c| !c.is_ascii_alphabetic()) {
                    number.push(digit);
                }
                let count = number.parse::<usize>();
                match letters.next() {
                    Some('A') => row = row.saturating_sub(count.unwrap_or(1)),
                    Some('B') => row += count.unwrap_or(1),
                    Some('C') => column += count.unwrap_or(1),
                    Some('D') => column = column.saturating_sub(count.unwrap_or(1)),
                    Some('K') if count == Ok(2) => rows[row].clear(),
                    Some('K') => rows[row].truncate(column),
                    _ => {}
                }
            }
            '\r' => column = 0,
            '\n' => row += 1,
            letter if letter.is_control() => {}
            letter => {
                if column >= columns {
                    (row, column) = (row + 1, 0);
                }
                if rows.len() <= row {
                    rows.resize(row + 1, Vec::new());
                }
                let cells = &mut rows[row];
                if cells.len() <= column {
                    cells.resize(column + 1, ' ');
                }
                cells[column] = letter;
                column += 1;
            }
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
    }
    let rows = rows.into_iter();
    rows.map(|row| row.into_iter().collect::<String>().trim_end().to_owned())
        .collect()
}
