//! Whether a filter asks for what only a look into the message tells. Most do not, and the look costs more than all else.

use jaq_core::{
    load::{
        self,
        lex::StrPart,
        parse::{BinaryOp, Term},
    },
    path::Part,
};

use super::jq::INPUT;

/// Whether a program may see one of these fields of its input. Where that is not plain it may.
pub(super) fn may_see(code: &str, fields: &[&str], all: &[&str]) -> bool {
    let needs = Needs { fields, all };
    load::parse(code, |parser| parser.term()).is_none_or(|term| needs.term(&term, true))
}

struct Needs<'a> {
    /// Those that are asked about.
    fields: &'a [&'a str],
    /// All fields of the input, which also are words.
    all: &'a [&'a str],
}

impl Needs<'_> {
    /// `is_input`: `.` is the input here, as far as it is known.
    fn term(&self, term: &Term<&str>, is_input: bool) -> bool {
        let within = |term: &Term<&str>| self.term(term, is_input);
        match term {
            Term::Id | Term::Recurse => is_input,
            Term::Num(_) | Term::Break(_) => false,
            Term::Var(name) => *name == INPUT,
            Term::Str(_, parts) => parts.iter().any(|part| match part {
                StrPart::Term(term) => within(term),
                StrPart::Str(_) | StrPart::Char(_) => false,
            }),
            Term::Arr(inner) => inner.as_deref().is_some_and(within),
            Term::Obj(pairs) => {
                // `{type}` is short for `{type: .type}`.
                pairs.iter().any(|(key, value)| value.as_ref().map_or(is_input, within) || within(key))
            }
            Term::Neg(inner) | Term::Label(_, inner) => within(inner),
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                within(left) || self.term(right, is_input && !self.leaves(left))
            }
            Term::BinOp(left, _, right) => within(left) || within(right),
            Term::Fold(_, over, _, arguments) => within(over) || arguments.iter().any(within),
            Term::TryCatch(tried, caught) => within(tried) || caught.as_deref().is_some_and(within),
            Term::IfThenElse(branches, otherwise) => {
                branches.iter().any(|(when, then)| within(when) || within(then))
                    || otherwise.as_deref().is_some_and(within)
            }
            Term::Def(definitions, rest) => {
                definitions.iter().any(|definition| self.term(&definition.body, true)) || within(rest)
            }
            Term::Call(name, arguments) => self.call(name, arguments, is_input),
            Term::Path(head, path) => {
                let inside = path.0.iter().any(|(part, _)| match part {
                    Part::Index(index) => within(index),
                    Part::Range(from, to) => from.iter().chain(to).any(within),
                });
                let seen = match (&**head, is_input) {
                    (Term::Id, true) => path.0.first().is_none_or(|(part, _)| match literal(part) {
                        Some(name) => self.fields.contains(&name),
                        None => true,
                    }),
                    (Term::Id, false) => false,
                    (head, _) => within(head),
                };
                inside || seen
            }
        }
    }

    fn call(&self, name: &str, arguments: &[Term<&str>], is_input: bool) -> bool {
        let inside = || arguments.iter().any(|argument| self.term(argument, is_input));
        match name {
            word if arguments.is_empty() && self.all.contains(&word) => self.fields.contains(&word),
            "true" | "false" | "null" | "empty" | "not" | "select" => inside(),
            // A word of jq's sees what `.` is.
            _ => is_input || inside(),
        }
    }

    /// Whether what a term gives is something else than the input.
    fn leaves(&self, term: &Term<&str>) -> bool {
        match term {
            Term::Path(_, path) => !path.0.is_empty(),
            Term::Call(word, arguments) => arguments.is_empty() && self.all.contains(word),
            Term::Num(_) | Term::Str(..) | Term::Arr(_) | Term::Obj(_) | Term::BinOp(_, BinaryOp::Cmp(_), _) => true,
            Term::BinOp(left, BinaryOp::Pipe(None), right) => self.leaves(left) || self.leaves(right),
            _ => false,
        }
    }
}

/// The name in `.name` or `.["name"]`.
fn literal<'a>(part: &Part<Term<&'a str>>) -> Option<&'a str> {
    match part {
        Part::Index(Term::Str(None, parts)) => match parts.as_slice() {
            [StrPart::Str(name)] => Some(name),
            _ => None,
        },
        Part::Index(_) | Part::Range(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_see_a_field_is_told_from_what_cannot() {
        let may = |code: &str| may_see(code, &["type", "content"], &["body", "text", "type", "content", "id"]);
        for code in [
            r#".body.code == "X""#,
            r#".text | test("type")"#,
            ".body | .type",
            "body.content == 1 and .id == 2",
            ".body.items[]? | .content > 1",
            r#"select(.id == "x") | .body.type"#,
            ".body | keys | length",
            "true",
        ] {
            assert!(!may(code), "{code}");
        }
        for code in [
            r#".type == "x""#,
            r#".["type"] == "x""#,
            "content == 1",
            ".",
            "..",
            "keys",
            "tostring",
            ". as $all | $all.id",
            "$message | keys",
            r#".["ty" + "pe"]"#,
            "to_entries[] | .value",
            "select(true) | .type",
            "{type}",
            ".body.x // .content.x",
            "def f: .type; f",
            ".body | $message.type",
            "if .id == 1 then .content else 1 end",
            "[.[] | 1] | length",
        ] {
            assert!(may(code), "{code}");
        }
    }
}
