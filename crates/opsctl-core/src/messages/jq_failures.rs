//! Why a jq program failed on a message, in general.

/// How jaq begins to say what is wrong: its errors have no kinds, only words.
const BEGINNINGS: [(&str, Failure); 4] = [
    ("cannot index ", Failure::Index),
    ("cannot use ", Failure::Use),
    ("cannot calculate ", Failure::Calculate),
    ("cannot parse ", Failure::Parse),
];
/// What jaq calls the types that it needs.
const NEEDED: [(&str, &str); 6] = [
    ("integer", "an integer"),
    ("number", "a number"),
    ("string", "a text"),
    ("array", "a list"),
    ("iterable (array or object)", "a list or an object"),
    ("rangeable (array or string)", "a list or a text"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Index,
    Use,
    Calculate,
    Parse,
}

/// What jaq said of a message, without anything of the message.
pub(super) fn in_general(said: &str) -> String {
    // What is thrown as a text stands in quotes.
    let said = said.trim_start_matches('"');
    let found = BEGINNINGS.iter().find_map(|(begins, failure)| Some((*failure, said.strip_prefix(begins)?)));
    let Some((failure, rest)) = found else { return "it raises an error".to_owned() };
    let value = kind(rest);
    match failure {
        Failure::Index if value == TEXT => {
            format!(
                "it looks up a field in {value}; write `.field?` to pass over such messages, or `decode` what is encoded"
            )
        }
        Failure::Index => format!("it looks up a field in {value}; write `.field?` to pass over such messages"),
        Failure::Use => {
            let last = rest.rsplit_once(" as ").map(|(_, needed)| needed);
            let needed =
                NEEDED.iter().find(|(name, _)| last == Some(name)).map_or("something else", |(_, words)| words);
            format!("it uses {value} where {needed} is needed; write `…?` to pass over such messages")
        }
        Failure::Calculate => format!("it calculates with {value} and what does not go with it"),
        Failure::Parse => "it parses a text that is none of that kind".to_owned(),
    }
}

const TEXT: &str = "a text";

/// What sort of value begins like this.
fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => TEXT,
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        Some(_) | None => "a number",
    }
}

#[cfg(test)]
mod tests {
    use jaq_json::Val;

    use crate::messages::{jq, jq_check::Rules};

    #[test]
    fn why_a_program_failed_is_said_without_what_it_stumbled_on() {
        for (code, why) in [
            (r#""s3cret" | .a"#, "it looks up a field in a text"),
            ("[7] | .a", "it looks up a field in a list"),
            (r#""s3cret" | .[]"#, "it uses a text where a list or an object is needed"),
            (r#"null | test("a")"#, "it uses null where a text is needed"),
            (r#"{"s3cret": 1} - 1"#, "it calculates with an object"),
            (r#""s3cret" | fromjson"#, "it parses a text"),
            (r#"error("s3cret")"#, "it raises an error"),
        ] {
            let program = jq::compile(code, jq::Words::NONE, Rules::Filter).expect(code);
            let failed = jq::run(&program, Val::Null).find_map(Result::err).expect(code);
            let said = failed.in_general();
            assert!(said.starts_with(why) && !said.contains("s3cret"), "{code}: {said} ({failed})");
        }
    }
}
