//! What is typed and written against the plan that it comes to.

mod mistakes;
mod selection;

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;

use super::file::{ConfigText, HOST_KEYS, SOURCE_KEYS};
use super::*;
use crate::model::source::{
    ContainerEngine, ContainerSelector, PodSelector, SourceKind, SourceSpec,
};

/// A folder with a `hosts.toml` and an environment in which nothing else exists.
struct World {
    folder: TempDir,
    env: ProcessEnvironment,
}

impl World {
    fn new(hosts: &[u8]) -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        fs::write(folder.path().join("hosts.toml"), hosts).expect("a file in it");
        let env = ProcessEnvironment {
            home: Some(folder.path().join("home")),
            ..ProcessEnvironment::default()
        };
        Self { folder, env }
    }

    fn file(&self) -> String {
        self.folder.path().join("hosts.toml").display().to_string()
    }

    /// The plan of a command line, after `--config` with the file; errors without the name of the
    /// folder.
    fn plan(&self, options: &[&str]) -> Result<RunPlan, String> {
        let file = self.file();
        self.plan_of(["--config", &file].iter().chain(options))
    }

    fn plan_of<'a>(
        &self,
        options: impl IntoIterator<Item = &'a &'a str>,
    ) -> Result<RunPlan, String> {
        let line = ["logtrail-tui"].iter().chain(options).copied();
        let args = CliArgs::try_parse_from(line).expect("a valid command line");
        let folder = format!("{}/", self.folder.path().display());
        load(&args, &self.env).map_err(|error| error.to_string().replace(&folder, ""))
    }
}

fn plan(hosts: &str, options: &[&str]) -> Result<RunPlan, String> {
    World::new(hosts.as_bytes()).plan(options)
}

/// Names of the selected hosts.
fn names(hosts: &str, selection: &str) -> Result<String, String> {
    let plan = plan(hosts, &[&format!("--hosts={selection}")])?;
    Ok(plan
        .hosts
        .iter()
        .map(|host| host.name().to_string())
        .collect::<Vec<_>>()
        .join(" "))
}

const FLEET: &str = r#"
[defaults]
user = "ops"
[hosts.web-1]
tags = ["web"]
[hosts.web-2]
tags = ["web"]
[hosts.web-3]
tags = ["web", "canary"]
[hosts.db-1]
tags = ["db"]
sources = [{ name = "pg", journal = "postgresql.service" }]
[hosts.localhost]
[groups]
prod = ["group:core", "web-*", "!web-3"]
core = ["tag:db"]
nobody = []
"#;

#[test]
fn localhost_is_this_machine_unless_something_says_how_to_log_in() {
    let local = |hosts: &str, options: &[&str]| {
        plan(hosts, options).expect("a plan").hosts[0]
            .transport
            .clone()
    };
    assert_eq!(
        local(FLEET, &["--hosts", "localhost"]),
        TransportKind::Local
    );
    assert_eq!(
        local("[hosts.a]", &["--hosts", "localhost:/var/log/syslog"]),
        TransportKind::Local
    );
    assert_eq!(
        local("[hosts.localhost]\ntransport = \"auto\"", &[]),
        TransportKind::Local
    );
    for own in [
        "port = 2222",
        "user = \"ann\"",
        "address = \"127.0.0.1\"",
        "via = [\"ssh://gw\"]",
    ] {
        assert_eq!(
            local(&format!("[hosts.localhost]\n{own}"), &[]),
            TransportKind::Auto,
            "{own}"
        );
    }
    assert_eq!(
        local("[hosts.localhost]\ntransport = \"system\"", &[]),
        TransportKind::System
    );
    assert_eq!(
        local(FLEET, &["--hosts", "localhost:2222"]),
        TransportKind::Auto
    );
    assert_eq!(
        local(FLEET, &["--hosts", "ssh://localhost"]),
        TransportKind::Auto
    );
}

#[test]
fn without_file_and_selection_it_is_this_machines_own_logs() {
    let plan = World::new(b"").plan_of(&[]).expect("a plan");
    assert_eq!(plan.hosts.len(), 1);
    assert_eq!(plan.hosts[0].name().as_str(), "localhost");
    assert_eq!(plan.hosts[0].transport, TransportKind::Local);
    assert_eq!(plan.hosts[0].sources, Vec::<SourceSpec>::new());
}

