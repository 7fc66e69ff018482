//! One message.

use insta::assert_snapshot;
use jiff::SignedDuration;
use opsctl::{
    domain::{Message, Payload},
    tui::{state::effect::Effect, state::event::Event, state::view::Overlay, state::view::View},
};

use crate::support::{
    console::{Console, Picture, SIZES, now},
    letters::{failed, look, message, with},
};

/// A console in which the first of these messages is open.
fn opened(size: (u16, u16), messages: Vec<Message>) -> Console {
    let mut console = Console::new(size);
    console.seen(Picture::of("dev").queue("orders", 3).dead_letters("orders-dlq", "orders", 40).done());
    console.keys("enter");
    let ticket = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Look(ticket, _) => Some(ticket),
        _ => None,
    });
    console.event(Event::Looked(ticket.expect("a look"), Ok(Box::new(look("dev", messages)))));
    console.keys("m enter");
    assert!(matches!(console.model.view(), View::Message(_)));
    console.take_effects();
    console
}

/// With everything that a message can have.
fn full() -> Message {
    let body = r#"{"orderId":"o-1","amount":12345678901234567890.50,"paid":false,"note":null,"items":[{"sku":"A-1","count":2},{}],"detail":"{\"code\":\"X\",\"step\":3}","trace":"ValueError: bad\n  at pay (pay.py:7)","data":"eyJhIjogInNvbWUgdGV4dCJ9","text":"a long sentence that goes on and on, past the end of a line of eighty columns, and then a little further"}"#;
    let mut message = message(1, body);
    message = with(message, "ErrorCode", "Number", Payload::Text("500".to_owned()));
    message = with(message, "ErrorMessage", "String", Payload::Text("Timeout after 300 ms".to_owned()));
    message = with(message, "signature", "Binary.sha", Payload::Binary((0..80).collect()));
    message.system.group = Some("customer-7".to_owned());
    message.system.sequence = Some(18_849_496_460_467_696_128);
    message.system.trace_header = Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned());
    message
}

#[test]
fn a_message_shows_what_became_of_it_and_what_it_says() {
    for size in SIZES {
        let mut console = opened(size, vec![full()]);
        assert_snapshot!(format!("message_{}", size.0), console.content());
        console.keys("x");
        assert_snapshot!(format!("message_decoded_{}", size.0), console.content());
    }
    let mut console = opened((80, 24), vec![full()]);
    console.keys("G");
    assert_snapshot!("message_end_80", console.content());
    console.keys("W g g l");
    assert_snapshot!("message_unbroken_80", console.content());
}

#[test]
fn a_message_that_is_about_to_expire_says_so() {
    let mut soon = message(0, "");
    soon.system.sent_at = Some(now() - SignedDuration::from_secs(14 * 86_400 - 3_000));
    let console = opened((80, 24), vec![soon]);
    assert_snapshot!("message_empty_and_expiring_80", console.content());
}

#[test]
fn next_and_previous_go_through_what_is_listed() {
    let mut console = opened((80, 24), failed());
    let id = |console: &Console| match console.model.view() {
        View::Message(view) => view.id.0.clone(),
        _ => panic!("no message is shown"),
    };
    console.keys("p");
    assert!(console.text().contains("first message"), "{}", console.text());
    console.keys("n n");
    assert!(id(&console).ends_with("002") && console.text().contains("message 3 of 40"));
    console.keys("p esc");
    assert!(console.text().contains(": 2 of 40"), "the list's cursor went along: {}", console.text());
}

#[test]
fn an_edit_and_a_redrive_begin_here_too() {
    let mut console = opened((80, 24), failed());
    console.keys("e");
    let edit = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Edit(ticket, edit) => Some((ticket, edit)),
        _ => None,
    });
    let (ticket, edit) = edit.expect("the editor is asked for");
    console.event(Event::Edited(ticket, Ok(Some(edit.text.replace("acme", "zeta")))));
    assert!(matches!(console.model.overlay, Some(Overlay::Diff(_))));
    console.keys("y");
    assert_snapshot!("message_edited_80", console.content());
    console.keys("R");
    let names = console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Save(_, drafts) => Some(drafts.into_iter().map(|draft| draft.name).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(names, Some(vec!["ids.txt", "edit.jq"]));
}

#[test]
fn a_frame_over_the_largest_message_is_soon_drawn() {
    let long = serde_json::json!({ "text": "é".repeat(500_000) }).to_string();
    let numbers = format!("[{}]", vec!["1"; 500_000].join(","));
    for body in [long, numbers, "y".repeat(1_048_576)] {
        let mut console = opened((200, 50), vec![message(0, &body)]);
        for keys in ["G", "W", "l l l l l l"] {
            console.keys(keys);
            let started_at = std::time::Instant::now();
            let _ = console.text();
            let took = started_at.elapsed();
            // Without optimisation, with the print of the screen, on a busy machine.
            assert!(took < std::time::Duration::from_millis(200), "{keys}: {took:?}");
        }
    }
}
