//! The palette's ranked list.

use super::query::{Fit, Query, Search};

/// One thing that the palette can offer: a command, a queue, an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is searched first: the command's name, the queue's name. Names are what a history holds.
    pub name: String,
    /// What it does, or where it lies: what stands in it finds the entry too, after those found by name.
    pub help: String,
    /// Its keys, as a keymap shows them: typing one of them finds the entry first.
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which entry, from 0.
    pub entry: usize,
    /// Which characters of the name matched: counted from 0, ascending.
    pub name: Vec<usize>,
    /// Which characters of the help matched: counted from 0, ascending.
    pub help: Vec<usize>,
}

/// The palette's list, best first: by keys, then by how well the name fits. `history` names what was chosen before, latest first:
/// on an empty query it comes first, and later it decides between equals.
pub fn search<T: AsRef<str>>(query: &str, entries: &[Entry], history: &[T]) -> Vec<Found> {
    let (typed, query, mut search) = (query.trim(), Query::parse(query), Search::default());
    let mut found: Vec<(Rank, usize)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let recent = history.iter().position(|chosen| chosen.as_ref() == entry.name).unwrap_or(usize::MAX);
        let is_key = entry.keys.iter().any(|keys| keys == typed);
        let fit = search.fit(&query, &entry.name, &[&entry.help]);
        let Some(fit) = (if is_key { Some(Fit::ANY) } else { fit }) else { continue };
        found.push((Rank { is_other: !is_key, fit, recent }, index));
    }
    // Stable: equals stay in their order.
    found.sort_by_key(|(rank, _)| *rank);
    let marked = |(_, entry): (Rank, usize)| {
        let Entry { name, help, .. } = &entries[entry];
        let name = search.positions(&query, name);
        let help = if name.is_empty() { search.positions(&query, help) } else { Vec::new() };
        Found { entry, name, help }
    };
    found.into_iter().map(marked).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Whether something else than one of its keys was typed.
    is_other: bool,
    fit: Fit,
    recent: usize,
}

#[cfg(test)]
mod tests {
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
        let found = search(query, &entries, history);
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
        assert_eq!(names("dlq prod", &[]), ["orders-dlq"]);
        let recent = ["orders-refunds-dlq"];
        assert_eq!(names("orders", &recent), ["orders-refunds-dlq", "orders-dlq"], "history decides between equals");
        assert_eq!(names("orders-dlq", &recent), ["orders-dlq"]);
        assert_eq!(names("ordlq", &[]), Vec::<String>::new());
        assert_eq!(names("~ordlq", &[])[0], "orders-dlq");
        assert_eq!(names("zzz", &[]), Vec::<String>::new());
    }

    #[test]
    fn matched_characters_are_told() {
        let found = search("~orf", &entries(), &[] as &[&str]);
        assert_eq!((found[0].entry, found[0].name.as_slice()), (5, &[0, 1, 9][..]));
        let found = search("snap", &entries(), &[] as &[&str]);
        assert_eq!((found[0].name.len(), found[0].help.len()), (0, 4));
    }
}
