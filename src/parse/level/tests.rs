//! Lines and the levels they state.

use super::*;

#[test]
fn a_priority_is_taken_off_and_nothing_else() {
    for (line, rest) in [
        ("<30>Nov 20", "Nov 20"),
        ("<192>x", "<192>x"),
        ("<a>", "<a>"),
        ("<30", "<30"),
        ("", ""),
    ] {
        assert_eq!(super::without_priority(line.as_bytes()), rest.as_bytes());
    }
}

#[test]
fn a_stated_level_is_found() {
    use Level::{Debug, Error, Fatal, Info, Notice, Trace, Warn};
    let table: &[(&str, Level)] = &[
        (
            "<165>1 2026-11-20T13:00:00Z web-1 app - - - an error",
            Notice,
        ),
        ("<11>Nov 20 13:00:00 web-1 app: hello", Error),
        (
            "2026-11-20 13:00:00,123 [main] ERROR com.shop.Cart - cannot save",
            Error,
        ),
        (
            "2026-11-20T13:00:00.000Z  INFO 1234 --- [main] c.shop.Cart : started with 0 errors",
            Info,
        ),
        (
            "2026-11-20 13:00:00,123 - root - WARNING - low on paper",
            Warn,
        ),
        ("ERROR:root:it broke", Error),
        (
            "2026-11-20 13:00:00.123 UTC [77] ERROR:  relation \"carts\" does not exist",
            Error,
        ),
        (
            "2026-11-20 13:00:00.123 UTC [77] LOG:  checkpoint complete",
            Info,
        ),
        (
            "2026-11-20T13:00:00.0Z 0 [Warning] [MY-10] [Server] old plugin",
            Warn,
        ),
        (
            "2026/11/20 13:00:00 [error] 12#12: *1 connect() failed",
            Error,
        ),
        (
            "[Fri Nov 20 13:00:00.123 2026] [core:crit] [pid 1] no",
            Fatal,
        ),
        (
            "[2026-11-20T13:00:00,123][WARN ][o.e.c.Room] [node-1] is full",
            Warn,
        ),
        ("[2026-11-20T13:00:00Z DEBUG shop::cart] added", Debug),
        ("2026-11-20T13:00:00Z  WARN shop::cart: slow", Warn),
        (
            "2026-11-20T13:00:00.000Z\terror\tcart/add.go:12\tfailed",
            Error,
        ),
        ("2026-11-20 13:00:00 info starting", Info),
        (
            "Nov 20 13:00:00 myhost sshd[12]: error: no such identity",
            Error,
        ),
        ("Nov 20, 2026 1:00:00 PM shop.Cart add SEVERE", Error),
        ("SEVERE: it broke", Error),
        ("panic: runtime error: index out of range", Fatal),
        ("fatal: not a repository", Fatal),
        ("warning: unused variable", Warn),
        ("fail: Shop.Cart[0]", Error),
        ("11-20 13:00:00.123  1234  5678 E Camera: lost", Error),
        ("[W] careful", Warn),
        ("E, [2026-11-20T13:00:00.1 #12] no word here", Error),
        ("E1120 13:00:00.123456       1 controller.go:12] no", Error),
        (
            "I1120 13:00:00.123456       1 controller.go:12] error syncing",
            Info,
        ),
        (
            "time=2026-11-20T13:00:00Z level=warning msg=\"an ERROR\"",
            Warn,
        ),
        (
            "time=2026-11-20T13:00:00Z msg=\"an ERROR here\" level=debug",
            Debug,
        ),
        ("ts=1 lvl=eror msg=x level=\"crit\"", Error),
        ("INFO set level=debug", Info),
        ("{\"level\":\"error\",\"msg\":\"x\"}", Error),
        (
            "{\"level\":30,\"time\":1790000000000,\"msg\":\"ERROR\"}",
            Info,
        ),
        ("{\"time\":1, \"severity\" : \"CRITICAL\"}", Fatal),
        (
            "{\"msg\":\"say \\\"level\\\":\\\"error\\\"\",\"level\":\"trace\"}",
            Trace,
        ),
        ("2026-11-20T13:00:00Z stdout F {\"level\":\"warn\"}", Warn),
        (
            "{\"t\":{\"$date\":\"2026-11-20T13:00:00Z\"},\"s\":\"W\",\"c\":\"NETWORK\"}",
            Warn,
        ),
        ("{\"@t\":\"2026-11-20T13:00:00Z\",\"@l\":\"Warning\"}", Warn),
        (
            "\x1b[2m2026-11-20T13:00:00Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mshop\x1b[0m: an error",
            Info,
        ),
        ("\x1b[31merror\x1b[39m: it broke", Error),
        (
            "10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /error HTTP/1.1\" 200 5 \"-\" \"x\"",
            Info,
        ),
        (
            "10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /a HTTP/1.1\" 404 5",
            Warn,
        ),
        (
            "10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] \"POST /a HTTP/2\" 502 0",
            Error,
        ),
    ];
    for (line, level) in table {
        assert_eq!(super::of(line.as_bytes()), Some(*level), "{line}");
    }
}

