//! [`Filter`]: the one language in which messages are chosen, jq.
//!
//! A filter sees one object per message:
//!
//! | Field | Is |
//! | --- | --- |
//! | `.body` | the body, parsed where it is JSON, else its text |
//! | `.text` | the body's text |
//! | `.attributes` | name to text, number, or base64 of binary data |
//! | `.age` | seconds since it was first sent, null where unknown |
//! | `.receive_count` | number |
//! | `.group` | message group, or null |
//! | `.source` | name of the queue that it died in, or null |
//! | `.sent_at` | RFC 3339, or null |
//! | `.size` | bytes as SQS counts them |
//! | `.id` | message id |
//! | `.type` | type of the event or job, or null; see [`super::envelopes`] |
//! | `.error` | text of the error that it failed with, or null |
//! | `.code` | code of that error, as text, or null |
//! | `.content` | what the body's envelopes hold, decoded; the body where there are none |
//! | `.envelopes` | names of the envelopes, from the outside in |
//!
//! The fields' names also work as they stand: `text | test("Timeout")`.

use std::{borrow::Cow, fs::File, io::Read, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use jaq_core::ValT;
use jaq_json::{Map, Num, Val};
use jiff::Timestamp;

use super::{
    envelopes::Opened,
    jq::{self, Compiled, FilterError, Runner, Words},
    jq_check::Rules,
    jq_needs, jq_words, json,
};
use crate::domain::{AttributeValue, Envelope, Message, Payload, Text};

pub const FIELDS: [&str; 15] = [
    "id",
    "body",
    "text",
    "attributes",
    "age",
    "receive_count",
    "group",
    "source",
    "sent_at",
    "size",
    "type",
    "error",
    "code",
    "content",
    "envelopes",
];

/// Those of the fields that only a look into the message tells.
const OF_A_LOOK: [&str; 5] = ["type", "error", "code", "content", "envelopes"];

const WORDS: Words<'_> = Words { names: &FIELDS, of_jq: &["type", "error"] };

/// A compiled filter with the thread that evaluates it. Cheap to clone; usable from many tasks at once.
#[derive(Debug, Clone)]
pub struct Filter {
    text: Arc<str>,
    runner: Arc<Runner<Question, bool>>,
    /// A team's own, where the filter asks for what a look into the message tells.
    envelopes: Option<Arc<[Envelope]>>,
}

type Question = (Message, Timestamp, Option<Arc<[Envelope]>>);

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The jq of a filter as it was given, see [`Filter::open`].
///
/// # Errors
/// A file that can't be read, is not UTF-8, or has more than 64 KiB.
pub fn read(given: &str) -> Result<Cow<'_, str>, FilterError> {
    let Some(path) = given.strip_prefix("file:") else { return Ok(Cow::Borrowed(given)) };
    let cannot = |because: &dyn std::fmt::Display| {
        FilterError::Syntax(Text::block(&format!("cannot read the filter in {path}: {because}")))
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| cannot(&error))?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| cannot(&error))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(cannot(&"it has more than 64 KiB"));
    }
    Ok(Cow::Owned(text))
}

impl Filter {
    /// Compiles a filter.
    ///
    /// # Errors
    /// [`FilterError::Syntax`]: what is wrong, the place underlined, what to try.
    pub fn compile(text: &str) -> Result<Self, FilterError> {
        let program = jq::compile(text, WORDS, Rules::Filter)?;
        let runner = Runner::start(program, |program, question: Question| decide(program, &question))?;
        let envelopes = jq_needs::may_see(text, &OF_A_LOOK, &FIELDS).then(|| Arc::from([]));
        Ok(Self { text: text.into(), runner: Arc::new(runner), envelopes })
    }

    /// The same filter, which also sees what a team's own envelopes hold.
    pub fn seeing(mut self, envelopes: &[Envelope]) -> Self {
        self.envelopes = self.envelopes.map(|_| envelopes.into());
        self
    }

