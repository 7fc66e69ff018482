//! Words that programs have beside jaq's own: those of jq 1.7 that jaq lacks, and `decode`. What is still missing is named, with what to
//! use instead.

use std::{cell::Cell, collections::BTreeSet};

use jaq_core::{
    data,
    load::{self, parse::Def},
    native::{self, Fun, bome, v},
};
use jaq_json::Val;

use super::envelopes::{self, Step};

/// The most that one `decode` makes of what is encoded, in bytes.
const DECODED_BYTES_MAX: usize = 16 * 1_048_576;
/// How deep what was decoded is decoded again.
const DECODE_DEPTH_MAX: usize = 4;

const DEFINITIONS: &str = r#"
    def IN(s): any(s == .; .);
    def IN(src; s): any(src == s; .);
    def INDEX(stream; f): reduce stream as $row ({}; . + {($row | f | tostring): $row});
    def INDEX(f): INDEX(.[]; f);
    def ascii: [.] | implode;
    def toarray: if type == "array" then . else [.] end;
    def trimstr($text): ltrimstr($text) | rtrimstr($text);
    def isvalid(f): try (f | true) catch false;
    def leaf_paths: paths(scalars);
    def recurse_down: recurse;
    def gamma: lgamma;
    def date: todate;
    def dateadd(unit; n): . + n;
    def datesub(unit; n): . - n;
    def have_literal_numbers: true;
    def have_decnum: false;
    def from_entries: reduce .[] as $entry ({}; . + {
        ($entry | if type == "object" then (if .key != null then .key else (.k // .name // .Name // .K // .Key) end) else . end
            | if type == "string" then . else tojson end):
        ($entry | if type != "object" then null elif has("value") then .value elif has("v") then .v else (.Value // .V) end)
    });
    def flags_of(flags): flags // "";
    def match($re): if $re >= [] then match($re[0]; $re[1] // "") else match($re; "") end;
    def match(re; flags): matches(re; flags_of(flags))[] | .[0] + {captures: .[1:]};
    def test($re): if $re >= [] then matches($re[0]; $re[1] // "") | any else matches($re; "") | any end;
    def test(re; flags): matches(re; flags_of(flags)) | any;
    def split($re; flags): split_($re; flags_of(flags) + "g");
    def splits($re; flags): split($re; flags)[];
    def @csv: map(
        if type == "string" then "\"" + gsub("\""; "\"\"") + "\""
        elif type == "null" then ""
        elif type == "number" or type == "boolean" then tostring
        else error("a \(type) is no value of a CSV row") end) | join(",");
    def @tsv: map(
        if type == "string" then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
        elif type == "null" then ""
        elif type == "number" or type == "boolean" then tostring
        else error("a \(type) is no value of a TSV row") end) | join("\t");
    def @base32: tostring | encode_base32;
    def @base32d: tostring | decode_base32;
    def format($name):
        if $name == "text" then @text elif $name == "json" then @json elif $name == "csv" then @csv
        elif $name == "tsv" then @tsv elif $name == "html" then @html elif $name == "uri" then @uri
        elif $name == "sh" then @sh elif $name == "base64" then @base64 elif $name == "base64d" then @base64d
        elif $name == "base32" then @base32 elif $name == "base32d" then @base32d
        else error("\($name) is not a format") end;"#;

/// Definitions for programs; they come behind jaq's own, over which they win.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default().into_iter()
}

type Native = native::Filter<jaq_core::RunPtr<data::JustLut<Val>>>;

/// Functions for programs.
pub(super) fn functions() -> impl Iterator<Item = Fun<data::JustLut<Val>>> {
    let all: [Native; 3] = [
        ("decode", v(0), |cv| bome(Ok(decode(&cv.1)))),
        ("encode_base32", v(0), |cv| bome(cv.1.try_as_bytes_owned().map(|bytes| text(&base32(&bytes))))),
        ("decode_base32", v(0), |cv| {
            let bytes = cv.1.try_as_bytes_owned();
            bome(bytes.and_then(|bytes| {
                let failed = || jaq_core::Error::str("cannot decode what is no base32");
                Ok(text(&String::from_utf8_lossy(&from_base32(&bytes).ok_or_else(failed)?)))
            }))
        }),
    ];
    all.into_iter().map(|function| native::run::<data::JustLut<Val>>(function))
}

/// Why a word of jq 1.7 is missing, and what to use instead; none: it is there, or no word of jq's.
pub(super) fn missing(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "tostream" | "fromstream" | "truncate_stream" => {
            ("parts of streams are for inputs that do not fit into memory", "use paths, getpath and `..`")
        }
        "JOIN" => ("it is missing here", "use INDEX to make a table, and look up in it with `.[…]`"),
        "lgamma_r" => ("it is missing here", "use lgamma, which is the logarithm without the sign"),
        "builtins" => {
            ("it is missing here", "the words are those of jq 1.7's manual; `opsctl help filter` says what differs")
        }
        "modulemeta" | "get_search_list" => {
            ("a program here is one text without modules", "write the definitions into it")
        }
        "$__loc__" | "$__prog_args" | "input_line_number" => ("a program here has no file and no line", "leave it out"),
        _ => return None,
    })
}

/// What jq 1.7 reads and jaq does not: signs of it, with what to write instead.
pub(super) fn unread(code: &str) -> Option<&'static str> {
    let squeezed: String = code.split_whitespace().collect();
    if squeezed.contains("?//$") || squeezed.contains("?//[") || squeezed.contains("?//{") {
        return Some("`?//` between patterns is missing here: use `if type == \"array\" then … else … end`");
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut parts = squeezed.split("{$").skip(1).chain(squeezed.split(",$").skip(1));
    let names_and_opens = parts.any(|part| {
        part.trim_start_matches(is_name).starts_with(":[") || part.trim_start_matches(is_name).starts_with(":{")
    });
    names_and_opens.then_some("`{$name: pattern}` is missing here: write `{name: pattern}` and take `.name` by itself")
}

/// A value with each text in it that encodes something decoded, as the console shows it.
fn decode(value: &Val) -> Val {
    let left = Cell::new(DECODED_BYTES_MAX);
    decode_within(value, 0, &left)
}

fn decode_within(value: &Val, depth: usize, left: &Cell<usize>) -> Val {
    match value {
        Val::TStr(bytes) if depth < DECODE_DEPTH_MAX => {
            let Some(decoded) = std::str::from_utf8(bytes).ok().and_then(envelopes::opened) else {
                return value.clone();
            };
            let Some(rest) = left.get().checked_sub(decoded.len()) else { return value.clone() };
            left.set(rest);
            decode_within(&super::filter::body(&decoded), depth + 1, left)
        }
        Val::Arr(items) => items.iter().map(|item| decode_within(item, depth, left)).collect(),
        Val::Obj(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), decode_within(value, depth, left)));
            Val::obj(fields.collect())
        }
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::BStr(_) | Val::TStr(_) => value.clone(),
    }
}

