//! What is refused before a jq program runs, and how it is said: the text, the place underlined, what to try.

use jaq_core::{
    compile,
    load::{
        self,
        lex::StrPart,
        parse::{BinaryOp, Def, Term},
    },
    path::Part,
};
use unicode_width::UnicodeWidthStr;

use super::{
    jq::{self, FilterError},
    jq_words,
};
use crate::domain::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// It asks: an assignment in it is a mistake, and one that would let every message pass.
    Filter,
    Edit,
    /// It asks about figures that may be unknown.
    Condition,
}

impl Rules {
    /// What a program is called where it is refused.
    fn program(self) -> &'static str {
        match self {
            Self::Filter | Self::Edit => "filter",
            Self::Condition => "condition",
        }
    }

    fn empty_hint(self) -> &'static str {
        match self {
            Self::Filter | Self::Edit => "write for instance '.body.code == \"TIMEOUT\"'",
            Self::Condition => "write for instance `queue.messages == 0`",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Filter | Self::Edit => "see `opsctl help filter`; quote the whole filter with '…' in the shell",
            Self::Condition => "write for instance `queue.messages == 0 and service.is_steady`",
        }
    }
}

/// Refuses what compiles but must not run.
pub(super) fn check(code: &str, rules: Rules) -> Result<(), FilterError> {
    if code.trim().is_empty() {
        return Err(show((code, rules), 0..0, "it is empty", rules.empty_hint()));
    }
    // What cannot be parsed is reported by the loader, with its place.
    let Some(term) = load::parse(code, |parser| parser.term()) else { return Ok(()) };
    let mut walk = Walk { code, rules, problem: None };
    walk.term(&term, &[]);
    walk.problem.map_or(Ok(()), Err)
}

struct Walk<'a> {
    code: &'a str,
    rules: Rules,
    problem: Option<FilterError>,
}

impl<'a> Walk<'a> {
    /// `inside`: names and arities of the definitions whose bodies we are in.
    fn term(&mut self, term: &Term<&'a str>, inside: &[(&'a str, usize)]) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => {}
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.term(term, inside);
                    }
                }
            }
            Term::Arr(inner) => self.maybe(inner.as_deref(), inside),
            Term::Obj(pairs) => {
                for (key, value) in pairs {
                    self.term(key, inside);
                    self.maybe(value.as_ref(), inside);
                }
            }
            Term::Neg(inner) | Term::Label(_, inner) => self.term(inner, inside),
            Term::BinOp(left, operator, right) => {
                self.operator(left, operator);
                self.term(left, inside);
                self.term(right, inside);
            }
            Term::Fold(_, over, _, arguments) => {
                self.term(over, inside);
                arguments.iter().for_each(|argument| self.term(argument, inside));
            }
            Term::TryCatch(tried, caught) => {
                self.term(tried, inside);
                self.maybe(caught.as_deref(), inside);
            }
            Term::IfThenElse(branches, otherwise) => {
                for (condition, then) in branches {
                    self.term(condition, inside);
                    self.term(then, inside);
                }
                self.maybe(otherwise.as_deref(), inside);
            }
            Term::Def(definitions, rest) => {
                definitions.iter().for_each(|definition| self.definition(definition, inside));
                self.term(rest, inside);
            }
            Term::Call(name, arguments) => {
                self.call(name, arguments.len(), inside);
                arguments.iter().for_each(|argument| self.term(argument, inside));
            }
            Term::Path(head, path) => {
                self.term(head, inside);
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(index) => self.term(index, inside),
                        Part::Range(from, to) => {
                            self.maybe(from.as_ref(), inside);
                            self.maybe(to.as_ref(), inside);
                        }
                    }
                }
            }
        }
    }

    fn maybe(&mut self, term: Option<&Term<&'a str>>, inside: &[(&'a str, usize)]) {
        if let Some(term) = term {
            self.term(term, inside);
        }
    }

    fn definition(&mut self, definition: &Def<&'a str>, inside: &[(&'a str, usize)]) {
        let mut inside = inside.to_vec();
        inside.push((definition.name, definition.args.len()));
        self.term(&definition.body, &inside);
    }

    /// A definition that calls itself may need more stack than there is, which would end the whole program.
    fn call(&mut self, name: &'a str, arity: usize, inside: &[(&'a str, usize)]) {
        if inside.contains(&(name, arity)) {
            let what = format!("`{name}` calls itself");
            self.problem(name, &what, "use recurse, while, until, limit or reduce instead");
        }
    }

    fn operator(&mut self, left: &Term<&'a str>, operator: &BinaryOp<&'a str>) {
        let assigns = match operator {
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => true,
            BinaryOp::Pipe(_)
            | BinaryOp::Comma
            | BinaryOp::Alt
            | BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Math(_)
            | BinaryOp::Cmp(_) => false,
        };
        let harm = match self.rules {
            Rules::Filter => "it assigns, so that every message would match",
            Rules::Condition => "it assigns, so that it would always hold",
            Rules::Edit => return,
        };
        if assigns {
            self.problem(last_word(left).unwrap_or(self.code), harm, "compare with `==`");
        }
    }

    fn problem(&mut self, place: &'a str, what: &str, hint: &str) {
        if self.problem.is_none() {
            self.problem = Some(show((self.code, self.rules), load::span(self.code, place), what, hint));
        }
    }
}

