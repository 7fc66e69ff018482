//! Fuzzy search: the palette's ranked list, and rows of any list that a person narrows down by typing.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

/// One thing that the palette can offer: a command, a queue, an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is searched first: the command's name, the queue's name. Names are what a history holds.
    pub name: String,
    /// What it does, or where it lies: a word that stands in it finds the entry too, after those found by name.
    pub help: String,
    /// Its keys, as a keymap shows them: typing one of them finds the entry first.
    pub keys: Vec<String>,
}

/// An entry that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which entry, from 0.
    pub entry: usize,
    /// Which characters of the name matched: counted from 0, ascending.
    pub name: Vec<usize>,
    /// Which characters of the help matched: counted from 0, ascending.
    pub help: Vec<usize>,
}

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Which row, from 0.
    pub row: usize,
    /// How well it matches: more is better.
    pub score: u32,
}

/// The matcher with its memory: make it once, use it for every key. Case makes no difference, nor do accents that were not typed; a
/// query's words match in any order.
#[derive(Debug)]
pub struct Search {
    matcher: Matcher,
    characters: Vec<char>,
    positions: Vec<u32>,
}

impl Default for Search {
    fn default() -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        Self { matcher: Matcher::new(config), characters: Vec::new(), positions: Vec::new() }
    }
}

impl Search {
    /// The rows that match, best first; equally good ones stay in their order. An empty query matches all.
    pub fn rank<T: AsRef<str>>(&mut self, query: &str, rows: impl IntoIterator<Item = T>) -> Vec<Hit> {
        let mut hits = self.filter(query, rows);
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
        hits
    }

    /// The rows that match, in their order. An empty query matches all.
    pub fn filter<T: AsRef<str>>(&mut self, query: &str, rows: impl IntoIterator<Item = T>) -> Vec<Hit> {
        let pattern = fuzzy(query);
        let score = |(row, text): (usize, T)| Some(Hit { row, score: self.score(&pattern, text.as_ref())? });
        rows.into_iter().enumerate().filter_map(score).collect()
    }

    /// Which characters of a text that was found matched: counted from 0, ascending. For the rows that are on the screen.
    pub fn positions(&mut self, query: &str, text: &str) -> Vec<usize> {
        self.matched(&fuzzy(query), text).map(|(_, positions)| positions).unwrap_or_default()
    }

    /// The palette's list, best first. By keys, then by name, then by words of the help. `history` names what was chosen before,
    /// latest first: on an empty query it comes first, and later it decides between equals.
    pub fn search<T: AsRef<str>>(&mut self, query: &str, entries: &[Entry], history: &[T]) -> Vec<Found> {
        let query = query.trim();
        let (name, help) = (fuzzy(query), words(query));
        let mut found: Vec<(Rank, Found)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let recent = history.iter().position(|chosen| chosen.as_ref() == entry.name).unwrap_or(usize::MAX);
            let is_key = entry.keys.iter().any(|keys| keys == query);
            let by_name = self.matched(&name, &entry.name);
            let by_help = if by_name.is_none() { self.matched(&help, &entry.help) } else { None };
            let (how, score) = match (&by_name, &by_help) {
                _ if is_key => (How::Key, 0),
                (Some((score, _)), _) => (How::Name, *score),
                (None, Some((score, _))) => (How::Help, *score),
                (None, None) => continue,
            };
            let rank = Rank { how, score: std::cmp::Reverse(score), recent, entry: index };
            let positions = |matched: Option<(u32, Vec<usize>)>| matched.map(|(_, positions)| positions);
            let name = positions(by_name).unwrap_or_default();
            found.push((rank, Found { entry: index, name, help: positions(by_help).unwrap_or_default() }));
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, found)| found).collect()
    }

    fn score(&mut self, pattern: &Pattern, text: &str) -> Option<u32> {
        pattern.score(haystack(text, &mut self.characters), &mut self.matcher)
    }

    fn matched(&mut self, pattern: &Pattern, text: &str) -> Option<(u32, Vec<usize>)> {
        self.positions.clear();
        let text = haystack(text, &mut self.characters);
        let score = pattern.indices(text, &mut self.matcher, &mut self.positions)?;
        self.positions.sort_unstable();
        self.positions.dedup();
        Some((score, self.positions.iter().map(|position| *position as usize).collect()))
    }
}

