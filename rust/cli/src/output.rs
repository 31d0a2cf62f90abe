//! Where output goes: to stdout, or where the report at the end was asked to go. That place is opened
//! before COMMAND starts, so that a mistake costs nothing.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::process::ExitCode;

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::process::Signal;
use telltale_driver::launch::{Exit, inherited_descriptor};

use crate::arguments::Sink;
use crate::problem::{Problem, reason};
use crate::table::{self, Room};

/// Prints on stdout; answers the code to exit with.
pub(crate) fn print(text: &str) -> ExitCode {
    put(text).map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

/// Prints a part of what is to be printed on stdout. Where the reader has closed early, as `head` does,
/// this process ends by SIGPIPE, as other programs do.
///
/// # Errors
/// The code to exit with, where it cannot be written.
pub(crate) fn put(text: &str) -> Result<(), ExitCode> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Exit::Signal(Signal::PIPE.as_raw()).follow().into();
        }
        Problem::new(format!("the output cannot be written: {}", reason(&error))).tell()
    })
}

/// An open place for the report.
#[derive(Debug)]
pub(crate) enum Output {
    /// The terminal, or what stderr is.
    Stderr,
    /// A file, pipe or socket, and how it was named.
    File(File, String),
    /// No report is wanted.
    Nothing,
}

impl Output {
    /// Opens it. A file is made or emptied.
    ///
    /// # Errors
    /// A sentence where that is not possible.
    pub(crate) fn open(sink: &Sink) -> Result<Self, Problem> {
        match sink {
            Sink::Stderr | Sink::Descriptor(STDERR) => Ok(Self::Stderr),
            Sink::Nothing => Ok(Self::Nothing),
            Sink::Descriptor(number) => {
                descriptor(*number).map(|file| Self::File(file, format!("descriptor {number}")))
            }
            Sink::File(path) => {
                let name = path.display().to_string();
                let file = File::create(path).map_err(|error| {
                    Problem::new(format!("the report cannot be written to {name}: {}", reason(&error)))
                        .advise("Choose another file after --report, or none.")
                })?;
                Ok(Self::File(file, name))
            }
        }
    }

    /// What a table has room for here.
    pub(crate) fn room(&self) -> Room {
        let room = match self {
            Self::Stderr => table::room(io::stderr()),
            Self::File(file, _) => table::room(file),
            Self::Nothing => Room::default(),
        };
        Room { height: None, ..room }
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// A sentence with what the system said; a reader that has gone is no error.
    pub(crate) fn write(&mut self, report: &str) -> Result<(), Problem> {
        let (written, name) = match self {
            Self::Stderr => (io::stderr().write_all(report.as_bytes()), "stderr"),
            Self::File(file, name) => (file.write_all(report.as_bytes()), name.as_str()),
            Self::Nothing => return Ok(()),
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Problem::new(format!("the report could not be written to {name}: {}", reason(&error))))
            }
            _ => Ok(()),
        }
    }
}

const STDERR: RawFd = 2;

fn descriptor(number: RawFd) -> Result<File, Problem> {
    inherited_descriptor(number).and_then(for_writing).map_err(|error| {
        let happened = format!("the report cannot be written to descriptor {number}: {}", reason(&error));
        Problem::new(happened).advise(format!(
            "Open it in the shell: telltale run --report {number} -- COMMAND... {number}> FILE"
        ))
    })
}

fn for_writing(descriptor: std::os::fd::OwnedFd) -> io::Result<File> {
    if fcntl_getfl(&descriptor)? & OFlags::RWMODE == OFlags::RDONLY {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it was opened for reading"));
    }
    Ok(descriptor.into())
}
