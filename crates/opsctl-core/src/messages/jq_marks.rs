//! What is unknown must not decide: each look-up of a condition is marked, so that a null that it meets ends the evaluation and
//! says which figure is not known. In jq itself `null < 300` is true, `null + 1` is 1, and `null | not` is true.
//!
//! Two look-ups are left alone, for there a person has said what is meant: the left side of `//`, and what is compared with `null`
//! itself.

use std::ops::Range;

use jaq_core::{
    load::{
        self,
        lex::StrPart,
        parse::{BinaryOp, Def, Term},
    },
    path::{Opt, Part, Path},
};

use super::{
    condition::{Figure, Step},
    jq::INPUT,
};

/// The field of the input with what was observed before, in the input's own shape.
pub(super) const BEFORE: &str = "before";
/// The key of what is thrown where a figure is not known.
pub(super) const UNKNOWN: &str = "unknown";
/// Names that nobody can write.
const KNOWN: &str = "!known";
const TREND: &str = "!trend";
/// What is compared where no look-up says it.
const ANY_VALUE: &str = "a value";
const EARLIER: &str = "the earlier ";

const DEFINITIONS: &str = "
    def known(what; f): f | if . == null then error({unknown: what}) else . end;
    def trend(f; g): [f] as $now | [g] as $before |
        if ($now | length) == 1 and ($before | length) == 1 then [$before[0], $now[0]]
        else error(\"falls and rises compare one figure with what it was before\") end;";

/// The definitions that marked programs need.
pub(super) fn helpers() -> Vec<Def<&'static str>> {
    let mut all = load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    for (definition, name) in all.iter_mut().zip([KNOWN, TREND]) {
        definition.name = name;
    }
    all
}

/// Marks one program; keeps the figures that it looks up.
pub(super) struct Marks<'a> {
    pub(super) code: &'a str,
    pub(super) arena: &'a load::Arena,
    /// The words that stand for something of the input.
    pub(super) words: &'a [&'a str],
    pub(super) figures: Vec<Figure>,
}

/// Where a term stands.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    /// What `.` is, as a way from the input on; none: the outcome of something.
    dot: Option<Vec<Step>>,
    /// Names and arities that the program itself defines.
    own: Vec<(&'a str, usize)>,
    /// Whether words stand for what they were before.
    is_earlier: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn root() -> Self {
        Self { dot: Some(Vec::new()), own: Vec::new(), is_earlier: false }
    }

    fn at(&self, dot: Option<Vec<Step>>) -> Self {
        Self { dot, ..self.clone() }
    }

    fn has(&self, name: &str, arity: usize) -> bool {
        self.own.iter().any(|(own, arguments)| *own == name && *arguments == arity)
    }
}

