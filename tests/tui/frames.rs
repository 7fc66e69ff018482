//! Whole frames: title, view, notices and keys together. Elsewhere panels alone are looked at.

use opsctl::{
    run::End,
    tui::state::{
        event::Event,
        look::{Symbols, Theme},
    },
};

use super::{estate, letters, plans, scenes::night};
use crate::support::{console::Console, letters::failed};

fn by_keys(size: (u16, u16), keys: &str) -> Console {
    let mut console = night(size);
    console.keys(keys);
    console
}

#[test]
fn views_and_what_lies_over_them() {
    for (name, size, keys) in [
        ("home", (80, 24), ""),
        ("home", (120, 40), ""),
        ("home", (200, 60), ""),
        ("queues", (80, 24), "2"),
        ("sheet", (120, 40), "2 d"),
        ("help", (80, 24), "?"),
        ("palette", (120, 40), ":"),
        ("pending", (80, 24), "2 g"),
    ] {
        insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), by_keys(size, keys).screen());
    }
}

#[test]
fn without_colours_and_in_ascii() {
    let mut console = by_keys((80, 24), "2");
    (console.model.look.theme, console.model.look.symbols) = (Theme::None, Symbols::Ascii);
    insta::assert_snapshot!("plain", console.screen());
}

#[test]
fn lists_letters_and_runs() {
    insta::assert_snapshot!("services-120x40", estate::at_night((120, 40)).keys("3").screen());
    insta::assert_snapshot!("letters-80x24", letters::looked((80, 24), 40, failed()).screen());
    let mut console = plans::console((80, 24));
    let run = plans::run(&mut console, "prod");
    console.event(Event::Finished(run, Ok(Box::new(plans::report("prod", End::Done, plans::tally(4_200))))));
    insta::assert_snapshot!("run-80x24", console.screen());
}
