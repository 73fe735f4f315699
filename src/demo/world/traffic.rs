//! Requests: from the proxy through a service to a database and back, under one id, with the times
//! each of them took.

use rand::RngExt as _;

use super::super::cast::LineForm;
use super::DemoWorld;

/// A service gives up on a database after this.
const SERVICE_TIMEOUT_MS: f64 = 5_000.0;

/// The rest of the requests is for files that the proxy has itself.
const FOR_SERVICES: f64 = 0.62;

/// Services log the statement's time of so many of their requests, besides every slow one.
const LOGGED_QUERIES: f64 = 0.7;

/// From here on a query counts as slow, in milliseconds.
const SLOW_QUERY_MS: f64 = 500.0;

struct AppRoute {
    method: &'static str,
    path: &'static str,
    /// Controller, as the service logs it.
    does: &'static str,
    statement: &'static str,
    base_ms: f64,
}

const ROUTES: [AppRoute; 7] = [
    AppRoute {
        method: "GET",
        path: "/api/v1/orders/{id}",
        does: "OrderController",
        statement: "SELECT * FROM orders WHERE id = $1",
        base_ms: 14.0,
    },
    AppRoute {
        method: "GET",
        path: "/api/v1/cart",
        does: "CartController",
        statement: "SELECT * FROM cart_items WHERE user_id = $1",
        base_ms: 8.0,
    },
    AppRoute {
        method: "POST",
        path: "/api/v1/cart/items",
        does: "CartController",
        statement: "INSERT INTO cart_items (user_id, product_id, count) VALUES ($1, $2, $3)",
        base_ms: 19.0,
    },
    AppRoute {
        method: "POST",
        path: "/api/v1/checkout",
        does: "CheckoutController",
        statement: "UPDATE stock SET reserved = reserved + $2 WHERE product_id = $1",
        base_ms: 85.0,
    },
    AppRoute {
        method: "GET",
        path: "/api/v1/search?q={word}&page=1",
        does: "SearchController",
        statement: "SELECT id, title, price FROM products WHERE title ILIKE $1 LIMIT 40",
        base_ms: 46.0,
    },
    AppRoute {
        method: "GET",
        path: "/api/v1/products/{id}",
        does: "ProductController",
        statement: "SELECT * FROM products WHERE id = $1",
        base_ms: 6.0,
    },
    AppRoute {
        method: "PUT",
        path: "/api/v1/users/{id}/address",
        does: "UserController",
        statement: "UPDATE users SET address = $2 WHERE id = $1",
        base_ms: 23.0,
    },
];

const STATIC: [&str; 8] = [
    "/",
    "/assets/app.4f1c9e.js",
    "/assets/app.4f1c9e.css",
    "/img/products/{id}.webp",
    "/img/logo.svg",
    "/healthz",
    "/robots.txt",
    "/fonts/text.woff2",
];

/// What probes of strangers ask for; none of it exists.
const PROBES: [&str; 5] = [
    "/.env",
    "/wp-login.php",
    "/admin/config.php",
    "/.git/config",
    "/cgi-bin/luci",
];

/// Agents of people who have logged in.
const PEOPLE: [&str; 5] = [
    "ShopApp/5.2.1 (phone; build 1187)",
    "ShopApp/5.1.9 (tablet; build 1142)",
    "Browser/131.0 (desktop; x86_64)",
    "Browser/130.2 (desktop; arm64)",
    "Browser/128.0 (phone; rv:128.0)",
];

/// Agents that come without a login.
const ANYBODY: [&str; 6] = [
    "ShopApp/5.2.1 (phone; build 1187)",
    "Browser/131.0 (desktop; x86_64)",
    "Browser/128.0 (phone; rv:128.0)",
    "feed-reader/2.3 (+https://reader.example/about)",
    "search-bot/1.9 (+https://search.example/bot)",
    "curl/8.5.0",
];

