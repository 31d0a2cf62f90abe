//! The programs of the tests and the demo that Debian has no package for.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

mod commands;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};
use telltale_scenario::exchange::{self, Plan};
use telltale_scenario::matrix::Matrix;
use telltale_scenario::matrix::clean::Clean;
use telltale_scenario::{certificate, http3, raise_descriptor_limit, udp};

const HELP: &str = "\
Programs for the tests and the demo of Telltale.

  telltale-scenario certificate DIR NAME...         an authority and a server certificate, into DIR
  telltale-scenario http3-server ADDR DIR ROOT      gives out the files in ROOT over HTTP/3
  telltale-scenario http3 URL CA [FILE]             fetches URL over HTTP/3, to standard output; FILE is sent to it;
                                                    how many bytes were lost, to standard error
  telltale-scenario exchange ADDR [--flows N] [--concurrent N] [--up BYTES] [--down BYTES]
                             [--piece BYTES] [--hold-ms MS]
                                                    TCP flows both ways, checked by SHA-256
  telltale-scenario udp-server ADDR                 what the next two ask
  telltale-scenario udp-echo ADDR BYTES [--fragments default|yes|no]
                                                    one datagram there and back
  telltale-scenario matrix [--rivals]               kinds of details in forms in containers: which are found
  telltale-scenario clean [--flows N] [--seed N]    flows without any detail: in which one is claimed
  telltale-scenario udp-mapping ADDR ADDR...        how one socket looks to several servers

A phone of 2014, what its programs sent, and the noise of innocent ones; SCENE is
--act 1|2|3|4|modern [--variant as-reported|as-the-code-does] [--step NAME]:

  telltale-scenario servers ADDR DIR                the phone's servers and, at ADDR, their name server;
                                                    makes their keys in DIR, and says when it is ready
  telltale-scenario phone SCENE --ca FILE [--programs DIR]
                                                    plays the scene; its programs are made in DIR
  telltale-scenario capture SCENE FILE.pcap         writes the act as a capture, and FILE.keys
  telltale-scenario steps SCENE                     names and titles of its steps
  telltale-scenario identifiers                     the person's details, for telltale run --identifiers

