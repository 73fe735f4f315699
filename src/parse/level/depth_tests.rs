//! Levels that are far into a line, inside a text, or a number: they count wherever they are.

use super::*;

fn level(line: &str) -> Option<Level> {
    of(line.as_bytes())
}

#[test]
fn a_level_behind_a_long_text_is_found() {
    for length in [10, 200, 400, 4096, 9000, 200_000] {
        let text = "no stock = x, ".repeat(length / 14);
        for line in [
            format!("{{\"error\":\"{text}\",\"level\":\"error\",\"msg\":\"m\"}}"),
            format!("{{\"a\":{{\"b\":[\"{text}\"]}},\"log\":{{\"level\":\"error\"}}}}"),
            format!("ts=2026-11-20T13:00:00Z msg=\"{text} level=info\" level=error"),
            format!("msg=\"say \\\"{text}\\\"\" level=error id=7"),
            format!("<30>Nov 20 13:00:00 web app[7]: {{\"msg\":\"{text}\",\"level\":\"error\"}}"),
            format!("2026-11-20T13:00:00Z stderr F msg=\"{text}\" lvl=error"),
            format!(
                "{{\"log\":\"msg=\\\"{text}\\\" level=error\\n\",\"stream\":\"stderr\",\"time\":\"x\"}}"
            ),
            format!(
                "{{\"log\":\"{{\\\"msg\\\":\\\"{text}\\\",\\\"level\\\":\\\"error\\\"}}\\n\",\"stream\":\"stderr\"}}"
            ),
            format!(
                "10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /{} HTTP/1.1\" 502 5",
                text.replace(' ', "+")
            ),
            format!(
                "2026-11-20 13:00:00 10.0.0.1 - \"GET /{} HTTP/1.1\" 502 5",
                text.replace(' ', "+")
            ),
        ] {
            assert_eq!(
                level(&line),
                Some(Level::Error),
                "{}",
                &line[..80.min(line.len())]
            );
        }
    }
}

#[test]
fn a_long_message_states_nothing() {
    for line in [
        format!("2026-11-20 13:00:00 saw {} level=error", "x ".repeat(400)),
        format!(
            "2026-11-20 13:00:00 we are here{}level=error",
            " ".repeat(400)
        ),
        format!(
            "{{\"msg\":\"{}\"}}",
            "\\\"level\\\":\\\"error\\\" ".repeat(400)
        ),
        format!("a=\"{}\" b=1", "level=error ".repeat(400)),
    ] {
        assert_eq!(level(&line), None, "{}", &line[..80]);
    }
}

