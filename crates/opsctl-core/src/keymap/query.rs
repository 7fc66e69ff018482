//! [`Query`]: what a person types to find things by name, in every list, the palette and the shell's completion alike.
//!
//! | Typed | Finds |
//! | --- | --- |
//! | `cts dlq` | what has both texts in it, in any order |
//! | `!staging` | what does not have it |
//! | `~ordlq` | what has these letters in this order, scattered |
//! | `/^cts-.*dlq$/` | what the regular expression matches |
//!
//! An operator counts at the beginning of a word; `\` before it takes it as it is. Case counts where an upper-case letter is typed.

use nucleo_matcher::{
    Config, Matcher, Utf32Str, chars,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};
use regex_lite::{Regex, RegexBuilder};

/// Largest compiled regular expression, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 18;

/// What is searched for. Parse it once, ask [`Search`] about each row.
#[derive(Debug)]
pub struct Query {
    terms: Vec<Term>,
    /// All that was typed, as one text.
    whole: Option<Words>,
    wrong: Option<String>,
}

#[derive(Debug)]
struct Term {
    excludes: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Words(Words),
    Scattered(Atom),
    Regex(Regex),
}

#[derive(Debug)]
struct Words {
    text: Vec<char>,
    /// Whether upper case is not told from lower case.
    folds_case: bool,
    /// Whether accents count for nothing: none were typed.
    folds_accents: bool,
}

/// How well a name fits, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Exact,
    Prefix,
    Within,
    /// It has the letters in it, scattered.
    Scattered,
    /// What was typed stands beside the name only: its environment, its help.
    Beside,
}

/// How well a row fits: less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fit {
    pub class: Class,
    /// How far its letters are scattered: none where that was not asked for.
    scattered: u32,
}

impl Fit {
    /// Where nothing was searched for.
    pub const ANY: Self = Self { class: Class::Exact, scattered: 0 };

    /// For a list in an order that somebody chose: what was typed whole comes first, all else is alike.
    pub fn exact_or_not(self) -> Self {
        match self.class {
            Class::Exact => Self::ANY,
            Class::Prefix | Class::Within | Class::Scattered | Class::Beside => {
                Self { class: Class::Within, scattered: 0 }
            }
        }
    }
}

impl Query {
    /// Takes what was typed; an operator without anything behind it is not there yet.
    pub fn parse(text: &str) -> Self {
        let mut query = Self { terms: Vec::new(), whole: None, wrong: None };
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (excludes, after) = match rest.strip_prefix('!') {
                Some(after) => (true, after),
                None => (false, rest),
            };
            let (what, behind) = match after.strip_prefix('/') {
                Some(code) => query.regex(code),
                None => {
                    let (word, behind) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
                    (text_of(word), behind)
                }
            };
            query.terms.extend(what.map(|what| Term { excludes, what }));
            rest = behind.trim_start();
        }
        let is_plain = query.terms.iter().all(|term| !term.excludes && matches!(term.what, What::Words(_)));
        if is_plain && query.terms.len() > 1 {
            query.whole = Some(Words::new(text.trim()));
        }
        query
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.wrong.is_none()
    }

    /// Why it finds nothing, in words: a regular expression in it can't be read.
    pub fn wrong(&self) -> Option<&str> {
        self.wrong.as_deref()
    }

    /// A regular expression up to the `/` that ends its word, or to the end while it is being typed; and what stands behind it.
    fn regex<'a>(&mut self, text: &'a str) -> (Option<What>, &'a str) {
        let ends = |at: &usize| {
            let (before, after) = (&text[..*at], &text[*at + 1..]);
            !before.ends_with('\\') && (after.is_empty() || after.starts_with(char::is_whitespace))
        };
        let end = text.match_indices('/').map(|(at, _)| at).find(ends);
        let (code, behind) = end.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
        if code.is_empty() {
            return (None, behind);
        }
        // `\S` and its like are no upper-case letters that were typed as such.
        let mut before = ' ';
        let has_case = code.chars().any(|one| {
            let is_typed = one.is_uppercase() && before != '\\';
            before = one;
            is_typed
        });
        match RegexBuilder::new(code).case_insensitive(!has_case).size_limit(REGEX_BYTES_MAX).build() {
            Ok(regex) => (Some(What::Regex(regex)), behind),
            Err(error) => {
                self.wrong = Some(format!("/{code}/ is not a regular expression: {error}"));
                (None, behind)
            }
        }
    }
}

