//! Every type of object, its fields, and what they mean.

use super::types::SchemaType::{
    Any, Bool, Count, Cursor, List, Number, Object, Raw, Text, Time, Word,
};
use super::types::{Kind, SchemaField, SchemaType};

const fn field(name: &'static str, form: SchemaType, about: &'static str) -> SchemaField {
    SchemaField {
        name,
        form,
        nullable: false,
        about,
    }
}

const fn perhaps(name: &'static str, form: SchemaType, about: &'static str) -> SchemaField {
    SchemaField {
        name,
        form,
        nullable: true,
        about,
    }
}

const HOST: SchemaField = field("host", Text, "its name");
const OF_HOST: SchemaField = field("host", Text, "name of the host");
const OF_SOURCE: SchemaField = field("source", Text, "name of the source");

const STATES: SchemaType = Word(&[
    "ok",
    "degraded",
    "connecting",
    "unreachable",
    "denied",
    "throttled",
    "timeout",
    "host-key-changed",
]);
const LEVELS: SchemaType = Word(&["trace", "debug", "info", "notice", "warn", "error", "fatal"]);

const TIME: SchemaField = field("time", Time, "when it was written");
const TIME_FROM: SchemaField = field(
    "time_from",
    Word(&["stamp", "previous", "arrival"]),
    "where that comes from: a stamp in the line, the line before it, or when it arrived",
);
const LEVEL: SchemaField = perhaps("level", LEVELS, "the level that it states");
const CURSOR: SchemaField = field(
    "cursor",
    Cursor,
    "its name, for --cursor, --after and context",
);
const TEXT: SchemaField = field("text", Raw, "the line, without its line end");
const CONTINUES: SchemaField = field(
    "continues",
    Bool,
    "it belongs to the record of the line before it in its source: a stack trace, a statement",
);
const FIELDS: SchemaField = perhaps(
    "fields",
    Any,
    "what the line says under names, nested ones with dots; the first 512 of them",
);
const IDS: SchemaField = field(
    "ids",
    Object(&[
        perhaps("request", Raw, "of the request"),
        perhaps("trace", Raw, "of the trace"),
        perhaps("span", Raw, "of the span"),
        perhaps("user", Raw, "of the user"),
    ]),
    "what ties the line to others",
);
const NEAR: SchemaType = Object(&[TIME, TIME_FROM, LEVEL, CURSOR, TEXT, CONTINUES]);

const FACTS: SchemaType = Object(&[
    field("os", Text, "kernel, in lower case"),
    field("kernel", Text, "its release"),
    field("arch", Text, "machine"),
    field("hostname", Text, "what the host calls itself"),
    field("cores", Count, "processors that are online"),
    field(
        "memory_bytes",
        Count,
        "physical memory; 0 where the host does not say",
    ),
    field(
        "uptime_s",
        Count,
        "seconds since it was started; 0 where the host does not say",
    ),
    perhaps("clock_offset_ms", Number, "its clock minus ours"),
    perhaps(
        "clock_error_ms",
        Number,
        "the offset is right to within this",
    ),
    perhaps(
        "by_ssh",
        Text,
        "why the system's ssh is used in place of the built-in client, where hosts.toml does not say so",
    ),
]);

const SOURCES: SchemaType = List(&Object(&[
    field("name", Text, "name of the source"),
    field("path", Text, "its file, or what it is made of"),
    perhaps("problem", Text, "why nothing comes from it"),
    perhaps(
        "stamps",
        Text,
        "the format of its time stamps; none, or unknown-zone where it names a zone of several meanings: lines have the time of \
         their arrival",
    ),
]));

const SHARE: SchemaField = perhaps("some_pct", Number, "of the time, something waited");
const FULL: SchemaField = perhaps("full_pct", Number, "of the time, everything waited");

