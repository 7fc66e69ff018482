//! Edited bodies: carried by a redrive as a jq program.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    domain::{EnvironmentName, Message, MessageId, QueueName},
    messages::json as bodies,
    operations::{Operation, plan::Plan},
    run::Failure,
    state::{Diff, Edit, Effect, LettersView, Model, Notice, Overlay, Ticket, View, letters::Edits},
    widgets::json,
};

/// Escapes in a text that stands in a program as it is.
const ESCAPES_MAX: usize = 256;

impl Edits {
    /// A jq program that gives each of these messages its new text, and leaves every other alone; none: none is edited.
    pub(crate) fn program(
        &self,
        environment: &EnvironmentName,
        queue: &QueueName,
        ids: &BTreeSet<&MessageId>,
    ) -> Option<String> {
        let edited = self.0.get(&(environment.clone(), queue.clone()))?;
        let chosen = edited.iter().filter(|(id, _)| ids.contains(id));
        // Only the text that is wanted is ever evaluated: others may be large.
        let branches: Vec<String> =
            chosen.map(|(id, text)| format!("if .id == {} then {{text: {}}}", quoted(&id.0), literal(text))).collect();
        if branches.is_empty() {
            return None;
        }
        Some(format!(
            "# Texts edited in opsctl's console, by message id; every other message goes as it is.\n{}\nelse {{}} end\n",
            branches.join("\nel")
        ))
    }
}

/// A text as jq has it. Each escape in a literal is a level of nesting for the jq that reads it: a text with many of them
/// stands as base64, or reading it would take more stack than there is.
fn literal(text: &str) -> String {
    let plain = quoted(text);
    if plain.matches('\\').count() <= ESCAPES_MAX {
        return plain;
    }
    format!("(\"{}\" | @base64d)", STANDARD.encode(text))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lets the person edit the body of a message of this view.
pub(super) fn begin_edit(view: &mut LettersView, edits: &Edits, ticket: Ticket, id: &MessageId) -> Vec<Effect> {
    let Some(message) = message(view, id) else { return Vec::new() };
    let body = edits.of(&view.environment, &view.queue, id).unwrap_or(&message.body);
    let edit = match bodies::is_json(body) {
        true => Edit { text: format!("{}\n", json::pretty(body)), suffix: ".json" },
        false => Edit { text: body.to_owned(), suffix: ".txt" },
    };
    view.editing = Some((ticket, id.clone()));
    vec![Effect::Edit(ticket, edit)]
}

/// The same for the letters' view that is shown, or lies below.
pub(crate) fn edit_below(model: &mut Model, id: &MessageId) -> Vec<Effect> {
    let ticket = model.ticket();
    let view = model.views.iter_mut().rev().find_map(View::letters_mut);
    view.map(|view| begin_edit(view, &model.edits, ticket, id)).unwrap_or_default()
}

fn message<'a>(view: &'a LettersView, id: &MessageId) -> Option<&'a Message> {
    view.letters.shown()?.messages.iter().find(|message| message.id == *id)
}

/// The editor has ended: what it changed is shown, and asked about.
pub(crate) fn edited(model: &mut Model, ticket: Ticket, answer: Result<Option<String>, Failure>) {
    let mut views = model.views.iter_mut().rev().filter_map(View::letters_mut);
    let is_awaited = |view: &&mut LettersView| view.editing.as_ref().is_some_and(|(awaited, _)| *awaited == ticket);
    let Some(view) = views.find(is_awaited) else { return };
    let Some((_, id)) = view.editing.take() else { return };
    let text = match answer {
        Ok(Some(text)) => text,
        Ok(None) => return model.say(Notice::note("nothing was changed")),
        Err(failure) => return model.say(Notice::from(&failure)),
    };
    let Some(message) = message(view, &id) else { return };
    let body = new_body(&message.body, text);
    if body == message.body {
        model.edits.discard(&view.environment, &view.queue, &id);
        return model.say(Notice::note("it reads as it lies in the queue: no edit is kept"));
    }
    model.overlay = Some(Overlay::Diff(Box::new(Diff::new(id, &message.body, body))));
}

/// Once a run that carried edits has ended: asks which messages it has sent, for their edits are done with.
pub(crate) fn ask_sent(model: &Model, ticket: Ticket) -> Vec<Effect> {
    let Some(run) = model.runs.iter().find(|run| run.ticket == ticket) else { return Vec::new() };
    let Some((environment, queue)) = carried(&run.plan) else { return Vec::new() };
    match run.run() {
        Some(id) if model.edits.count(&environment, &queue) > 0 => vec![Effect::ReadSent(ticket, id.clone())],
        Some(_) | None => Vec::new(),
    }
}