const WORDS: [&str; 8] = [
    "teapot",
    "wool+socks",
    "desk+lamp",
    "bicycle+bell",
    "kettle",
    "notebook",
    "umbrella",
    "ladder",
];

/// How a request ends for the proxy.
struct ProxyOutcome {
    status: u16,
    took_ms: f64,
    /// What the proxy's error log says of it.
    error: Option<&'static str>,
}

/// What the access log of a proxy says of a request.
struct AccessEntry<'a> {
    method: &'a str,
    path: &'a str,
    outcome: &'a ProxyOutcome,
    bytes: u32,
    user: &'a str,
    id: Option<&'a str>,
}

impl<'a> AccessEntry<'a> {
    /// Of a visitor without a login.
    fn nameless(path: &'a str, outcome: &'a ProxyOutcome, bytes: u32) -> Self {
        Self {
            method: "GET",
            path,
            outcome,
            bytes,
            user: "-",
            id: None,
        }
    }
}

/// How the service says that it is done with a request.
struct ServiceEntry<'a> {
    level: &'a str,
    message: &'a str,
    status: u16,
    took_ms: f64,
}

/// A request on its way.
struct WebRequest {
    at_ms: i64,
    id: String,
    user: u32,
    path: String,
    route: &'static AppRoute,
}

impl DemoWorld {
    /// A visitor asks a proxy for something.
    pub(super) fn request(&mut self, web: usize, at_ms: i64) {
        let chance: f64 = self.rng.random_range(0.0..1.0);
        if chance < FOR_SERVICES {
            self.dynamic_request(web, at_ms);
        } else if chance < 0.99 {
            self.static_request(web, at_ms);
        } else {
            self.probe(web, at_ms);
        }
    }

    /// What the proxy has by itself.
    fn static_request(&mut self, web: usize, at_ms: i64) {
        let path = self.pick(&STATIC);
        let path = path.replace("{id}", &self.rng.random_range(1000..9000).to_string());
        let status = match path.as_str() {
            "/robots.txt" | "/healthz" | "/" => 200,
            _ => *self.pick(&[&200, &200, &200, &304]),
        };
        let outcome = ProxyOutcome {
            status,
            took_ms: self.latency(1.2),
            error: None,
        };
        let bytes = match path.as_str() {
            "/healthz" => 3,
            "/robots.txt" => 118,
            _ if status == 200 => self.rng.random_range(300..90_000),
            _ => 0,
        };
        self.access(web, at_ms, &AccessEntry::nameless(&path, &outcome, bytes));
    }

    /// Somebody looks for holes.
    fn probe(&mut self, web: usize, at_ms: i64) {
        let path = self.pick(&PROBES);
        let outcome = ProxyOutcome {
            status: 404,
            took_ms: self.latency(0.8),
            error: None,
        };
        let entry = AccessEntry::nameless(path, &outcome, 153);
        self.access(web, at_ms, &entry);
        let error = format!("open() \"/srv/www{path}\" failed (2: No such file or directory)");
        self.proxy_error(web, at_ms, &entry, &error, None);
    }

    fn dynamic_request(&mut self, web: usize, at_ms: i64) {
        let route = &ROUTES[self.rng.random_range(0..ROUTES.len())];
        let user = self.rng.random_range(40_000..52_000);
        let word = self.pick(&WORDS);
        let number = self.rng.random_range(80_000..99_000).to_string();
        let path = route.path.replace("{id}", &number).replace("{word}", word);
        let id = format!("{:012x}", self.rng.random_range(0..1_u64 << 48));
        let request = WebRequest {
            at_ms,
            id,
            user,
            path,
            route,
        };
        let apis = self.apis.len();
        let api = (apis > 0).then(|| self.rng.random_range(0..apis));
        let outcome = self.service(api, &request);
        let end = at_ms + outcome.took_ms as i64 + 1;
        let bytes = if outcome.status < 400 {
            self.rng.random_range(120..6_000)
        } else {
            166
        };
        let user = format!("u{user}");
        let entry = AccessEntry {
            method: route.method,
            path: &request.path,
            outcome: &outcome,
            bytes,
            user: &user,
            id: Some(&request.id),
        };
        self.access(web, end, &entry);
        if let Some(error) = outcome.error {
            let upstream = api
                .map_or("api-1", |api| self.apis[api].name.as_str())
                .to_owned();
            self.proxy_error(web, end, &entry, error, Some(&upstream));
        }
    }

