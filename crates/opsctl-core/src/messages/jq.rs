//! jq programs on a thread of their own, with a deadline: jq has loops without end, and a thread that runs one can only
//! be left behind, never stopped.

use std::{
    borrow::Borrow,
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use jaq_core::{
    Compiler, Ctx, Error, Vars, data,
    load::{
        Arena, File, Loader,
        parse::{Def, Term},
    },
    native,
};
use jaq_json::Val;

use super::{jq_check, jq_failures, jq_words};
use crate::domain::Text;

pub(super) const MESSAGE_DEADLINE: Duration = Duration::from_secs(1);
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// Longest filter, in bytes.
const FILTER_BYTES_MAX: usize = 65_536;
/// Longest program that edits, in bytes: it may hold new texts of a few of the largest messages.
const EDIT_BYTES_MAX: usize = 16 * 1_048_576;
/// How often a waiting caller looks whether the thread gets on.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// jq recurses over nested values; bodies are at most [`super::json::DEPTH_MAX`] deep.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Longest error text kept, in characters: jq quotes the value that it stumbled on.
const ERROR_CHARACTERS_MAX: usize = 200;

pub(super) type Compiled = jaq_core::Filter<data::JustLut<Val>>;

/// Why a filter could not be read, or could not decide on a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text is no filter: several lines, with the place underlined and what to try.
    #[error("{0}")]
    Syntax(Text),
    /// The filter failed on this message, for instance because it looks for a field in a body that is a plain string.
    #[error("the filter failed on this message: {0}")]
    Failed(Text),
    /// The filter took too long on this message, and was given up for good.
    #[error("the filter took longer than {} s on one message and was stopped; simplify it", MESSAGE_DEADLINE.as_secs())]
    TooSlow,
    /// The filter was given up on an earlier message.
    #[error("the filter was stopped on an earlier message, where it took too long")]
    Stopped,
    /// A condition failed on what was observed, for instance because it looks for a field in a number.
    #[error("the condition cannot be judged: {0}")]
    Unjudged(Text),
}

impl FilterError {
    /// Why it failed, without what it stumbled on: that may be of a message's text, which must not be recorded.
    pub fn in_general(&self) -> String {
        match self {
            Self::Failed(text) => jq_failures::in_general(text.as_str()),
            Self::Syntax(_) | Self::TooSlow | Self::Stopped | Self::Unjudged(_) => self.to_string(),
        }
    }

    /// Whether every further message would fail as well.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Syntax(_) | Self::TooSlow | Self::Stopped => true,
            Self::Failed(_) | Self::Unjudged(_) => false,
        }
    }
}

/// The input's fields, which a program may also use as words of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) names: &'a [&'a str],
    /// Those of them that stay jq's own words, such as `type`.
    pub(super) of_jq: &'a [&'a str],
}

impl Words<'_> {
    pub(super) const NONE: Words<'static> = Words { names: &[], of_jq: &[] };

    /// A definition of each; [`INPUT`] is the whole input.
    fn definitions(&self) -> String {
        let own = self.names.iter().filter(|name| !self.of_jq.contains(*name));
        own.map(|name| format!("def {name}: {INPUT}.{name}; ")).collect()
    }
}

/// The variable that is the whole input.
pub(super) const INPUT: &str = "$message";

pub(super) fn compile(code: &str, words: Words<'_>, rules: jq_check::Rules) -> Result<Compiled, FilterError> {
    compile_with(code, words, rules, |_| None)
}

/// The same of a program that is another than what was written: `prepare` makes it, with the definitions that it needs.
pub(super) fn compile_with<'a>(
    code: &'a str,
    words: Words<'_>,
    rules: jq_check::Rules,
    prepare: impl FnOnce(&'a str) -> Option<Prepared<'a>>,
) -> Result<Compiled, FilterError> {
    let (what, bytes_max) = match rules {
        jq_check::Rules::Filter => ("filter", FILTER_BYTES_MAX),
        jq_check::Rules::Edit => ("edit", EDIT_BYTES_MAX),
        jq_check::Rules::Condition => ("condition", FILTER_BYTES_MAX),
    };
    if code.len() > bytes_max {
        let text = format!("the {what} is too long: {} bytes, at most {bytes_max} are read", code.len());
        return Err(FilterError::Syntax(Text::block(&text)));
    }
    jq_check::check(code, rules)?;
    let prepared = prepare(code);
    let (main, helpers, program) = match prepared {
        Some(Prepared { name, helpers, program }) => {
            (name, helpers, Some(Def { name, args: Vec::new(), body: program }))
        }
        None => (code, Vec::new(), None),
    };
    let own = words.definitions();
    let own = jaq_core::load::parse(&own, |parser| parser.defs()).unwrap_or_default();
    let definitions = standard().chain(beside()).chain(helpers).chain(own).chain(program);
    let functions = functions().filter(|(name, ..)| jq_check::outside(name).is_none()).chain(jq_words::functions());
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(&arena, File { code: main, path: () })
        .map_err(|errors| jq_check::unreadable((code, rules), &errors))?;
    Compiler::default()
        .with_funs(functions)
        .with_global_vars([INPUT])
        .compile(modules)
        .map_err(|errors| jq_check::undefined((code, rules), words.names, &errors))
}

