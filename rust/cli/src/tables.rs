//! The tables of destinations that are built into the program.

use std::ffi::OsString;
use std::path::PathBuf;

use telltale_driver::tables;
use telltale_watch::destinations::{Around, Destinations};

use crate::problem::Problem;

/// As `rust/tables` made it.
const ASSET: &[u8] = include_bytes!("../../tables/destinations.zst");

/// Opens them. Their unpacked copy is kept in the cache of the user, where there is one.
///
/// # Errors
/// A sentence where the program itself is damaged.
pub(crate) fn open(variable: impl Fn(&str) -> Option<OsString>) -> Result<Destinations, Problem> {
    tables::open(ASSET, folder(variable).as_deref()).map_err(|error| {
        Problem::new(error.to_string()).advise("This copy of telltale is damaged: build or install it again.")
    })
}

/// The companies around the phone, of which its maker may have been named. Without tables nobody is known, which was
/// told then.
///
/// # Errors
/// A sentence for a maker of whom the tables know nothing.
pub(crate) fn around(maker: Option<&str>, tables: Option<&Destinations>) -> Result<Around, Problem> {
    let (Some(name), Some(tables)) = (maker, tables) else { return Ok(Around::default()) };
    let maker = tables.phone_maker(name, name).ok_or_else(|| {
        Problem::new(format!("no phones of \"{name}\" are known"))
            .advise("--maker takes a manufacturer or a brand, for example: --maker Xiaomi, --maker POCO.")
    })?;
    Ok(Around { phone: Some(maker.number), ..Around::default() })
}

/// XDG Base Directory Specification: a relative path is invalid and must be ignored.
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("telltale"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_known_by_manufacturer_or_brand_or_is_refused() {
        let tables = open(|_| None).unwrap();
        let phone = |name| around(Some(name), Some(&tables)).map(|around| around.phone);
        assert!(phone("Xiaomi").unwrap().is_some());
        assert_eq!(phone("poco"), phone("Xiaomi"));
        assert!(phone("Nonsense").unwrap_err().to_string().contains("no phones of \"Nonsense\" are known"));
        assert_eq!(around(None, Some(&tables)).unwrap().phone, None);
        assert_eq!(around(Some("Nonsense"), None).unwrap().phone, None);
    }

    #[test]
    fn the_cache_follows_xdg_then_home() {
        let place = |xdg: Option<&str>, home: Option<&str>| {
            folder(|name| if name == "HOME" { home } else { xdg }.map(OsString::from))
        };
        assert_eq!(place(Some("/cache"), Some("/home/a")), Some("/cache/telltale".into()));
        assert_eq!(place(Some("odd"), Some("/home/a")), Some("/home/a/.cache/telltale".into()));
        assert_eq!(place(None, None), None);
    }
}
