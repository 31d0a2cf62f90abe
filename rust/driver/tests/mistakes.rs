//! A hook of panics is the whole program's: it has a program of its own here.

use std::panic::catch_unwind;
use std::sync::Mutex;

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn of_a_panic_the_place_is_told_and_never_what_was_worked_on() {
    telltale_driver::tell_places_of_panics(|place| TOLD.lock().unwrap().push(place.to_owned()));
    // Whose own words would be "end byte index 16 is not a char boundary; it is inside ... of `490154203237518\u{f6}`".
    let sent = String::from("490154203237518\u{f6}");
    let cut = sent.clone();
    assert!(catch_unwind(move || cut[..16].len()).is_err());
    let given = sent.clone();
    assert!(catch_unwind(move || given.parse::<u8>().expect(&given)).is_err());
    drop(std::panic::take_hook());
    let told = TOLD.lock().unwrap();
    assert_eq!(told.len(), 2);
    for place in told.iter() {
        assert!(place.contains("mistakes.rs:") && !place.contains("4901"), "{place}");
    }
}