/// A word in the term that stands in the code, to underline.
fn last_word<'a>(term: &Term<&'a str>) -> Option<&'a str> {
    match term {
        Term::Call(name, _) | Term::Var(name) => Some(name),
        Term::Path(head, path) => path
            .0
            .iter()
            .rev()
            .find_map(|(part, _)| match part {
                Part::Index(Term::Str(_, parts)) => parts.iter().find_map(|part| match part {
                    StrPart::Str(word) => Some(*word),
                    StrPart::Term(_) | StrPart::Char(_) => None,
                }),
                Part::Index(_) | Part::Range(..) => None,
            })
            .or_else(|| last_word(head)),
        _ => None,
    }
}

/// Says why the loader could not read the code.
pub(super) fn unreadable(of: (&str, Rules), errors: &load::Errors<&str, ()>) -> FilterError {
    let (code, rules) = of;
    let hint = rules.hint();
    match errors.first().map(|(_, error)| error) {
        Some(load::Error::Lex(list)) => {
            let place = list.first().map_or(0..0, |(_, found)| first_character(code, found));
            let expected = list.first().map_or("something else", |(expected, _)| expected.as_str());
            let hint = match expected {
                "closing quote" => "a text stands between double quotes: \"…\"",
                _ => hint,
            };
            let what = match expected {
                "token" => "this character means nothing here".to_owned(),
                other => format!("expected {other} here"),
            };
            show(of, place, &what, hint)
        }
        Some(load::Error::Parse(list)) => {
            let (place, expected) = list
                .first()
                .map_or((0..0, "something else"), |(expected, found)| (load::span(code, found), expected.as_str()));
            if let Some(instead) = jq_words::unread(code) {
                return show(of, place, "this cannot be read here", instead);
            }
            let expected = match expected {
                "nothing" => "the end",
                "term" if rules == Rules::Condition => "a value, for instance queue.messages or \"text\",",
                "term" => "a value, for instance .body or \"text\",",
                other => other,
            };
            show(of, place, &format!("expected {expected} here"), hint)
        }
        Some(load::Error::Io(list)) => {
            let place = list.first().map_or(0..0, |(found, _)| load::span(code, found));
            show(of, place, "it cannot include other files", "write it as one text")
        }
        None => show(of, 0..0, "it cannot be read", hint),
    }
}

/// Why a word of jq's that reaches beyond the input is closed, and what to try instead; none: it is not such a word.
pub(super) fn outside(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "env" | "$ENV" => (
            "this process's environment may hold secrets, and is not part of a message",
            "write the value itself into the program",
        ),
        "input" | "inputs" | "input_filename" | "input_line_number" => {
            ("each message is looked at by itself", "use . for the message")
        }
        "debug" | "debug_empty" | "stderr" | "stderr_empty" | "halt_error" => {
            ("what messages contain would end up in a log", "look at messages with peek")
        }
        "now" => (
            "the same message would be judged differently from one moment to the next",
            "use .age, the seconds since the message was first sent",
        ),
        "localtime" | "strflocaltime" => {
            ("this machine's time zone is not part of a message", "use gmtime and strftime, which are UTC")
        }
        _ => return None,
    })
}

