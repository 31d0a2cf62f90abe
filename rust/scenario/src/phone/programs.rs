//! The phone's programs: one file for each name, so that whose a connection is can be told apart.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::act::{Act, Variant};

/// Makes each program of the acts in `folder`: all of them are this executable, under other names. What is
/// there already is left.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn install(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut source = std::env::current_exe()?;
    for program in programs() {
        let file = folder.join(program);
        place(&source, &file)?;
        // What had to be copied once is linked from then on.
        source = file;
    }
    Ok(())
}

fn programs() -> BTreeSet<&'static str> {
    let scenes = Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant)));
    scenes
        .flat_map(|(act, variant)| act.steps(variant))
        .flat_map(|step| step.visits)
        .map(|visit| visit.program)
        .collect()
}

/// A link needs the same file system, and may need to be the owner.
fn place(source: &Path, file: &Path) -> io::Result<()> {
    match fs::hard_link(source, file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(_) => fs::copy(source, file).map(|_| ()),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_there_and_a_second_time_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("telltale-programs-{}", std::process::id()));
        install(&folder).unwrap();
        install(&folder).unwrap();
        let names: BTreeSet<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        fs::remove_dir_all(&folder).unwrap();
        assert!(["mi-account", "weather", "news"].iter().all(|name| names.contains(*name)), "{names:?}");
        assert_eq!(names.len(), programs().len());
    }
}