    /// What the service makes of it; without a service in the fleet, what the proxy hears of one.
    fn service(&mut self, api: Option<usize>, request: &WebRequest) -> ProxyOutcome {
        let own_ms = self.latency(request.route.base_ms * 0.4) + 1.0;
        let Some(api) = api else {
            return ProxyOutcome {
                status: 200,
                took_ms: own_ms * 2.5,
                error: None,
            };
        };
        let db = (request.user as usize).checked_rem(self.dbs.len());
        let weight = match (&self.incident, db) {
            (Some(incident), Some(db)) => incident.weight(db, request.at_ms),
            _ => 0.0,
        };
        if self.rng.random_bool(0.22 * weight) {
            return self.no_connection(api, request);
        }
        let stuck = self.rng.random_bool(0.6 * weight);
        let mut query_ms = self.latency(request.route.base_ms * 0.6);
        if stuck {
            query_ms += self.rng.random_range(900.0..9_000.0);
        } else if self.rng.random_bool(0.004) {
            query_ms += self.rng.random_range(300.0..1_800.0);
        }
        if let Some(db) = db {
            self.query(db, request, query_ms);
        }
        if query_ms > SERVICE_TIMEOUT_MS {
            return self.timed_out(api, request);
        }
        self.served(api, request, own_ms + query_ms)
    }

    fn served(&mut self, api: usize, request: &WebRequest, took_ms: f64) -> ProxyOutcome {
        let chance: f64 = self.rng.random_range(0.0..1.0);
        let status = match (request.route.method, chance) {
            (_, ..0.006) => 500,
            (_, ..0.02) => 404,
            ("POST", ..0.05) => 422,
            ("POST", _) => 201,
            _ => 200,
        };
        let end = request.at_ms + took_ms as i64;
        let is_slow = took_ms > SLOW_QUERY_MS;
        let (level, message) = match status {
            500 => ("error", "unhandled error"),
            422 => ("warn", "validation failed"),
            404 => ("warn", "not found"),
            _ if is_slow => ("warn", "slow request"),
            _ => ("info", "request completed"),
        };
        let entry = ServiceEntry {
            level,
            message,
            status,
            took_ms,
        };
        self.app_line(api, end, request, &entry);
        if status == 500 {
            self.null_pointer(api, end, request);
        } else if self.rng.random_bool(0.45) {
            self.service_note(api, request, took_ms);
        }
        ProxyOutcome {
            status,
            took_ms: took_ms + 1.0,
            error: None,
        }
    }

    /// The JSON line by which the service ends a request.
    fn app_line(&mut self, api: usize, at: i64, request: &WebRequest, entry: &ServiceEntry<'_>) {
        let Some(file) = self.apis[api].file(LineForm::AppJson) else {
            return;
        };
        let WebRequest {
            id,
            user,
            path,
            route,
            ..
        } = request;
        let ServiceEntry {
            level,
            message,
            status,
            took_ms,
        } = entry;
        let tail = format!(
            "\",\"level\":\"{level}\",\"msg\":\"{message}\",\"rid\":\"{id}\",\"user\":\"u{user}\",\"method\":\"{}\",\
             \"path\":\"{path}\",\"status\":{status},\"duration_ms\":{took_ms:.1}}}",
            route.method
        );
        self.write_around(at, file, "{\"time\":\"".to_owned(), tail);
    }