/// What lies at the end of a way; null where the way ends before.
pub(super) fn follow(value: &Val, way: &[Step]) -> Val {
    let mut value = value.clone();
    for step in way {
        let next = match (step, &value) {
            (Step::Decode, Val::TStr(bytes)) => {
                let decoded = std::str::from_utf8(bytes).ok().and_then(envelopes::opened);
                decoded.map(|decoded| super::filter::body(&decoded))
            }
            (Step::Field(name), Val::Obj(fields)) => fields.get(&text(name)).cloned(),
            (Step::Item(at), Val::Arr(items)) => items.get(*at).cloned(),
            (Step::Decode | Step::Field(_) | Step::Item(_), _) => None,
        };
        value = next.unwrap_or_default();
    }
    value
}

fn text(plain: &str) -> Val {
    super::filter::text(plain)
}

/// RFC 4648, with padding.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let signs = (chunk.len() * 8).div_ceil(5);
        for place in 0..8 {
            let sign = BASE32[(bits >> (35 - 5 * place) & 31) as usize];
            out.push(if place < signs { char::from(sign) } else { '=' });
        }
    }
    out
}

fn from_base32(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut out) = (0_u64, 0_u32, Vec::new());
    for sign in text.iter().filter(|sign| **sign != b'=') {
        let value = BASE32.iter().position(|known| *known == sign.to_ascii_uppercase())?;
        bits = bits << 5 | value as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 255) as u8);
        }
    }
    Some(out)
}

/// In words: the numbers of arguments that a word takes.
pub(super) fn arguments(takes: &BTreeSet<usize>) -> String {
    let numbers: Vec<String> = takes.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] if one == "0" => "no argument".to_owned(),
        [one] if one == "1" => "1 argument".to_owned(),
        _ => format!("{} arguments", numbers.join(" or ")),
    }
}
