//! The commands of the 2014 scenario: the phone, its servers, and both as a capture file.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use lexopt::{Arg, Parser, ValueExt};
use telltale_scenario::certificate;
use telltale_scenario::phone::{self, Act, HOSTS, PERSONA, Place, Servers, Step, Variant, Way};

use crate::other;

/// What the person does on the phone, or a part of it.
struct Scene {
    act: Act,
    variant: Variant,
    step: Option<String>,
    ca: Option<PathBuf>,
    programs: Option<PathBuf>,
    rest: Vec<PathBuf>,
}

impl Scene {
    fn parse(parser: &mut Parser) -> Result<Self, lexopt::Error> {
        let (mut act, mut variant) = (None, Variant::AsReported);
        let (mut step, mut ca, mut programs, mut rest) = (None, None, None, Vec::new());
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("act") => act = Some(parser.value()?.parse()?),
                Arg::Long("variant") => variant = parser.value()?.parse()?,
                Arg::Long("step") => step = Some(parser.value()?.string()?),
                Arg::Long("ca") => ca = Some(parser.value()?.into()),
                Arg::Long("programs") => programs = Some(parser.value()?.into()),
                Arg::Value(value) => rest.push(value.into()),
                Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected()),
            }
        }
        let act = act.ok_or("--act is missing")?;
        Ok(Self { act, variant, step, ca, programs, rest })
    }

    /// The steps that are meant.
    fn steps(&self) -> Result<Vec<Step>, lexopt::Error> {
        let mut steps = self.act.steps(self.variant);
        if let Some(name) = &self.step {
            let names: Vec<_> = steps.iter().map(|step| step.name).collect();
            let unknown = format!("act {} has no step {name}: they are {}", self.act, names.join(", "));
            steps.retain(|step| step.name == name);
            if steps.is_empty() {
                return Err(unknown.into());
            }
        }
        Ok(steps)
    }

    fn ca(&self) -> Result<&Path, lexopt::Error> {
        self.ca.as_deref().ok_or_else(|| "--ca is missing".into())
    }
}

/// `phone`: each program of each step is a process of its own.
pub(crate) fn phone(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let scene = Scene::parse(parser)?;
    let (steps, ca) = (scene.steps()?, scene.ca()?);
    let passing = std::env::temp_dir().join(format!("telltale-phone-{}", std::process::id()));
    let folder = scene.programs.as_ref().unwrap_or(&passing);
    let played = phone::install(folder)
        .and_then(|()| steps.iter().try_for_each(|step| play(&scene, step, folder, ca)));
    if scene.programs.is_none() {
        std::fs::remove_dir_all(&passing).map_err(other)?;
    }
    played.map_err(other)?;
    Ok(ExitCode::SUCCESS)
}

fn play(scene: &Scene, step: &Step, folder: &Path, ca: &Path) -> io::Result<()> {
    let mut played = Vec::new();
    for program in step.visits.iter().map(|visit| visit.program) {
        if played.contains(&program) {
            continue;
        }
        played.push(program);
        let mut command = Command::new(folder.join(program));
        command.args(["program", program, "--act", scene.act.name(), "--variant", scene.variant.name()]);
        let status = command.args(["--step", step.name, "--ca"]).arg(ca).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{program} failed in the step {}", step.name)));
        }
    }
    Ok(())
}

/// `program`: what `phone` starts.
pub(crate) fn program(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let program = parser.value()?.string()?;
    let scene = Scene::parse(parser)?;
    for step in scene.steps()? {
        phone::talk(&step, &program, &Way::Names, scene.ca()?).map_err(other)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `servers`: until the process is ended.
pub(crate) fn servers(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let (names, keys): (SocketAddr, PathBuf) = (parser.value()?.parse()?, parser.value()?.into());
    std::fs::create_dir_all(&keys).map_err(other)?;
    certificate::write(&keys, &HOSTS.map(str::to_owned)).map_err(other)?;
    let servers = Servers::bind(Place::INTERNET, names, &keys).map_err(other)?;
    println!("ready");
    servers.serve();
    Ok(ExitCode::SUCCESS)
}

/// `capture`: the file, and beside it its keys.
pub(crate) fn capture(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    let scene = Scene::parse(parser)?;
    let [file] = &scene.rest[..] else { return Err("name one FILE to write".into()) };
    let film = phone::film(scene.act, scene.variant).map_err(other)?;
    std::fs::write(file, film.capture).map_err(other)?;
    if !film.keys.is_empty() {
        std::fs::write(file.with_extension("keys"), film.keys).map_err(other)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `steps`: their names and titles, parted by tabs.
pub(crate) fn steps(parser: &mut Parser) -> Result<ExitCode, lexopt::Error> {
    for step in Scene::parse(parser)?.steps()? {
        println!("{}\t{}", step.name, step.title);
    }
    Ok(ExitCode::SUCCESS)
}

/// `identifiers`: the persona's details.
pub(crate) fn identifiers() -> Result<ExitCode, lexopt::Error> {
    io::stdout().write_all(PERSONA.identifiers().as_bytes()).map_err(other)?;
    Ok(ExitCode::SUCCESS)
}