/// A program made of what was written.
pub(super) struct Prepared<'a> {
    /// Its name; not a word of what was written.
    pub(super) name: &'a str,
    /// Definitions that come before the words.
    pub(super) helpers: Vec<Def<&'a str>>,
    pub(super) program: Term<&'a str>,
}

/// Definitions that every program may use.
fn standard<'a>() -> impl Iterator<Item = Def<&'a str>> {
    let standard = jaq_std::defs().filter(|definition| jq_check::outside(definition.name).is_none());
    jaq_core::defs().chain(standard).chain(jaq_json::defs()).map(for_as_long)
}

/// Those of them that jaq does not bring. A field may be called as they are: its word wins.
fn beside<'a>() -> impl Iterator<Item = Def<&'a str>> {
    jq_words::definitions().map(for_as_long)
}

/// The numbers of arguments with which there is a word of this name.
pub(super) fn arities(name: &str) -> BTreeSet<usize> {
    let defined = standard().chain(beside()).filter(|definition| definition.name == name);
    let built_in = functions().chain(jq_words::functions()).filter(|(built_in, ..)| *built_in == name);
    defined.map(|definition| definition.args.len()).chain(built_in.map(|(_, arguments, _)| arguments.len())).collect()
}

/// Definitions beside those of a program live as long as its text.
fn for_as_long<'a>(definition: Def<&'static str>) -> Def<&'a str> {
    definition
}

/// Whether jq has a word of this name that takes no argument: no field can be called by it.
pub(super) fn is_of_jq(name: &str) -> bool {
    const KEYWORDS: [&str; 21] = [
        "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label", "module",
        "or", "reduce", "then", "try", "true", "false", "null", "__loc__",
    ];
    static OWN: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let defined = standard().filter(|definition| definition.args.is_empty()).map(|definition| definition.name);
        let built_in = functions().filter(|(_, arguments, _)| arguments.is_empty()).map(|(name, ..)| name);
        defined.chain(built_in).collect()
    });
    KEYWORDS.contains(&name) || jq_check::outside(name).is_some() || OWN.contains(name)
}

/// Everything that jaq brings of its own.
fn functions() -> impl Iterator<Item = native::Fun<data::JustLut<Val>>> {
    jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs())
}

/// Runs a compiled program on a value; the value is [`INPUT`] too.
pub(super) fn run(program: &Compiled, input: Val) -> impl Iterator<Item = Result<Val, FilterError>> + '_ {
    outputs(program, input).map(|output| {
        output.map_err(|thrown| match thrown {
            Some(error) => FilterError::Failed(shortened(&error)),
            None => FilterError::Failed(Text::line("it breaks off (halt)")),
        })
    })
}

/// The same with the error as it was thrown; none: it breaks off.
pub(super) fn outputs(program: &Compiled, input: Val) -> impl Iterator<Item = Result<Val, Option<Error<Val>>>> + '_ {
    let context = Ctx::<data::JustLut<Val>>::new(&program.lut, Vars::new([input.clone()]));
    program.id.run((context, input)).map(|output| output.map_err(|exception| exception.get_err().ok()))
}

/// What a program threw, as it is shown.
pub(super) fn shortened(thrown: &Error<Val>) -> Text {
    Text::capped(&thrown.to_string(), ERROR_CHARACTERS_MAX)
}

type Step<I, O> = fn(&Compiled, I) -> Result<O, FilterError>;

