//! The filter line: jq, or plain words that are searched for in the bodies.

use crate::{
    keymap::Key,
    messages::{filter::FIELDS, json::quoted},
    run::Failure,
    screens::letters::rows,
    state::{Effect, LettersView, Level, Load, Model, Narrow, Ticket, Tried, Typed, View},
};

impl Narrow {
    fn new(text: &str) -> Self {
        let code = if is_jq(text) { text.to_owned() } else { search(text) };
        Self { text: text.to_owned(), code, answers: Load::Idle, is_whole: false }
    }

    /// Whether a message is listed; as long as nothing is known, all are.
    pub(crate) fn admits(&self, message: usize) -> bool {
        self.answers.shown().is_none_or(|tried| tried.fits.get(message) == Some(&Some(true)))
    }

    pub(crate) fn undecided(&self) -> usize {
        self.answers.shown().map_or(0, |tried| tried.fits.iter().filter(|fits| fits.is_none()).count())
    }

    /// Why it failed on the first of those, in a few words.
    pub(crate) fn why_undecided(&self) -> Option<&str> {
        self.answers.shown()?.why.as_deref()?.split(';').next()
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.answers {
            Load::Failed(failure, _) => Some(failure),
            Load::Idle | Load::Waiting(..) | Load::Here(_) => None,
        }
    }
}

/// Whether it is meant as jq: signs that no search for words has, or a comparison of a field.
pub(crate) fn is_jq(text: &str) -> bool {
    let text = text.trim();
    let word = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next();
    let begins_with_field = FIELDS.contains(&word.unwrap_or_default()) && text.contains(' ');
    // `error not found` is a search for words.
    let is_of_fields =
        text.split_whitespace().all(|word| FIELDS.contains(&word) || ["and", "or", "not"].contains(&word));
    text.starts_with(['.', '(', '[', '"', '$'])
        || text.contains(['|', '(', '"'])
        || ["==", "!=", ">=", "<=", " > ", " < "].iter().any(|sign| text.contains(sign))
        || (begins_with_field && is_of_fields)
}

/// A filter that finds words in bodies, whatever their case, and in what bodies encode.
fn search(words: &str) -> String {
    let conditions: Vec<String> = words
        .split_whitespace()
        .map(|word| {
            let word = quoted(&word.to_ascii_lowercase());
            format!("([.text, (.content | tostring)] | any(ascii_downcase | contains({word})))")
        })
        .collect();
    conditions.join(" and ")
}

pub(super) fn filter_key(view: &mut LettersView, model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(field) = &mut view.typing else { return Vec::new() };
    match field.key(key) {
        Typed::Changed => typed(view, model),
        Typed::Enter => entered(view, model),
        Typed::Escape => {
            view.typing = None;
            view.filter = None;
            rows::build(view);
            Vec::new()
        }
        Typed::Nothing => Vec::new(),
    }
}

/// Words are searched for with every key. jq is tried when it is whole: half a program may run for ever.
pub(super) fn typed(view: &mut LettersView, model: &mut Model) -> Vec<Effect> {
    let text = view.typing.as_ref().map(|field| field.text().trim().to_owned()).unwrap_or_default();
    if text.is_empty() || is_jq(&text) {
        view.filter = None;
        rows::build(view);
        rows::settle(view, model.size);
        return Vec::new();
    }
    let before = view.filter.take();
    let mut filter = Narrow::new(&text);
    // What the letters before found stays until there is an answer.
    filter.answers = before.map_or(Load::Idle, |before| before.answers);
    view.filter = Some(filter);
    ask_in(view, model.ticket())
}

fn entered(view: &mut LettersView, model: &mut Model) -> Vec<Effect> {
    let text = view.typing.as_ref().map(|field| field.text().trim().to_owned()).unwrap_or_default();
    if text.is_empty() {
        view.typing = None;
        view.filter = None;
        rows::build(view);
        return Vec::new();
    }
    if !is_jq(&text) && view.filter.as_ref().is_some_and(|filter| filter.text == text && filter.failure().is_none()) {
        view.typing = None;
        return Vec::new();
    }
    let mut filter = Narrow::new(&text);
    filter.is_whole = true;
    view.filter = Some(filter);
    ask_in(view, model.ticket())
}

/// Tries this view's filter, if it has one, on the messages that it shows.
pub(crate) fn ask_in(view: &mut LettersView, ticket: Ticket) -> Vec<Effect> {
    let (Some(filter), Some(letters)) = (&mut view.filter, view.letters.shown()) else { return Vec::new() };
    filter.answers.ask(ticket);
    vec![Effect::Match(ticket, filter.code.clone(), letters.messages.clone(), letters.envelopes.clone())]
}

pub(crate) fn matched(model: &mut Model, ticket: Ticket, answer: Result<Tried, Failure>) {
    let size = model.size;
    let is_awaited = |filter: &Narrow| matches!(filter.answers, Load::Waiting(awaited, _) if awaited == ticket);
    let mut views = model.views.iter_mut().rev().filter_map(View::letters_mut);
    let Some(view) = views.find(|view| view.filter.as_ref().is_some_and(is_awaited)) else { return };
    let Some(filter) = &mut view.filter else { return };
    let works = answer.is_ok();
    filter.answers.answer(ticket, answer);
    if !works {
        // Nothing that another filter found is shown as if this one had.
        if let Load::Failed(_, shown) = &mut filter.answers {
            *shown = None;
        }
    } else if filter.is_whole {
        view.typing = None;
    }
    view.level = Level::Messages;
    rows::build(view);
    rows::settle(view, size);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Filter;

    #[test]
    fn words_and_jq_are_told_apart() {
        for (text, jq) in [
            ("TIMEOUT", false),
            ("card declined", false),
            ("order-123", false),
            ("api.example.com", false),
            ("it's 5 < 6", true),
            (".body.code == \"X\"", true),
            ("receive_count > 3", true),
            ("text | test(\"x\")", true),
            ("age and source", true),
            ("id", false),
            ("\"quoted\"", true),
            ("source", false),
            ("error not found", false),
            ("type mismatch", false),
        ] {
            assert_eq!(is_jq(text), jq, "{text}");
        }
    }

    #[test]
    fn any_words_make_a_filter_that_finds_them() {
        for words in ["Timeout", "a\\b", "\u{202e}é", "x'y", "日本 z", "\\(1)"] {
            let code = search(words);
            assert!(code.is_ascii(), "{code}");
            let filter = Filter::compile(&code).unwrap_or_else(|error| panic!("{error}"));
            let body = format!("before {} after", words.to_ascii_uppercase());
            let message = crate::testing::message(&body).build();
            assert_eq!(filter.matches(&message, jiff::Timestamp::UNIX_EPOCH), Ok(true), "{code}");
        }
    }
}
