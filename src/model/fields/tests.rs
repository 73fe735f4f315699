//! Lines and what they say.

use super::*;

fn text(line: &str, name: &str) -> String {
    get(line.as_bytes(), name)
        .map_or_else(|| "(none)".to_owned(), |value| String::from_utf8_lossy(&value.text).into_owned())
}

#[test]
fn smoke() {
    for (line, name, value) in [
        (r#"{"level":"info","a":{"b":{"c":1}},"x.y":2,"s":"a\nb\u00e9"}"#, "a.b.c", "1"),
        (r#"{"level":"info","a":{"b":{"c":1}},"x.y":2,"s":"a\nb\u00e9"}"#, "x.y", "2"),
        (r#"{"level":"info","a":{"b":{"c":1}},"x.y":2,"s":"a\nb\u00e9"}"#, "s", "a\nbé"),
        (r#"10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] "POST /a HTTP/2" 502 0"#, "status", "502"),
        (r#"Nov 20 13:00:00 web-1 sshd[12]: error: user=bob x="a b""#, "x", "a b"),
        (r#"Nov 20 13:00:00 web-1 sshd[12]: error: user=bob x="a b""#, "pid", "12"),
    ] {
        assert_eq!(text(line, name), value, "{line} {name}");
    }
}