/// The same of a condition, which sees no message.
fn outside_condition(name: &str) -> Option<(&'static str, &'static str)> {
    let hint = "compare with what was observed, for instance `queue.oldest_seconds < 300`";
    outside(name).map(|_| ("a condition sees what was observed, and nothing else", hint))
}

pub(super) fn undefined(of: (&str, Rules), words: &[&str], errors: &compile::Errors<&str, ()>) -> FilterError {
    let (code, rules) = of;
    let Some((name, kind)) = errors.iter().flat_map(|(_, list)| list).next() else {
        return show(of, 0..0, "it cannot be compiled", rules.hint());
    };
    let outside = if rules == Rules::Condition { outside_condition(name) } else { outside(name) };
    if let Some((because, hint)) = outside {
        return show(of, load::span(code, name), &format!("`{name}` can't be used, because {because}"), hint);
    }
    if let Some((because, hint)) = jq_words::missing(name) {
        return show(of, load::span(code, name), &format!("there is no `{name}`: {because}"), hint);
    }
    if let (compile::Undefined::Filter(given), takes) = (kind, jq::arities(name))
        && !takes.is_empty()
    {
        let what = format!("`{name}` takes {}, and {given} stand here", jq_words::arguments(&takes));
        let hint = "arguments are separated by `;`, as in sub(\"a\"; \"b\")";
        return show(of, load::span(code, name), &what, hint);
    }
    let near = words
        .iter()
        .map(|word| (strsim::jaro_winkler(word, name), word))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let (kind_word, dot) = match (rules, kind) {
        (Rules::Condition, compile::Undefined::Filter(0)) => ("word", ""),
        (Rules::Condition, _) => (kind.as_str(), ""),
        (Rules::Filter | Rules::Edit, _) => (kind.as_str(), "."),
    };
    let hint = match (near, kind, rules) {
        (Some((_, word)), ..) => format!("did you mean `{dot}{word}`?"),
        (None, compile::Undefined::Filter(0), Rules::Condition) if words.is_empty() => {
            format!("a text needs double quotes (\"{name}\"); there are no words here yet")
        }
        (None, compile::Undefined::Filter(0), Rules::Condition) => {
            format!("a text needs double quotes (\"{name}\"); the words here are {}", words.join(", "))
        }
        (None, compile::Undefined::Filter(0), Rules::Filter | Rules::Edit) => {
            format!("a text needs double quotes (\"{name}\"); a field of the message is one of .{}", words.join(", ."))
        }
        (None, _, Rules::Condition) => "falls(…) and rises(…) take one figure; the rest is jq's".to_owned(),
        (None, _, Rules::Filter | Rules::Edit) => "see `opsctl help filter`".to_owned(),
    };
    show(of, load::span(code, name), &format!("there is no {kind_word} `{name}`"), &hint)
}

/// What the lexer found may run to the end of the code: only its first character is underlined.
fn first_character(code: &str, found: &str) -> std::ops::Range<usize> {
    let start = load::span(code, found).start;
    start..start + found.chars().next().map_or(0, char::len_utf8)
}

fn show((code, rules): (&str, Rules), place: std::ops::Range<usize>, what: &str, hint: &str) -> FilterError {
    let before = &code[..place.start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = code[line_start..].lines().next().unwrap_or_default();
    let end = place.end.clamp(place.start, line_start + line.len().max(place.start - line_start));
    let indent = Text::line(&code[line_start..place.start]).as_str().width();
    let marks = Text::line(&code[place.start..end]).as_str().width().max(1);
    let number = before.matches('\n').count() + 1;
    let whereabouts = if code.contains('\n') { format!(" (line {number})") } else { String::new() };
    let text = format!(
        "cannot use the {}{whereabouts}: {what}\n  {}\n  {}{}\ntry: {hint}",
        rules.program(),
        Text::line(line),
        " ".repeat(indent),
        "^".repeat(marks),
    );
    FilterError::Syntax(Text::block(&text))
}