/// Best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    how: How,
    score: std::cmp::Reverse<u32>,
    recent: usize,
    entry: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Key,
    Name,
    Help,
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

/// Each word of the query anywhere, its letters in order. No character of it is special: names hold `!` and `$` too.
fn fuzzy(query: &str) -> Pattern {
    pattern(query, AtomKind::Fuzzy)
}

/// Each word of the query as it stands: in a sentence, scattered letters would find everything.
fn words(query: &str) -> Pattern {
    pattern(query, AtomKind::Substring)
}

fn pattern(query: &str, kind: AtomKind) -> Pattern {
    Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, help: &str, keys: &[&str]) -> Entry {
        Entry { name: name.into(), help: help.into(), keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    fn entries() -> Vec<Entry> {
        vec![
            entry("page-down", "Move a page down", &["ctrl-f", "pgdn"]),
            entry("down", "Move down", &["j"]),
            entry("redrive", "Move messages from a dead-letter queue to where they belong", &["R"]),
            entry("purge", "Delete every message of a queue, after a snapshot", &["D D"]),
            entry("orders-dlq", "prod", &[]),
            entry("orders-refunds-dlq", "staging", &[]),
        ]
    }

    fn names(query: &str, history: &[&str]) -> Vec<String> {
        let entries = entries();
        let found = Search::default().search(query, &entries, history);
        found.into_iter().map(|found| entries[found.entry].name.clone()).collect()
    }

    #[test]
    fn an_empty_query_shows_all_what_was_chosen_last_first() {
        let all: Vec<String> = entries().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names("", &[]), all);
        assert_eq!(names(" ", &["purge", "gone", "down"])[..3], ["purge", "down", "page-down"]);
    }

    #[test]
    fn names_come_before_help_and_keys_before_both() {
        assert_eq!(names("down", &[]), ["down", "page-down"]);
        assert_eq!(names("snapshot", &[]), ["purge"]);
        assert_eq!(names("R", &[])[0], "redrive");
        assert_eq!(names("D D", &[])[0], "purge");
        assert_eq!(names("queue move", &[]), ["redrive"]);
        assert_eq!(names("ORDLQ", &["orders-refunds-dlq"])[0], "orders-dlq", "history decides only between equals");
        assert_eq!(names("zzz", &[]), Vec::<String>::new());
        assert_eq!(names("!purge", &[]), Vec::<String>::new(), "no character is special");
    }

    #[test]
    fn matched_characters_are_told() {
        let mut search = Search::default();
        let found = search.search("orf", &entries(), &[] as &[&str]);
        assert_eq!((found[0].entry, found[0].name.as_slice()), (5, &[0, 1, 9][..]));
        assert_eq!(search.positions("dlq é", "é\u{301}-dlq"), [0, 3, 4, 5]);
    }

    #[test]
    fn rows_are_filtered_in_their_order_and_ranked_by_fit() {
        let rows = ["payments-refunds", "refunds", "orders"];
        let mut search = Search::default();
        let row = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.row).collect::<Vec<_>>();
        assert_eq!(row(search.filter("refunds", rows)), [0, 1]);
        assert_eq!(row(search.rank("refunds", rows)), [1, 0]);
        assert_eq!(row(search.rank("", rows)), [0, 1, 2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn positions_are_ascending_characters_of_the_text(query in ".{0,8}", text in ".{0,40}") {
            let mut search = Search::default();
            let positions = search.positions(&query, &text);
            prop_assert!(positions.is_sorted() && positions.iter().all(|at| *at < text.chars().count()));
            let is_hit = !search.filter(&query, [&text]).is_empty();
            prop_assert!(is_hit || positions.is_empty());
        }
    }
}