#[test]
fn the_inventory_is_that_of_the_option_then_of_the_environment_then_of_the_configuration_folder() {
    let mut world = World::new(b"[hosts.of-option]");
    let folder = world.folder.path().to_owned();
    fs::create_dir_all(folder.join("conf/logtrail")).expect("a folder");
    fs::write(folder.join("conf/logtrail/hosts.toml"), "[hosts.of-folder]").expect("a file");
    fs::write(folder.join("env.toml"), "[hosts.of-environment]").expect("a file");
    let first = |plan: Result<RunPlan, String>| plan.map(|plan| plan.hosts[0].name().to_string());

    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("localhost"));
    world.env.config_dir = Some(folder.join("conf"));
    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("of-folder"));
    assert_eq!(
        world.plan_of(&[]).map(|plan| plan.config_dir),
        Ok(Some(folder.join("conf/logtrail")))
    );
    world
        .env
        .variables
        .insert("LOGTRAIL_HOSTS", folder.join("env.toml").into());
    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("of-environment"));
    assert_eq!(first(world.plan(&[])).as_deref(), Ok("of-option"));
    world
        .env
        .variables
        .insert("LOGTRAIL_HOSTS", folder.join("gone.toml").into());
    assert_eq!(
        first(world.plan_of(&[])),
        Err("LOGTRAIL_HOSTS: gone.toml: no such file".to_owned())
    );
}

#[test]
fn options_go_before_the_file_and_the_file_before_the_defaults() {
    let hosts = "[defaults]\nhost_keys = \"accept-new\"\ntags = [\"a\"]\n[hosts.x]\ntags = [\"b\"]\n[hosts.y]\nport = 23";
    let by_file = plan(hosts, &[]).expect("a plan");
    assert_eq!(
        by_file.hosts[0].endpoint.host_keys,
        Some(HostKeyPolicy::AcceptNew)
    );
    assert_eq!(
        (
            by_file.hosts[0].tags.as_slice(),
            by_file.hosts[1].tags.as_slice()
        ),
        (&["b".into()][..], &["a".into()][..])
    );
    assert_eq!(
        (by_file.lines, by_file.interval, by_file.once),
        (200, Duration::from_secs(2), false)
    );
    let by_option = plan(
        hosts,
        &[
            "--host-keys",
            "strict",
            "--once",
            "--timeout",
            "3s",
            "--no-ssh-config",
        ],
    )
    .expect("a plan");
    assert!(
        by_option
            .hosts
            .iter()
            .all(|host| host.endpoint.host_keys == Some(HostKeyPolicy::Strict))
    );
    assert_eq!(
        (by_option.lines, by_option.timeout),
        (10, Duration::from_secs(3))
    );
    let lines = |options: &[&str]| plan(hosts, options).map(|plan| plan.lines);
    assert_eq!(lines(&["--once", "--grep", "x"]), Ok(1000));
    assert_eq!(lines(&["--once", "--grep", "x", "--lines", "5"]), Ok(5));
    assert_eq!(
        by_option.connector_settings().connect_timeout,
        Duration::from_secs(3)
    );
    assert!(!by_option.connector_settings().ssh_config);
    assert!(matches!(by_option.fleet_options().goal, Goal::Once { .. }));
}

#[test]
fn hosts_are_in_the_order_of_the_file() {
    let plan = plan("[hosts.z]\n[hosts.a]\n[hosts.m]\n", &[]).expect("a plan");
    let names: Vec<_> = plan.hosts.iter().map(|host| host.name().as_str()).collect();
    assert_eq!(names, ["z", "a", "m"]);
}