const ENDPOINT: &[SchemaField] = &[
    HOST,
    perhaps(
        "address",
        Text,
        "what is dialled; null: its name, or what ssh_config says",
    ),
    perhaps("port", Count, "null: what ssh_config says"),
    perhaps("user", Text, "null: what ssh_config says"),
    field("identity", List(&Text), "key files"),
    field("known_hosts", List(&Text), "files of host keys"),
    perhaps(
        "host_keys",
        Word(&["strict", "accept-new"]),
        "an unknown host key, where ssh_config is not strict; null: what ssh_config says, or strict",
    ),
];

/// Every type of objects.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "line",
        about: "a line, of tail, read, context and --once",
        fields: &[
            OF_HOST, OF_SOURCE, TIME, TIME_FROM, LEVEL, CURSOR, TEXT, CONTINUES, FIELDS, IDS,
        ],
    },
    Kind {
        name: "hit",
        about: "a line that search has found: a line with those around it",
        fields: &[
            OF_HOST,
            OF_SOURCE,
            TIME,
            TIME_FROM,
            LEVEL,
            CURSOR,
            TEXT,
            CONTINUES,
            FIELDS,
            IDS,
            field(
                "before",
                List(&NEAR),
                "the lines before it, as many as were asked for, oldest first",
            ),
            field("after", List(&NEAR), "the lines after it"),
        ],
    },
    Kind {
        name: "gap",
        about: "bytes that are lost, or cannot be proven to have been shown",
        fields: &[
            OF_HOST,
            OF_SOURCE,
            field("from", Count, "offset of the first"),
            perhaps("to", Count, "offset after the last; null: nobody can know"),
            perhaps("bytes", Count, "how many"),
            field(
                "reason",
                Word(&[
                    "truncated",
                    "rotated-away",
                    "line-too-long",
                    "nul-bytes",
                    "overflow",
                ]),
                "why they are missing",
            ),
            perhaps(
                "since",
                Time,
                "when the last byte before it was read, by our clock",
            ),
            field("until", Time, "when it was noticed, by our clock"),
        ],
    },
    Kind {
        name: "count",
        about: "a host, of search --count",
        fields: &[OF_HOST, field("hits", Count, "lines that match")],
    },
    Kind {
        name: "bucket",
        about: "a span of time of a source, of histogram; spans without a line have none, and of one span several may \
                come, which are to be added",
        fields: &[
            OF_HOST,
            OF_SOURCE,
            field("time", Time, "when it begins"),
            field(
                "until",
                Time,
                "when it ends; the first moment that is not in it",
            ),
            field("lines", Count, "lines in it that match"),
            field(
                "levels",
                Object(&[
                    field("none", Count, "lines that state no level"),
                    field("trace", Count, ""),
                    field("debug", Count, ""),
                    field("info", Count, ""),
                    field("notice", Count, ""),
                    field("warn", Count, ""),
                    field("error", Count, ""),
                    field("fatal", Count, ""),
                ]),
                "the same by level",
            ),
        ],
    },
    Kind {
        name: "source",
        about: "a source, of sources",
        fields: &[
            OF_HOST,
            field("name", Text, "name of the source"),
            field("path", Text, "its live file, or what it is made of"),
            field(
                "kind",
                Text,
                "file, journal, or another word before the colon of its path",
            ),
            perhaps("problem", Text, "why nothing comes from it"),
            field(
                "files",
                List(&Object(&[
                    field("path", Raw, "as the host spells it"),
                    field("bytes", Count, "its size on disk"),
                    field(
                        "packing",
                        Word(&["plain", "gzip", "bzip2", "xz", "zstd"]),
                        "how its text is stored",
                    ),
                    field("modified", Time, "when it was last written to"),
                ])),
                "oldest first, the live one last",
            ),
        ],
    },
    Kind {
        name: "cost",
        about: "what a question would cost a host for a source, of --explain",
        fields: &[
            OF_HOST,
            OF_SOURCE,
            field("bytes", Count, "that would be read from disk"),
            field(
                "files",
                List(&Object(&[
                    field("path", Text, "as the host spells it"),
                    field("bytes", Count, "of this file"),
                ])),
                "files that would be read",
            ),
            field(
                "commands",
                List(&Text),
                "programs that would read them, as a person would type them; none where this one would",
            ),
        ],
    },
    Kind {
        name: "note",
        about: "something that a reader of the answer should know: a source is not in order, a file is damaged; or, where nothing matches, how the query was read",
        fields: &[
            perhaps(
                "host",
                Text,
                "name of the host; null: of the answer as a whole",
            ),
            perhaps("source", Text, "name of the source; null likewise"),
            field("text", Text, "what"),
            field(
                "failed",
                Bool,
                "the source could not be read, or not further: the answer is not complete",
            ),
        ],
    },
    Kind {
        name: "host",
        about: "a host, when it is done or its state is final",
        fields: &[
            HOST,
            field("state", STATES, "how it is"),
            perhaps("reason", Text, "what was being done and why it failed"),
            perhaps("facts", FACTS, "what it says of itself"),
            perhaps(
                "driver",
                Word(&["local", "shell", "agent"]),
                "how it was asked; null: it was never reached",
            ),
            perhaps("hint", Text, "what can be done about the reason"),
            perhaps(
                "behind_s",
                Count,
                "how old what was told last is: its link is slower than its logs",
            ),
            field(
                "sources",
                SOURCES,
                "its sources, as far as they were heard of",
            ),
        ],
    },
    Kind {
        name: "metric",
        about: "the metrics of a host, after its host: of metrics, tail and --once",
        fields: &[
            OF_HOST,
            perhaps("time", Time, "by the host's clock"),
            perhaps(
                "cpu",
                Object(&[
                    field("busy_pct", Number, "without iowait, with steal"),
                    field("iowait_pct", Number, "idle with a disk under way"),
                    field("steal_pct", Number, "taken by other guests"),
                    field("user_pct", Number, "in programs"),
                    field("system_pct", Number, "in the kernel"),
                    field("cores", Count, "processors"),
                    field(
                        "low_confidence",
                        Bool,
                        "over too short a time to be believed",
                    ),
                ]),
                "over window_ms; null with one sample only",
            ),
            perhaps(
                "load",
                Object(&[
                    field("1m", Number, ""),
                    field("5m", Number, ""),
                    field("15m", Number, ""),
                ]),
                "load averages",
            ),
            perhaps(
                "memory",
                Object(&[
                    field("total_bytes", Count, ""),
                    field("available_bytes", Count, "could be had without swapping"),
                    field("used_pct", Number, "what is not available"),
                ]),
                "memory",
            ),
            perhaps(
                "swap",
                Object(&[
                    field("total_bytes", Count, ""),
                    field("used_bytes", Count, ""),
                    field("used_pct", Number, ""),
                ]),
                "null where there is none",
            ),
            perhaps(
                "psi",
                Object(&[
                    field("cpu", Object(&[SHARE]), "pressure on the CPU"),
                    field("memory", Object(&[SHARE, FULL]), "on memory"),
                    field("io", Object(&[SHARE, FULL]), "on disks"),
                ]),
                "pressure; null where the kernel does not measure it",
            ),
            field(
                "disks",
                List(&Object(&[
                    field("mount", Text, "where it is mounted"),
                    field("device", Text, ""),
                    field("fs", Text, "kind of file system"),
                    field("total_bytes", Count, ""),
                    field("used_bytes", Count, ""),
                    field("available_bytes", Count, ""),
                    field("used_pct", Number, "as df(1) has it, rounded up"),
                    perhaps("inodes_used_pct", Number, ""),
                ])),
                "file systems",
            ),
            field(
                "network",
                List(&Object(&[
                    field("interface", Text, ""),
                    field("rx_bytes_per_s", Number, ""),
                    field("tx_bytes_per_s", Number, ""),
                    field("rx_errors_per_s", Number, ""),
                    field("tx_errors_per_s", Number, ""),
                ])),
                "physical interfaces",
            ),
            field(
                "io",
                List(&Object(&[
                    field("device", Text, ""),
                    field("read_bytes_per_s", Number, ""),
                    field("write_bytes_per_s", Number, ""),
                    perhaps("read_await_ms", Number, ""),
                    perhaps("write_await_ms", Number, ""),
                    field("queue", Number, ""),
                    field("util_pct", Number, ""),
                ])),
                "whole disks",
            ),
            perhaps(
                "window_ms",
                Count,
                "time between the two samples that rates are made of",
            ),
            perhaps("uptime_s", Number, "seconds since the host was started"),
        ],
    },
    Kind {
        name: "inventory",
        about: "a host, of hosts",
        fields: &[
            HOST,
            perhaps(
                "address",
                Text,
                "what is dialled; null: its name, or what ssh_config says",
            ),
            perhaps("port", Count, "null: what ssh_config says"),
            perhaps("user", Text, "null: what ssh_config says"),
            field("identity", List(&Text), "key files"),
            field("known_hosts", List(&Text), "files of host keys"),
            perhaps(
                "host_keys",
                Word(&["strict", "accept-new"]),
                "an unknown host key; null: what ssh_config says, or strict",
            ),
            field(
                "transport",
                Word(&["auto", "russh", "system", "local"]),
                "how it is reached",
            ),
            field(
                "via",
                List(&List(&Object(ENDPOINT))),
                "routes, each a list of hops",
            ),
            field("tags", List(&Text), "labels"),
            field(
                "sources",
                List(&Any),
                "as the inventory has them: name, time, and where their bytes come from",
            ),
        ],
    },
    Kind {
        name: "explanation",
        about: "what becomes of a query, of --explain",
        fields: &[
            field("query", Text, "as it was understood"),
            field(
                "times",
                List(&Object(&[
                    field("text", Text, "as it was written"),
                    perhaps("from", Text, "the first moment that is meant"),
                    perhaps("to", Text, "the first that is not any more"),
                ])),
                "the times in it",
            ),
            perhaps(
                "asked",
                Object(&[
                    perhaps("from", Text, ""),
                    perhaps("to", Text, ""),
                    perhaps(
                        "grep",
                        Any,
                        "options and patterns; null where all lines are needed",
                    ),
                ]),
                "what a host is asked; null where no line can match",
            ),
            field(
                "checked",
                List(&Text),
                "terms that are looked at afterwards in each line",
            ),
        ],
    },
    Kind {
        name: "summary",
        about: "a run, always last",
        fields: &[
            field(
                "hosts",
                Object(&[
                    field("total", Count, "that were asked"),
                    perhaps(
                        "ok",
                        Count,
                        "that gave everything they were asked for; null where none was asked",
                    ),
                    perhaps("failed", Count, "the others"),
                ]),
                "of hosts, how many",
            ),
            field("lines", Count, "line objects"),
            field("hits", Count, "hit objects, or lines that were counted"),
            field("gaps", Count, "gap objects"),
            field("bytes_read", Count, "that came from hosts"),
            perhaps("complete_to", Time, "every line before it was seen"),
            field("elapsed_ms", Count, "how long it took"),
            field("exit", Count, "the exit status"),
            perhaps(
                "bytes_scanned",
                Count,
                "bytes that the hosts looked at; of a compressed file as many as it has on disk, not those of its text; null where they were not asked",
            ),
            perhaps(
                "more",
                Bool,
                "a limit ended an answer; null where they were not asked",
            ),
            field(
                "pages",
                List(&Object(&[
                    OF_HOST,
                    OF_SOURCE,
                    field(
                        "first",
                        Cursor,
                        "its first line: go back with --backwards --cursor",
                    ),
                    field("last", Cursor, "its last line: go on with --after"),
                ])),
                "of read and context: where the page of each source begins and ends",
            ),
        ],
    },
];