#[test]
fn talk_of_errors_is_no_level() {
    let table = [
        "",
        "finished with 0 errors",
        "2026-11-20 13:00:00 worker finished, error count 0",
        "no error here",
        "    at shop.Cart.error(Cart.java:12)",
        "error_count=0 err=nil",
        "Nov 20 13:00:00 myhost systemd: Started error reporter",
        "GET /error.html",
        "{\"msg\":\"ERROR\",\"error\":null}",
        "{\"error\":\"level\",\"s\":\"Warnings\"}",
        "größter anzunehmender error ERROR",
        "<999>too large",
    ];
    for line in table {
        assert_eq!(super::of(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn words_name_levels_in_any_case() {
    for level in Level::ALL {
        assert_eq!(super::named_by(level.as_str()), Some(level));
        assert_eq!(super::named_by(&level.as_str().to_uppercase()), Some(level));
    }
    assert_eq!(super::named_by("Emerg"), Some(Level::Fatal));
    assert_eq!(super::named_by("loud"), None);
}

/// `level | line`, a dash where it states none.
const TABLE: &str = r##"
# log4j, logback, java.util.logging
error | 2026-11-20 13:00:00,123 ERROR [main] com.shop.Cart: cannot save
info | 26/11/20 13:00:00 INFO worker.Pool: ready for signals of [TERM]
warn | 261120 130000 148 WARN store.Node$Sender: 1 for part 7 ends
info | 2026-11-20 13:00:00,123 - INFO  [Peer[id=1]/0:0:0:0:0:0:0:0:2181:Vote@774] - no error: 3200
warn | 2026-11-20 13:00:00,123 - WARN  [Sender:18897:Links$Sender@688] - leaving
debug | 13:00:00.123 [http-nio-8080-exec-1] DEBUG o.s.web.Foo - GET "/error"
error | 2026-11-20T13:00:00.123Z ERROR 1234 --- [shop] [main] c.s.Application : Application run failed
info | 2026-11-20 13:00:00.123  INFO [shop,5f6e8f3a1b2c3d4e,ab12cd34ef56ab78] 1 --- [main] c.s.A : error
trace | Nov 20, 2026 1:00:00 PM shop.Cart add\nFINER: entering
warn | Nov 20, 2026 1:00:00 PM shop.Cart add\nWARNING: an error
- | Nov 20, 2026 1:00:00 PM shop.Cart add
info | 20-Nov-2026 13:00:00.123 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [1] ms
error | 20-Nov-2026 13:00:00.123 SEVERE [main] org.apache.catalina.core.Foo One or more listeners failed
fatal | [2026-11-20T13:00:00,123][FATAL][o.e.b.Es] [node-1] died
info | [2026-11-20T13:00:00,123][INFO ][o.e.n.Node               ] [node-1] started
info | [2026-11-20 13:00:00,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)
warn | [0.012s][warning][gc] Using SerialGC
info | [2026-11-20T13:00:00.123+0000][1234ms][info][gc,start] GC(0) Pause Young
- |     at shop.Cart.error(Cart.java:12)
- | Caused by: java.lang.RuntimeException: ERROR
- | java.lang.IllegalStateException: an error happened
- | 	... 12 more
info | 2026-11-20 13:00:00.123+0000 [id=1]	INFO	hudson.WebAppMain#contextInitialized: up
# Python
warn | WARNING:root:low
error | ERROR:shop.cart:it broke
info | INFO:     127.0.0.1:51234 - "GET / HTTP/1.1" 500 Internal Server Error
info | [2026-11-20 13:00:00 +0000] [7] [INFO] Starting gunicorn 23.0.0
error | [2026-11-20 13:00:00,123: ERROR/MainProcess] Task shop.add raised
warn | [2026-11-20 13:00:00,123: WARNING/ForkPoolWorker-1] careful
info | 2026-11-20 13:00:00.123 | INFO     | __main__:<module>:1 - hello
info | 2026-11-20 13:00:00.123 | SUCCESS  | __main__:<module>:1 - done
error | 2026-11-20 13:00:00 [error    ] it broke                       cart=7
info | 2026-11-20T13:00:00.1Z [info     ] started                        [shop]
- | Traceback (most recent call last):
- |   File "/srv/shop/error.py", line 3, in <module>
- | ValueError: ERROR
info | 2026-11-20 13:00:00,123 shop INFO it runs
info | [I 2026-11-20 13:00:00.123 ServerApp] WARNING not | no
info | [I 2026-11-20 13:00:00.123 ServerApp] Serving notebooks
warn | [W 261120 13:00:00 web:2239] 404 GET /favicon.ico (::1) 1ms
info | 2026-11-20 13:00:00,123 INFO spawned: 'web' with pid 12
fatal | 2026-11-20 13:00:00,123 CRIT Supervisor is running as root
info | 2026-11-20T13:00:00+0000 [stdout#info] up
info | shop-api.log.1.2026-11-20_13:53:08 2026-11-20 13:00:00.008 25746 INFO shop.api.server [req-38101a0b-2096-447d-96ea-a692162415ae 0a1b2c 3d4e5f - - -] 10.0.0.1 "GET /v2/error HTTP/1.1" status: 500
error | 2026-11-20 13:00:00.008 2931 ERROR shop.tasks [req-3 - - - - -] during info
# Go, Rust, C++
error | E1120 13:00:00.123456       1 controller.go:12] no
warn | W20261120 13:00:00.123456  1234 server.cc:12] careful
- | Eleven 13:00
info | I1120 13:00:00.123456   12345 fatal.cc:1] ERROR
info | time="2026-11-20T13:00:00Z" level=info msg="error here"
warn | time=2026-11-20T13:00:00.123Z level=WARN msg=slow
warn | WARN[0000] slow                                         cart=7
info | INFO [11-20|13:00:00.123] Starting peer-to-peer node       instance=Geth
fatal | FATAL[2026-11-20T13:00:00Z] no
info | 2026-11-20T13:00:00.123Z	info	shop/main.go:12	starting	{"level": "error"}
debug | 2026-11-20T13:00:00.123+0100	DEBUG	shop	main.go:12	x
info | \e[90m1:00PM\e[0m \e[32mINF\e[0m starting \e[36mcart=\e[0m7
error | 1:00PM ERR failed error="no such"
info | 2026/11/20 13:00:00 INFO starting addr=:8080
- | 2026/11/20 13:00:00 http: panic serving 10.0.0.1: x
- | 2026/11/20 13:00:00 main.go:12: listening on :8080
warn | 2026-11-20T13:00:00.123Z [WARN]  agent: Check is now critical: check=web
info | 2026-11-20T13:00:00.123Z [INFO]  agent.server: error
fatal | panic: runtime error: index out of range [3] with length 3
- | goroutine 1 [running]:
info | [2026-11-20T13:00:00Z INFO  shop] starting
error | 2026-11-20T13:00:00.123456Z ERROR shop::cart: failed error=x
info | 2026-11-20T13:00:00.123456Z  INFO ThreadId(01) shop: up
fatal | thread 'main' panicked at src/main.rs:2:5:
info | [2026-11-20 13:00:00.123] [console] [info] Welcome
info | [2026-11-20 13:00:00.123][1][info][main] [source/server/server.cc:1] starting
fatal | [2026-11-20 13:00:00.123][1][critical][main] no
warn | (process:12): Gtk-WARNING **: 13:00:00.123: cannot open display:
# Node, .NET, Ruby, PHP, Erlang
info | info: Microsoft.Hosting.Lifetime[14]
error | fail: Microsoft.AspNetCore.Server.Kestrel[13]
fatal | crit: Shop.Cart[0]
info | \e[40m\e[32minfo\e[39m\e[22m\e[49m: Shop[0]
- |       Now listening on: http://localhost:5000
info | [13:00:00 INF] Now listening
error | [13:00:00 ERR] HTTP GET / responded 500
info | 2026-11-20 13:00:00.123 +01:00 [INF] up
error | 2026-11-20 13:00:00.1234|ERROR|Shop.Cart|it broke
info | 2026-11-20 13:00:00.1234|1|INFO|Shop.Cart|error
error | error: it broke {"cart":7}
info | 2026-11-20T13:00:00.123Z info: listening
error | npm ERR! code E404
error | Error: Cannot find module 'x'
- | TypeError: Cannot read properties of undefined
error | E, [2026-11-20T13:00:00.123456 #12] ERROR -- : it broke
info | I, [2026-11-20T13:00:00.123456 #12]  INFO -- shop: ERROR
- | Started GET "/error" for 127.0.0.1 at 2026-11-20 13:00:00 +0000
info | 2026-11-20T13:00:00.123Z pid=12 tid=abc INFO: Booting Sidekiq 7
error | [2026-11-20T13:00:00.123456+00:00] app.ERROR: it broke {"exception":"x"} []
info | [2026-11-20 13:00:00] request.INFO: Matched route "error" {"level":"error"} []
warn | [20-Nov-2026 13:00:00 UTC] PHP Warning:  Undefined variable $x in /srv/a.php on line 3
fatal | [20-Nov-2026 13:00:00 UTC] PHP Fatal error:  Uncaught Exception: no
notice | PHP Notice:  Undefined index: error
error | PHP Parse error:  syntax error, unexpected end of file
notice | [20-Nov-2026 13:00:00] NOTICE: fpm is running, pid 1
warn | [20-Nov-2026 13:00:00] WARNING: [pool www] server reached max_children
error | =ERROR REPORT==== 20-Nov-2026::13:00:00 ===
error | =CRASH REPORT==== 20-Nov-2026::13:00:00.123456 ===
info | =PROGRESS REPORT==== 20-Nov-2026::13:00:00.123456 ===
error | 2026-11-20 13:00:00.123456+00:00 [error] <0.222.0> Error on AMQP connection
info | 13:00:00.123 [info] Running Shop.Endpoint
info | 13:00:00.123 request_id=F1x [info] GET /
# databases
info | 2026-11-20 13:00:00.123 UTC [77] LOG:  checkpoint complete: wrote 3 buffers
error | 2026-11-20 13:00:00.123 UTC [77] bob@shop ERROR:  relation "carts" does not exist at character 15
- | 2026-11-20 13:00:00.123 UTC [77] bob@shop STATEMENT:  SELECT 'ERROR: x' FROM carts
- | 2026-11-20 13:00:00.123 UTC [77] DETAIL:  Key (id)=(1) ERROR already exists.
- | 2026-11-20 13:00:00.123 UTC [77] HINT:  WARNING is near.
fatal | 2026-11-20 13:00:00.123 UTC [77] FATAL:  role "root" does not exist
fatal | 2026-11-20 13:00:00.123 UTC [77] PANIC:  could not write
debug | 2026-11-20 13:00:00.123 UTC [77] DEBUG2:  name: unnamed
notice | 2026-11-20 13:00:00.123 UTC [77] NOTICE:  table "x" does not exist, skipping
error | 2026-11-20 13:00:00.123 UTC,"postgres","shop",1234,"[local]",65,1,"SELECT",2026-11-20 13:00:00 UTC,3/0,0,ERROR,42P01,"relation ""x"" does not exist",,,,,,"select 1",8,,"psql","client backend",,0
info | 2026-11-20 13:00:00.123 UTC,,,1,,65,1,,2026-11-20 13:00:00 UTC,,0,LOG,00000,"starting",,,
warn | 2026-11-20T13:00:00.000000Z 0 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.
info | 2026-11-20T13:00:00.000000Z 0 [System] [MY-010931] [Server] ready for connections.
error | 2026-11-20T13:00:00.000000Z 12 [ERROR] [MY-012592] [InnoDB] Operating system error number 2
notice | 2026-11-20 13:00:00 0 [Note] InnoDB: Error log rotated
- | # Query_time: 1.2  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 10
- | SELECT * FROM errors WHERE level = 'ERROR';
notice | 1:M 20 Nov 2026 13:00:00.000 * Ready to accept connections
warn | 1048576:M 20 Nov 2026 13:00:00.000 # Low memory
warn | 1:C 20 Nov 2026 13:00:00.000 # WARNING: The TCP backlog setting of 511 cannot be enforced
info | 12345:S 20 Nov 2026 13:00:00.000 - Accepted 127.0.0.1:1
debug | 12345:X 20 Nov 2026 13:00:00.000 . 0 clients connected
notice | [7] 20 Nov 13:00:00.123 * The server is now ready
info | {"t":{"$date":"2026-11-20T13:00:00.000+00:00"},"s":"I","c":"NETWORK","id":1,"ctx":"listener","msg":"Error","attr":{"level":3}}
info | {"s":1,"level":"info","msg":"ok"}
- | {"s":3,"msg":"ok"}
info | 2019-11-20T13:00:00.000+0000 I NETWORK  [conn1] end connection
error | 2026-11-20T13:00:00.000+0000 E  STORAGE  [initandlisten] no
info | 2026.11.20 13:00:00.123456 [ 1 ] {} <Information> Application: Ready for connections.
error | 2026.11.20 13:00:00.123456 [ 42 ] {abc-1} <Error> executeQuery: Code: 60.
info | INFO  [main] 2026-11-20 13:00:00,123 X.java:1 - up | no
info | INFO  [main] 2026-11-20 13:00:00,123 CassandraDaemon.java:1 - ERROR
# web servers and proxies
error | 2026/11/20 13:00:00 [error] 811#811: *1 open() "/x" failed (2: No such file), client: 10.0.0.1
fatal | 2026/11/20 13:00:00 [emerg] 1#1: bind() failed
warn | nginx: [warn] conflicting server name
notice | [Fri Nov 20 13:00:00 2026] [notice] caught error, restarting
error | [Fri Nov 20 13:00:00.123456 2026] [core:error] [pid 12:tid 1] (13)Permission denied: x
info | [Fri Nov 20 13:00:00.123456 2026] [ssl:info] [pid 12] error
info | 10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] "GET / HTTP/1.1" 304 - "-" "Mozilla/5.0 [error]"
warn | shop.example:443 10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] "GET /a\"b HTTP/1.1" 404 12
error | ::1 - - [20/Nov/2026:13:00:00 +0000] "\x16\x03" 500 0
info | Nov 20 13:00:00 lb-1 haproxy[14389]: 10.0.1.2:33317 [20/Nov/2026:13:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
error | 10.0.1.2:33317 [20/Nov/2026:13:00:00.655] http-in static/<NOSRV> -1/-1/-1/-1/0 503 212 - - SC-- 1/1/0/0/0 0/0 "GET /error HTTP/1.1"
notice | [NOTICE]   (1) : New worker (8) forked
fatal | [ALERT]    (1) : config : no
error | [2026-11-20T13:00:00.310Z] "POST /api HTTP/2" 504 UT 154 0 226 100 "10.0.35.28" "curl" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop" "tcp://10.0.2.1:80"
info | [20/Nov/2026 13:00:00] "GET / HTTP/1.1" 200 10697
error | [GIN] 2026/11/20 - 13:00:00 | 500 |    1.2ms |       127.0.0.1 | GET      "/x"
error | 1795179600.603    310 192.0.2.16 TCP_MISS/503 1234 GET http://x/ - DIRECT/1.2.3.4 text/html
warn | 2026-11-20 13:00:00 10.0.0.1 GET /x - 443 - 10.0.0.2 Mozilla/5.0 - 404 0 2 15
- | #Fields: date time s-ip cs-method
warn | {"level":"warn","ts":1795179600.1,"logger":"http.log.access","msg":"handled","status":200,"request":{"method":"GET"}}
error | {"time":"2026-11-20T13:00:00Z","method":"GET","uri":"/x","status":502,"bytes":1}
info | {"ClientAddr":"10.0.0.1:1","DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/"}
- | {"job":"x","status":500}
info | at=info method=GET path="/error" host=x request_id=8601b555 fwd="1.2.3.4" dyno=web.1 connect=1ms service=18ms status=200
# syslog, the kernel, the journal
fatal | <34>1 2026-11-20T13:00:00.003Z web-1 su - ID47 - not for bob
notice | <165>1 2026-11-20T13:00:00.000003-07:00 192.0.2.1 shop 8710 - - %% an error
error | <30>Nov 20 13:00:00 web-1 dockerd[7]: time="2026-11-20T13:00:00Z" level=error msg=x
error | <30>Nov 20 13:00:00 web-1 app[7]: 2026-11-20 13:00:00 ERROR x
info | <30>Nov 20 13:00:00 web-1 app[7]: error: x
- | Nov 20 13:00:00 web-1 login(pam_unix)[1234]: authentication failure; logname= uid=0 tty=ssh ruser= rhost=10.0.0.1
- | Nov 20 13:00:00 web-1 sshd[1234]: address 10.0.0.1 has no name - POSSIBLE ERROR
- | Nov 20 13:00:00 web-1 sshd[1234]: Failed password for bob from 10.0.0.1 port 40000 ssh2
error | Nov 20 13:00:00 web-1 sshd[1234]: error: closed by 10.0.0.1: 3: info
fatal | Nov 20 13:00:00 web-1 sshd[1234]: fatal: no more data
- | Nov 20 13:00:00 web-1 systemd[1]: Failed to start error reporter.
- | Nov 20 13:00:00 web-1 systemd[1]: Started Error Reporter.
- | Nov 20 13:00:00 web-1 kernel: [   12.345] usb 1-1: device descriptor read/64, error -71
- | Nov 20 13:00:00 web-1 kernel: EXT4-fs error (device sda1): ext4_lookup
- | Nov 20 13:00:00 web-1 postfix/smtp[7]: 4F9D195432C: to=<a@b>, relay=mx[1.2.3.4]:25, status=deferred (error)
warn | Nov 20 13:00:00 web-1 postfix/smtpd[7]: warning: hostname x does not resolve
info | Nov 20 13:00:00 web-1 NetworkManager[7]: <info>  [1795179600.1] manager: error
warn | kern  :warn  : [    0.000000] x
err | kern  :err   : [    0.000000] x
- | [    0.000000] Linux version 6.1 error
- | Nov  9 13:00:00 mac-1 kernel[0]: SomeSwitch<0>(0x0)::call - error for port = 0x0
- | type=USER_LOGIN msg=audit(1364481363.243:24287): pid=1 uid=0 msg='op=login acct="root" res=failed'
warn | {"PRIORITY":"4","_HOSTNAME":"web-1","MESSAGE":"hello","_PID":"1"}
info | {"MESSAGE":"error: x","PRIORITY":"6"}
error | {"MESSAGE":"2026-11-20 13:00:00 ERROR x","PRIORITY":"6"}
info | <30>WARN up
notice | <13>Nov 20 13:27:45 web-1 noid: ERROR: this says error at notice
notice | <13>1 2026-11-20T13:27:45.523057-05:00 web-1 noid - - -  ERROR: this says error at notice
error | <13>1 2026-11-20T13:27:45Z web-1 noid - - [a b="c"] {"level":"error"}
error | {"MESSAGE":"{\"level\":\"error\"}","PRIORITY":"6"}
error | <189>123: *Nov 20 13:00:00.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down
info | %ASA-6-302013: Built outbound TCP connection
info | 2026-11-20T13:00:00.123Z info vpxd[12345] [Originator@6876 sub=vpxLro] error
warn | 2026-11-20T13:00:00.123Z warning hostd[12345] [Originator@6876 sub=x] no
# appliances and other systems
info | - 1795179600 2026.11.20 R00-M0-N1-C:J01-U01 2026-11-20-13.00.00.123456 R00-M0-N1-C:J01-U01 RAS KERNEL INFO an error was corrected
fatal | LABEL 1795179600 2026.11.20 R00-M0-N1-I:J01-U01 2026-11-20-13.00.00.123456 R00-M0-N1-I:J01-U01 RAS APP FATAL no answer on a stream
error | - 1795179600 2026.11.20 NULL 2026-11-20-13.00.00.123456 NULL RAS MASTER FAILURE the server went away
error | - 1795179600 2026.11.20 NOWHERE 2026-11-20-13.00.00.123456 NOWHERE NULL CARD ERROR x
- | - 1795179600 2026.11.20 node7 Nov 20 13:00:00 node7/node7 crond(pam_unix)[12]: an error ended for bob
info | 2026-11-20 13:00:00, Info                  CBS    no error
error | 2026-11-20 13:00:00, Error                 CBS    no info
- | 20261120-13:00:00:123|Some_Part|30002312|onError 3579
- | [11.20 13:00:00] shop.exe - proxy.example.com:5070 open with an error
debug | 11-20 13:00:01.123  1702  2395 D WindowManager: error
info | 11-20 13:00:01.123  1702  2395 I ActivityManager: Start proc
trace | 11-20 13:00:01.123  1702  2395 V Sensor: E
debug | D/WindowManager( 123): error
error | E/AndroidRuntime: FATAL EXCEPTION: main
warn | 11-20 13:00:01.123 W/Camera  ( 1234): x
fatal | F/libc    ( 1234): Fatal signal 11
- | I/O error: no
error | [0703/123456.789:ERROR:gpu_process.cc(12)] no
error | [Nov 20 13:00:00] ERROR[123]: chan_sip.c:1 x: no
notice | [Nov 20 13:00:00] NOTICE[123][C-0001]: x
# many more
notice | 2026-11-20 13:00:00,123 fail2ban.actions        [1234]: NOTICE  [sshd] Ban 1.2.3.4
debug | 2026-11-20 13:00:00,123 - util.py[DEBUG]: Running command error
error | [    12.345] (EE) Failed to load module
info | [    12.345] (II) LoadModule: "error"
error | 20-Nov-2026 13:00:00.123 general: error: zone x/IN: loading failed
info | [1795179600] unbound[12:0] info: start of service
warn | 2026-11-20 13:00:00 WARNING: --cipher is not set
info | 2026-11-20 13:00:00.123456 I | etcdmain: error
info | ts=2026-11-20T13:00:00.1Z caller=main.go:1 level=info msg=error
info | [INFO] 10.0.0.1:1234 - 1 "A IN x. udp 40 false 512" NOERROR
info | 2026-11-20T13:00:00.123+0000 7f12  0 log_channel(cluster) log [INF] : error
error | [2026-11-20 13:00:00.123456] E [MSGID: 1] [file.c:1:fn] 0-x: msg
error | 2026-11-20 13:00:00.123+0000: 1234: error : virNetSocketReadWire:1808 : End of file
error | [2026-11-20T13:00:00.123] error: Unable to resolve
- | [1795201334] LOG VERSION: 2.0
- | [1795179600] SERVICE ALERT: web-1;http;OK;HARD;4;fine
notice | 20/11/2026 -- 13:00:00 - <Notice> - This is Suricata
info | 2026/11/20 13:00:00 ossec-analysisd: INFO: error
notice | [notice] 2026-11-20T13:00:00.000000Z couchdb@localhost <0.1.0> -------- x
info | I261120 13:00:00.123456 1 util/log.go:1 [n1] error
info | [2026/11/20 13:00:00.123 +00:00] [INFO] [x.go:1] ["error"]
info | INFO  2026-11-20 13:00:00,123 [shard 0] error
info | 2026-11-20 13:00:00.123 INFO  (main) [   ] o.a.s.X error
info | [1] 2026/11/20 13:00:00.123456 [INF] Starting
info |  INFO | Apache ActiveMQ | main
error | 1795179600: Error: Unable to open
error | 2026-11-20T13:00:00Z ERR x error=y
- | 2026-11-20 13:00:00: (server.c.1) server started
error | [pid: 1|app: 0|req: 1/1] 127.0.0.1 () {32 vars in 400 bytes} [Fri Nov 20 13:00:00 2026] GET / => generated 12 bytes in 1 msecs (HTTP/1.1 500) 2 headers
notice | [ N 2026-11-20 13:00:00.1234 12/T1 age/Wat/WatchdogMain.cpp:1 ]: Starting
info | [2026-11-20T13:00:00.123+0000] {taskinstance.py:1} INFO - error
info | 2026-11-20 13:00:00 [scrapy.core] INFO: error
info | 2026-11-20 13:00:00.123456: I tensorflow/core/x.cc:1] error
warn | [2026.11.20-13.00.00:123][  0]LogTemp: Warning: x
info | [13:00:00] [Server thread/INFO]: Starting
error | [ERROR] Failed to execute goal
error | src/x.c:1:2: error: y
error | Nov 20 13:00:00 bigip1 err tmm[123]: 01010028:3: No members
notice | Nov 20 13:00:00 iPhone SpringBoard(x)[1] <Notice>: error
warn | date=2026-11-20 time=13:00:00 devname="x" level="warning" msg="error"
warn | 79a5 shop [20/Nov/2026:13:00:00 +0000] 10.0.0.1 - 3E57 REST.GET.OBJECT key "GET /x HTTP/1.1" 404 - 113
- | Nov 20 13:00:00 web-1 sshd[7]: no such user error
- | Fri Nov 20 13:00:00 2026 [pid 2] [bob] FAIL LOGIN: Client "10.0.0.1"
- | 2026-11-20 13:00:00 status installed libgpg-error0:amd64 1.46-1
info | Nov 20 13:00:00 web-1 gpm[2094]: *** info [mice.c(1)]: error
error | 2026-11-20 13:00:00,123 [http-nio-8080-exec-1] [req-1] ERROR c.s.X - y
error | level=error ts=2026-11-20T13:00:00Z msg=x
- | ==> /var/log/error.log <==
- | -- Reboot --
- | ---
- | <error><code>1</code></error>
- | SELECT error FROM info
- | $ ./error
- | https://error.example/ERROR
trace | [Fri Nov 20 13:26:21.460520 2026] [rewrite:trace2] [pid 24710:tid 24742] mod_rewrite.c(5016): x
info | I [21/Nov/2026:00:11:55 +0530] Listening to 10.20.0.5:6310 (IPv4)
info | 2026/11/20 18:36:45 INFO+2 between
error | SCHWERWIEGEND: order 2 failed
warn | 警告: x
debug | 2026-11-20 13:36:34.808 CONFIG  [com.shop.Cart] a config line
debug | 20-Nov-2026 19:38:50.097 general: debug 1: now using logging configuration from config file
- | cart 0 has level=ERROR in it
info | msg=order placed by error level=info
info | 2026-11-20 19:30:04.577 CET,"postgres","postgres",25535,"[local]",6b0091ab.63bf,5,"idle in transaction (aborted)",2026-11-20 19:30:03 CET,,0,LOG,00000,"disconnection: x"
info | {"timestamp":"2026-11-20 19:30:03.644 CET","error_severity":"LOG","message":"ERROR"}
debug | debug1: sshd version OpenSSH_9.2, OpenSSL 3.0.22
info | \e[2m2026-11-20T18:34:48.040510Z\e[0m [\e[32m\e[1minfo     \e[0m] \e[1mstarting error\e[0m
debug | 2026-11-21 00:09:22,360 DEBG fd 8 closed
info |     INFO started
info |   2026-11-20T18:34:39.575358Z  INFO shop: order placed, order: 0
fatal | X [21/Nov/2026:00:11:55 +0530] No Listen or Port lines
- |   INFO: Profiling turned OFF from pid 28985
- |    4: core::option::Option<T>::expect
- |     "msg": "ERROR in a message"
- | note: Some details are omitted
- | ------ INFO OUTPUT ------
debug | 2026.11.20 20:01:55 LOG7[ui]: Clients allowed=9765
info | 2026-11-21 00:32:10.054 IST [36417] LOG kernel file descriptor limit: 1024
info | 2026-11-20 14:03:28.603 7f7a7c644080 Info: Privoxy version 3.0.34
- | 2026/11/20 14:02:16.910 BGP: [NTX3S-9Q8YV] 10.20.0.9 [Event] BGP error 5 on fd 17
notice | 2026-11-20 20:02:17: (server.c.1057) [note] graceful shutdown started
- | 2026-11-20T20:02:11 ntpd[36430]: CONFIG: readconfig: parsing file: ntp.conf
- | Copyright (C) 2026 Free Software Foundation
- | (C) 2026
- | STACK TRACE: none
- | PLEASE NOTE the above
- | 2026/11/20 20:17:45 looked at: ERROR
- | 2026/11/20 20:17:45 finest
notice | =NOTICE REPORT==== 21-Nov-2026::00:47:48.622968 ===
error | 2026-11-20 13:00:00 ERROR x\r
warn | level=warn msg=x\r
# docker, Kubernetes, compose
error | {"log":"2026-11-20 13:00:00 ERROR x\n","stream":"stdout","time":"2026-11-20T13:00:00Z"}
warn | {"log":"{\"level\":\"warn\",\"msg\":\"x\"}\n","stream":"stdout","time":"2026-11-20T13:00:00Z"}
- | {"log":"hello\n","stream":"stderr","time":"2026-11-20T13:00:00Z"}
warn | {"log":"\u001b[33mWARN\u001b[39m x\n","stream":"stderr","time":"2026-11-20T13:00:00Z"}
error | 2026-11-20T13:00:00.123456789Z stderr F E1120 13:00:00.123456       1 x.go:1] y
notice | 2026-11-20T13:00:00.123456789Z stdout F 1:M 20 Nov 2026 13:00:00.000 * Ready
- | 2026-11-20T13:00:00.123456789Z stderr F hello error
warn | web-1  | 2026-11-20 13:00:00 WARN x
error | web-1  | {"level":"error"}
notice | redis-1  | 1:M 20 Nov 2026 13:00:00.000 * Ready
# objects
info | {"level":30,"time":1,"pid":1,"hostname":"x","msg":"error"}
error | {"name":"shop","hostname":"x","pid":1,"level":50,"msg":"x","time":"2026-11-20T13:00:00Z","v":0}
error | {"@timestamp":"2026-11-20T13:00:00Z","log":{"logger":"x","level":"ERROR"},"message":"y"}
warn | {"@timestamp":"2026-11-20T13:00:00Z","log.level":"WARN","message":"y"}
- | {"msg":"x","user":{"level":5}}
fatal | {"SeverityText":"FATAL","Body":"x"}
error | {"severityNumber":17,"body":{"stringValue":"x"}}
warn | {"levelno":30,"message":"x"}
error | {"version":"1.1","host":"x","short_message":"y","level":3}
fatal | {"severity":"EMERGENCY","message":"x"}
- | {"severity":"DEFAULT","message":"x"}
notice | {"priority":"Notice","rule":"Terminal shell","output":"13:00:00.1: Notice A shell"}
- | {"priority":1,"task":"x"}
error | {"message":"x","context":{"a":1},"level":400,"level_name":"ERROR","channel":"app"}
info | {"level":"info","error":"FATAL"}
- | {"level":"unheard of"}
# talk
- | 0 errors
- | finished with 0 errors and 3 warnings
- | Error handler registered
- | 2026-11-20 13:00:00 Error handler registered
- | user error-prone
- | no warnings, no errors
- | an ERROR in the middle
- | the build failed
- | 2026-11-20 13:00:00 saw an ERROR here
- | zlib compression level=6
- | 2026-11-20 13:00:00 I am here
- | error
"##;

#[test]
fn lines_of_many_programs_state_their_levels() {
    let mut wrong = Vec::new();
    for row in TABLE
        .lines()
        .filter(|row| !row.is_empty() && !row.starts_with("# "))
    {
        let (level, line) = row.split_once(" | ").expect("level | line");
        let line = if line.starts_with('{') {
            line.to_owned()
        } else {
            line.replace("\\n", "\n").replace("\\r", "\r")
        };
        let found = super::of(line.replace("\\e", "\x1b").as_bytes());
        if found != super::named_by(level) {
            wrong.push(format!("{found:?} | {row}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest::proptest! {
    #[test]
    fn any_line_is_survived(line: Vec<u8>, text in "[\\[\\]{}\":=<>|, \"0-9A-Za-z/-]{0,80}") {
        let _ = super::of(&line);
        let _ = super::of(text.as_bytes());
    }

    #[test]
    fn the_level_of_an_object_is_found_among_any_members(
        before in "[a-k]{1,6}", text: String, depth in 0..20_usize, number: i32,
    ) {
        let text = serde_json::Value::from(text);
        let deep = format!("{}\"level\":\"error\"{}", "{\"x\":{".repeat(depth), "}}".repeat(depth));
        let deep = if depth == 0 { "[]".to_owned() } else { deep };
        let line = format!("{{\"z{before}\":{text},\"y\":[{number},{{\"level\":\"fatal\"}}],\"x\":{deep},\"level\":\"warn\",\"m\":{text}}}");
        proptest::prop_assert_eq!(super::of(line.as_bytes()), Some(Level::Warn), "{}", line);
    }

    #[test]
    fn a_level_before_a_message_is_found_whatever_the_message(message in "[ -Z\\\\-z]{0,80}") {
        let line = format!("2026-11-20 13:00:00 NOTICE {message}");
        proptest::prop_assert_eq!(super::of(line.as_bytes()), Some(Level::Notice));
    }
}
