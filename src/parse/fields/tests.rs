//! Lines and what they say.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::parse::cpu_time::cpu_time;

fn shown(value: Option<FieldValue<'_>>) -> String {
    value.map_or_else(
        || "(none)".to_owned(),
        |value| String::from_utf8_lossy(&value.text).into_owned(),
    )
}

/// A line, and below it what it says: `name = value`, `(none)` where it has no such field.
const TABLE: &str = r##"
> {"level":"info","a":{"b":{"c":1}},"x.y":2,"s":"a\tb\u00e9\ud83d\ude00","n":null,"t":true,"items":[{"id":7},8],"e":""}
a.b.c = 1
x.y = 2
s = a	bé😀
n = null
t = true
items.0.id = 7
items.1 = 8
items.2 = (none)
items = [{"id":7},8]
a = {"b":{"c":1}}
A.B.C = 1
b.c = (none)
e = 
z = (none)
> {"timestamp":"2026-11-20T13:00:00Z","level":"INFO","fields":{"message":"placed","user_id":42},"target":"shop"}
user_id = 42
message = placed
fields.user_id = 42
logger = shop
> {"msg":"a","res":{"statusCode":502},"req":{"method":"GET","url":"/x","remoteAddress":"10.0.0.1"},"responseTime":12}
status = 502
method = GET
path = /x
remote_addr = 10.0.0.1
duration = 12
message = a
> {"a":1,"a":2,"A":3}
a = 1
A = 3
> {"a":1,"b":[1,{"x":"}"}
a = 1
b = (none)
> {"http":{"response":{"status_code":404}},"url":{"path":"/a"}}
status = 404
path = /a
> 2026-11-20T13:00:00.1Z	info	shop/main.go:12	placed	{"cart": 7, "user": {"id": "u1"}} x=1
cart = 7
user.id = u1
x = 1
> app.ERROR: it broke {"a":1} {"b":2}
a = 1
b = 2
> ts=2026-11-20T13:00:00Z level=info msg="a \"b\" c=1" user=bob empty= took=1.5ms last=x
msg = a "b" c=1
user = bob
empty = 
took = 1.5ms
last = x
c = (none)
message = a "b" c=1
> a=1,b=2, c=[1,2] d=(x, y=3) e={f=4, g='h i'} k==5 l=>6 url=http://x/?q=1&r=2 http://y/?z=1
a = 1
b = 2
c = [1,2]
k = (none)
l = (none)
url = http://x/?q=1&r=2
z = (none)
> User{id=5, name='Bob B', tags=[a, b]} saved
id = 5
name = Bob B
> type=USER_LOGIN msg=audit(1364481363.243:24287): pid=1 uid=0 auid=4294967295 msg='op=login acct="root" exe="/usr/sbin/sshd" res=failed'
type = USER_LOGIN
op = login
acct = root
res = failed
user = root
auid = 4294967295
> Nov 20 13:00:00 web-1 kernel: [   12.345] [UFW BLOCK] IN=eth0 OUT= MAC=00:11 SRC=10.0.0.1 DST=10.0.0.2 PROTO=TCP SPT=1
host = web-1
program = kernel
IN = eth0
OUT = 
SRC = 10.0.0.1
src = 10.0.0.1
remote_addr = 10.0.0.1
pid = (none)
> <38>Nov 20 13:00:00 web-9 login(pam_unix)[1234]: authentication failure; logname= uid=0 tty=ssh ruser= rhost=10.0.0.9  user=root
host = web-9
program = login(pam_unix)
pid = 1234
facility = auth
severity = info
rhost = 10.0.0.9
user = root
ruser = 
message = authentication failure; logname= uid=0 tty=ssh ruser= rhost=10.0.0.9  user=root
> Nov 20 13:00:00 web-1 postfix/smtp[7]: 4F9D1954: to=<a@b>, relay=mx[1.2.3.4]:25, delays=0.1/0/0.2/0.2, status=sent (250 ok)
program = postfix/smtp
to = <a@b>
relay = mx[1.2.3.4]:25
delays = 0.1/0/0.2/0.2
status = sent
> Nov 20 09:00:55 mac-1 com.apple.xpc.launchd[1] (com.apple.x): Service exited
program = com.apple.xpc.launchd
pid = 1
message = Service exited
> 2026-11-20T13:00:00.123456+00:00 web-1 app[7]: {"a":1,"host":"inner"}
host = web-1
program = app
a = 1
> 2026-11-20T13:00:00Z INFO shop: slow a=1
host = (none)
a = 1
> <165>1 2026-11-20T13:00:00.003Z web-1.example.com shop 4711 ID47 [cart@32473 iut="3" eventSource="App \"x\" \]" eventID="1011"][meta sequenceId="29"] An event
host = web-1.example.com
program = shop
pid = 4711
msgid = ID47
facility = local4
severity = notice
cart@32473.iut = 3
iut = 3
eventSource = App "x" ]
sequenceId = 29
message = An event
> <34>1 2026-11-20T13:00:00.003Z - su - - - not for bob
host = (none)
program = su
pid = (none)
message = not for bob
> 10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] "POST /a?b=1 HTTP/2.0" 502 120 "https://x.example/" "Mozilla/5.0 (X11; rv=1)" rt=0.003 uct="0.1"
remote_addr = 10.0.0.1
user = bob
method = POST
path = /a?b=1
protocol = HTTP/2.0
status = 502
bytes = 120
referer = https://x.example/
user_agent = Mozilla/5.0 (X11; rv=1)
rt = 0.003
uct = 0.1
duration = 0.003
b = (none)
rv = (none)
> shop.example:443 10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] "GET /x y HTTP/1.1" 304 -
vhost = shop.example:443
remote_addr = 10.0.0.1
user = (none)
path = /x y
bytes = (none)
> ::1 - - [20/Nov/2026:13:00:00 +0000] "\x16\x03\x01" 400 150 "-" "-"
remote_addr = ::1
request = \x16\x03\x01
status = 400
user_agent = (none)
> Nov 20 13:00:00 lb-1 haproxy[14389]: 10.0.1.2:33317 [20/Nov/2026:13:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
remote_addr = 10.0.1.2:33317
frontend = http-in
backend = static
server = srv1
duration_ms = 109
duration = 109
status = 200
bytes = 2750
method = GET
path = /index.html
program = haproxy
> INFO:     127.0.0.1:51234 - "GET /x HTTP/1.1" 500 Internal Server Error
remote_addr = 127.0.0.1:51234
method = GET
status = 500
> 1795179600.603    310 192.0.2.16 TCP_MISS/503 1234 GET http://x/ - DIRECT/1.2.3.4 text/html
status = 503
cache = TCP_MISS
duration = 310
path = http://x/
> 2026/11/20 13:00:00 [error] 8#8: *1 open() "/x" failed (2: No such file), client: 10.0.0.1, server: shop.example, request: "GET /a HTTP/1.1", upstream: "http://u/", host: "shop.example"
client = 10.0.0.1
remote_addr = 10.0.0.1
server = shop.example
request = GET /a HTTP/1.1
method = GET
path = /a
upstream = http://u/
host = shop.example
> 2026-11-20T13:00:00.123456789Z stdout F level=info a=1
stream = stdout
tag = F
a = 1
> web-1  | level=info a=1
container = web-1
a = 1
> {"log":"level=info msg=\"x y\" a=1\n","stream":"stderr","time":"2026-11-20T13:00:00Z"}
stream = stderr
a = 1
msg = x y
> {"log":"{\"a\":{\"b\":\"c\\nd\"},\"time\":1}\n","stream":"stdout","time":"2026-11-20T13:00:00Z"}
a.b = c
d
time = 2026-11-20T13:00:00Z
> {"PRIORITY":"6","_HOSTNAME":"web-1","MESSAGE":"hello","SYSLOG_IDENTIFIER":"app","_PID":"12"}
host = web-1
program = app
pid = 12
message = hello
> 2026-11-20 13:00:00.123 UTC [77] LOG:  duration: 12.345 ms  statement: SELECT 1
duration = 12.345
> # Query_time: 1.2  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 10
Query_time = 1.2
Rows_examined = 10
> \e[2m2026-11-20T18:34:39Z\e[0m \e[34mDEBUG\e[0m \e[1morder\e[0m\e[1m{\e[0m\e[3mrequest_id\e[0m\e[2m=\e[0m"7f3a"\e[1m}\e[0m\e[2m:\e[0m \e[36muser\e[0m=\e[35mann\e[0m a=1
request_id = 7f3a
user = ann
a = 1
> Fri 2026-11-20 19:31:11 CET web-1 sshd[26200]: x
host = web-1
pid = 26200
> [11700.548833] web-1 sshd[26200]: x
host = web-1
> [   12.345678] usb 1-1: x
host = (none)
> [12345.345678] usb 1-1: x
host = (none)
> 1795199471.435181 web-1 sshd[26200]: x
program = sshd
> 2026-11-20 13:00:00,123 [main] ERROR com.shop.Cart - cannot save id=7
thread = main
logger = com.shop.Cart
id = 7
pid = (none)
> 2026-11-20 13:00:00,123 INFO [Server handler 1] org.example.store.Task: x
thread = Server handler 1
logger = org.example.store.Task
> 2026-11-20T13:00:00.123Z ERROR 1234 --- [shop] [main] c.s.Application : failed
pid = 1234
thread = main
logger = c.s.Application
> 261120 130000 148 WARN store.Node$Sender: 1 for part
logger = store.Node$Sender
> 11-20 13:00:01.123  1702  2395 D WindowManager: x
pid = 1702
thread = 2395
logger = WindowManager
> E1120 13:43:03.198519   29451 main.go:81] "Payment refused" order=6
pid = 29451
logger = main.go:81
order = 6
> 2026-11-20 13:00:00.123 UTC [77] bob@shop ERROR:  no
pid = 77
> 2026/11/20 13:00:00 [error] 811#812: *1 x
pid = 811
> [Fri Nov 20 13:00:00.123456 2026] [core:error] [pid 12:tid 13] x
pid = 12
> 24916:M 20 Nov 2026 23:56:31.788 - Client
pid = 24916
> 20-Nov-2026 19:40:57.151 INFO [main] o.a.c.startup.Catalina.start Server startup in [1587] milliseconds
thread = main
pid = (none)
> invalid: x paid: y
invalid = (none)
paid = (none)
> héllo=1 größe=2 
héllo = 1
größe = 2
"##;

#[test]
fn lines_say_what_they_say() {
    let mut wrong = Vec::new();
    for block in TABLE.split("\n> ").skip(1) {
        let (line, rows) = block.split_once('\n').expect("rows");
        for row in rows.replace("\nd\n", "\u{1}d\n").lines() {
            let line = line.replace("\\e", "\x1b");
            let (name, value) = row.split_once(" = ").expect("name = value");
            let found = shown(get(line.as_bytes(), name));
            if found != value.replace('\u{1}', "\n") {
                wrong.push(format!("{name} is {found}, not {value}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_fields_are_listed_in_their_order() {
    for (line, listed) in [
        (
            r#"{"a":1,"b":{"c":"x","d":{}},"e":[1,2],"f":null}"#,
            r#"a=1 b.c=x b.d={} e=[1,2] f=null"#,
        ),
        (
            "Nov 20 13:00:00 web-1 app[7]: a=1 b=\"c d\"",
            "host=web-1 program=app pid=7 a=1 b=c d message=a=1 b=\"c d\"",
        ),
        (
            "10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET / HTTP/1.1\" 200 5",
            "remote_addr=10.0.0.1 method=GET path=/ protocol=HTTP/1.1 status=200 bytes=5",
        ),
        ("nothing here", ""),
        ("first a=1\n\tat b=2\n", "a=1 b=2"),
        ("", ""),
    ] {
        let fields = all(line.as_bytes());
        let text: Vec<_> = fields
            .list
            .iter()
            .map(|f| format!("{}={}", f.name, shown(Some(f.value.clone()))))
            .collect();
        assert_eq!(text.join(" "), listed, "{line}");
        assert_eq!(fields.left_out, 0);
    }
}

#[test]
fn ids_are_found_where_they_stand() {
    const UUID: &str = "38101a0b-2096-447d-96ea-a692162415ae";
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("{{\"traceparent\":\"00-{TRACE}-00f067aa0ba902b7-01\"}}");
    let logfmt = format!("trace_id={TRACE} span_id=00f067aa0ba902b7 user_id=42 request_id=r1");
    let nested = format!(
        "{{\"trace\":{{\"id\":\"{TRACE}\"}},\"span\":{{\"id\":\"ab\"}},\"http\":{{\"request\":{{\"id\":\"r\"}}}},\"user\":{{\"id\":7,\"name\":\"bob\"}}}}"
    );
    let headers =
        format!("{{\"req\":{{\"headers\":{{\"x-request-id\":\"{UUID}\"}}}},\"user\":\"bob\"}}");
    let openstack = format!(
        "2026-11-20 00:00:00.008 25746 INFO nova [req-{UUID} 0a1b2c3d4e5f60718293a4b5c6d7e8f9 f9e8d7c6b5a493827160f5e4d3c2b1a0 - - -] x"
    );
    let spring = format!("INFO [shop,{TRACE},00f067aa0ba902b7,true] 1 --- x");
    let boot = format!("INFO 1 --- [shop] [main] [{TRACE}-00f067aa0ba902b7] c.s.Shop : x");
    let rails = format!("I, [2026-11-20T13:00:00.1 #1]  INFO -- : [{UUID}] Started GET \"/\"");
    let lambda = format!("START RequestId: {UUID} Version: $LATEST");
    let node = format!("2026-11-20T13:00:00.000Z\t{UUID}\tINFO\thello");
    let words = format!("failed, request id {UUID}, trace {UUID}");
    let amazon = "{\"x-amzn-trace-id\":\"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8\"}";
    let google = format!(
        "{{\"logging.googleapis.com/trace\":\"projects/p/traces/{TRACE}\",\"logging.googleapis.com/spanId\":\"ab12\"}}"
    );
    let jaeger = "uber-trace-id=3a9f:11b2:0:1";
    let disk = format!("mounted /dev/disk/by-uuid/{UUID}");
    let docker = format!(
        "{{\"log\":\"{{\\\"request_id\\\":\\\"r\\\\u0031\\\"}}\\n\",\"stream\":\"stdout\",\"time\":\"{UUID}\"}}"
    );
    for (line, ids) in [
        (&*parent, format!("- {TRACE} 00f067aa0ba902b7 -")),
        (&logfmt, format!("r1 {TRACE} 00f067aa0ba902b7 42")),
        (&nested, format!("r {TRACE} ab 7")),
        (&headers, format!("{UUID} - - bob")),
        (
            &openstack,
            format!("req-{UUID} - - 0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
        ),
        (&spring, format!("- {TRACE} 00f067aa0ba902b7 -")),
        (&boot, format!("- {TRACE} 00f067aa0ba902b7 -")),
        (&rails, format!("{UUID} - - -")),
        (&lambda, format!("{UUID} - - -")),
        (&node, format!("{UUID} - - -")),
        (&words, format!("{UUID} {UUID} - -")),
        (
            amazon,
            "- 1-5759e988-bd862e3fe1be46a994272793 - -".to_owned(),
        ),
        (&google, format!("- {TRACE} ab12 -")),
        (jaeger, "- 3a9f 11b2 -".to_owned()),
        (&disk, "- - - -".to_owned()),
        (&docker, "r1 - - -".to_owned()),
        (
            "type=X pid=1 uid=0 auid=1000 acct=\"root\"",
            "- - - root".to_owned(),
        ),
        ("{\"uid\":1000}", "- - - 1000".to_owned()),
        ("uid=u-17 X-Correlation-ID=c1", "c1 - - u-17".to_owned()),
        (
            "10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] \"GET / HTTP/1.1\" 200 5",
            "- - - bob".to_owned(),
        ),
        (
            "{\"trace\":\"Error: x\",\"span\":\"checkout\",\"request_id\":null,\"user\":\"-\"}",
            "- - - -".to_owned(),
        ),
        (
            "trace_id=00000000000000000000000000000000 X-Request-ID: abc-1",
            "abc-1 - - -".to_owned(),
        ),
        (
            "{\"dd\":{\"trace_id\":\"123456\",\"span_id\":\"99\"},\"usr\":{\"id\":\"u\"}}",
            "- 123456 99 u".to_owned(),
        ),
        ("no ids here", "- - - -".to_owned()),
    ] {
        let LineIds {
            request,
            trace,
            span,
            user,
        } = super::ids(line.as_bytes());
        let text = |id: Option<Cow<'_, [u8]>>| {
            id.map_or("-".to_owned(), |id| {
                String::from_utf8_lossy(&id).into_owned()
            })
        };
        assert_eq!(
            [request, trace, span, user].map(text).join(" "),
            ids,
            "{line}"
        );
    }
    assert_eq!(shown(get(rails.as_bytes(), "request_id")), UUID);
    assert_eq!(shown(get(parent.as_bytes(), "trace_id")), TRACE);
    assert_eq!(shown(get(parent.as_bytes(), "span_id")), "00f067aa0ba902b7");
}

#[test]
fn numbers_are_numbers_whether_quoted_or_not() {
    for (line, number) in [
        ("a=502", Some(502.0)),
        ("{\"a\":\"502\"}", Some(502.0)),
        ("a=-1.5e3", Some(-1500.0)),
        ("{\"a\":1e400}", Some(f64::INFINITY)),
        ("a=12ms", None),
        ("a=inf", None),
        ("a=NaN", None),
        ("a=-", None),
        ("a=", None),
        ("{\"a\":null}", None),
    ] {
        assert_eq!(
            get(line.as_bytes(), "a").and_then(|value| value.as_number()),
            number,
            "{line}"
        );
    }
}

#[test]
fn kinds_are_those_of_the_format() {
    for (line, kind) in [
        ("a=502", ValueKind::Number),
        ("a=\"502\"", ValueKind::Text),
        ("a=true", ValueKind::Bool),
        ("a=1.2.3", ValueKind::Text),
        ("{\"a\":\"true\"}", ValueKind::Text),
        ("{\"a\":false}", ValueKind::Bool),
        ("{\"a\":null}", ValueKind::Null),
        ("{\"a\":-1}", ValueKind::Number),
        ("{\"a\":[]}", ValueKind::Json),
        ("{\"a\":{}}", ValueKind::Json),
        ("{\"a\":{\"b\":1}}", ValueKind::Json),
    ] {
        assert_eq!(
            get(line.as_bytes(), "a").map(|value| value.kind),
            Some(kind),
            "{line}"
        );
    }
}

#[test]
fn hostile_objects_are_survived() {
    let deep = format!(
        "{{\"a\":1,\"d\":{}1{},\"z\":2}}",
        "{\"d\":".repeat(100_000),
        "}".repeat(100_000)
    );
    assert_eq!(shown(get(deep.as_bytes(), "z")), "2");
    assert_eq!(all(deep.as_bytes()).list.len(), 3);
    let arrays = format!(
        "{{\"d\":{}{},\"z\":2}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(shown(get(arrays.as_bytes(), "z")), "2");
    assert_eq!(shown(get(arrays.as_bytes(), "d.0.0.0.0.0.x")), "(none)");
    let open = "{\"d\":".repeat(100_000);
    assert_eq!(all(open.as_bytes()).list, []);
    let members: Vec<_> = (0..10_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let many = format!("{{{}}}", members.join(","));
    assert_eq!(
        (
            all(many.as_bytes()).list.len(),
            all(many.as_bytes()).left_out
        ),
        (512, 9488)
    );
    let members: String = (0..100).map(|n| format!(r#","{n}":1"#)).collect();
    let long = format!(r#"{{"{}":{{"a":1{members}}},"b":1}}"#, "x".repeat(100_000));
    assert_eq!(
        (
            all(long.as_bytes()).list.len(),
            all(long.as_bytes()).left_out
        ),
        (1, 101)
    );
    assert_eq!(shown(get(many.as_bytes(), "k9999")), "9999");
    let long = format!("{{\"a\":\"{}\",\"z\":1}}", "x".repeat(10 << 20));
    assert_eq!(
        shown(get(long.as_bytes(), "z")),
        "(none)",
        "only the first MiB is read"
    );
}

/// Ten million bytes that look like the beginning of something over and over cost one look, not one
/// look each.
#[test]
fn no_text_takes_time_by_the_square() {
    for piece in [
        "{\"",
        "\x1b[m=",
        "\x1b[1ma=",
        "{\"a\":",
        "a=",
        "a=\"",
        "a='",
        "=",
        "[",
        "[a",
        "\\",
        "\"GET / HTTP/1.1",
        "a=(",
        "x,",
        "<30>",
        "-",
        "a={",
        "id: ",
        "00000000-",
    ] {
        let line = piece.repeat((10 << 20) / piece.len());
        let started = cpu_time();
        let _ = (
            all(line.as_bytes()).list.len(),
            get(line.as_bytes(), "zz"),
            super::ids(line.as_bytes()),
        );
        let took = cpu_time() - started;
        assert!(took.as_secs() < 20, "{piece}: {took:?}");
    }
}

#[test]
fn one_pass_over_the_lines_of_the_table_finds_what_two_find() {
    for line in TABLE.lines().filter_map(|line| line.strip_prefix("> ")) {
        let line = line.as_bytes();
        assert_eq!(all_with_ids(line, None), (all(line), ids(line)));
    }
}

proptest! {
    #[test]
    fn any_line_is_survived(line: Vec<u8>, name in "[a-z.0-9]{0,8}", text in "[\\[\\]{}\":=<>|, \"\\\\0-9A-Za-z/'-]{0,120}") {
        for line in [&line[..], text.as_bytes()] {
            let _ = (get(line, &name), all(line), super::ids(line));
        }
    }

    #[test]
    fn what_is_listed_can_be_asked_for(text in "([ab]=[a-c\"'\\[{(,=]{0,4}[ ,]|\\{\"[ab]\":(1|\\{\"[ab]\":2\\}),\"c\":\\[3\\]\\}| ){0,8}") {
        let fields = all(text.as_bytes());
        for (at, field) in fields.list.iter().enumerate() {
            if fields.list[..at].iter().all(|before| before.name != field.name) {
                prop_assert_eq!(get(text.as_bytes(), &field.name), Some(field.value.clone()), "{}", field.name);
            }
        }
    }

    #[test]
    fn one_pass_finds_the_fields_and_the_ids_that_two_find(
        text in "(user=|\"?trace\"?[:=] ?|req-|[0-9a-f]{16}|[a-f0-9]{8}-([a-f0-9]{4}-){3}[a-f0-9]{12}|[{}\",\\[\\] ]|[12]:M |uid=7){0,12}"
    ) {
        prop_assert_eq!(all_with_ids(text.as_bytes(), None), (all(text.as_bytes()), ids(text.as_bytes())));
    }

    #[test]
    fn objects_say_what_serde_json_reads_in_them(object in object(), spaces: bool) {
        let text = if spaces { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.expect("print");
        let mut flat = Vec::new();
        flatten("", &object, &mut flat);
        let listed: Vec<_> = all(text.as_bytes()).list.into_iter().map(|f| (f.name, shown(Some(f.value)))).collect();
        let plain = |text: &String| serde_json::from_str(text).map_or_else(|_| text.clone(), |v: serde_json::Value| v.to_string());
        for ((name, value), (listed_name, listed_value)) in flat.iter().zip(&listed) {
            prop_assert_eq!(name, listed_name);
            prop_assert_eq!(plain(value), plain(listed_value));
        }
        prop_assert_eq!(flat.len(), listed.len());
    }
}

/// Objects of all kinds of values. Names have no dots, so that each means one place.
fn object() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        let members = prop::collection::vec(("[^.]{0,6}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::vec(("[^.]{0,6}", value), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn flatten(prefix: &str, value: &serde_json::Value, flat: &mut Vec<(String, String)>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let name = format!("{prefix}{key}");
        match value {
            serde_json::Value::Object(members) if !members.is_empty() => {
                flatten(&format!("{name}."), value, flat);
            }
            serde_json::Value::String(text) => flat.push((name, text.clone())),
            other => flat.push((name, other.to_string())),
        }
    }
}
