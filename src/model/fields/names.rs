//! What a name means: the field of this name, and the other spellings of what it stands for; and which names are ids.

use std::borrow::Cow;

use super::{Flow, Ids, Kind, Path, Shape, Value, Visit, Wish, walk};

/// Objects that loggers put around what they were given, so that nobody thinks of them as a part of the name: tracing,
/// zap, monolog, log4j2, logback, serilog, MongoDB, OpenTelemetry, the cloud vendors. Elements of RFC 5424 too.
const WRAPPERS: &[&str] = &[
    "fields",
    "context",
    "ctx",
    "extra",
    "data",
    "attributes",
    "attrs",
    "attr",
    "labels",
    "mdc",
    "contextmap",
    "properties",
    "span",
    "resource",
    "body",
    "payload",
    "jsonpayload",
    "params",
    "meta",
    "metadata",
    "log",
    "record",
    "details",
    "tags",
    "state",
    "scope",
    "custom",
];

/// A name to ask for, and the spellings that stand for the same, the most telling first. All in lower case.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("message", &["msg", "@m", "@mt", "log.message", "short_message", "event", "text", "body", "log"]),
    (
        "logger",
        &[
            "logger_name",
            "loggername",
            "log.logger",
            "logname",
            "sourcecontext",
            "target",
            "category",
            "channel",
            "component",
        ],
    ),
    ("thread", &["thread_name", "threadname", "process.thread.name", "thread.name", "tid", "threadid"]),
    (
        "program",
        &[
            "syslog_identifier",
            "_comm",
            "process.name",
            "app",
            "appname",
            "app_name",
            "service",
            "service.name",
            "servicename",
            "ident",
            "comm",
        ],
    ),
    ("pid", &["_pid", "syslog_pid", "process.pid", "process_id", "processid", "procid"]),
    ("host", &["hostname", "_hostname", "host.name", "machine", "machinename", "node"]),
    (
        "status",
        &[
            "status_code",
            "statuscode",
            "http.response.status_code",
            "http.status_code",
            "http.status",
            "http_status",
            "response.status",
            "response.status_code",
            "response.statuscode",
            "res.statuscode",
            "res.status",
            "httprequest.status",
            "downstreamstatus",
            "originstatus",
            "response_code",
            "sc-status",
            "resp_status",
            "code",
        ],
    ),
    (
        "method",
        &[
            "http.request.method",
            "http.method",
            "http_method",
            "request.method",
            "req.method",
            "httprequest.requestmethod",
            "request_method",
            "requestmethod",
            "cs-method",
            "verb",
        ],
    ),
    (
        "path",
        &[
            "url.path",
            "http.target",
            "http.path",
            "http.url",
            "url",
            "uri",
            "request.uri",
            "request.path",
            "request.url",
            "req.url",
            "req.path",
            "httprequest.requesturl",
            "request_uri",
            "request_path",
            "requestpath",
            "requesturi",
            "http.route",
            "cs-uri-stem",
            "endpoint",
        ],
    ),
    (
        "bytes",
        &[
            "body_bytes_sent",
            "bytes_sent",
            "bytessent",
            "http.response.body.bytes",
            "http.response.body.size",
            "size",
            "response_size",
            "responsesize",
            "content_length",
            "httprequest.responsesize",
            "downstreamcontentsize",
            "sc-bytes",
            "length",
        ],
    ),
    (
        "referer",
        &["referrer", "http_referer", "http.request.referrer", "httprequest.referer", "request.headers.referer"],
    ),
    (
        "user_agent",
        &[
            "useragent",
            "user_agent.original",
            "http_user_agent",
            "http.user_agent",
            "http.useragent",
            "httprequest.useragent",
            "agent",
            "ua",
        ],
    ),
    (
        "remote_addr",
        &[
            "remote_ip",
            "remoteip",
            "remoteaddr",
            "client_ip",
            "clientip",
            "client.ip",
            "client.address",
            "source.ip",
            "net.peer.ip",
            "network.client.ip",
            "remote_host",
            "remoteaddress",
            "req.remoteaddress",
            "httprequest.remoteip",
            "clienthost",
            "client",
            "peer",
            "ip",
            "rhost",
            "addr",
            "src",
            "fwd",
        ],
    ),
    (
        "duration",
        &[
            "duration_ms",
            "durationms",
            "duration_s",
            "elapsed",
            "elapsed_ms",
            "elapsedms",
            "elapsedmilliseconds",
            "latency",
            "latency_ms",
            "responsetime",
            "response_time",
            "request_time",
            "event.duration",
            "took",
            "took_ms",
            "time_taken",
            "time-taken",
            "rt",
            "ms",
        ],
    ),
    (
        "error",
        &[
            "err",
            "error.message",
            "err.message",
            "exception.message",
            "exception",
            "@x",
            "error_message",
            "errormessage",
            "errmsg",
        ],
    ),
    (
        "stack",
        &[
            "stack_trace",
            "stacktrace",
            "error.stack_trace",
            "error.stack",
            "err.stack",
            "exception.stacktrace",
            "exc_info",
            "traceback",
            "errorverbose",
        ],
    ),
    (
        "user",
        &["username", "user_name", "user.name", "usr.name", "remote_user", "enduser.id", "acct", "login", "auth_user"],
    ),
    (
        "level",
        &[
            "lvl",
            "severity",
            "log.level",
            "loglevel",
            "log_level",
            "levelname",
            "level_name",
            "severity_text",
            "severitytext",
            "@l",
            "priority",
        ],
    ),
    ("request_id", REQUEST),
    ("trace_id", TRACE),
    ("span_id", SPAN),
    ("user_id", USER),
];