ADDR is an address with a port, as 203.0.113.10:443 or [2001:db8::10]:443.
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("telltale-scenario: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, lexopt::Error> {
    let mut parser = Parser::from_env();
    let Some(Arg::Value(what)) = parser.next()? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(other)?;
    match what.to_string_lossy().as_ref() {
        "certificate" => {
            let (directory, names) = (path(&mut parser)?, rest(&mut parser)?);
            certificate::write(&directory, &names).map_err(other)?;
            Ok(ExitCode::SUCCESS)
        }
        "http3-server" => {
            let (address, keys, root) = (address(&mut parser)?, path(&mut parser)?, path(&mut parser)?);
            runtime.block_on(async {
                http3::serve(address, &keys, root).map_err(other)?.await;
                Ok(ExitCode::SUCCESS)
            })
        }
        "http3" => {
            let (url, ca) = (parser.value()?.string()?, path(&mut parser)?);
            let upload = rest(&mut parser)?.first().map(std::fs::read).transpose().map_err(other)?;
            let fetching = http3::fetch(&url, &ca, upload.map(Into::into));
            let http3::Fetched { status, body, lost } = runtime.block_on(fetching).map_err(other)?;
            eprintln!("lost {lost}");
            io::stdout().write_all(&body).map_err(other)?;
            Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        "exchange" => {
            let plan = plan(&mut parser)?;
            raise_descriptor_limit().map_err(other)?;
            Ok(tell(&runtime.block_on(exchange::run(plan))))
        }
        "udp-server" => {
            let server = udp::Responder::bind(address(&mut parser)?).map_err(other)?;
            runtime.block_on(async {
                server.serve().map_err(other)?.await;
                Ok(ExitCode::SUCCESS)
            })
        }
        "udp-echo" => {
            let (server, length) = (address(&mut parser)?, parser.value()?.parse()?);
            udp::echo(server, length, fragments(&mut parser)?).map_err(other)?;
            println!("{length} bytes came back");
            Ok(ExitCode::SUCCESS)
        }
        "udp-mapping" => {
            let servers = rest(&mut parser)?
                .iter()
                .map(|server| server.parse())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| lexopt::Error::from(format!("{error}")))?;
            let mapping = udp::mapping(&servers).map_err(other)?;
            println!("seen {:?}\nthird party heard {}", mapping.seen, mapping.third_party_heard);
            Ok(if mapping.is_endpoint_independent() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        "servers" => commands::servers(&mut parser),
        "phone" => commands::phone(&mut parser),
        "program" => commands::program(&mut parser),
        "capture" => commands::capture(&mut parser),
        "steps" => commands::steps(&mut parser),
        "identifiers" => commands::identifiers(),
        "matrix" => matrix(&mut parser),
        "clean" => clean(&mut parser),
        other => Err(format!("there is no {other}; see telltale-scenario --help").into()),
    }
}

fn matrix(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let rivals = match parser.next()? {
        None => false,
        Some(Arg::Long("rivals")) => true,
        Some(argument) => return Err(argument.unexpected()),
    };
    let matrix = Matrix::run();
    print!("{}", if rivals { matrix.rivals() } else { matrix.table() });
    matrix.wrong.iter().for_each(|line| println!("{line}"));
    Ok(if matrix.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn clean(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let (mut flows, mut seed) = (10_000, 1);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("flows") => flows = parser.value()?.parse()?,
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(argument.unexpected()),
        }
    }
    let clean = Clean::run(flows, seed);
    println!(
        "{} flows, {} bytes: yours {} (by chance {:.4} expected), looks like {}",
        clean.flows, clean.bytes, clean.yours, clean.expected, clean.looks_like
    );
    clean.examples.iter().for_each(|line| println!("{line}"));
    Ok(if clean.yours == 0 && clean.looks_like * 1_000 < flows {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn plan(parser: &mut Parser) -> Result<Plan, lexopt::Error> {
    let mut plan = Plan {
        server: address(parser)?,
        flows: 1,
        concurrent: 16,
        up: 0,
        down: 0,
        piece: 65_536,
        hold: Duration::ZERO,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("flows") => plan.flows = parser.value()?.parse()?,
            Arg::Long("concurrent") => plan.concurrent = parser.value()?.parse()?,
            Arg::Long("up") => plan.up = parser.value()?.parse()?,
            Arg::Long("down") => plan.down = parser.value()?.parse()?,
            Arg::Long("piece") => plan.piece = parser.value()?.parse()?,
            Arg::Long("hold-ms") => plan.hold = Duration::from_millis(parser.value()?.parse()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(plan)
}

fn fragments(parser: &mut Parser) -> Result<udp::Fragments, lexopt::Error> {
    match parser.next()? {
        None => Ok(udp::Fragments::Default),
        Some(Arg::Long("fragments")) => match parser.value()?.string()?.as_str() {
            "yes" => Ok(udp::Fragments::Allowed),
            "no" => Ok(udp::Fragments::Forbidden),
            _ => Ok(udp::Fragments::Default),
        },
        Some(argument) => Err(argument.unexpected()),
    }
}

/// One line of numbers, and a line for each of the first failures.
fn tell(outcome: &exchange::Outcome) -> ExitCode {
    println!(
        "good {} failed {} sent {} received {}",
        outcome.good,
        outcome.failures.len(),
        outcome.sent,
        outcome.received
    );
    for failure in outcome.failures.iter().take(10) {
        println!("{failure}");
    }
    if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn address(parser: &mut Parser) -> Result<SocketAddr, lexopt::Error> {
    parser.value()?.parse()
}

fn path(parser: &mut Parser) -> Result<PathBuf, lexopt::Error> {
    Ok(parser.value()?.into())
}

fn rest(parser: &mut Parser) -> Result<Vec<String>, lexopt::Error> {
    parser.raw_args()?.map(ValueExt::string).collect()
}

fn other(error: io::Error) -> lexopt::Error {
    lexopt::Error::Custom(error.into())
}
