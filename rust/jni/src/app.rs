//! The app that the phone names as the owner of a flow.

use telltale_model::App;

/// Packages and names of one uid that are taken over; a system's own uid may have a hundred.
const MOST: usize = 64;

/// Characters of a name, a package or a version. Package names have 255 at most, labels are seldom longer than 30.
const LONGEST: usize = 255;

/// Reads what the phone answers. `None`: it is not as docs/boundary.md says, and the owner stays unknown.
pub(crate) fn read(json: &str) -> Option<App> {
    let mut app: App = serde_json::from_str(json).ok()?;
    for list in [&mut app.packages, &mut app.names] {
        list.truncate(MOST);
        list.iter_mut().for_each(shorten);
    }
    app.version.iter_mut().chain(&mut app.signer).for_each(shorten);
    Some(app)
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::AppGroup;

    use super::*;

    #[test]
    fn the_golden_app_is_read_whole() {
        let app = read(include_str!("../golden/app.json")).unwrap();
        assert_eq!((app.uid, app.packages.len(), app.group, app.shared), (10_123, 2, AppGroup::Maker, true));
        assert!(!app.totals_only && read(r#"{"uid":1,"totals_only":true}"#).unwrap().totals_only);
        assert_eq!(app.version.as_deref(), Some("2.14.3"));
        assert_eq!(app.since, Some(1_795_000_000_000));
        assert_eq!(app.signer.as_deref().map(str::len), Some(64));
    }

    #[test]
    fn an_app_that_says_too_much_is_cut_and_one_that_says_nothing_is_unknown() {
        let packages: Vec<String> = (0..100).map(|number| format!("{number}{}", "ä".repeat(300))).collect();
        let app = read(&serde_json::json!({"uid": 1000, "packages": packages}).to_string()).unwrap();
        assert_eq!(app.packages.len(), MOST);
        assert!(app.packages.iter().all(|package| package.chars().count() == LONGEST));
        assert_eq!(read("{}"), None);
        assert_eq!(read("null"), None);
        assert_eq!(read(r#"{"uid":-1}"#), None);
    }
}