/// Names of the id of a request, the most telling first.
const REQUEST: &[&str] = &[
    "request_id",
    "requestid",
    "request-id",
    "req_id",
    "reqid",
    "req-id",
    "x-request-id",
    "x_request_id",
    "xrequestid",
    "request.id",
    "req.id",
    "req.headers.x-request-id",
    "request.headers.x-request-id",
    "http.request.id",
    "http.request_id",
    "http_x_request_id",
    "action_dispatch.request_id",
    "correlation_id",
    "correlationid",
    "correlation-id",
    "x-correlation-id",
    "x_correlation_id",
    "correlation.id",
    "rid",
    "aws_request_id",
    "awsrequestid",
    "lambda_request_id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "cf-ray",
    "transaction_id",
    "transactionid",
    "transaction.id",
    "operation_id",
    "operationid",
];
/// Of a trace.
const TRACE: &[&str] = &[
    "trace_id",
    "traceid",
    "trace-id",
    "trace.id",
    "otel.trace_id",
    "otelTraceID",
    "dd.trace_id",
    "dd_trace_id",
    "x-b3-traceid",
    "x_b3_traceid",
    "b3.traceid",
    "traceparent",
    "x-amzn-trace-id",
    "x_amzn_trace_id",
    "xraytraceid",
    "logging.googleapis.com/trace",
    "uber-trace-id",
    "x-cloud-trace-context",
    "span.trace_id",
    "trace",
];
/// Of a span.
const SPAN: &[&str] = &[
    "span_id",
    "spanid",
    "span-id",
    "span.id",
    "otel.span_id",
    "otelspanid",
    "dd.span_id",
    "dd_span_id",
    "x-b3-spanid",
    "x_b3_spanid",
    "traceparent",
    "logging.googleapis.com/spanid",
    "span",
];
/// Of a user.
const USER: &[&str] = &[
    "user_id",
    "userid",
    "user-id",
    "user.id",
    "usr.id",
    "enduser.id",
    "x-user-id",
    "x_user_id",
    "uid",
    "user.uid",
    "account_id",
    "accountid",
    "account.id",
    "customer_id",
    "customerid",
];
/// Who it was, where no id is said.
const USER_NAMES: &[&str] =
    &["user", "username", "user_name", "user.name", "usr.name", "usr", "remote_user", "acct", "user.email"];

/// Longer values are no ids.
const MAX_ID: usize = 128;

/// How well a field is what was asked for: less is better.
type Rank = usize;

const EXACT: Rank = 0;
const EXACT_PART: Rank = 1;
const WRAPPED: Rank = 2;
const OTHER_CASE: Rank = 3;
const WRAPPED_OTHER_CASE: Rank = 4;
const SPELLING: Rank = 5;

/// Looks for the field that a name means.
pub(super) struct Getter<'n, 'a> {
    name: &'n str,
    spellings: &'static [&'static str],
    /// Some part of the name may be the index of an array.
    has_index: bool,
    best: Option<(Rank, Value<'a>)>,
    wished: Rank,
}

impl<'n, 'a> Getter<'n, 'a> {
    pub(super) fn new(name: &'n str) -> Self {
        let spellings = SPELLINGS.iter().find(|(canonical, _)| *canonical == name).map_or(&[][..], |(_, list)| list);
        let is_index = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        Self { name, spellings, has_index: name.split('.').any(is_index), best: None, wished: EXACT }
    }