fn text_of(word: &str) -> Option<What> {
    if let Some(letters) = word.strip_prefix('~') {
        return (!letters.is_empty()).then(|| What::Scattered(scattered(letters)));
    }
    let escaped = word.strip_prefix('\\').filter(|rest| rest.starts_with(['!', '~', '/', '\\']));
    let word = escaped.unwrap_or(word);
    (!word.is_empty()).then(|| What::Words(Words::new(word)))
}

fn scattered(letters: &str) -> Atom {
    Atom::new(letters, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false)
}

impl Words {
    fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let folds_case = !text.iter().any(|one| one.is_uppercase());
        let folds_accents = text.iter().all(|one| chars::normalize(*one) == *one);
        Self { text, folds_case, folds_accents }
    }

    /// Where it stands first, in characters, and how many characters there are.
    fn find(&self, within: &str, characters: &mut Vec<char>) -> Option<(usize, usize)> {
        characters.clear();
        characters.extend(within.chars().map(|one| self.folded(one)));
        let at = characters.windows(self.text.len()).position(|window| window == self.text)?;
        Some((at, characters.len()))
    }

    fn folded(&self, one: char) -> char {
        let one = if self.folds_accents { chars::normalize(one) } else { one };
        if self.folds_case { chars::to_lower_case(one) } else { one }
    }
}

/// The matcher with its memory: make it once, use it for every row.
#[derive(Debug)]
pub struct Search {
    matcher: Matcher,
    characters: Vec<char>,
}

impl Default for Search {
    fn default() -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        Self { matcher: Matcher::new(config), characters: Vec::new() }
    }
}

impl Search {
    /// How well something fits by its name, and by what stands beside it: each word has to stand in one of these.
    pub fn fit<T: AsRef<str>>(&mut self, query: &Query, name: &str, beside: &[T]) -> Option<Fit> {
        if query.wrong.is_some() {
            return None;
        }
        let mut worst: Option<Fit> = None;
        let mut excluded = Fit::ANY;
        for term in &query.terms {
            let by_name = self.term(&term.what, name);
            let found = by_name.is_some() || beside.iter().any(|text| self.term(&term.what, text.as_ref()).is_some());
            if found == term.excludes {
                return None;
            }
            if term.excludes {
                excluded.class = Class::Within;
            } else if by_name.is_some() {
                worst = worst.max(by_name);
            }
        }
        let beside_only =
            query.terms.iter().any(|term| !term.excludes).then_some(Fit { class: Class::Beside, scattered: 0 });
        let fit = worst.or(beside_only).unwrap_or(excluded);
        let whole = query.whole.as_ref().and_then(|whole| self.words(whole, name));
        Some(whole.map_or(fit, |whole| fit.min(whole)))
    }

