//! Ids in text that is no JSON: lines, lists, tables, columns, and what the AWS CLI writes as text and YAML.

use super::{Found, Ids, Refused, is_uuid, shown};

/// A line with its number.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

pub(super) fn ids(ids: &Ids<'_>, text: &str) -> Result<Vec<Found>, Refused> {
    let lines: Vec<Line<'_>> = text
        .lines()
        .enumerate()
        .map(|(at, text)| Line { number: at + 1, text: text.trim_matches(blank) })
        .filter(|line| !line.text.is_empty() && !is_comment(line.text))
        .collect();
    let message = |line: &Line<'_>| line.text.starts_with("MESSAGES\t");
    if ids.is_of_messages && lines.iter().any(message) {
        return of_aws(ids, text, lines.iter().filter(|line| message(line)).count());
    }
    if let Some(found) = keyed(ids, &lines)? {
        return Ok(found);
    }
    // YAML begins with such a line, too, and is no table.
    let is_drawn = lines.iter().any(|line| line.text.contains('|'));
    if lines.iter().skip(usize::from(!is_drawn)).any(|line| is_rule(line.text)) {
        return table(ids, &lines);
    }
    let lines: Vec<Line<'_>> = lines.into_iter().filter(|line| !is_rule(line.text)).collect();
    match columns(ids, &lines)? {
        Some(found) => Ok(found),
        None => lists(ids, &lines),
    }
}

/// White space, and what editors and web pages put in its place.
fn blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#')
        || line.starts_with("//")
        || (line.starts_with("-- ") && !is_rule(line))
        || line.starts_with("```")
}

/// A line of a table's frame: `+-----+`, `----+----`, `|---|`.
fn is_rule(line: &str) -> bool {
    line.matches('-').count() + line.matches('=').count() >= 3
        && line.chars().all(|letter| matches!(letter, '-' | '+' | '|' | '=' | ':' | ' ' | '─' | '┼' | '├' | '┤'))
}

/// `aws sqs receive-message --output text`: a line for each message, in which the id stands behind the body's MD5. Bodies may have
/// lines of their own.
fn of_aws(ids: &Ids<'_>, text: &str, messages: usize) -> Result<Vec<Found>, Refused> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split('\t').collect();
        let is_md5 = |cell: &str| cell.len() == 32 && cell.bytes().all(|byte| byte.is_ascii_hexdigit());
        // What attributes a message has stands between: the MD5 of those too.
        let id = cells.windows(2).rev().find(|pair| is_md5(pair[0]) && is_uuid(pair[1])).map(|pair| pair[1]);
        if let Some(id) = id {
            found.push(Found { line: at + 1, id: vec![ids.word(id, at + 1)?] });
        }
    }
    match found.len() == messages {
        true => Ok(found),
        false => Err(Refused {
            line: 1,
            because: format!(
                "of {messages} messages of the AWS CLI {} ids were found; print them as JSON instead",
                found.len()
            ),
        }),
    }
}

/// Lines such as `MessageId: …`, `messageId=…`, as YAML, logs and cards have them; none: there are no such lines.
fn keyed(ids: &Ids<'_>, lines: &[Line<'_>]) -> Result<Option<Vec<Found>>, Refused> {
    if ids.columns > 1 {
        return Ok(None);
    }
    let pair = |line: &Line<'_>| -> Option<(usize, String)> {
        let text = line.text.trim_start_matches("- ").trim_start_matches([' ', '{']);
        let (name, value) = text.split_once([':', '='])?;
        // `id` alone is a word of too many things.
        let rank = ids.named(name.trim_matches(quote))?;
        let value = value.trim().trim_end_matches([',', '}']).trim().trim_matches(quote);
        (!value.is_empty() && !name.trim().contains(' ')).then(|| (rank, value.to_owned()))
    };
    let Some(best) = lines.iter().filter_map(&pair).map(|(rank, _)| rank).min() else { return Ok(None) };
    let mut found = Vec::new();
    for line in lines {
        match pair(line) {
            Some((rank, value)) if rank == best => {
                found.push(Found { line: line.number, id: vec![ids.word(&value, line.number)?] });
            }
            // The other fields of what the ids are of.
            Some(_) => {}
            None if line.text.contains([':', '=']) || line.text.chars().all(|letter| "{}[],-".contains(letter)) => {}
            None => {
                return Err(Refused {
                    line: line.number,
                    because: format!("`{}` is not a {}", shown(line.text), ids.what),
                });
            }
        }
    }
    Ok(Some(found))
}

