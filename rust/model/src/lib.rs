//! What Telltale says about the world: plain values that every room shares, and no logic beyond
//! reading them. The relay produces [`Observation`]s, the watcher turns them into [`Flow`]s, the
//! store keeps those, the screens show them.

mod app;
mod bounded;
mod content;
mod country;
mod coverage;
mod destination;
mod detail;
mod event;
mod facts;
mod finding;
mod flow;
mod gap;
mod history;
mod hit;
mod observation;
mod owner;
mod time;
mod whom;

pub use app::{App, AppGroup};
pub use bounded::{Bounded, Looked};
pub use content::{Content, Protection};
pub use country::Country;
pub use coverage::{Class, Coverage};
pub use destination::{How, Relation, Role};
pub use detail::{Detail, DetailKind, DetailName, Details, Tells};
pub use event::Event;
pub use facts::{Application, Certificate, Facts, Hello, Lookup, Name, NameSource, Request};
pub use finding::{
    Confidence, Envelope, Evidence, Finding, Interruption, Rule, Severity, Told, What, is_disguised,
    sort_told,
};
pub use flow::{Direction, Ending, Flow, FlowKey, FlowNumber, Protocol, Traffic};
pub use gap::{Gap, GapReason};
pub use history::{Day, History, Remembered};
pub use hit::{Form, Grade, Hit};
pub use observation::{Observation, Sealed};
pub use owner::Owner;
pub use time::{Timestamp, Zone};
pub use whom::{Destination, NameKnown};