/// Routes as text: hops by `>`, routes by ` | `.
fn routes(hosts: &str, host: &str) -> String {
    let plan = plan(hosts, &["--hosts", host]).expect("a plan");
    let hop = |hop: &Endpoint| hop.name.to_string();
    let chain = |chain: &Vec<Endpoint>| chain.iter().map(hop).collect::<Vec<_>>().join(">");
    plan.hosts[0]
        .via
        .iter()
        .map(chain)
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn routes_are_chains_and_the_first_hop_brings_its_own_route() {
    let hosts = r#"
        [hosts.web]
        via = ["gw", "ann@10.0.0.1:2222", "edge,gw"]
        [hosts.gw]
        via = ["edge", "ssh://back"]
        [hosts.edge]
        "#;
    assert_eq!(
        routes(hosts, "web"),
        "edge>gw | back>gw | 10.0.0.1 | edge>gw"
    );
}

#[test]
fn a_default_route_is_not_for_the_hosts_that_it_is_made_of() {
    let hosts = "[defaults]\nvia = [\"gw\"]\n[hosts.web]\n[hosts.gw]\n[hosts.localhost]\n[hosts.near]\nvia = []";
    assert_eq!(routes(hosts, "web"), "gw");
    assert_eq!(routes(hosts, "gw"), "");
    assert_eq!(routes(hosts, "near"), "");
    assert_eq!(routes(hosts, "localhost"), "");
    assert_eq!(routes(hosts, "ssh://elsewhere"), "gw");
}

#[test]
fn demo_makes_its_own_hosts() {
    let world = World::new(b"broken [");
    let plan = world
        .plan_of(&["demo", "--once", "--json"])
        .expect("a plan");
    assert!(plan.hosts.is_empty() && plan.once && plan.json);
    assert_eq!(
        world.plan(&["demo"]).expect_err("an inventory"),
        "--config: demo makes its own hosts; choose how many with --size"
    );
}

#[test]
fn csv_is_a_form_of_one_pass_and_of_nothing_else() {
    let world = World::new(b"[hosts.a]");
    let form = |options: &[&str]| world.plan(options).map(|plan| plan.form());
    assert_eq!(form(&["--once"]), Ok(OutputFormat::Text));
    assert_eq!(form(&["--once", "--json"]), Ok(OutputFormat::Json));
    assert_eq!(
        form(&["--once", "--csv"]),
        Ok(OutputFormat::Csv(CsvCells::Guarded))
    );
    assert_eq!(
        form(&["--once", "--csv", "--raw-csv"]),
        Ok(OutputFormat::Csv(CsvCells::Raw))
    );
    assert_eq!(
        form(&["--csv"]),
        Err("--csv: needs --once; the console prints nothing".to_owned())
    );
    let both = form(&["--once", "--raw-csv", "--json"]);
    assert_eq!(
        both,
        Err("--raw-csv: not together with --json; choose one of them".to_owned())
    );
}

#[test]
fn themes_are_names_or_files_and_no_color_is_respected() {
    let mut world = World::new(b"[hosts.a]");
    let theme = |world: &World, options: &[&str]| world.plan(options).expect("a plan").theme;
    assert_eq!(theme(&world, &[]), ThemeChoice::Default);
    assert_eq!(
        theme(&world, &["--theme", "light"]),
        ThemeChoice::Named("light".to_owned())
    );
    assert_eq!(
        theme(&world, &["--theme", "./x"]),
        ThemeChoice::File("./x".into())
    );
    world.env.variables.insert("NO_COLOR", "1".into());
    assert_eq!(theme(&world, &[]), ThemeChoice::NoColour);
    assert_eq!(
        theme(&world, &["--theme", "dark"]),
        ThemeChoice::Named("dark".to_owned())
    );
    world.env.variables.insert("NO_COLOR", "".into());
    assert_eq!(theme(&world, &[]), ThemeChoice::Default);
}

fn kinds(sources: &str) -> Vec<(String, SourceKind)> {
    let hosts = format!("[hosts.a]\nsources = [{sources}]");
    let plan = plan(&hosts, &[]).expect("a plan");
    plan.hosts[0]
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.kind.clone()))
        .collect()
}