fn quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | '«' | '»' | '„')
}

/// A table as SQL clients, the AWS CLI and Markdown draw it: rows of ids, in the column that has their name or in the only one.
fn table(ids: &Ids<'_>, lines: &[Line<'_>]) -> Result<Vec<Found>, Refused> {
    // `(2 rows)`, `2 rows in set (0.00 sec)`.
    let is_footer = |line: &str| {
        let mut words = line.trim_start_matches('(').split(' ');
        let is_count = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
        is_count && words.next().is_some_and(|word| matches!(word.trim_end_matches(')'), "row" | "rows"))
    };
    let starts_with_rule = lines.first().is_some_and(|line| is_rule(line.text));
    let mut rules = lines.iter().enumerate().filter(|(_, line)| is_rule(line.text)).map(|(at, _)| at);
    let heads_end = rules.nth(usize::from(starts_with_rule)).unwrap_or(0);
    let rows = |lines: &[Line<'_>]| -> Vec<Row> {
        let rows = lines.iter().filter(|line| !is_rule(line.text) && !is_footer(line.text));
        rows.map(|line| (line.number, cells(line.text.trim_matches('|'), '|'))).collect()
    };
    // The AWS CLI puts titles above the heading, each in a frame.
    let all = rows(lines);
    if let Some(at) = all.iter().position(|row| named(ids, row).is_some()) {
        return of_rows(ids, &all[at..=at], &all[at + 1..]);
    }
    let (heads, rest) = lines.split_at(heads_end);
    of_rows(ids, &rows(heads), &rows(rest))
}

/// A line's number and its cells.
type Row = (usize, Vec<String>);

/// Columns that commas, tabs or semicolons separate, with a heading that names the ids, or ids in one of them; none: it is no such file.
fn columns(ids: &Ids<'_>, lines: &[Line<'_>]) -> Result<Option<Vec<Found>>, Refused> {
    let Some(first) = lines.first() else { return Ok(None) };
    let separator = [',', '\t', ';', '|'].into_iter().find(|separator| first.text.contains(*separator));
    let rows =
        |separator: char| -> Vec<Row> { lines.iter().map(|line| (line.number, cells(line.text, separator))).collect() };
    let heads = |cells: &[String]| cells.iter().filter(|cell| ids.named(cell).is_some()).count();
    match separator {
        Some(separator) => {
            let rows: Vec<Row> = rows(separator);
            let is_headed = heads(&rows[0].1) >= ids.columns;
            // Rows of several words of which one is an id: a file without a heading.
            let checks = |cell: &String| (ids.check)(cell).is_ok();
            let others = || rows.iter().flat_map(|(_, cells)| cells).filter(|cell| !cell.is_empty() && !checks(cell));
            let is_mixed = ids.columns == 1
                && ids.is_of_messages
                && rows[0].1.iter().any(checks)
                && others().next().is_some()
                && !others().any(|cell| holds_uuid(cell));
            match is_headed || is_mixed || ids.columns > 1 {
                true => {
                    let (heads, rest) = rows.split_at(usize::from(is_headed));
                    of_rows(ids, heads, rest).map(Some)
                }
                false => Ok(None),
            }
        }
        None => {
            let is_heading = ids.columns == 1 && ids.named(first.text.trim_matches(quote)).is_some();
            match is_heading {
                true => lists(ids, &lines[1..]).map(Some),
                false => Ok(None),
            }
        }
    }
}