#[test]
fn the_object_in_an_object_says_the_level() {
    use Level::{Error, Info, Warn};
    for (line, expected) in [
        (
            r#"{"log": "{\"level\": \"error\"}\n", "stream": "stderr"}"#,
            Some(Error),
        ),
        (
            r#"{"level":"info","message":"{\"level\":\"error\",\"msg\":\"x\"}"}"#,
            Some(Error),
        ),
        (
            r#"{"msg":"{ \"severity\":\"WARN\"}","level":"info"}"#,
            Some(Warn),
        ),
        (
            r#"{"message":"{\"message\":\"{\\\"level\\\":\\\"error\\\"}\"}"}"#,
            Some(Error),
        ),
        (r#"{"level":"warn","msg":"{\"id\":7}"}"#, Some(Warn)),
        (
            r#"{"level":"warn","payload":"{\"level\":\"error\"}"}"#,
            Some(Warn),
        ),
        (
            r#"{"level":"info","msg":"say \"{\\\"level\\\":\\\"error\\\"}\""}"#,
            Some(Info),
        ),
        (r#"{"log":"{\"msg\":\"ERROR\"}"}"#, None),
    ] {
        assert_eq!(level(line), expected, "{line}");
    }
}

#[test]
fn loggers_name_the_level_in_many_ways() {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    for (line, expected) in [
        (r#"{"L":"ERROR","T":"2026-11-20T13:00:00Z","M":"x"}"#, Error),
        (
            r#"{"@t":"2026-11-20T13:00:00Z","@mt":"x","@l":"Error"}"#,
            Error,
        ),
        (
            r#"{"Timestamp":"x","LogLevel":"Critical","Category":"a"}"#,
            Fatal,
        ),
        (
            r#"{"instant":{"epochSecond":1},"level":"WARN","loggerFqcn":"x"}"#,
            Warn,
        ),
        (
            r#"{"insertId":"1","severity":"WARNING","jsonPayload":{"level":"x"}}"#,
            Warn,
        ),
        (
            r#"{"@timestamp":"x","log":{"logger":"a","level":"error"}}"#,
            Error,
        ),
        (r#"{"@timestamp":"x","log.level":"error"}"#, Error),
        (r#"{"status":"error","service":"a","message":"x"}"#, Error),
        (r#"{"SeverityText":"ERROR","SeverityNumber":17}"#, Error),
        (r#"{"severity_number":13,"body":"x"}"#, Warn),
        (
            r#"{"text":"x","record":{"elapsed":{},"level":{"icon":"x","name":"ERROR","no":40}}}"#,
            Error,
        ),
        (r#"{"severityLevel":3,"message":"x"}"#, Error),
        (r#"{"severityLevel":"Warning","message":"x"}"#, Warn),
        (r#"{"level_value":40000,"message":"x"}"#, Error),
        (r#"{"levelno":40,"message":"x"}"#, Error),
        (r#"{"s":"D2","c":"NETWORK"}"#, Debug),
        (r#"{"level":10,"time":1790000000000,"msg":"x"}"#, Trace),
        (r#"{"level":20,"funcName":"f","message":"x"}"#, Info),
        (
            r#"{"reqId":"x","level":1,"app":"core","message":"x"}"#,
            Info,
        ),
        (
            r#"{"prio":1,"err_code":1,"subsystem":"x","msg":"y"}"#,
            Error,
        ),
    ] {
        assert_eq!(level(line), Some(expected), "{line}");
    }
}

#[test]
fn a_number_whose_scale_is_not_certain_is_no_level() {
    for line in [
        r#"{"level":3,"msg":"x"}"#,
        r#"{"severity":1,"app":"x"}"#,
        r#"{"level":30,"msg":"x"}"#,
        r#"{"level":400,"msg":"x"}"#,
        r#"{"severity":8.5,"msg":"x"}"#,
        r#"{"level":-4,"msg":"x"}"#,
        r#"{"alert":{"severity":1},"event_type":"alert"}"#,
        r#"{"rule":{"level":5},"agent":"x"}"#,
    ] {
        assert_eq!(level(line), None, "{line}");
    }
}

#[test]
fn marks_at_a_known_place_state_the_level() {
    use Level::{Debug, Error, Fatal, Notice, Trace, Warn};
    for (line, expected) in [
        ("2026-11-13T17:00:00Z E! [agent] Config", Error),
        ("2026-11-13T17:00:00Z W! [agent] Config", Warn),
        ("(W) 2026-11-13T17:00:00 - x", Warn),
        ("(C) 2026-11-13T17:00:00 - x", Fatal),
        (
            "[11/13/26 17:00:00:000 UTC] 0000001a ApplicationMg E WSVR0221I: x",
            Error,
        ),
        (
            "[11/13/26 17:00:00:000 UTC] 0000001a Server        A WSVR0221I: x",
            Notice,
        ),
        (
            "[11/13/26 17:00:00:000 UTC] 0000001a Server        > entry",
            Trace,
        ),
        ("2019-11-20T13:00:00.000+0000 D1 NETWORK  [conn1] x", Debug),
        (
            "53 <11>1 2026-11-13T17:00:00.000Z web1 app 0 - - hello",
            Error,
        ),
        ("87 <132>Nov 20 13:00:00 fw x: hello", Warn),
        ("Nov 13 17:00:00 router daemon.err app: WARNING: x", Error),
    ] {
        assert_eq!(level(line), Some(expected), "{line}");
    }
    for line in ["(C) 2026 Acme", "(N) is a letter", "53 <999>x"] {
        assert_eq!(level(line), None, "{line}");
    }
}
