//! Help, palette, details, sorting, and which keys can follow.

use opsctl::{
    keymap::{Base, Command, Keymap},
    operations::OperationKind,
    tui::state::{
        event::{Event, Mouse, MouseWhat},
        look::{Symbols, Theme},
        view::{Overlay, View},
    },
};

use super::scenes::night;
use crate::support::console::{Console, SIZES};

#[test]
fn every_overlay_in_every_size() {
    for size in SIZES {
        for (name, keys) in [
            ("help-home", "?"),
            ("help-queues", "2 ?"),
            ("palette", "2 :"),
            ("palette-typed", "2 : d l q"),
            ("details", "2 d"),
            ("sort", "2 s"),
        ] {
            let mut console = night(size);
            console.keys(keys);
            insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), console.content());
        }
    }
}

#[test]
fn overlays_in_ascii_and_without_colours() {
    for (name, keys) in [("help", "2 ?"), ("palette", "2 : d l q"), ("details", "2 d"), ("sort", "2 s")] {
        let mut console = night((80, 24));
        console.model.look.theme = Theme::None;
        console.model.look.symbols = Symbols::Ascii;
        console.keys(keys);
        insta::assert_snapshot!(format!("{name}-ascii-no-colour"), console.content());
        assert!(console.text().is_ascii(), "{}", console.text());
    }
}

#[test]
fn help_names_every_key_that_can_be_given_and_says_why_not() {
    let mut console = night((200, 60));
    console.keys("?");
    let text = console.text();
    for command in [Command::Operate(OperationKind::Redrive), Command::Queues, Command::Palette, Command::Suspend] {
        assert!(text.contains(&command.help()), "{}: {text}", command.name());
    }
    assert!(text.contains("not now: this is the first view"), "{text}");
    console.keys("<esc>");
    assert!(console.model.overlay.is_none());
}

#[test]
fn help_scrolls_to_its_end_and_no_further() {
    let mut console = night((80, 24));
    console.keys("2 ?");
    assert!(console.text().contains("more lines: j"), "{}", console.text());
    console.keys("G");
    let end = console.text();
    console.keys("j j j");
    assert_eq!(console.text(), end);
    assert!(end.contains(&Command::Quit.help()), "{end}");
}

#[test]
fn help_follows_the_keymap() {
    let mut console = night((120, 40));
    console.model.keymap = std::sync::Arc::new(Keymap::shipped(Base::Emacs));
    console.event(Event::Key("f1".parse().expect("a key")));
    let text = console.text();
    assert!(text.contains("ctrl-n") && !text.contains("ctrl-d"), "{text}");
}

#[test]
fn the_palette_gives_commands_and_remembers_them() {
    let mut console = night((120, 40));
    console.keys(": q u e u e s <enter>");
    assert!(matches!(console.model.view(), View::List(_)));
    console.keys(":");
    let Some(Overlay::Palette(palette)) = &console.model.overlay else { panic!("no palette") };
    assert_eq!(
        palette.offers.as_ref().expect("offers").entries[palette.found[0].entry].name,
        "go to queues",
        "what was chosen last comes first"
    );
}

#[test]
fn the_palette_finds_queues_and_environments() {
    let mut console = night((120, 40));
    console.keys(": c h e c k o u t <enter>");
    assert!(matches!(&console.model.overlay, Some(Overlay::Sheet(sheet)) if sheet.id == "checkout"));
    console.keys("<esc> : s t a g <enter>");
    assert_eq!(console.model.only.as_ref().map(|only| only.0.as_str()), Some("staging"));
}

#[test]
fn a_command_that_can_not_be_given_says_why() {
    let mut console = night((120, 40));
    console.keys("2 / c h e c k <enter> : r e d r i v e");
    assert!(console.text().contains("not now: not a dead-letter queue"), "{}", console.text());
    console.keys("<enter>");
    assert!(console.model.overlay.is_none());
    assert!(console.text().contains("redrive: not a dead-letter queue"), "{}", console.text());
}

#[test]
fn ctrl_c_and_esc_close_every_overlay() {
    for keys in ["?", ":", "d", "2 s", "2 d"] {
        for close in ["<esc>", "<ctrl-c>"] {
            let mut console = night((80, 24));
            console.keys(keys);
            assert!(console.model.overlay.is_some(), "{keys}");
            console.keys(close);
            assert!(console.model.overlay.is_none(), "{keys} {close}");
        }
    }
}

#[test]
fn keys_that_can_follow_are_shown() {
    let mut console = night((80, 24));
    console.keys("2 g");
    let footer = console.text().lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("h home") && footer.contains("s services"), "{footer}");
    console.keys("x");
    assert!(console.text().contains("g x means nothing here"), "{}", console.text());
}

#[test]
fn the_wheel_scrolls_and_a_click_beside_closes() {
    let mut console = night((80, 24));
    console.keys("2 :");
    let at = |column, row, what| Event::Mouse(Mouse { column, row, what });
    console.event(at(20, 10, MouseWhat::Scroll(3)));
    assert!(matches!(&console.model.overlay, Some(Overlay::Palette(palette)) if palette.cursor.at == 3));
    console.event(at(0, 23, MouseWhat::Click));
    assert!(console.model.overlay.is_none());
}

#[test]
fn the_palette_is_quick_to_type_in_over_many_queues() {
    let mut console = Console::new((120, 40));
    let mut picture = crate::support::console::Picture::of("dev");
    for number in 0..2_000 {
        picture = picture.queue(&format!("service-{number}-events"), 0);
    }
    console.seen(picture.done()).keys(": 1 9 9 9");
    let Some(Overlay::Palette(palette)) = &console.model.overlay else { panic!("no palette") };
    assert_eq!(palette.offers.as_ref().expect("offers").entries[palette.found[0].entry].name, "service-1999-events");
}