/// Whether an id stands among other signs, as in `IN ('…'`.
fn holds_uuid(cell: &str) -> bool {
    cell.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-').any(is_uuid)
}

/// The columns of a heading that name the ids.
fn named(ids: &Ids<'_>, (_, cells): &Row) -> Option<Vec<usize>> {
    let mut found: Vec<(usize, usize)> =
        cells.iter().enumerate().filter_map(|(at, cell)| Some((ids.named(cell)?, at))).collect();
    found.sort_unstable();
    found.dedup_by_key(|(rank, _)| *rank);
    let at: Vec<usize> = found.into_iter().map(|(_, at)| at).take(ids.columns).collect();
    (at.len() == ids.columns).then_some(at)
}

/// Rows of cells. The columns are told by the names in the heading, else by what stands in them.
fn of_rows(ids: &Ids<'_>, heads: &[Row], rows: &[Row]) -> Result<Vec<Found>, Refused> {
    let places = match heads.iter().find_map(|row| named(ids, row)) {
        Some(places) => places,
        None => unnamed(ids, rows)?,
    };
    let mut found = Vec::new();
    for (line, cells) in rows.iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())) {
        let words: Option<Vec<&String>> = places.iter().map(|at| cells.get(*at)).collect();
        let Some(words) = words else {
            return Err(Refused { line: *line, because: format!("the column of the {} is missing", ids.what) });
        };
        let id = words.into_iter().map(|word| ids.word(word, *line)).collect::<Result<_, _>>()?;
        found.push(Found { line: *line, id });
    }
    Ok(found)
}

/// The columns of ids in rows without a heading: all, where there are as many as an id has, or the only one with ids in every row.
fn unnamed(ids: &Ids<'_>, rows: &[Row]) -> Result<Vec<usize>, Refused> {
    let Some((line, first)) = rows.first() else { return Ok(Vec::new()) };
    if ids.columns > 1 {
        if let Some((line, odd)) = rows.iter().find(|(_, cells)| cells.len() != ids.columns) {
            let because =
                format!("an id here has {} columns, and `{}` has {}", ids.columns, shown(&odd.join(",")), odd.len());
            return Err(Refused { line: *line, because });
        }
        return Ok((0..ids.columns).collect());
    }
    let is_id = |cells: &Vec<String>, at: usize| cells.get(at).is_some_and(|cell| (ids.check)(cell).is_ok());
    let all: Vec<usize> = (0..first.len()).filter(|at| rows.iter().all(|(_, cells)| is_id(cells, *at))).collect();
    match all.as_slice() {
        [only] => Ok(vec![*only]),
        [] => {
            let likely = (0..first.len()).max_by_key(|at| rows.iter().filter(|(_, cells)| is_id(cells, *at)).count());
            let odd = rows.iter().find(|(_, cells)| !is_id(cells, likely.unwrap_or(0))).unwrap_or(&rows[0]);
            let word = odd.1.get(likely.unwrap_or(0)).map_or("", String::as_str);
            Err(ids
                .word(word, odd.0)
                .err()
                .unwrap_or(Refused { line: odd.0, because: format!("there is no {}", ids.what) }))
        }
        _ => Err(Refused {
            line: *line,
            because: format!("several columns may be the {}; name the one in a first line: MessageId", ids.what),
        }),
    }
}

/// The cells of a line, with quotes as CSV has them.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut is_quoted, mut letters) = (false, line.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cells.last_mut().expect("one cell at least").push('"');
            }
            '"' => is_quoted = !is_quoted,
            letter if letter == separator && !is_quoted => cells.push(String::new()),
            letter => cells.last_mut().expect("one cell at least").push(letter),
        }
    }
    cells.into_iter().map(|cell| cell.trim_matches(|letter| blank(letter) || quote(letter)).to_owned()).collect()
}