/// The queue whose edits a plan carries, if it carries any.
fn carried(plan: &Plan) -> Option<(EnvironmentName, QueueName)> {
    let Operation::Redrive(redrive) = &plan.operation else { return None };
    redrive.edit.as_ref()?;
    let name = redrive.queue.rsplit(['/', ':']).next().unwrap_or_default();
    Some((plan.environment.clone(), QueueName(name.to_owned())))
}

/// What was sent needs its edit no more. Where that can't be known, the edits stay: one too many is seen and discarded.
pub(crate) fn sent(model: &mut Model, ticket: Ticket, answer: Result<Vec<MessageId>, Failure>) {
    let run = model.runs.iter().find(|run| run.ticket == ticket);
    let Some((environment, queue)) = run.and_then(|run| carried(&run.plan)) else { return };
    match answer {
        Ok(ids) => ids.iter().for_each(|id| model.edits.discard(&environment, &queue, id)),
        Err(failure) => model.say(Notice::bad(&format!("edits are kept, sent or not: {}", failure.what))),
    }
    model.settle();
}

/// The body that an edited text stands for: JSON is written compactly, as programs write it.
fn new_body(before: &str, text: String) -> String {
    if bodies::is_json(before) && bodies::is_json(&text) {
        return if bodies::same(before, &text) { before.to_owned() } else { bodies::compact(&text) };
    }
    // Editors end files with a line feed, whether the text had one or not.
    match text.strip_suffix('\n') {
        Some(without) if !before.ends_with('\n') => without.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Outgoing, messages::Editor, testing::message};

    #[test]
    fn what_an_editor_leaves_becomes_a_body() {
        for (before, text, body) in [
            ("{\"a\":1}", "{\n  \"a\": 2\n}\n", "{\"a\":2}"),
            ("{ \"a\" : 1 }", "{\n  \"a\": 1\n}\n", "{ \"a\" : 1 }"),
            ("{\"a\":1}", "{oops\n", "{oops"),
            ("plain", "plainer\n", "plainer"),
            ("plain\n", "plainer\n", "plainer\n"),
            ("{\"n\":1.50}", "{\"n\": 12345678901234567890123}", "{\"n\":12345678901234567890123}"),
        ] {
            assert_eq!(new_body(before, text.to_owned()), body);
        }
    }

    #[tokio::test]
    async fn the_program_gives_each_message_its_own_text_and_leaves_others_alone() {
        let (environment, queue) = (EnvironmentName("dev".to_owned()), QueueName("orders-dlq".to_owned()));
        let hostile = "it's \\(1 + 1) \"quoted\" \u{1b}[2J \u{202e} 日本\n#x";
        let large = "é\"".repeat(340_000);
        let mut edits = Edits::default();
        edits.keep(&environment, &queue, &MessageId("a".to_owned()), hostile.to_owned());
        edits.keep(&environment, &queue, &MessageId("b".to_owned()), large.clone());
        edits.keep(&environment, &queue, &MessageId("not chosen".to_owned()), "x".to_owned());
        let many: Vec<MessageId> = (0..1_000).map(|at| MessageId(format!("m{at}"))).collect();
        for id in &many {
            edits.keep(&environment, &queue, id, format!("{{\"new\": \"{}\"}}", id.0));
        }
        let mut ids = many.clone();
        ids.extend(["a", "b", "c"].map(|id| MessageId(id.to_owned())));
        let program = edits.program(&environment, &queue, &ids.iter().collect()).expect("a program");
        assert!(!program.contains("not chosen"));
        let file = tempfile::Builder::new().suffix(".jq").tempfile().expect("a file");
        std::fs::write(file.path(), program).expect("written");
        let editor = Editor::open(file.path().to_str().expect("a path")).unwrap_or_else(|error| panic!("{error}"));
        for (id, expected) in
            [("a", hostile), ("b", large.as_str()), ("c", "{\"n\": 1.50}"), ("m999", "{\"new\": \"m999\"}")]
        {
            let message = message("{\"n\": 1.50}").id(id).build();
            let outgoing = Outgoing {
                body: message.body.clone(),
                attributes: Default::default(),
                group: None,
                deduplication_id: None,
                trace_header: None,
            };
            let edited = editor.edit(&message, outgoing).await.unwrap_or_else(|error| panic!("{error}"));
            assert!(edited.body == expected, "{id}");
        }
    }
}