    /// Which characters of a text match: counted from 0, ascending. For the rows that are on the screen.
    pub fn positions(&mut self, query: &Query, text: &str) -> Vec<usize> {
        let mut positions = Vec::new();
        for term in query.terms.iter().filter(|term| !term.excludes) {
            match &term.what {
                What::Words(words) => {
                    let found = words.find(text, &mut self.characters);
                    positions.extend(found.into_iter().flat_map(|(at, _)| at as u32..(at + words.text.len()) as u32));
                }
                What::Scattered(atom) => self.indices(atom, text, &mut positions),
                What::Regex(regex) => {
                    let characters = |bytes: usize| text[..bytes].chars().count() as u32;
                    let found = regex.find_iter(text);
                    positions.extend(found.flat_map(|found| characters(found.start())..characters(found.end())));
                }
            }
        }
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| position as usize).collect()
    }

    fn term(&mut self, what: &What, text: &str) -> Option<Fit> {
        match what {
            What::Words(words) => self.words(words, text),
            What::Scattered(atom) => {
                let score = self.score(atom, text)?;
                Some(Fit { class: Class::Scattered, scattered: u32::from(u16::MAX - score) })
            }
            What::Regex(regex) => {
                let found = regex.find(text)?;
                let class = match (found.start() == 0, found.end() == text.len()) {
                    (true, true) => Class::Exact,
                    (true, false) => Class::Prefix,
                    (false, _) => Class::Within,
                };
                Some(Fit { class, scattered: 0 })
            }
        }
    }

    fn words(&mut self, words: &Words, text: &str) -> Option<Fit> {
        let (at, characters) = words.find(text, &mut self.characters)?;
        let class = match at {
            0 if characters == words.text.len() => Class::Exact,
            0 => Class::Prefix,
            _ => Class::Within,
        };
        Some(Fit { class, scattered: 0 })
    }

    fn score(&mut self, atom: &Atom, text: &str) -> Option<u16> {
        atom.score(haystack(text, &mut self.characters), &mut self.matcher)
    }

    fn indices(&mut self, atom: &Atom, text: &str, positions: &mut Vec<u32>) {
        atom.indices(haystack(text, &mut self.characters), &mut self.matcher, positions);
    }
}