    pub(super) fn best(self) -> Option<Value<'a>> {
        self.best.map(|(_, value)| value)
    }

    fn rank(&self, path: &Path<'_>, shape: Shape) -> Option<Rank> {
        let name = self.name.as_bytes();
        if is(path, name, false, false) {
            let part = shape == Shape::Object || has_index(path);
            return Some(if part { EXACT_PART } else { EXACT });
        }
        if is(path, name, false, true) {
            return Some(WRAPPED);
        }
        if is(path, name, true, true) {
            return Some(if is(path, name, true, false) { OTHER_CASE } else { WRAPPED_OTHER_CASE });
        }
        if shape != Shape::Leaf {
            return None;
        }
        self.spellings.iter().position(|spelling| is(path, spelling.as_bytes(), true, true)).map(|at| SPELLING + at)
    }
}

impl<'a> Visit<'a> for Getter<'_, 'a> {
    fn wish(&mut self, path: &Path<'_>, shape: Shape) -> Wish {
        if let Some(rank) = self.rank(path, shape)
            && self.best.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            self.wished = rank;
            return Wish::Take;
        }
        match shape {
            Shape::Object => Wish::Enter,
            Shape::Array if self.has_index => Wish::Enter,
            Shape::Array | Shape::Leaf => Wish::Skip,
        }
    }

    fn take(&mut self, _: &Path<'_>, value: Value<'a>) -> Flow {
        self.best = Some((self.wished, value));
        if self.wished == EXACT { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

/// Whether a path is written like this. What is left of it in front must be wrappers, or nothing.
fn is(path: &Path<'_>, name: &[u8], any_case: bool, wrapped: bool) -> bool {
    let Some(front) = name.len().checked_sub(path.key.len()) else { return false };
    let (front, tail) = name.split_at(front);
    let same = if any_case { tail.eq_ignore_ascii_case(path.key) } else { tail == path.key };
    if !same {
        return false;
    }
    match (path.parent, front.strip_suffix(b".")) {
        (None, None) => front.is_empty(),
        (Some(parent), Some(front)) => is(parent, front, any_case, wrapped),
        (Some(parent), None) => front.is_empty() && wrapped && is_wrapper(parent),
        (None, Some(_)) => false,
    }
}

fn is_wrapper(path: &Path<'_>) -> bool {
    let known = || WRAPPERS.iter().any(|name| path.key.eq_ignore_ascii_case(name.as_bytes()));
    (path.key.contains(&b'@') || known()) && path.parent.is_none_or(is_wrapper)
}

fn has_index(path: &Path<'_>) -> bool {
    path.is_index || path.parent.is_some_and(has_index)
}

/// The best of each kind of id so far, with its rank.
#[derive(Default)]
struct Collector<'a> {
    best: [Option<(Rank, Cow<'a, [u8]>)>; 4],
    /// What the next value is taken for.
    wished: [Option<Rank>; 4],
}

/// Lists of names for each kind of id, better ones first.
const KINDS: [&[&[&str]]; 4] = [&[REQUEST], &[TRACE], &[SPAN], &[USER, USER_NAMES]];

pub(super) fn ids(line: &[u8]) -> Ids<'_> {
    let mut collector = Collector::default();
    let _ = walk(line, &mut collector);
    let [request, trace, span, user] = collector.best.map(|best| best.map(|(_, id)| id));
    Ids { request, trace, span, user }
}

impl<'a> Visit<'a> for Collector<'a> {
    fn wish(&mut self, path: &Path<'_>, shape: Shape) -> Wish {
        match shape {
            Shape::Object => return Wish::Enter,
            Shape::Array => return Wish::Skip,
            Shape::Leaf => {}
        }
        for (kind, names) in KINDS.iter().enumerate() {
            let named = |list: &[&str]| list.iter().position(|name| is(path, name.as_bytes(), true, true));
            let rank = names.iter().zip(0..).find_map(|(list, at)| Some(at * 100 + named(list)?));
            let better = |rank: &Rank| self.best[kind].as_ref().is_none_or(|(best, _)| rank < best);
            self.wished[kind] = rank.filter(better);
        }
        if self.wished.iter().any(Option::is_some) { Wish::Take } else { Wish::Skip }
    }

    fn take(&mut self, _: &Path<'_>, value: Value<'a>) -> Flow {
        for kind in 0..KINDS.len() {
            if let Some(rank) = self.wished[kind].take()
                && is_id(&value)
            {
                self.best[kind] = Some((rank, value.text.clone()));
            }
        }
        Flow::Continue(())
    }
}

fn is_id(value: &Value<'_>) -> bool {
    let text = &*value.text;
    matches!(value.kind, Kind::Text | Kind::Number)
        && (1..=MAX_ID).contains(&text.len())
        && text.iter().all(|b| b.is_ascii_graphic() || !b.is_ascii())
        && !matches!(text, b"-" | b"null" | b"nil" | b"none" | b"None" | b"undefined")
}