    fn service_note(&mut self, api: usize, request: &WebRequest, took_ms: f64) {
        let Some(file) = self.apis[api].file(LineForm::Service) else {
            return;
        };
        let thread = self.rng.random_range(1..24);
        let does = request.route.does;
        let note = self.pick(&[
            "cache miss, loading from database",
            "price list 2211 applied",
            "session refreshed",
            "stock checked in 2 warehouses",
            "event published to topic orders.v2",
            "feature flag new-basket=on",
        ]);
        let level = if self.rng.random_bool(0.3) {
            "DEBUG"
        } else {
            " INFO"
        };
        let at = request.at_ms + (took_ms * 0.5) as i64;
        let id = &request.id;
        let user = request.user;
        self.write(
            at,
            file,
            format!(
                " {level} [http-exec-{thread}] c.e.shop.web.{does} rid={id} user=u{user} - {note}"
            ),
        );
    }

    fn timed_out(&mut self, api: usize, request: &WebRequest) -> ProxyOutcome {
        let end = request.at_ms + SERVICE_TIMEOUT_MS as i64;
        let entry = ServiceEntry {
            level: "error",
            message: "database timeout",
            status: 504,
            took_ms: SERVICE_TIMEOUT_MS,
        };
        self.app_line(api, end, request, &entry);
        if self.rng.random_bool(0.35) {
            self.stack_trace(
                api,
                end,
                request,
                "orders-pool - statement not finished after 5000ms",
            );
        }
        let error = "upstream timed out (110: Connection timed out) while reading response header from upstream";
        ProxyOutcome {
            status: 504,
            took_ms: SERVICE_TIMEOUT_MS + 3.0,
            error: Some(error),
        }
    }

    fn no_connection(&mut self, api: usize, request: &WebRequest) -> ProxyOutcome {
        let took_ms = self.rng.random_range(1_000.0..1_400.0);
        let end = request.at_ms + took_ms as i64;
        let entry = ServiceEntry {
            level: "error",
            message: "connection pool exhausted",
            status: 503,
            took_ms,
        };
        self.app_line(api, end, request, &entry);
        if self.rng.random_bool(0.4) {
            self.stack_trace(
                api,
                end,
                request,
                "orders-pool - connection is not available, request timed out after 1000ms",
            );
        }
        let error =
            "upstream prematurely closed connection while reading response header from upstream";
        ProxyOutcome {
            status: 502,
            took_ms: took_ms + 2.0,
            error: Some(error),
        }
    }

    fn stack_trace(&mut self, api: usize, at: i64, request: &WebRequest, why: &str) {
        let Some(file) = self.apis[api].file(LineForm::Service) else {
            return;
        };
        let thread = self.rng.random_range(1..24);
        let WebRequest {
            id, user, route, ..
        } = request;
        let does = route.does;
        let more = self.rng.random_range(24..61);
        let tail = format!(
            " ERROR [http-exec-{thread}] c.e.shop.web.{does} rid={id} user=u{user} - {} {} failed\n\
             java.sql.SQLTransientConnectionException: {why}\n\
             \tat com.example.shop.db.Pool.take(Pool.java:181)\n\
             \tat com.example.shop.db.Transactions.inTransaction(Transactions.java:74)\n\
             \tat com.example.shop.orders.OrderRepository.load(OrderRepository.java:132)\n\
             \tat com.example.shop.web.{does}.handle({does}.java:58)\n\
             \tat com.example.shop.web.Dispatcher.dispatch(Dispatcher.java:213)\n\
             Caused by: java.net.SocketTimeoutException: Read timed out\n\
             \tat java.base/java.net.Socket$SocketInputStream.read(Socket.java:1099)\n\
             \t... {more} more",
            route.method, request.path
        );
        self.write(at, file, tail);
    }