/// Character by character, so that positions are those of `chars()`: the matcher's own conversion counts graphemes.
fn haystack<'a>(text: &'a str, characters: &'a mut Vec<char>) -> Utf32Str<'a> {
    if text.is_ascii() {
        return Utf32Str::Ascii(text.as_bytes());
    }
    characters.clear();
    characters.extend(text.chars());
    Utf32Str::Unicode(characters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROWS: [(&str, &str); 6] = [
        ("recon-statements-dlq", "prod"),
        ("contracts-dlq", "prod"),
        ("cts-dlq", "dev"),
        ("cts-dlq-archive", "dev"),
        ("CTS-orders", "staging"),
        ("orders", "dev"),
    ];

    /// Names with their environments that are found, best first.
    fn found(text: &str) -> Vec<String> {
        let (query, mut search) = (Query::parse(text), Search::default());
        let mut all: Vec<(Fit, String)> = ROWS
            .iter()
            .filter_map(|(name, environment)| {
                Some((search.fit(&query, name, &[environment])?, format!("{environment} {name}")))
            })
            .collect();
        all.sort_by_key(|(fit, _)| *fit);
        all.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn what_is_named_exactly_comes_first_and_scattered_letters_find_nothing() {
        assert_eq!(found("cts-dlq"), ["dev cts-dlq", "dev cts-dlq-archive", "prod contracts-dlq"]);
        assert_eq!(found("~cts-dlq").len(), 4, "{:?}", found("~cts-dlq"));
        assert_eq!(found("ordlq"), Vec::<String>::new());
        assert_eq!(found("orders"), ["dev orders", "staging CTS-orders"]);
    }

    #[test]
    fn words_may_stand_beside_the_name_in_any_order() {
        assert_eq!(found("dev cts-dlq"), ["dev cts-dlq", "dev cts-dlq-archive"]);
        assert_eq!(found("cts-dlq dev"), found("dev cts-dlq"));
        assert_eq!(found("prod"), ["prod recon-statements-dlq", "prod contracts-dlq"]);
        assert_eq!(found("dlq recon"), ["prod recon-statements-dlq"]);
    }

    #[test]
    fn case_counts_where_it_is_typed() {
        assert_eq!(found("cts-o"), ["staging CTS-orders"]);
        assert_eq!(found("CTS"), ["staging CTS-orders"]);
        assert_eq!(found("/CTS/"), ["staging CTS-orders"]);
        assert_eq!(found(r"/^cts-\S+rs$/"), ["staging CTS-orders"]);
    }

    #[test]
    fn words_are_excluded_by_name_and_by_what_stands_beside() {
        assert_eq!(found("dlq !prod"), ["dev cts-dlq", "dev cts-dlq-archive"]);
        assert_eq!(found("!dlq"), ["staging CTS-orders", "dev orders"]);
        assert_eq!(found("!/dlq$/ !/^cts/"), ["dev orders"]);
        assert_eq!(found("! "), found(""), "an operator alone is not there yet");
        assert_eq!(found("~"), found(""));
        assert_eq!(found("/"), found(""));
    }

    #[test]
    fn regular_expressions_end_with_their_word() {
        assert_eq!(found("/^cts-dlq$/"), ["dev cts-dlq"]);
        assert_eq!(found("/^cts-dlq"), ["dev cts-dlq", "dev cts-dlq-archive"], "while it is being typed");
        assert_eq!(found("/dlq$/ prod"), ["prod recon-statements-dlq", "prod contracts-dlq"]);
        let wrong = Query::parse("orders /(dlq/");
        assert!(wrong.wrong().is_some_and(|words| words.starts_with("/(dlq/ is not a regular expression: ")));
        assert_eq!(found("orders /(dlq/"), Vec::<String>::new(), "nothing is acted on that was not meant");
        assert!(Query::parse("/(a{900}){900}/").wrong().is_some());
    }

    #[test]
    fn an_operator_is_taken_as_it_is_where_it_is_asked_for() {
        let mut search = Search::default();
        for (text, name) in
            [(r"\!urgent", "!urgent"), (r"\~tmp", "~tmp"), (r"\/aws", "/aws"), ("a!b", "a!b"), ("a/b", "a/b")]
        {
            let fit = search.fit(&Query::parse(text), name, &[""]);
            assert_eq!(fit.map(|fit| fit.class), Some(Class::Exact), "{text}");
        }
    }

    #[test]
    fn several_words_that_are_the_name_are_exact() {
        let mut search = Search::default();
        let query = Query::parse("orders too old");
        assert_eq!(search.fit(&query, "Orders too old", &["prod"]), Some(Fit::ANY));
        assert!(search.fit(&query, "Orders are too old", &["prod"]) > Some(Fit::ANY));
    }

    #[test]
    fn accents_that_were_not_typed_do_not_count_and_no_end_is_missed() {
        let mut search = Search::default();
        let mut class =
            |text: &str, name: &str| search.fit(&Query::parse(text), name, &["queue \u{b7} dev"]).map(|fit| fit.class);
        assert_eq!(class("cafe", "caf\u{e9}-dlq"), Some(Class::Prefix));
        assert_eq!(class("caf\u{e9}", "cafe-dlq"), None);
        assert_eq!(class("dev", "orders"), Some(Class::Beside));
        assert_eq!(class("\u{e9}-dlq", "caf\u{e9}-dlq"), Some(Class::Within));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn positions_are_ascending_characters_of_the_text(query in ".{0,8}", text in ".{0,40}") {
            let (query, mut search) = (Query::parse(&query), Search::default());
            let positions = search.positions(&query, &text);
            prop_assert!(positions.is_sorted() && positions.iter().all(|at| *at < text.chars().count()));
            let _ = search.fit(&query, &text, &[""]);
        }

        #[test]
        fn a_name_typed_whole_is_exact_and_no_other_name_comes_before_it(name in "[a-z0-9-]{1,20}", other in "[a-z0-9-]{1,30}") {
            let (query, mut search) = (Query::parse(&name), Search::default());
            prop_assert_eq!(search.fit(&query, &name, &["dev"]), Some(Fit::ANY));
            if let Some(fit) = search.fit(&query, &other, &["dev"]) {
                prop_assert!(other == name || fit > Fit::ANY);
                prop_assert!(other.contains(&name) || fit.class == Class::Beside);
            }
        }
    }
}