impl<'a> Marks<'a> {
    /// The term, such that no null of the input decides.
    pub(super) fn term(&mut self, term: Term<&'a str>, scope: &Scope<'a>) -> Term<&'a str> {
        match self.looks_up(&term, scope) {
            Some(name) => {
                let bare = self.bare(term, scope);
                self.known(name, bare)
            }
            None => self.bare(term, scope),
        }
    }

    /// The same for a side of an operator: the outcome of anything may be null there.
    fn operand(&mut self, term: Term<&'a str>, scope: &Scope<'a>) -> Term<&'a str> {
        let (is_literal, is_marked) = (is_literal(&term), self.looks_up(&term, scope).is_some());
        let name = self.way(&term, scope).filter(|way| !way.is_empty()).map(|way| shown(&way));
        let marked = self.term(term, scope);
        match is_literal || is_marked {
            true => marked,
            false => self.known(name.unwrap_or_else(|| ANY_VALUE.to_owned()), marked),
        }
    }

    /// The term with its parts marked, itself not.
    fn bare(&mut self, term: Term<&'a str>, scope: &Scope<'a>) -> Term<&'a str> {
        self.note(&term, scope);
        match term {
            Term::Id if scope.is_earlier && scope.dot.as_ref().is_some_and(Vec::is_empty) => field(Term::Id, BEFORE),
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
            Term::Str(format, parts) => {
                let parts = parts.into_iter().map(|part| match part {
                    StrPart::Term(term) => StrPart::Term(self.term(term, scope)),
                    StrPart::Str(_) | StrPart::Char(_) => part,
                });
                Term::Str(format, parts.collect())
            }
            Term::Arr(inner) => Term::Arr(self.boxed(inner, scope)),
            Term::Obj(pairs) => {
                let pairs = pairs.into_iter();
                Term::Obj(pairs.map(|(key, value)| (key, value.map(|value| self.term(value, scope)))).collect())
            }
            Term::Neg(inner) => Term::Neg(Box::new(self.operand(*inner, scope))),
            Term::BinOp(left, operator, right) => self.operator(*left, operator, *right, scope),
            Term::Label(name, inner) => Term::Label(name, Box::new(self.term(*inner, scope))),
            Term::Fold(name, over, pattern, arguments) => {
                let over = self.term(*over, scope);
                let inside = scope.at(None);
                let mut arguments = arguments.into_iter();
                // The first is where it begins, and is of the place where it stands.
                let first = arguments.next().map(|begin| self.term(begin, scope));
                let rest: Vec<_> = arguments.map(|argument| self.term(argument, &inside)).collect();
                Term::Fold(name, Box::new(over), pattern, first.into_iter().chain(rest).collect())
            }
            Term::TryCatch(tried, caught) => {
                Term::TryCatch(Box::new(self.term(*tried, scope)), self.boxed(caught, &scope.at(None)))
            }
            Term::IfThenElse(branches, otherwise) => {
                let branches = branches.into_iter();
                let branches = branches.map(|(when, then)| (self.term(when, scope), self.term(then, scope))).collect();
                Term::IfThenElse(branches, self.boxed(otherwise, scope))
            }
            Term::Def(definitions, rest) => self.definitions(definitions, *rest, scope),
            Term::Call(name, arguments) => self.call(name, arguments, scope),
            Term::Path(head, path) => self.path(*head, path, scope),
        }
    }

    fn boxed(&mut self, term: Option<Box<Term<&'a str>>>, scope: &Scope<'a>) -> Option<Box<Term<&'a str>>> {
        term.map(|term| Box::new(self.term(*term, scope)))
    }

    fn operator(
        &mut self,
        left: Term<&'a str>,
        operator: BinaryOp<&'a str>,
        right: Term<&'a str>,
        scope: &Scope<'a>,
    ) -> Term<&'a str> {
        let (left, right) = match &operator {
            BinaryOp::Pipe(None) => {
                let inside = scope.at(self.way(&left, scope));
                (self.term(left, scope), self.term(right, &inside))
            }
            BinaryOp::Alt => (self.bare(left, scope), self.term(right, scope)),
            BinaryOp::Cmp(_) if is_null(&right) => (self.bare(left, scope), right),
            BinaryOp::Cmp(_) if is_null(&left) => (left, self.bare(right, scope)),
            BinaryOp::Cmp(_) | BinaryOp::Math(_) => (self.operand(left, scope), self.operand(right, scope)),
            // Assignments are refused before.
            BinaryOp::Pipe(Some(_))
            | BinaryOp::Comma
            | BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Assign
            | BinaryOp::Update
            | BinaryOp::UpdateMath(_)
            | BinaryOp::UpdateAlt => (self.term(left, scope), self.term(right, scope)),
        };
        Term::BinOp(Box::new(left), operator, Box::new(right))
    }

    fn definitions(&mut self, definitions: Vec<Def<&'a str>>, rest: Term<&'a str>, scope: &Scope<'a>) -> Term<&'a str> {
        let mut scope = scope.clone();
        let mut marked = Vec::with_capacity(definitions.len());
        for Def { name, args, body } in definitions {
            let mut inside = scope.at(None);
            inside.own.extend(args.iter().map(|argument| (argument.trim_start_matches('$'), 0)));
            scope.own.push((name, args.len()));
            marked.push(Def { name, body: self.term(body, &inside), args });
        }
        Term::Def(marked, Box::new(self.term(rest, &scope)))
    }

    fn call(&mut self, name: &'a str, arguments: Vec<Term<&'a str>>, scope: &Scope<'a>) -> Term<&'a str> {
        if scope.has(name, arguments.len()) {
            let inside = scope.at(None);
            return Term::Call(name, arguments.into_iter().map(|argument| self.term(argument, &inside)).collect());
        }
        let is_word = arguments.is_empty() && self.words.contains(&name);
        if is_word && scope.is_earlier {
            return field(field(Term::Var(INPUT), BEFORE), name);
        }
        let rises = match (name, arguments.len()) {
            ("rises", 1) => true,
            ("falls", 1) => false,
            _ => {
                let arguments = self.arguments(name, arguments, scope);
                return Term::Call(name, arguments);
            }
        };
        let mut arguments = arguments.into_iter();
        let figure = arguments.next().unwrap_or_default();
        let then = self.term(figure.clone(), &Scope { is_earlier: true, ..scope.clone() });
        let both = Term::Call(TREND, vec![self.term(figure, scope), then]);
        // `[before, now] | .[1] < .[0]`
        let (less, more) = if rises { ("0", "1") } else { ("1", "0") };
        let compared = Term::BinOp(
            Box::new(part(Term::Id, Part::Index(Term::Num(less)))),
            BinaryOp::Cmp(jaq_core::ops::Cmp::Lt),
            Box::new(part(Term::Id, Part::Index(Term::Num(more)))),
        );
        Term::BinOp(Box::new(both), BinaryOp::Pipe(None), Box::new(compared))
    }

    /// The arguments of one of jq's own words, each with what `.` is there.
    fn arguments(&mut self, name: &str, arguments: Vec<Term<&'a str>>, scope: &Scope<'a>) -> Vec<Term<&'a str>> {
        let each = || {
            let mut way = scope.dot.clone()?;
            way.push(Step::Each);
            Some(way)
        };
        let dots: Vec<Option<Vec<Step>>> = match (name, arguments.as_slice()) {
            ("select" | "isempty" | "first" | "last" | "add", [_]) => vec![scope.dot.clone()],
            ("any" | "all", [from, _]) => vec![scope.dot.clone(), self.way(from, scope)],
            ("any" | "all" | "map" | "sort_by" | "group_by" | "min_by" | "max_by" | "unique_by", [_]) => vec![each()],
            _ => vec![None; arguments.len()],
        };
        let arguments = arguments.into_iter().zip(dots);
        arguments.map(|(argument, dot)| self.term(argument, &scope.at(dot))).collect()
    }

    /// A path; what is iterated or cut on its way must be known, too.
    fn path(&mut self, head: Term<&'a str>, path: Path<Term<&'a str>>, scope: &Scope<'a>) -> Term<&'a str> {
        let mut way = self.way(&head, scope);
        let is_simple = matches!(head, Term::Id | Term::Call(..) | Term::Var(_) | Term::Path(..));
        let mut so_far = if is_simple { self.bare_head(head, scope) } else { self.term(head, scope) };
        for (part, optional) in path.0 {
            let step = step(&part);
            let part = match part {
                Part::Index(index) => Part::Index(self.term(index, scope)),
                Part::Range(from, to) => {
                    let name = way.as_ref().filter(|way| !way.is_empty()).map(|way| shown(way));
                    so_far = self.known(earlier(name.unwrap_or_else(|| ANY_VALUE.to_owned()), scope), so_far);
                    let from = from.map(|from| self.term(from, scope));
                    Part::Range(from, to.map(|to| self.term(to, scope)))
                }
            };
            way = way.zip(step).map(|(mut way, step)| {
                way.push(step);
                way
            });
            so_far = Term::Path(Box::new(so_far), Path(vec![(part, optional)]));
        }
        so_far
    }

    /// A head of a path, which is no figure by itself.
    fn bare_head(&mut self, head: Term<&'a str>, scope: &Scope<'a>) -> Term<&'a str> {
        match head {
            Term::Call(name, arguments) => self.call(name, arguments, scope),
            head => self.bare(head, scope),
        }
    }

    fn known(&self, name: String, term: Term<&'a str>) -> Term<&'a str> {
        let name: &'a str = self.arena.alloc(name).as_str();
        Term::Call(KNOWN, vec![text(name), term])
    }

    /// What a term that looks something up is called; none: it does not.
    fn looks_up(&self, term: &Term<&'a str>, scope: &Scope<'a>) -> Option<String> {
        let name = match term {
            Term::Var(name) if *name != INPUT => return Some((*name).to_owned()),
            Term::Call(name, arguments) if arguments.is_empty() && self.is_word(name, scope) => (*name).to_owned(),
            Term::Path(head, path) => match self.way(term, scope) {
                Some(way) => shown(&way),
                None => {
                    let head = if let Term::Var(name) = **head { name } else { "" };
                    let steps = path.0.iter().filter_map(|(part, _)| step(part)).map(|step| step.to_string());
                    std::iter::once(head.to_owned()).chain(steps).collect()
                }
            },
            _ => return None,
        };
        Some(earlier(name, scope))
    }

    fn is_word(&self, name: &str, scope: &Scope<'_>) -> bool {
        self.words.contains(&name) && !scope.has(name, 0)
    }

    /// The way from the input to what a term looks up; none: it is not a plain way.
    fn way(&self, term: &Term<&'a str>, scope: &Scope<'a>) -> Option<Vec<Step>> {
        match term {
            Term::Id => scope.dot.clone(),
            Term::Call(name, arguments) if arguments.is_empty() && self.is_word(name, scope) => {
                Some(vec![Step::Field((*name).to_owned())])
            }
            Term::Call("select", arguments) if arguments.len() == 1 && !scope.has("select", 1) => scope.dot.clone(),
            Term::Path(head, path) => {
                let mut way = self.way(head, scope)?;
                for (part, _) in &path.0 {
                    way.push(step(part)?);
                }
                Some(way)
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => self.way(right, &scope.at(self.way(left, scope))),
            _ => None,
        }
    }

    /// Keeps the figure that a term looks up.
    fn note(&mut self, term: &Term<&'a str>, scope: &Scope<'a>) {
        if scope.is_earlier || !matches!(term, Term::Call(..) | Term::Path(..)) {
            return;
        }
        let Some(mut way) = self.way(term, scope).filter(|way| !way.is_empty()) else { return };
        let Step::Field(word) = way.remove(0) else { return };
        let figure = Figure { word, steps: way, at: self.place(term) };
        let is_new = |known: &Figure| known.word != figure.word || known.steps != figure.steps;
        if self.words.contains(&figure.word.as_str()) && self.figures.iter().all(is_new) {
            self.figures.push(figure);
        }
    }

    /// Where a term stands in the code: from its first word to its last.
    fn place(&self, term: &Term<&'a str>) -> Range<usize> {
        let mut words = Vec::new();
        gather(term, &mut words);
        let spans = words.iter().map(|word| load::span(self.code, word));
        let start = spans.clone().map(|span| span.start).min().unwrap_or(0);
        start..spans.map(|span| span.end).max().unwrap_or(start)
    }
}

fn gather<'a>(term: &Term<&'a str>, words: &mut Vec<&'a str>) {
    match term {
        Term::Call(name, _) => words.push(name),
        Term::Path(head, path) => {
            gather(head, words);
            for (part, _) in &path.0 {
                if let Part::Index(Term::Str(_, parts)) = part {
                    words.extend(parts.iter().filter_map(|part| match part {
                        StrPart::Str(word) => Some(*word),
                        StrPart::Term(_) | StrPart::Char(_) => None,
                    }));
                }
            }
        }
        _ => {}
    }
}

/// A part of a path that is the same whatever the input is.
fn step(part: &Part<Term<&str>>) -> Option<Step> {
    match part {
        Part::Range(None, None) => Some(Step::Each),
        Part::Index(Term::Str(None, parts)) => match parts.as_slice() {
            [StrPart::Str(name)] => Some(Step::Field((*name).to_owned())),
            _ => None,
        },
        Part::Index(Term::Num(number)) => number.parse().ok().map(Step::At),
        Part::Index(_) | Part::Range(..) => None,
    }
}

pub(super) fn shown(way: &[Step]) -> String {
    let all: String = way.iter().map(ToString::to_string).collect();
    all.strip_prefix('.').map_or_else(|| all.clone(), str::to_owned)
}

fn earlier(name: String, scope: &Scope<'_>) -> String {
    if scope.is_earlier { format!("{EARLIER}{name}") } else { name }
}

fn is_null(term: &Term<&str>) -> bool {
    matches!(term, Term::Call("null", arguments) if arguments.is_empty())
}

fn is_literal(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) | Term::Str(..) | Term::Arr(_) | Term::Obj(_) | Term::Neg(_) => true,
        Term::Call("true" | "false", arguments) => arguments.is_empty(),
        _ => false,
    }
}

fn text(text: &str) -> Term<&str> {
    Term::Str(None, vec![StrPart::Str(text)])
}

fn field<'a>(of: Term<&'a str>, name: &'a str) -> Term<&'a str> {
    part(of, Part::Index(text(name)))
}

fn part<'a>(of: Term<&'a str>, part: Part<Term<&'a str>>) -> Term<&'a str> {
    Term::Path(Box::new(of), Path(vec![(part, Opt::Essential)]))
}
