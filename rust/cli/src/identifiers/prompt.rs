//! Asks for a value without showing it.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::problem::{Problem, reason};

/// Bytes of the longest line that is taken; no value is so long.
const LONGEST: usize = 1_024;

/// The value from stdin: one line, and where a person types it there, none of it is seen.
///
/// # Errors
/// A sentence where there is none.
pub(super) fn value(name: &str) -> Result<Zeroizing<String>, Problem> {
    let line = if io::stdin().is_terminal() { typed(name) } else { one_line() };
    let line = line.map_err(|error| Problem::new(format!("no value was given: {}", reason(&error))))?;
    let text = str::from_utf8(&line).map_err(|_| Problem::new("the value is not text in UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn one_line() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    io::stdin().lock().take(LONGEST as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Letter by letter: Ctrl-C must not end this process while the terminal shows nothing.
fn typed(name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut stderr = io::stderr();
    write!(stderr, "{name} (not shown): ")?;
    let silent = Silent::begin()?;
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let ended = silent.read(&mut line);
    drop(silent);
    writeln!(stderr)?;
    ended.map(|()| line)
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }

    fn read(&self, line: &mut Vec<u8>) -> io::Result<()> {
        const INTERRUPT: u8 = 3;
        const END: u8 = 4;
        const BACKSPACE: u8 = 8;
        const DELETE: u8 = 127;
        let mut byte = [0];
        loop {
            // Not through a buffer, which would keep what was typed.
            if rustix::io::read(io::stdin(), &mut byte)? == 0 {
                return Ok(());
            }
            match byte {
                [b'\n' | b'\r' | END] => return Ok(()),
                [INTERRUPT] => return Err(io::Error::other("it was interrupted")),
                [BACKSPACE | DELETE] => {
                    // A character of UTF-8 goes as a whole.
                    while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                }
                [letter] if line.len() < LONGEST => line.push(letter),
                _ => {}
            }
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