/// Ids one a line, or several with commas, blanks, quotes and brackets between them, as editors and languages write lists.
fn lists(ids: &Ids<'_>, lines: &[Line<'_>]) -> Result<Vec<Found>, Refused> {
    let mut found = Vec::new();
    for line in lines {
        if ids.columns > 1 {
            let because = format!("an id here has {} columns, and `{}` has 1", ids.columns, shown(line.text));
            return Err(Refused { line: line.number, because });
        }
        for word in words(ids, line)? {
            found.push(Found { line: line.number, id: vec![ids.word(&word, line.number)?] });
        }
    }
    Ok(found)
}

fn words(ids: &Ids<'_>, line: &Line<'_>) -> Result<Vec<String>, Refused> {
    let text = without_bullet(line.text);
    let is_bracket = |letter: char| matches!(letter, '[' | ']' | '(' | ')' | '{' | '}');
    let is_separator = |letter: char| matches!(letter, ',' | ';' | '\t');
    let parts = quoted_parts(text, is_separator);
    let mut words = Vec::new();
    for part in parts {
        let bare = part.trim_matches(|letter: char| blank(letter) || is_bracket(letter));
        let is_quoted = bare.starts_with(quote);
        let bare = bare.trim_matches(|letter: char| blank(letter) || quote(letter) || is_bracket(letter));
        let all: Vec<&str> =
            bare.split(|letter: char| blank(letter) || quote(letter)).filter(|word| !word.is_empty()).collect();
        match all.as_slice() {
            [] => {}
            [only] => words.push((*only).to_owned()),
            // `IN ('a', 'b')`, `ids = ['a'`.
            [before @ .., last] if part.contains(['(', '[']) && before.iter().all(|word| is_word_of_a_query(word)) => {
                let last = last.trim_matches(|letter: char| is_bracket(letter) || quote(letter) || letter == '=');
                words.extend((!last.is_empty()).then(|| last.to_owned()));
            }
            _ if ids.is_of_messages => words.extend(all.into_iter().map(str::to_owned)),
            _ if is_quoted => words.push(bare.to_owned()),
            _ if all.iter().all(|word| word.parse::<i128>().is_ok() || is_uuid(word)) => {
                words.extend(all.into_iter().map(str::to_owned));
            }
            _ => {
                let because = format!(
                    "`{}` may be one id or several: put quotes around each, or commas between them",
                    shown(bare)
                );
                return Err(Refused { line: line.number, because });
            }
        }
    }
    Ok(words)
}

fn is_word_of_a_query(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| matches!(letter, '(' | '[' | '='));
    word.is_empty() || word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'))
}

/// `- x`, `* x`, `• x`, `1. x`, `2) x`, `- [ ] x`.
fn without_bullet(line: &str) -> &str {
    let marked = ["- ", "* ", "+ ", "• ", "– ", "> "].iter().find_map(|mark| line.strip_prefix(mark));
    let numbered = || {
        let (number, rest) = line.split_once(['.', ')'])?;
        let is_number = !number.is_empty() && number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && rest.starts_with([' ', '\t'])).then(|| rest.trim_start())
    };
    let rest = marked.or_else(numbered).unwrap_or(line).trim_start();
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest)
}

/// Parts between separators that are not within quotes.
fn quoted_parts(text: &str, is_separator: impl Fn(char) -> bool) -> Vec<&str> {
    let (mut parts, mut from, mut within) = (Vec::new(), 0, None::<char>);
    for (at, letter) in text.char_indices() {
        match within {
            Some(open) if letter == open => within = None,
            None if matches!(letter, '"' | '\'' | '`') && text[at + letter.len_utf8()..].contains(letter) => {
                within = Some(letter)
            }
            None if is_separator(letter) => {
                parts.push(&text[from..at]);
                from = at + letter.len_utf8();
            }
            Some(_) | None => {}
        }
    }
    parts.push(&text[from..]);
    parts
}
