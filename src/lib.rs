//! The library behind `logtrail-tui`: a console over a fleet that is reachable by SSH and by
//! nothing else.
//!
//! # The map
//!
//! Modules in the order in which data flows. Each imports only from those above it, never in a
//! circle; the test `structure` reads every `use` and holds the table.
//!
//! | module | owns | imports |
//! |---|---|---|
//! | [`model`] | The nouns: host, source, line, record, cursor, gap, sample, level, link state, prompt, safe text, update. Data and pure functions of data. | – |
//! | [`clock`] | The wall clock of this machine. Nothing else reads it. | model |
//! | [`parse`] | From bytes to meaning: timestamps, levels, fields, which lines are one record, how a line is shown. | model |
//! | [`metrics`] | Readings of `/proc` and `df` to samples and rates. | model |
//! | [`query`] | The query language, what it means for a line, and what can be asked of hosts ([`query::request`]). | model, parse |
//! | [`files`] | Log files of any host: what can be asked of them, and what their names say of rotation. No I/O. | model, parse, query |
//! | [`engine`] | The work on files itself, on the machine it runs on: list, read, measure, scan. Synchronous; knows no network and no terminal. | model, parse, query, files |
//! | [`transport`] | Reaching a host: SSH, the system's `ssh`, a local child; authentication, host keys, jump routes, the connection budget, back-off. Yields byte streams. | model, clock |
//! | [`host`] | One host's operations and its supervision: follow files ([`host::shell`]) and programs ([`host::programs`]), and read back, seek, search, count ([`host::search`], over either driver of [`host::Files`]: plain `sh` over a channel, `engine` on this machine). | model, clock, parse, metrics, query, files, engine, transport |
//! | [`fleet`] | Many hosts into one ordered, bounded stream: merge by time, ledger; and requests, to many hosts at once too ([`fleet::FanOut`]). | model, clock, query, transport, host |
//! | [`stages`] | From one feed of updates to the next: lines that match, gaps that are filled; and how far what came out was printed. | model, clock, query, fleet |
//! | [`scrollback`] | What is remembered: rings with a byte budget, the window on the past before them, lenses, metric series, the host table. No clock, no runtime. | model, query |
//! | [`layout`] | Where things go on the screen: its areas, the columns of a log pane, what of a line goes into them. Pure, without colours. | model, parse, scrollback |
//! | [`app`] | What the operator is doing: panes, focus, keymap, prompts. `update(Event, now) -> Vec<Effect>`; no I/O. | model, parse, query, scrollback, layout |
//! | [`view`] | `&App` to cells: text, theme roles. No state, no I/O. | model, parse, query, scrollback, layout, app |
//! | [`report`] | The same data as text or JSON Lines, for scripts. | model, clock, parse, query, fleet, stages |
//! | [`tui`] | The terminal and the loop: enter and leave, input, pacing, effects. | model, clock, query, transport, fleet, scrollback, app, view |
//! | [`demo`] | A fleet of SSH servers in this process with living logs. | model, clock |
//! | [`cli`] | What was typed. | model, query, report, demo |
//! | [`config`] | What it means: flags over environment over file over defaults. | model, clock, parse, query, transport, fleet, report, cli |
//! | [`commands`] | The use cases, one file each: puts the parts together and runs them. Prompts on a terminal without a console. | model, clock, query, transport, fleet, stages, report, tui, demo, cli, config |
//!
//! A good place to start reading: [`model::update`], the one type through which everything learns
//! of the fleet; then `host/shell/follow/follow.sh` and [`files::follow`], which are both halves of
//! following a file. For what has been written before: [`query::request`], which is all that can be
//! asked and answered, then [`host::ask`] and [`host::search`].
//!
//! # The nouns
//!
//! | noun | what it is | where |
//! |---|---|---|
//! | host | A machine whose logs are read: its names, how it is reached, its sources. | `model::host` |
//! | endpoint | One SSH server on the way to a host: a jump host, or the host itself. | `model::host` |
//! | source | A log of a host: a file, a unit of the journal, a container, the output of a command. | `model::source` |
//! | line | What a source has between two line ends, with its cursor, time and level. | `model::line` |
//! | fleet line | A line with its host and source. | `model::line` |
//! | record | A whole entry of a log: a first line, and those that continue it (a stack trace). | `model::record`, `parse::multiline` |
//! | cursor | Where a line begins: a file and an offset. | `model::cursor` |
//! | line ref | A cursor with a checksum of its line, which recognises the line in a copy. | `model::cursor` |
//! | read position | How far a file was read or printed, so that another run goes on there. | `model::read_position` |
//! | gap | Bytes that could not be shown, in the stream where they are missing, with the reason. | `model::gap` |
//! | backfill | Reading the lines of a gap after the fact. | `model::backfilled` |
//! | generation | One of the files that a log consists of over its rotations: the live one, or a rotated one. | `files::rotation` |
//! | followed file | A generation that is being followed, and how far it was read. | `files::follow` |
//! | observation, request, outcome | What a driver saw of followed files, what it is to do, and what has come of it. | `files::follow` |
//! | fingerprint | A checksum of the bytes before an offset, by which a file is recognised under another name or number. | `files::follow` |
//! | compression | How the text of a file is stored: plain, gzip, xz, … | `model::log_file` |
//! | timestamp | The time as a line has it written; a *notation* is a way to write it. | `parse::timestamp` |
//! | level | How grave a line says it is. | `model::level`, `parse::level` |
//! | dialect | What the lines of a source mean that no line says by itself: how its numbers of levels count, which word is the level, the names of its columns. | `model::dialect`, `parse::dialect` |
//! | field | A name and a value in a line. | `parse::fields` |
//! | query | What a line must be to be found, shown or kept; made of terms. | `query::ast`, `query::matcher` |
//! | match input | The line and what is known of it, as a query sees them. | `query` |
//! | prefilter | What a host's `grep` looks for in place of a query: wider, never narrower. | `query::grep` |
//! | log request, response | What hosts are asked about their logs (a page, a search, a histogram), and each part of the answer. | `query::request` |
//! | prompt | What only a person can answer while a host is reached: a password, an unknown host key. | `model::prompt` |
//! | connection | An authenticated link to a host, on which shells are opened. | `transport` |
//! | plan | What is decided about one server before it is dialled. | `transport::plan` |
//! | driver | What does the work on a host: a shell over SSH, or `engine` on this machine. Each kind of work has a trait: reading files, following, describing, sampling, running programs. | `host::driver` |
//! | session | A channel of a connection in which a shell runs; servers limit how many there are. | `transport::sessions` |
//! | outbox | The bounded queue of what a host has for the fleet. | `host::outbox` |
//! | sample | Metrics of a host over a window of time; computed from two readings of counters. | `model::metrics`, `metrics::rates` |
//! | update | One change of the picture of the fleet; the only way anything learns of it. | `model::update` |
//! | feed | A stream of updates. | `fleet` |
//! | stage | Makes another feed of a feed: grep, backfill. | `stages` |
//! | watermark | The time up to which every host has been read, so that no earlier line can come. | `fleet::merge` |
//! | ledger | How complete the picture is: hosts, bytes, gaps, lines that came late. | `model::update` |
//! | pane | A part of the console's screen with a state of its own. | `app::pane` |
//! | lens | Which lines a pane shows, kept while lines come and go. | `scrollback` |
//!
//! A type has a name of its own in the crate; `tests/it/names.rs` lists the exceptions.
//!
//! # Where to add something
//!
//! | what | where |
//! |---|---|
//! | a metric | `metrics` reads it, `model::metrics` names it, `view::metrics` draws it, `report::json` and `report::schema` print it |
//! | a file of `/proc` that is sampled | `metrics::PROC_FILES`; `host/shell/follow/follow.sh` sends what is listed there |
//! | a key, or an action of the console | the table in `app::actions`; `app::dispatch` and `app::log_actions` do it; help, man page and completions follow |
//! | a kind of pane | a variant of `app::pane::Pane` and a file of `app::pane` with its state; a file of `view` draws it |
//! | a colour | the roles in `view::theme` |
//! | a column of log panes | `layout::columns`; `view::log::lines` draws it |
//! | what is made of every line of every source | `parse::line_reader` |
//! | a format of timestamps | a row and a parser in `parse::timestamp::notation`; in fields with a name: `parse::timestamp::fields` |
//! | a way to state a level | `parse::level`: `words` before the message and `glued` to others, `marks` at fixed places, `members` with a name, `crashes` |
//! | a way to count levels | a row and the steps of `parse::level::scales` |
//! | columns with names | a head: `parse::dialect`; a shape that needs none: `parse::named_columns` |
//! | a format of fields | `parse::fields` |
//! | what goes on with a record | `parse::multiline::shape` |
//! | a term of the query language | `query::ast`, `query::parse`, `query::matcher`, `query::print`; `query::language` documents it |
//! | what a host can be asked | `query::request`; `host::search` answers for files, `host::programs` for programs |
//! | a compression | the table of `model::log_file`; `engine::unpack`; `unpack` in `follow.sh` and `files.sh`, which a test holds against the table |
//! | a rotation scheme | `files::rotation`, whose separators and endings are in the patterns of both scripts; `generations` in `follow.sh` and `look_over` in `files.sh` |
//! | something that may happen to a followed file | `files::follow`, and the model host of its tests |
//! | a request to a script | the table at the top of the `protocol` of `host::shell::follow`, `host::shell::files` or `host::shell::programs`; the script, with the same words; the lists of `shell::tests::vocabulary` |
//! | a fact of a host | `host::driver::facts` makes it of raw values; `describe.sh` with `host::shell::describe`, and `host::local`, read these |
//! | a program whose lines are followed | `host::programs::argv` (its command lines), `host::programs::discovery` (what there is), `host::programs::kind` and, for its past, `host::programs::past_stream` |
//! | another driver of a host | the traits of `host::driver::files` (and `tests/it/conformance.rs`), of `host::driver::follow` (and a world for the suite in its tests) and of `host::driver::programs` (with a suite, too) |
//! | when files are looked at, or metrics read | `host::session` |
//! | a transport | `model::host::TransportKind`, `transport::route` |
//! | a use of the sessions of a connection | the table of `transport::sessions` |
//! | an option of OpenSSH | `transport::openssh` reads it, `transport::plan` decides; algorithms: `transport::algorithms` |
//! | a reason why a host is not reached | `transport::failure`, and the tables of `tests/it/logins.rs` |
//! | a key of the inventory | `config::file` reads it, `config::inventory` checks it, `hosts.example.toml` shows it |
//! | a flag or a subcommand | `cli`; `config` says what it means; `commands` has a file for each use case |
//! | a stage between the fleet and what shows or prints it | a file of `stages`, which is a [`fleet::Feed`] over another; `commands` puts it in |
//! | a JSON field | `report::json`, and `report::schema`, which a test holds against it |
//! | a room, or an import between rooms | the table above and that of `tests/it/structure.rs`, which holds it |
//! | a test with a real server | `tests/it`; what it needs is in `tests/it/support` |
//!
//! # Invariants
//!
//! * **A host's failure is a value.** It is a [`model::state::HostStatus`] in an update; no `Err`
//!   of one host reaches another.
//! * **Nothing a user types is executed on a host.** Every remote command line is the constant
//!   `exec /bin/sh -s`; the script is constant, and paths, patterns and texts reach it as data on
//!   standard input. What the inventory has as the `command` of a source is run word by word, and
//!   no shell reads the words.
//! * **Plain mode writes nothing on a host**: the kernel would kill it for trying (`ulimit -f 0`),
//!   and nothing of it outlives its connection: it ends when its standard input does. It ends its
//!   own processes and no others: they run in a session of their own (`host/shell/launch.sh`).
//! * **The same answer by every driver.** What is made of files is made once, in [`host::search`];
//!   drivers only list, read, measure and scan, and the suite `conformance` holds them against each
//!   other. What the host's `grep` lets through is wider than the query, which is checked here.
//! * **An answer that is not whole says so**: a source that failed, a note, a gap, or that there is
//!   more.
//! * **A shell never sends unasked.** The console asks for a look at all files, and each look
//!   brings a bounded piece; so a slow terminal slows down the asking, and the lines stay where
//!   they are safe.
//! * **No loss is silent.** Bytes that cannot be shown are a [`model::gap::Gap`], at their place in
//!   the stream. Lines of a generation are sent only after a listing has shown that no other came
//!   between it and the one before. (What is written and destroyed between two looks leaves no
//!   trace; CHANGELOG.md names the cases.)
//! * **An offset is believed only together with the bytes before it**; inode numbers and sizes lie.
//! * **Every queue is bounded in bytes** and waits when it is full, back to the host.
//! * **Text from outside reaches a widget only as [`model::text::SafeText`].**
//! * **The loop of the console awaits nothing but its own `select!`**; a dead host cannot hold up a
//!   key.
//! * **Time and chance are arguments** of whatever decides; only edges read a clock.

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod engine;
pub mod files;
pub mod fleet;
pub mod host;
pub mod layout;
pub mod metrics;
pub mod model;
pub mod parse;
pub mod query;
pub mod report;
pub mod scrollback;
pub mod stages;
pub mod transport;
pub mod tui;
pub mod view;