#[test]
fn containers_pods_and_commands_are_sources() {
    let word = str::to_owned;
    let container = |engine, name| {
        SourceKind::Container(ContainerSelector {
            engine,
            name: word(name),
        })
    };
    assert_eq!(
        kinds(
            "{ container = \"shop-*\" }, { name = \"db\", container = \"pg\", engine = \"podman\" }"
        ),
        [
            (word("shop"), container(None, "shop-*")),
            (word("db"), container(Some(ContainerEngine::Podman), "pg"))
        ]
    );
    let pod = |namespace: Option<&str>, name: &str, container: Option<&str>| {
        SourceKind::Pod(PodSelector {
            namespace: namespace.map(word),
            name: word(name),
            container: container.map(word),
        })
    };
    assert_eq!(
        kinds(
            "{ pod = \"shop/web-*\", container = \"app\" }, { pod = \"web-0\", namespace = \"*\" }, { pod = \"x\" }"
        ),
        [
            (word("web"), pod(Some("shop"), "web-*", Some("app"))),
            (word("web-0"), pod(Some("*"), "web-0", None)),
            (word("x"), pod(None, "x", None)),
        ]
    );
    let words = ["vmstat", "-t", "5 $x"].map(word).to_vec();
    assert_eq!(
        kinds("{ command = [\"vmstat\", \"-t\", \"5 $x\"] }"),
        [(word("vmstat"), SourceKind::Command(words))]
    );
}

#[test]
fn become_sudo_is_of_one_source() {
    let hosts = "[hosts.a]\nsources = [{ path = \"/var/log/secure\", become = \"sudo\" }, { path = \"/var/log/syslog\" }]";
    let plan = plan(hosts, &[]).expect("a plan");
    assert_eq!(
        plan.hosts[0]
            .sources
            .iter()
            .map(|source| source.as_root)
            .collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn the_list_of_keys_of_a_source_is_the_one_that_the_parser_has() {
    let error = plan("[hosts.a]\nsources = [{ zzzzzzzz = 1 }]", &[]).expect_err("an unknown key");
    assert!(
        error.ends_with(&format!("known keys: {}", SOURCE_KEYS.join(", "))),
        "{error}"
    );
}

#[test]
fn standard_input_is_a_source_of_this_machine_alone_or_beside_the_hosts_that_are_named() {
    let named = |options: &[&str]| {
        let hosts = plan(FLEET, options).expect("a plan").hosts;
        let is_input = |host: &HostSpec| {
            host.sources
                .iter()
                .any(|source| source.kind == SourceKind::Input)
        };
        hosts
            .iter()
            .map(|host| (host.name().to_string(), is_input(host)))
            .collect::<Vec<_>>()
    };
    let host = |name: &str, is_input| (name.to_owned(), is_input);
    assert_eq!(named(&["-"]), [host("localhost", true)]);
    assert_eq!(
        named(&["--hosts", "db-1", "--once", "-"]),
        [host("db-1", false), host("localhost", true)]
    );
    assert_eq!(
        named(&["-", "--hosts", "localhost"]),
        [host("localhost", false), host("stdin", true)]
    );
    assert_eq!(
        plan(FLEET, &["-", "demo"]).expect_err("both"),
        "--config: demo makes its own hosts; choose how many with --size"
    );
}

fn example() -> ConfigText {
    ConfigText::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts.example.toml"))
        .expect("the example is readable")
}

#[test]
fn the_example_is_valid_and_its_defaults_are_the_built_in_ones() {
    let inventory = Inventory::new(example(), &ProcessEnvironment::default(), None)
        .expect("the example is valid");
    assert_eq!(
        inventory.table.defaults,
        Inventory::none(None).table.defaults
    );
    assert!(!inventory.table.hosts.is_empty());
}

#[test]
fn the_example_has_every_key_in_its_defaults_and_every_key_of_a_source() {
    let text = example().text;
    let defaults = text
        .split("[defaults]")
        .nth(1)
        .and_then(|rest| rest.split("\n[hosts.").next())
        .expect("[defaults]");
    for key in HOST_KEYS {
        let documented = defaults.lines().any(|line| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{key} = "))
        });
        assert!(
            documented,
            "{key} is not in [defaults] of hosts.example.toml"
        );
    }
    for key in SOURCE_KEYS {
        assert!(text.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn the_list_of_keys_is_the_one_that_the_parser_has() {
    let error = plan("[defaults]\nzzzzzz = 1", &[]).expect_err("an unknown key");
    assert_eq!(
        error,
        format!(
            "hosts.toml:2:1: unknown key \"zzzzzz\" in [defaults]; known keys: {}",
            HOST_KEYS.join(", ")
        )
    );
}