    /// The filter as it was given: jq itself, or `file:PATH` with the file that has it. What a failure group suggests is made of
    /// messages' text and so is given by a file: the path may stand in a journal, the text must not.
    ///
    /// # Errors
    /// As [`Filter::compile`]; a file that can't be read.
    pub fn open(given: &str) -> Result<Self, FilterError> {
        Self::compile(&read(given)?)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a message matches: whether the filter yields anything but `false` and `null`.
    pub fn matches(&self, message: &Message, now: Timestamp) -> Result<bool, FilterError> {
        self.matches_all(std::slice::from_ref(message), now).pop().unwrap_or(Err(FilterError::Stopped))
    }

    /// Whether each message matches, in order; one round trip to the filter's thread, so that a batch is cheaper.
    ///
    /// Blocks the caller while the filter runs: microseconds, unless the filter never ends (1 s for a message, 10 s
    /// for the call; real time, whatever the clock). From then on every answer is an error: see
    /// [`FilterError::is_final`]. A failure on one message alone is that message's answer.
    pub fn matches_all(&self, messages: &[Message], now: Timestamp) -> Vec<Result<bool, FilterError>> {
        let question = |message: &Message| (message.clone(), now, self.envelopes.clone());
        self.runner.ask(messages.iter().map(question).collect())
    }
}

fn decide(program: &Compiled, (message, now, envelopes): &Question) -> Result<bool, FilterError> {
    for output in jq::run(program, value(message, *now, envelopes.as_deref())) {
        if output?.as_bool() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn value(message: &Message, now: Timestamp, envelopes: Option<&[Envelope]>) -> Val {
    let system = &message.system;
    let age = system.sent_at.map(|sent_at| now.duration_since(sent_at).as_secs().max(0));
    let source = system.dead_letter_source.as_ref().map(|arn| arn.name().0);
    let attributes = message.attributes.iter().map(|(name, value)| (text(name), attribute(value))).collect();
    let opened = envelopes.map(|envelopes| Opened::of(message, envelopes)).unwrap_or_default();
    let body = body(&message.body);
    let plain = |value: Option<&str>| value.map_or(Val::Null, text);
    let fields = [
        ("id", text(&message.id.0)),
        ("content", jq_words::follow(&body, &opened.way)),
        ("body", body),
        ("text", text(&message.body)),
        ("attributes", Val::obj(attributes)),
        ("age", age.map_or(Val::Null, |seconds| Val::Num(Num::from_integral(seconds)))),
        ("receive_count", Val::Num(Num::from_integral(system.receive_count))),
        ("group", plain(system.group.as_deref())),
        ("source", plain(source.as_deref())),
        ("type", plain(opened.kind.as_deref())),
        ("error", plain(opened.error.as_deref())),
        ("code", plain(opened.code.as_ref().map(|(_, code)| code.as_str()))),
        ("envelopes", opened.layers.iter().map(|name| text(name)).collect()),
        ("sent_at", system.sent_at.map_or(Val::Null, |time| text(&time.to_string()))),
        ("size", Val::Num(Num::from_integral(message.size_bytes()))),
    ];
    Val::obj(fields.into_iter().map(|(name, value)| (text(name), value)).collect::<Map>())
}

/// A body as jq sees it: parsed where it is JSON, with numbers as written.
pub(super) fn body(body: &str) -> Val {
    if json::is_json(body)
        && let Ok(parsed) = jaq_json::read::parse_single(body.as_bytes())
    {
        return parsed;
    }
    text(body)
}

fn attribute(value: &AttributeValue) -> Val {
    match &value.payload {
        Payload::Binary(bytes) => text(&STANDARD.encode(bytes)),
        Payload::Text(number) if value.data_type.starts_with("Number") => number
            .starts_with(|first: char| first == '-' || first.is_ascii_digit())
            .then(|| jaq_json::read::parse_single_num(number.as_bytes()))
            .flatten()
            .map_or_else(|| text(number), Val::Num),
        Payload::Text(plain) => text(plain),
    }
}

pub(super) fn text(plain: &str) -> Val {
    Val::utf8_str(plain.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::messages::testing::message;

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().expect("a time")
    }

    fn sample() -> Message {
        message(r#"{"code": "TIMEOUT", "amount": 12345678901234567890123, "items": [{"id": 1}, {"id": 2}]}"#)
            .source("orders")
            .sent_at("2026-11-21T02:00:00Z")
            .group("g1")
            .attribute("tenant", "acme")
            .typed("tries", "Number.int", Payload::Text("3".to_owned()))
            .typed("raw", "Binary", Payload::Binary(vec![0, 255]))
            .build()
    }

    fn check(filter: &str, expected: bool) {
        let filter = Filter::compile(filter).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(filter.matches(&sample(), now()), Ok(expected), "{}", filter.text());
    }

    #[test]
    fn a_filter_in_a_file_is_read_from_there() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), ".body.code == \"TIMEOUT\"\n").expect("written");
        let given = format!("file:{}", file.path().display());
        assert_eq!(Filter::open(&given).expect("compiles").text(), ".body.code == \"TIMEOUT\"\n");
        let missing = Filter::open("file:/does/not/exist.jq").expect_err("no such file").to_string();
        assert!(missing.starts_with("cannot read the filter in /does/not/exist.jq: "), "{missing}");
        std::fs::write(file.path(), " ".repeat(70_000)).expect("written");
        assert!(Filter::open(&given).expect_err("too large").to_string().contains("64 KiB"));
    }

    #[test]
    fn every_field_can_be_asked() {
        for filter in [
            r#".body.code == "TIMEOUT""#,
            r#"text | test("TIME.UT")"#,
            r#".text|test("timeout"; "i")"#,
            r#"body.code == "TIMEOUT" and .body.items[].id == 2"#,
            ".body.amount == 12345678901234567890123",
            r#".attributes.tenant == "acme""#,
            ".attributes.tries > 2",
            r#".attributes.raw == "AP8=""#,
            ".age == 3600",
            ".receive_count == 4",
            r#".group == "g1""#,
            r#".source == "orders""#,
            r#".sent_at < "2026-11-21T02:30:00Z""#,
            ".size > 90",
            r#".id | startswith("6f1d")"#,
        ] {
            check(filter, true);
        }
    }

    #[test]
    fn every_field_is_a_word_too() {
        for field in FIELDS.iter().filter(|field| !WORDS.of_jq.contains(field)) {
            check(&format!("{field} == .{field}"), true);
        }
    }

    #[test]
    fn false_null_and_nothing_do_not_match() {
        for filter in [".body.missing", "false", "empty", r#"select(.source == "other")"#, ".body.items[].id == 7"] {
            check(filter, false);
        }
    }

    #[test]
    fn a_failure_is_the_answer_for_that_message_only() {
        let filter = Filter::compile(".body.code").expect("compiles");
        let answers = filter.matches_all(&[message("plain").build(), sample()], now());
        assert!(matches!(&answers[0], Err(error @ FilterError::Failed(_)) if !error.is_final()), "{answers:?}");
        assert_eq!(answers[1], Ok(true));
    }

    #[test]
    fn a_filter_without_end_is_given_up_and_says_so() {
        let filter = Filter::compile("if .body == 1 then last(range(1e12)) else true end").expect("compiles");
        let messages = ["0", "1", "2"].map(|body| message(body).build());
        let started_at = Instant::now();
        let answers = filter.matches_all(&messages, now());
        assert_eq!(answers, [Ok(true), Err(FilterError::TooSlow), Err(FilterError::Stopped)]);
        assert!(started_at.elapsed() < Duration::from_secs(4));
        assert_eq!(filter.matches(&messages[0], now()), Err(FilterError::Stopped));
    }

    #[test]
    fn what_is_wrong_is_underlined() {
        insta::assert_snapshot!(refusal(r#".body.code == ("X""#), @r#"
        cannot use the filter: expected closing parenthesis here
          .body.code == ("X"
                            ^
        try: see `opsctl help filter`; quote the whole filter with '…' in the shell
        "#);
        insta::assert_snapshot!(refusal(r#".body.code = "X""#), @r#"
        cannot use the filter: it assigns, so that every message would match
          .body.code = "X"
                ^^^^
        try: compare with `==`
        "#);
        insta::assert_snapshot!(refusal("TIMEOUT"), @r#"
        cannot use the filter: there is no filter `TIMEOUT`
          TIMEOUT
          ^^^^^^^
        try: a text needs double quotes ("TIMEOUT"); a field of the message is one of .id, .body, .text, .attributes, .age, .receive_count, .group, .source, .sent_at, .size, .type, .error, .code, .content, .envelopes
        "#);
        insta::assert_snapshot!(refusal("recieve_count > 3"), @r"
        cannot use the filter: there is no filter `recieve_count`
          recieve_count > 3
          ^^^^^^^^^^^^^
        try: did you mean `.receive_count`?
        ");
        insta::assert_snapshot!(refusal("def f: 1 + f; f"), @r"
        cannot use the filter: `f` calls itself
          def f: 1 + f; f
                     ^
        try: use recurse, while, until, limit or reduce instead
        ");
        insta::assert_snapshot!(refusal(".body ==\n  .text .. ]"), @"
        cannot use the filter (line 2): this character means nothing here
            .text .. ]
                     ^
        try: see `opsctl help filter`; quote the whole filter with '…' in the shell
        ");
        insta::assert_snapshot!(refusal(""), @r#"
        cannot use the filter: it is empty
          
          ^
        try: write for instance '.body.code == "TIMEOUT"'
        "#);
        insta::assert_snapshot!(refusal(r#"include "x"; ."#), @r#"
        cannot use the filter: it cannot include other files
          include "x"; .
                   ^
        try: write it as one text
        "#);
    }

    #[test]
    fn what_reaches_beyond_the_message_is_closed_and_says_why() {
        for filter in [
            "env.HOME != null",
            "$ENV.HOME != null",
            "[env | keys[]] | length > 0",
            "input",
            "[inputs] == []",
            "input_filename == null",
            "debug",
            "debug(.body)",
            "stderr",
            "halt_error",
            ".body | halt_error(1)",
            "now > 0",
            "localtime",
            r#".body | strflocaltime("%F")"#,
            "def own: env; own == {}",
        ] {
            let refused = refusal(filter);
            assert!(refused.contains("can't be used, because") && refused.contains("\ntry: "), "{filter}: {refused}");
        }
        insta::assert_snapshot!(refusal(r#"env.TOKEN == "x""#), @r#"
        cannot use the filter: `env` can't be used, because this process's environment may hold secrets, and is not part of a message
          env.TOKEN == "x"
          ^^^
        try: write the value itself into the program
        "#);
        // A person's own word of that name is theirs; paths, dates and the rest stay.
        check("def env: 1; env == 1", true);
        check(r#"getpath(["body"]) == .body and (0 | todate) == "1970-01-01T00:00:00Z""#, true);
    }

    fn refusal(filter: &str) -> String {
        Filter::compile(filter).expect_err(filter).to_string()
    }

    #[test]
    fn deep_nesting_is_taken_as_text() {
        let filter = Filter::compile(r#".body | type == "string""#).expect("compiles");
        assert_eq!(filter.matches(&message(&"[".repeat(500_000)).build(), now()), Ok(true));
    }

    proptest! {
        #[test]
        fn no_text_makes_compile_or_matches_panic(code in "[ -~\\u{202e}é\n]{0,40}", body in ".{0,60}") {
            if let Err(error) = Filter::compile(&code) {
                prop_assert!(!error.to_string().contains('\u{202e}'), "unsafe");
            }
            let filter = Filter::compile(".text == .body or .body != null or true").expect("compiles");
            prop_assert_eq!(filter.matches(&message(&body).build(), now()), Ok(true));
        }
    }

    #[test]
    fn a_message_costs_little() {
        let messages: Vec<Message> = (0..1_000).map(|_| sample()).collect();
        for text in [r#".body.code == "TIMEOUT""#, r#".text | test("TIME.UT")"#] {
            let filter = Filter::compile(text).expect("compiles");
            let started_at = Instant::now();
            for chunk in messages.chunks(10) {
                assert!(filter.matches_all(chunk, now()).iter().all(|answer| *answer == Ok(true)));
            }
            // Without optimisation, on a busy machine; a tenth of it and less with.
            let each = started_at.elapsed() / 1_000;
            assert!(each < Duration::from_millis(1), "{text}: {each:?}");
        }
    }
}