    fn null_pointer(&mut self, api: usize, at: i64, request: &WebRequest) {
        let Some(file) = self.apis[api].file(LineForm::Service) else {
            return;
        };
        let thread = self.rng.random_range(1..24);
        let id = &request.id;
        let user = request.user;
        let does = request.route.does;
        let tail = format!(
            " ERROR [http-exec-{thread}] c.e.shop.web.{does} rid={id} user=u{user} - unhandled error\n\
             java.lang.NullPointerException: Cannot invoke \"Address.country()\" because \"user.address\" is null\n\
             \tat com.example.shop.tax.TaxRules.forUser(TaxRules.java:47)\n\
             \tat com.example.shop.web.{does}.handle({does}.java:91)\n\
             \tat com.example.shop.web.Dispatcher.dispatch(Dispatcher.java:213)\n\
             \tat java.base/java.lang.VirtualThread.run(VirtualThread.java:329)"
        );
        self.write(at, file, tail);
    }

    fn query(&mut self, db: usize, request: &WebRequest, took_ms: f64) {
        let Some(file) = self.dbs[db].file(LineForm::Database) else {
            return;
        };
        if took_ms < SLOW_QUERY_MS && !self.rng.random_bool(LOGGED_QUERIES) {
            return;
        }
        let process = self.rng.random_range(2000..2100);
        let statement = request.route.statement;
        let id = &request.id;
        if took_ms > SERVICE_TIMEOUT_MS {
            let at = request.at_ms + SERVICE_TIMEOUT_MS as i64 + 4;
            self.write(
                at,
                file,
                format!(" [{process}] shop@shop ERROR:  canceling statement due to user request"),
            );
            self.write(
                at,
                file,
                format!(" [{process}] shop@shop STATEMENT:  {statement} /* rid={id} */"),
            );
        } else {
            let at = request.at_ms + took_ms as i64;
            let tail = format!(
                " [{process}] shop@shop LOG:  duration: {took_ms:.3} ms  statement: {statement} /* rid={id} */"
            );
            self.write(at, file, tail);
        }
    }

    fn access(&mut self, web: usize, at: i64, entry: &AccessEntry<'_>) {
        let Some(file) = self.webs[web].file(LineForm::Access) else {
            return;
        };
        let client = self.client();
        let AccessEntry {
            method,
            path,
            bytes,
            user,
            ..
        } = *entry;
        let agent = match (path, user) {
            ("/healthz", _) => "health-probe/1.0",
            (_, "-") => self.pick(&ANYBODY),
            _ => self.pick(&PEOPLE),
        };
        let referer = if user == "-" {
            "-"
        } else {
            self.pick(&["https://shop.example/", "https://shop.example/cart", "-"])
        };
        let status = entry.outcome.status;
        let seconds = entry.outcome.took_ms / 1000.0;
        let id = entry.id.unwrap_or("-");
        let tail = format!(
            "] \"{method} {path} HTTP/1.1\" {status} {bytes} \"{referer}\" \"{agent}\" rt={seconds:.3} rid={id}"
        );
        self.write_around(at, file, format!("{client} - {user} ["), tail);
    }

    fn proxy_error(
        &mut self,
        web: usize,
        at: i64,
        request: &AccessEntry<'_>,
        error: &str,
        upstream: Option<&str>,
    ) {
        let AccessEntry { method, path, .. } = *request;
        let Some(file) = self.webs[web].file(LineForm::ProxyError) else {
            return;
        };
        let client = self.client();
        let connection = self.rng.random_range(10_000..99_999);
        let upstream = upstream
            .map(|name| format!(", upstream: \"http://{name}:8080{path}\""))
            .unwrap_or_default();
        let tail = format!(
            " [error] 811#811: *{connection} {error}, client: {client}, server: shop.example, \
             request: \"{method} {path} HTTP/1.1\"{upstream}, host: \"shop.example\""
        );
        self.write(at, file, tail);
    }

    /// An address of the networks that are set aside for documentation.
    pub(super) fn client(&mut self) -> String {
        let net = self.pick(&["192.0.2", "198.51.100", "203.0.113"]);
        format!("{net}.{}", self.rng.random_range(1..255))
    }
}
