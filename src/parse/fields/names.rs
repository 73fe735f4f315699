//! What a name means: the field of this name, and other spellings of the same thing. The names of
//! ids are listed here too; reading ids is left to `ids`.

use super::columns;
use super::value::FieldValue;
use super::visitor::{FieldPath, FieldShape, FieldVisitor, FieldWish, Flow};

/// Objects that loggers put around what they were given, and which people leave out of the name:
/// tracing, zap, monolog, log4j2, logback, serilog, MongoDB, OpenTelemetry, the cloud vendors.
/// Elements of RFC 5424 too.
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

/// A name to ask for, and other spellings of it, the most telling first. All in
/// lower case.
static SPELLINGS: &[(&str, NameSet)] = &[
    (
        "message",
        NameSet::of(&[
            "msg",
            "@m",
            "@mt",
            "log.message",
            "short_message",
            "event",
            "text",
            "body",
            "log",
        ]),
    ),
    (
        "logger",
        NameSet::of(&[
            "logger_name",
            "loggername",
            "log.logger",
            "logname",
            "sourcecontext",
            "target",
            "category",
            "channel",
            "component",
        ]),
    ),
    (
        "thread",
        NameSet::of(&[
            "thread_name",
            "threadname",
            "process.thread.name",
            "thread.name",
            "tid",
            "threadid",
        ]),
    ),
    (
        "program",
        NameSet::of(&[
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
        ]),
    ),
    (
        "pid",
        NameSet::of(&[
            "_pid",
            "syslog_pid",
            "process.pid",
            "process_id",
            "processid",
            "procid",
        ]),
    ),
    (
        "host",
        NameSet::of(&[
            "hostname",
            "_hostname",
            "host.name",
            "machine",
            "machinename",
            "node",
        ]),
    ),
    (
        "status",
        NameSet::of(&[
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
            "elb_status_code",
            "resp_status",
            "code",
        ]),
    ),
    (
        "method",
        NameSet::of(&[
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
        ]),
    ),
    (
        "path",
        NameSet::of(&[
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
        ]),
    ),
    (
        "bytes",
        NameSet::of(&[
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
            "sent_bytes",
            "response_body_len",
            "length",
        ]),
    ),
    (
        "referer",
        NameSet::of(&[
            "referrer",
            "http_referer",
            "http.request.referrer",
            "httprequest.referer",
            "request.headers.referer",
            "cs(referer)",
        ]),
    ),
    (
        "user_agent",
        NameSet::of(&[
            "useragent",
            "user_agent.original",
            "http_user_agent",
            "http.user_agent",
            "http.useragent",
            "httprequest.useragent",
            "agent",
            "ua",
            "cs(user-agent)",
        ]),
    ),
    (
        "remote_addr",
        NameSet::of(&[
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
            "c-ip",
            "id.orig_h",
            "addr",
            "src",
            "fwd",
        ]),
    ),
    (
        "duration",
        NameSet::of(&[
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
        ]),
    ),
    (
        "error",
        NameSet::of(&[
            "err",
            "error.message",
            "err.message",
            "exception.message",
            "exception",
            "@x",
            "error_message",
            "errormessage",
            "errmsg",
        ]),
    ),
    (
        "stack",
        NameSet::of(&[
            "stack_trace",
            "stacktrace",
            "error.stack_trace",
            "error.stack",
            "err.stack",
            "exception.stacktrace",
            "exc_info",
            "traceback",
            "errorverbose",
        ]),
    ),
    (
        "user",
        NameSet::of(&[
            "username",
            "user_name",
            "user.name",
            "usr.name",
            "remote_user",
            "enduser.id",
            "acct",
            "login",
            "auth_user",
            "cs-username",
        ]),
    ),
    (
        "level",
        NameSet::of(&[
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
        ]),
    ),
];

/// Names of the id of a request, the most telling first.
pub(super) const REQUEST: NameSet = NameSet::of(&[
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
    "x-edge-request-id",
    "transaction_id",
    "transactionid",
    "transaction.id",
    "operation_id",
    "operationid",
]);
/// Of a trace.
pub(super) const TRACE: NameSet = NameSet::of(&[
    "trace_id",
    "traceid",
    "trace-id",
    "trace.id",
    "otel.trace_id",
    "oteltraceid",
    "dd.trace_id",
    "dd_trace_id",
    "x-b3-traceid",
    "x_b3_traceid",
    "b3.traceid",
    "traceparent",
    "b3",
    "x-amzn-trace-id",
    "x_amzn_trace_id",
    "xraytraceid",
    "logging.googleapis.com/trace",
    "uber-trace-id",
    "x-cloud-trace-context",
    "span.trace_id",
    "trace",
]);
/// Of a span.
pub(super) const SPAN: NameSet = NameSet::of(&[
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
    "b3",
    "uber-trace-id",
    "logging.googleapis.com/spanid",
    "span",
]);
/// Of a user.
pub(super) const USER: NameSet = NameSet::of(&[
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
]);
/// The person, where there is no id.
pub(super) const USER_NAMES: NameSet = NameSet::of(&[
    "user",
    "username",
    "user_name",
    "user.name",
    "usr.name",
    "usr",
    "remote_user",
    "acct",
    "user.email",
]);

/// Names in lower case, and a sieve that lets few others through.
pub(super) struct NameSet {
    mask: u64,
    names: &'static [&'static str],
}

