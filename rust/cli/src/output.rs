//! Where the report at the end goes: opened before COMMAND starts, so that a mistake costs nothing.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::RawFd;

use telltale_driver::launch::inherited_descriptor;

use crate::arguments::Sink;
use crate::problem::Problem;
use crate::table::{self, Room};

/// An open place for the report.
#[derive(Debug)]
pub(crate) enum Output {
    /// The terminal, or what stderr is.
    Stderr,
    /// A file, pipe or socket.
    File(File),
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
            Sink::Stderr => Ok(Self::Stderr),
            Sink::Nothing => Ok(Self::Nothing),
            Sink::Descriptor(number) => descriptor(*number).map(Self::File),
            Sink::File(path) => File::create(path).map(Self::File).map_err(|error| {
                Problem::new(format!("the report cannot be written to {}: {error}", path.display()))
                    .advise("Choose another file after --report, or none.")
            }),
        }
    }

    /// What a table has room for here.
    pub(crate) fn room(&self) -> Room {
        let room = match self {
            Self::Stderr => table::room(io::stderr()),
            Self::File(file) => table::room(file),
            Self::Nothing => Room::default(),
        };
        Room { height: None, ..room }
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// What the system said; a reader that has gone is none.
    pub(crate) fn write(&mut self, report: &str) -> io::Result<()> {
        let written = match self {
            Self::Stderr => io::stderr().write_all(report.as_bytes()),
            Self::File(file) => file.write_all(report.as_bytes()),
            Self::Nothing => Ok(()),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

fn descriptor(number: RawFd) -> Result<File, Problem> {
    inherited_descriptor(number).map(File::from).map_err(|error| {
        Problem::new(format!("the report cannot be written to descriptor {number}: {error}")).advise(format!(
            "Open it in the shell: telltale run --report {number} -- COMMAND... {number}> FILE"
        ))
    })
}
