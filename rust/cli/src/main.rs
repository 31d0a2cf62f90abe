//! `telltale`: shows what a program sends out.

mod about;
mod arguments;
mod attach;
mod events;
mod findings;
mod help;
mod identifiers;
mod json;
mod keys;
mod live;
mod lookup;
mod moment;
mod mute;
mod output;
mod problem;
mod replay;
mod report;
mod rows;
mod run;
mod session;
mod since;
mod table;
mod tables;
mod words;

use std::process::ExitCode;

use arguments::Request;

fn main() -> ExitCode {
    telltale_driver::tell_places_of_panics(|place| {
        problem::say(&format!("there is a mistake in Telltale, at {place}; please report this"));
    });
    match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Run(options)) => run::run(options),
        Ok(Request::Attach(options)) => attach::attach(options),
        Ok(Request::Report(options)) => report::report(&options),
        Ok(Request::Replay(options)) => replay::replay(&options),
        Ok(Request::Lookup(options)) => lookup::lookup(&options),
        Ok(Request::Identifiers(request)) => identifiers::identifiers(&request),
        Ok(Request::Mute(options)) => mute::mute(&options),
        Ok(Request::About) => output::print(&about::text()),
        Ok(Request::Help(topic)) => output::print(topic.text()),
        Ok(Request::Version) => output::print(concat!("telltale ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(problem) => problem.tell(),
    }
}