impl NameSet {
    const fn of(names: &'static [&'static str]) -> Self {
        let mut mask = 0;
        let mut at = 0;
        while at < names.len() {
            mask |= bit(names[at].as_bytes());
            at += 1;
        }
        Self { mask, names }
    }

    /// Which of the names a path has, wrapped or not, in any case.
    pub(super) fn position(&self, path: &FieldPath<'_>) -> Option<usize> {
        // A member may have no name at all: `request.` is that of `{"request":{"":1}}`.
        if self.mask & bit(path.key) == 0 && !path.key.is_empty() {
            return None;
        }
        self.names
            .iter()
            .position(|name| is(path, name.as_bytes(), true, true))
    }
}

/// One bit of 64 from the last two letters of the last part of a name, whatever their case.
const fn bit(name: &[u8]) -> u64 {
    let len = name.len();
    let last = if len > 0 { name[len - 1] | 0x20 } else { 0 };
    let before = if len > 1 && name[len - 2] != b'.' {
        name[len - 2] | 0x20
    } else {
        0
    };
    1 << ((last.wrapping_mul(7) ^ before.wrapping_mul(29)) & 63)
}

/// How well a field is what was asked for: less is better.
pub(super) type Rank = usize;

const EXACT: Rank = 0;
const EXACT_PART: Rank = 1;
const WRAPPED: Rank = 2;
const OTHER_CASE: Rank = 3;
const WRAPPED_OTHER_CASE: Rank = 4;
const SPELLING: Rank = 5;

/// See [`super::message_rank`].
pub(super) fn message_rank(name: &[u8]) -> Option<usize> {
    if name.eq_ignore_ascii_case(b"message") {
        return Some(0);
    }
    let (_, spellings) = SPELLINGS.first()?;
    spellings
        .position(&FieldPath::member(None, name))
        .map(|at| at + 1)
}

/// Looks for the field that a name means.
pub(super) struct FieldGetter<'n, 'a> {
    name: &'n str,
    /// What its last letters may be.
    mask: u64,
    spellings: Option<&'static NameSet>,
    /// Some part of the name may be the index of an array.
    has_index: bool,
    best: Option<(Rank, FieldValue<'a>)>,
    wished: Rank,
}

impl<'n, 'a> FieldGetter<'n, 'a> {
    pub(super) fn new(name: &'n str) -> Self {
        let spellings = SPELLINGS
            .iter()
            .find(|(canonical, _)| *canonical == name)
            .map(|(_, set)| set);
        let mask = bit(name.as_bytes()) | spellings.map_or(0, |set| set.mask);
        let is_index = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        Self {
            name,
            mask,
            spellings,
            has_index: name.split('.').any(is_index),
            best: None,
            wished: EXACT,
        }
    }

    pub(super) fn best(self) -> Option<FieldValue<'a>> {
        self.best.map(|(_, value)| value)
    }

    fn rank(&self, path: &FieldPath<'_>, shape: FieldShape) -> Option<Rank> {
        // A member may have no name at all: `request.` is that of `{"request":{"":1}}`.
        if self.mask & bit(path.key) == 0 && !path.key.is_empty() {
            return None;
        }
        let name = self.name.as_bytes();
        if is(path, name, false, false) {
            let part = shape == FieldShape::Object || has_index(path);
            return Some(if part { EXACT_PART } else { EXACT });
        }
        if is(path, name, false, true) {
            return Some(WRAPPED);
        }
        if is(path, name, true, true) {
            return Some(if is(path, name, true, false) {
                OTHER_CASE
            } else {
                WRAPPED_OTHER_CASE
            });
        }
        if shape != FieldShape::Leaf {
            return None;
        }
        self.spellings?.position(path).map(|at| SPELLING + at)
    }
}

impl<'a> FieldVisitor<'a> for FieldGetter<'_, 'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        if let Some(rank) = self.rank(path, shape)
            && self.best.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            self.wished = rank;
            return FieldWish::Take;
        }
        match shape {
            FieldShape::Object => FieldWish::Enter,
            FieldShape::Array if self.has_index => FieldWish::Enter,
            FieldShape::Array | FieldShape::Leaf => FieldWish::Skip,
        }
    }

    fn take(&mut self, _: &FieldPath<'_>, value: FieldValue<'a>) -> Flow {
        self.best = Some((self.wished, value));
        if self.wished == EXACT {
            Flow::Break(())
        } else {
            Flow::Continue(())
        }
    }

    fn wants_columns(&self) -> bool {
        columns::NAMES
            .iter()
            .any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

/// Whether a path is written like this. What is left of it in front must be wrappers, or nothing.
fn is(path: &FieldPath<'_>, name: &[u8], any_case: bool, wrapped: bool) -> bool {
    let Some(front) = name.len().checked_sub(path.key.len()) else {
        return false;
    };
    // This sorts out nearly all names.
    if front > 0 && name[front - 1] != b'.' {
        return false;
    }
    let (front, tail) = name.split_at(front);
    let same = tail == path.key || (any_case && tail.eq_ignore_ascii_case(path.key));
    same && match (path.parent, front.strip_suffix(b".")) {
        (None, None) => front.is_empty(),
        (Some(parent), Some(front)) => is(parent, front, any_case, wrapped),
        (Some(parent), None) => front.is_empty() && wrapped && is_wrapper(parent),
        (None, Some(_)) => false,
    }
}

fn is_wrapper(path: &FieldPath<'_>) -> bool {
    let known = || {
        WRAPPERS
            .iter()
            .any(|name| path.key.eq_ignore_ascii_case(name.as_bytes()))
    };
    (path.key.contains(&b'@') || known()) && path.parent.is_none_or(is_wrapper)
}

fn has_index(path: &FieldPath<'_>) -> bool {
    path.is_index || path.parent.is_some_and(has_index)
}
