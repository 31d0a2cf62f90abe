//! Servers that follow a script, and the sockets to them.

use std::time::Duration;

use telltale_engine::Failure;

/// What a server does with a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) answer: Answer,
    /// How many bytes of its own pattern it sends.
    pub(crate) sends: usize,
    /// Sends back what it gets.
    pub(crate) echo: bool,
    pub(crate) finish: Finish,
    /// Bytes that its socket takes at once. 0: it is blocked.
    pub(crate) takes: usize,
    /// Breaks the connection after so many bytes were received.
    pub(crate) reset_after: Option<usize>,
    /// Most bytes in one read.
    pub(crate) read: usize,
}

/// How a server meets a SYN.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Accept(Duration),
    Fail(Duration, Failure),
    Never,
}

/// When a server closes its own direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Never,
    AfterSending,
    AfterApp,
    /// By a reset, once it has sent all it had.
    Reset,
}

impl Server {
    /// Takes everything, says nothing, closes after the app has.
    pub(crate) const SINK: Self = Self {
        answer: Answer::Accept(Duration::ZERO),
        sends: 0,
        echo: false,
        finish: Finish::AfterApp,
        takes: usize::MAX,
        reset_after: None,
        read: 64 << 10,
    };
    pub(crate) const ECHO: Self = Self { echo: true, ..Self::SINK };
    pub(crate) const SILENT: Self = Self { answer: Answer::Never, ..Self::SINK };

    pub(crate) fn source(bytes: usize) -> Self {
        Self { sends: bytes, finish: Finish::AfterSending, ..Self::SINK }
    }

    pub(crate) fn failing(failure: Failure) -> Self {
        Self { answer: Answer::Fail(Duration::ZERO, failure), ..Self::SINK }
    }
}

/// The socket of one flow, as the shell sees it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) script: Server,
    pub(crate) stage: Stage,
    pub(crate) received: Vec<u8>,
    /// What was sent or waits to be read.
    pub(crate) stream: Vec<u8>,
    pub(crate) read: usize,
    /// The app has finished and the shell was told so.
    pub(crate) shut: bool,
    /// The end was read.
    pub(crate) ended: bool,
    pub(crate) keep_alive: bool,
    pub(crate) readable: bool,
    pub(crate) blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Connecting,
    Connected,
    /// It failed or broke, and the engine was told.
    Broken,
    Closed,
    Aborted,
}

impl Socket {
    pub(crate) fn new(script: Server, stream: Vec<u8>) -> Self {
        Self {
            script,
            stage: Stage::Connecting,
            received: Vec::new(),
            stream,
            read: 0,
            shut: false,
            ended: false,
            keep_alive: false,
            readable: false,
            blocked: false,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Connected)
    }

    /// Takes bytes from the app.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        if self.script.echo {
            self.stream.extend_from_slice(bytes);
        }
    }

    pub(crate) fn has_unread(&self) -> bool {
        self.read < self.stream.len()
    }

    /// Whether the server's end is next to be read, and which.
    pub(crate) fn end_is_next(&self) -> Option<Finish> {
        let done = match self.script.finish {
            Finish::Never => false,
            Finish::AfterSending | Finish::Reset => true,
            Finish::AfterApp => self.shut,
        };
        (done && !self.has_unread() && !self.ended).then_some(self.script.finish)
    }

    pub(crate) fn reset_is_due(&self) -> bool {
        self.script.reset_after.is_some_and(|bytes| self.received.len() >= bytes)
    }
}
