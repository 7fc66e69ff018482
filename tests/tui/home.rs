//! Home.

use crate::support::console::{Console, Picture};

#[test]
fn nothing_is_known_at_first() {
    let console = Console::new((80, 24));
    assert!(console.text().contains("opsctl"), "{}", console.text());
}

#[test]
fn an_older_snapshot_does_not_take_a_newer_ones_place() {
    let mut console = Console::new((80, 24));
    console.seen(Picture::of("dev").queue("orders", 7).with(|snapshot| snapshot.number = 5).done());
    console.seen(Picture::of("dev").with(|snapshot| snapshot.number = 4).done());
    assert_eq!(console.model.sites[0].snapshot.as_ref().map(|snapshot| snapshot.queues.len()), Some(1));
}
