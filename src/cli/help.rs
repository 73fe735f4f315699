//! The prose of `--help`.

/// One line, for the top of `-h` and of the man page.
pub(super) const ABOUT: &str =
    "Follow, search and page the logs of a fleet over SSH, beside the hosts' metrics";

/// The first paragraph of `--help`.
pub(super) const LONG_ABOUT: &str = "\
Follow, search and page the logs of a fleet over plain SSH, beside the hosts' metrics, with no central server and \
nothing to install on the hosts.

Without a subcommand it opens the console; with --once it prints one bounded pass and exits. For scripts there are sources, tail, search, read, context, histogram and metrics. With neither an inventory \
nor --hosts it shows the logs of this machine.";

/// `--hosts` in `-h`.
pub(super) const HOSTS_BRIEF: &str =
    "Open these hosts: groups, names, globs, tag:NAME, !EXCLUDED, user@host:port, host:/path";

/// `--hosts` in `--help`.
pub(super) const HOSTS: &str = "\
Open these hosts: groups, names, globs, tag:NAME, !EXCLUDED, user@host:port, host:/path

Comma-separated, and may be given more than once. Each part is a group, a host, a glob over host names (web-*, \
db-[12]), tag:NAME, group:NAME, or a target that needs no inventory: ops@10.0.0.7:2222, [::1]:22, mybox (as \
~/.ssh/config knows it). A path after a part, as in web-1:/var/log/app.log, follows just that file there. What !PART \
names is left out, wherever it stands. With an inventory, an unknown bare name is taken for a typing error; ssh://NAME \
dials it all the same. Without --hosts: all hosts of the inventory.";

/// The end of `-h`.
pub(super) const AFTER_HELP: &str = "\
`logtrail-tui demo` needs no set-up; `logtrail-tui --help` has examples and exit codes.";

/// The end of `--help`.
pub(super) const AFTER_LONG_HELP: &str = "\
Examples:
  logtrail-tui --hosts prod                         the console on a group of the inventory
  logtrail-tui --hosts 'prod,web-*,!web-3'          groups and globs, without one host
  logtrail-tui --hosts ops@10.0.0.7:2222            a host that is in no inventory
  logtrail-tui --hosts web-1:/var/log/app.log       one file of one host
  logtrail-tui --hosts prod --once --grep 'level>=error -healthz'
                                                    errors in the last 1000 lines of each source
  logtrail-tui --hosts prod --once --json | jq .    the same and the metrics, for a pipe
  logtrail-tui search --hosts prod --since 2h 'no stock'
                                                    all files of all hosts, rotated ones too
  logtrail-tui read --hosts web-1 --at 'yesterday 03:14'
                                                    what was written then
  logtrail-tui tail -f --hosts prod --source 'nginx*'
                                                    what is written there from now on
  logtrail-tui hosts --hosts tag:db                 check a selection; connects to nothing
  logtrail-tui demo --size 20                       a fleet inside this process

Exit codes:
  0  every host gave everything that it was asked for
  1  the same, and search found nothing
  2  usage or configuration; nothing was connected
  3  partial: a host or one of its sources failed, or bytes were lost
  4  no host answered
A closed pipe ends the program quietly with 0.

Files and environment:
  ~/.config/logtrail/hosts.toml  the inventory (on macOS in ~/Library/Application Support/logtrail)
  LOGTRAIL_HOSTS                 an inventory elsewhere; --config goes before it
  LOGTRAIL_LOG                   the filter of --log-file, as in debug or logtrail::transport=trace
  NO_COLOR                       no colours, when set and not empty

`logtrail-tui man` prints the whole manual: the query language, hosts.toml and the commands; \
`logtrail-tui man json` the JSON Lines.";