/// A jq program with the thread that runs it. The thread ends when this is dropped, or after what it is at.
pub(super) struct Runner<I, O> {
    thread: Mutex<Option<SyncSender<Batch<I, O>>>>,
}

struct Batch<I, O> {
    inputs: Vec<I>,
    shared: Arc<Shared<O>>,
    done: SyncSender<()>,
}

struct Shared<O> {
    answers: Mutex<Vec<Result<O, FilterError>>>,
    abandoned: AtomicBool,
}

impl<I, O> fmt::Debug for Runner<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Runner")
    }
}

impl<I: Send + 'static, O: Send + 'static> Runner<I, O> {
    pub(super) fn start(
        program: impl Borrow<Compiled> + Send + 'static,
        step: Step<I, O>,
    ) -> Result<Self, FilterError> {
        let (sender, receiver) = sync_channel(1);
        std::thread::Builder::new()
            .name("message filter".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || serve(program.borrow(), step, &receiver))
            .map_err(|error| FilterError::Failed(Text::line(&format!("no thread could be started: {error}"))))?;
        Ok(Self { thread: Mutex::new(Some(sender)) })
    }

    /// Answers for all inputs, in order: one round trip. Blocks for at most [`CALL_DEADLINE`], usually microseconds.
    pub(super) fn ask(&self, inputs: Vec<I>) -> Vec<Result<O, FilterError>> {
        let count = inputs.len();
        if count == 0 {
            return Vec::new();
        }
        let mut thread = lock(&self.thread);
        let Some(sender) = thread.as_ref() else { return fill(Vec::new(), count) };
        let shared =
            Arc::new(Shared { answers: Mutex::new(Vec::with_capacity(count)), abandoned: AtomicBool::new(false) });
        let (done, finished) = sync_channel(1);
        if sender.send(Batch { inputs, shared: Arc::clone(&shared), done }).is_err() {
            *thread = None;
            return fill(Vec::new(), count);
        }
        let in_time = wait(&finished, &shared);
        let mut answers = std::mem::take(&mut *lock(&shared.answers));
        if !in_time {
            shared.abandoned.store(true, Ordering::Relaxed);
            *thread = None;
            if answers.len() < count {
                answers.push(Err(FilterError::TooSlow));
            }
        }
        fill(answers, count)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fill<O>(mut answers: Vec<Result<O, FilterError>>, count: usize) -> Vec<Result<O, FilterError>> {
    answers.resize_with(count, || Err(FilterError::Stopped));
    answers
}

/// Whether the thread finished; false once one message or the whole call took too long, or the thread is gone.
fn wait<O>(finished: &Receiver<()>, shared: &Shared<O>) -> bool {
    let started_at = Instant::now();
    let (mut answered, mut since) = (0, started_at);
    loop {
        match finished.recv_timeout(LOOK_EVERY) {
            Ok(()) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now_answered = lock(&shared.answers).len();
        if now_answered != answered {
            (answered, since) = (now_answered, Instant::now());
        }
        if since.elapsed() >= MESSAGE_DEADLINE || started_at.elapsed() >= CALL_DEADLINE {
            return false;
        }
    }
}

fn serve<I, O>(program: &Compiled, step: Step<I, O>, batches: &Receiver<Batch<I, O>>) {
    for Batch { inputs, shared, done } in batches {
        for input in inputs {
            let answer = step(program, input);
            if shared.abandoned.load(Ordering::Relaxed) {
                return;
            }
            lock(&shared.answers).push(answer);
        }
        // Nobody waits any more: fine.
        let _ = done.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What jaq brings and a program may use: it depends on its input alone.
    const OF_THE_INPUT: &str = "error_empty path path_value range keys_unsorted key_values first last limit skip \
        floor round ceil utf8bytelength explode implode ascii_downcase ascii_upcase reverse sort sort_by group_by \
        min_by_or_empty max_by_or_empty startswith endswith ltrimstr rtrimstr trim ltrim rtrim escape_sh halt \
        escape_html unescape_html encode_uri decode_uri encode_base64 decode_base64 matches split_matches split_ \
        fromdateiso8601 todateiso8601 strftime gmtime strptime mktime fromjson tojson tobytes length contains has \
        indices bsearch acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp exp10 exp2 expm1 fabs frexp ilogb \
        j0 j1 lgamma log log10 log1p log2 modf nearbyint rint sin sinh sqrt tan tanh tgamma trunc y0 y1 atan2 copysign \
        fdim fmax fmin fmod hypot jn ldexp nextafter pow remainder scalbln yn fma";

    #[test]
    fn a_function_that_a_new_jaq_brings_is_looked_at_before_a_program_may_use_it() {
        let known: Vec<&str> = OF_THE_INPUT.split_whitespace().collect();
        let new: Vec<&str> = functions()
            .map(|(name, ..)| name)
            .filter(|name| jq_check::outside(name).is_none() && !known.contains(name))
            .collect();
        assert!(new.is_empty(), "add them here or to jq_check::outside: {new:?}");
    }

    /// The words of jq 1.7 and the numbers of their arguments, as its manual has them.
    const OF_JQ: &str = "IN/1 IN/2 INDEX/1 INDEX/2 JOIN/2 JOIN/3 JOIN/4 abs/0 acos/0 acosh/0 add/0 all/0 all/1 all/2 any/0 any/1 \
        any/2 arrays/0 ascii/0 ascii_downcase/0 ascii_upcase/0 asin/0 asinh/0 atan/0 atan2/2 atanh/0 booleans/0 bsearch/1 \
        builtins/0 capture/1 capture/2 cbrt/0 ceil/0 combinations/0 combinations/1 contains/1 copysign/2 cos/0 cosh/0 date/0 \
        dateadd/2 datesub/2 debug/0 debug/1 del/1 delpaths/1 drem/2 empty/0 endswith/1 env/0 erf/0 error/0 error/1 exp/0 exp10/0 \
        exp2/0 explode/0 expm1/0 fabs/0 fdim/2 finites/0 first/0 first/1 flatten/0 flatten/1 floor/0 fma/3 fmax/2 fmin/2 fmod/2 \
        format/1 frexp/0 from_entries/0 fromdate/0 fromdateiso8601/0 fromjson/0 fromstream/1 gamma/0 get_search_list/0 getpath/1 \
        gmtime/0 group_by/1 gsub/2 gsub/3 halt/0 halt_error/0 halt_error/1 has/1 have_decnum/0 have_literal_numbers/0 hypot/2 \
        implode/0 in/1 index/1 indices/1 infinite/0 input/0 input_filename/0 input_line_number/0 inputs/0 inside/1 isempty/1 \
        isinfinite/0 isnan/0 isnormal/0 isvalid/1 iterables/0 j0/0 j1/0 join/1 keys/0 keys_unsorted/0 last/0 last/1 ldexp/2 length/0 \
        lgamma/0 lgamma_r/0 limit/2 localtime/0 log/0 log10/0 log1p/0 log2/0 logb/0 ltrimstr/1 map/1 map_values/1 match/1 match/2 \
        max/0 max_by/1 min/0 min_by/1 mktime/0 modf/0 modulemeta/0 nan/0 nearbyint/0 nextafter/2 nexttoward/2 normals/0 not/0 now/0 \
        nth/1 nth/2 nulls/0 numbers/0 objects/0 path/1 paths/0 paths/1 pick/1 pow/2 pow10/0 range/1 range/2 range/3 recurse/0 \
        recurse/1 recurse/2 recurse_down/0 repeat/1 reverse/0 rindex/1 rint/0 round/0 rtrimstr/1 scalars/0 scalb/2 scalbln/2 scan/1 \
        scan/2 select/1 setpath/2 significand/0 sin/0 sinh/0 sort/0 sort_by/1 split/1 split/2 splits/1 splits/2 sqrt/0 \
        startswith/1 stderr/0 strflocaltime/1 strftime/1 strings/0 strptime/1 sub/2 sub/3 tan/0 tanh/0 test/1 test/2 tgamma/0 \
        to_entries/0 toarray/0 todate/0 todateiso8601/0 tojson/0 tonumber/0 tostream/0 tostring/0 transpose/0 trim/0 ltrim/0 rtrim/0 \
        trunc/0 truncate_stream/1 type/0 unique/0 unique_by/1 until/2 utf8bytelength/0 values/0 walk/1 while/2 with_entries/1 y0/0 \
        y1/0 @text/0 @json/0 @csv/0 @tsv/0 @html/0 @uri/0 @sh/0 @base64/0 @base64d/0 @base32/0 @base32d/0";

    #[test]
    fn every_word_of_jq_is_there_or_named_as_missing_with_what_to_use_instead() {
        for word in OF_JQ.split_whitespace() {
            let (name, takes) = word.rsplit_once('/').expect("a number of arguments");
            let arguments = vec!["."; takes.parse().expect("a number")].join("; ");
            let code = if arguments.is_empty() { name.to_owned() } else { format!("{name}({arguments})") };
            if let Err(refused) = compile(&code, Words::NONE, jq_check::Rules::Filter) {
                let refused = refused.to_string();
                let is_named =
                    refused.contains("can't be used, because") || refused.contains(&format!("there is no `{name}`: "));
                assert!(is_named && refused.contains("\ntry: "), "{word}: {refused}");
            }
        }
    }

    fn holds(code: &str) -> Result<bool, String> {
        let program = compile(code, Words::NONE, jq_check::Rules::Filter).map_err(|error| error.to_string())?;
        let answer = run(&program, Val::Null).next().ok_or("no answer")?.map_err(|error| error.to_string())?;
        Ok(jaq_core::ValT::as_bool(&answer))
    }

    #[test]
    fn what_jq_answers_is_answered_here() {
        for code in [
            r#"[1, 2, 3 | IN(2, 3)] == [false, true, true]"#,
            r#"IN([2, 5][]; 5, 6)"#,
            r#""b" | IN("a", "b")"#,
            r#"[{"id": 1, "n": "a"}] | INDEX(.id) == {"1": {"id": 1, "n": "a"}}"#,
            r#""a-b-c" | gsub("-"; "+") == "a+b+c""#,
            r#""2026-11-21" | gsub("(?<d>[0-9]+)"; "<\(.d)>") == "<2026>-<11>-<21>""#,
            r#""aXbx" | gsub("x"; "-"; "i") == "a-b-""#,
            r#""abc" | sub("(?<x>b)"; "[\(.x)]") == "a[b]c""#,
            r#"[{"Key": "a", "Value": 1}, {"name": "b", "value": false}, {"k": 3, "v": 2}] | from_entries == {"a": 1, "b": false, "3": 2}"#,
            r#""Ab" | test("ab"; "i") and test("AB"; null) == false and test(["ab", "i"])"#,
            r#"[1, "a\"b", null, true] | @csv == "1,\"a\"\"b\",,true""#,
            r#"["a\tb", 1] | @tsv == "a\\tb\t1""#,
            r#""foobar" | @base32 == "MZXW6YTBOI======" and (@base32 | @base32d) == "foobar""#,
            r#"65 | ascii == "A""#,
            r#"[3, [4]] | format("json") == "[3,[4]]""#,
            r#"[[1, 2], [3]] | [leaf_paths] == [[0, 0], [0, 1], [1, 0]]"#,
            r#"1425599621 | date == "2015-03-05T23:53:41Z""#,
            r#"{"a": {"b": 1}} | pick(.a.b) == {"a": {"b": 1}}"#,
            r#"{"and": 1, "if": 2} | .and == 1 and .if == 2"#,
            r#"[limit(2; range(10))] == [0, 1] and ([.[]?] == [])"#,
            r#"" x " | trim == "x" and (ltrimstr("y")) == " x ""#,
            r#""{\"a\": \"[1]\"}" | decode == {"a": [1]}"#,
            r#"{"a": "eyJiIjogInNvbWUgdGV4dCJ9", "c": "d"} | decode == {"a": {"b": "some text"}, "c": "d"}"#,
        ] {
            assert_eq!(holds(code), Ok(true), "{code}");
        }
    }

    #[test]
    fn what_is_missing_or_misused_says_what_to_write() {
        let refusal = |code: &str| compile(code, Words::NONE, jq_check::Rules::Filter).err().expect(code).to_string();
        insta::assert_snapshot!(refusal(r#"gsub("a", "b")"#), @r#"
        cannot use the filter: `gsub` takes 2 or 3 arguments, and 1 stand here
          gsub("a", "b")
          ^^^^
        try: arguments are separated by `;`, as in sub("a"; "b")
        "#);
        insta::assert_snapshot!(refusal("tostream"), @r"
        cannot use the filter: there is no `tostream`: parts of streams are for inputs that do not fit into memory
          tostream
          ^^^^^^^^
        try: use paths, getpath and `..`
        ");
        assert!(refusal(".a as [$x] ?// $x | $x").contains("`?//` between patterns is missing here"));
        assert!(refusal(".a as {$b: [$c]} | $c").contains("`{$name: pattern}` is missing here"));
    }
}
