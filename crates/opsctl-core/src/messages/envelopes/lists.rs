//! Names under which errors, their codes and types stand, and how much each promises.

use std::{collections::HashMap, sync::LazyLock};

/// Names of an error's text, in lower case without `_`, `-` and the like; what says more stands first.
const MESSAGES: [&str; 42] = [
    "errormessage",
    "errormsg",
    "errmsg",
    "errordescription",
    "errordetails",
    "errordetail",
    "errortext",
    "errorreason",
    "errorcause",
    "errorinfo",
    "lasterrormessage",
    "lasterrordescription",
    "exceptionmessage",
    "exceptiondetails",
    "exceptiondetail",
    "exceptioninfo",
    "xexceptionmessage",
    "kafkadltexceptionmessage",
    "kafkaexceptionmessage",
    "connecterrorsexceptionmessage",
    "mtfaultmessage",
    "nservicebusexceptioninfomessage",
    "rbs2errordetails",
    "failuremessage",
    "failurereason",
    "failuredescription",
    "failuredetails",
    "failurecause",
    "failedreason",
    "lastfailurereason",
    "lastfailuremessage",
    "faultmessage",
    "faultstring",
    "faultreason",
    "faultdescription",
    "deadlettererrordescription",
    "deadletterreason",
    "dlqreason",
    "poisonreason",
    "reasonpoisoned",
    "stderr",
    "errordata",
];
/// Names of an error that is a text, an object with a message, or a list of such.
const ERRORS: [&str; 18] = [
    "lasterror",
    "lastexception",
    "lastfailure",
    "error",
    "exception",
    "failure",
    "fault",
    "err",
    "errors",
    "exceptions",
    "failures",
    "faults",
    "errorobject",
    "errorresponse",
    "exceptionobject",
    "innererror",
    "innerexception",
    "rootcause",
];
/// Names of what goes with an error and says less than its text.
const TRACES: [&str; 12] = [
    "stacktrace",
    "exceptionstacktrace",
    "xexceptionstacktrace",
    "errorstack",
    "errorstacktrace",
    "traceback",
    "exceptionclass",
    "exceptiontype",
    "exceptionname",
    "errortype",
    "errorclass",
    "errorname",
];
/// Inside an error.
const INNER_MESSAGES: [&str; 18] = [
    "message",
    "errormessage",
    "exceptionmessage",
    "msg",
    "detail",
    "details",
    "description",
    "text",
    "reason",
    "cause",
    "title",
    "faultstring",
    "error",
    "errors",
    "type",
    "name",
    "class",
    "code",
];
pub(super) const CODES: [&str; 13] = [
    "errorcode",
    "errcode",
    "lasterrorcode",
    "exceptioncode",
    "failurecode",
    "faultcode",
    "exceptiontype",
    "exceptionclass",
    "exceptionname",
    "errortype",
    "errorclass",
    "errorname",
    "xexceptionfqcn",
];
/// Inside an error.
const INNER_CODES: [&str; 9] =
    ["code", "errorcode", "type", "errortype", "name", "errorname", "class", "exceptiontype", "exceptionclass"];
/// Words that make a name with `error` in it something else than an error.
pub(super) const OTHERWISE: [&str; 44] = [
    "handling",
    "handler",
    "handlers",
    "policy",
    "rate",
    "rates",
    "count",
    "counts",
    "threshold",
    "limit",
    "max",
    "min",
    "queue",
    "topic",
    "url",
    "uri",
    "email",
    "path",
    "file",
    "id",
    "ids",
    "enabled",
    "mode",
    "level",
    "action",
    "on",
    "strategy",
    "callback",
    "retry",
    "retries",
    "time",
    "timestamp",
    "at",
    "date",
    "budget",
    "page",
    "arn",
    "bucket",
    "allowed",
    "is",
    "has",
    "no",
    "tolerance",
    "correction",
];
/// Names of a type of event or job, what is surest first.
const KINDS: [&str; 29] = [
    "eventtype",
    "detailtype",
    "messagetype",
    "javatype",
    "typeid",
    "eventname",
    "jobtype",
    "tasktype",
    "commandtype",
    "notificationtype",
    "requesttype",
    "operationtype",
    "payloadtype",
    "schemaname",
    "typename",
    "classname",
    "jobclass",
    "jobname",
    "taskname",
    "commandname",
    "type",
    "event",
    "kind",
    "job",
    "task",
    "command",
    "action",
    "operation",
    "routingkey",
];
/// Objects beside the content in which a type may stand.
pub(super) const HEADERS: [&str; 9] =
    ["header", "headers", "meta", "metadata", "attributes", "envelope", "event", "context", "properties"];

/// A name in lower case, letters and digits alone.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a name promises; less is more.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ranks {
    /// An error's text: messages and errors before traces.
    pub(super) error: Option<(u8, usize)>,
    pub(super) code: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) inner_message: Option<usize>,
    pub(super) inner_code: Option<usize>,
}

pub(super) fn ranks(name: &str) -> Ranks {
    static ALL: LazyLock<HashMap<&str, Ranks>> = LazyLock::new(|| {
        let mut all: HashMap<&str, Ranks> = HashMap::new();
        // The first of a list wins, so each is gone through from its end.
        let mut put = |list: &[&'static str], set: &dyn Fn(&mut Ranks, usize)| {
            for (rank, name) in list.iter().enumerate().rev() {
                set(all.entry(name).or_default(), rank);
            }
        };
        put(&TRACES, &|ranks, rank| ranks.error = Some((1, rank)));
        put(&ERRORS, &|ranks, rank| ranks.error = Some((0, MESSAGES.len() + rank)));
        put(&MESSAGES, &|ranks, rank| ranks.error = Some((0, rank)));
        put(&CODES, &|ranks, rank| ranks.code = Some(rank));
        put(&KINDS, &|ranks, rank| ranks.kind = Some(rank));
        put(&INNER_MESSAGES, &|ranks, rank| ranks.inner_message = Some(rank));
        put(&INNER_CODES, &|ranks, rank| ranks.inner_code = Some(rank));
        all
    });
    ALL.get(plain(name).as_str()).copied().unwrap_or_default()
}
