//! By which chain of servers a host is reached: the inventory's routes in turn, or the user's
//! `ProxyJump`, or directly.
//!
//! A jump host is dialled once and shared by all hosts behind it; when its connection is dead the
//! next host dials it again. What is known of each server comes from `plan`; one server is dialled
//! by `dial`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::dial::ServerDial;
use super::plan::ConnectPlan;
use super::russh::client::RusshClient;
use super::{ConnectorState, LinkError, failure};
use crate::model::host::{Endpoint, HostKeyPolicy, HostName, HostSpec, UserName};
use crate::model::state::{HostStatus, LinkState};

/// Longest chain; a longer one is a circle.
const MAX_HOPS: usize = 8;

/// A jump host that refused us, or hung up in the login, is not asked again for the sake of another
/// host that starts a moment later: each such login counts towards a lock-out of everybody who
/// comes through it.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// For how long a jump host is not asked again after it failed so.
fn forbidden_for(error: &LinkError) -> Option<Duration> {
    let least = error.status.retry_in_s.map(Duration::from_secs);
    if error.state().needs_a_person() {
        Some(REFUSED_FOR)
    } else {
        least
    }
}

/// The shared connections to jump hosts, by the chain that leads to them.
#[derive(Default)]
pub(super) struct BastionPool {
    by_chain: Mutex<HashMap<String, Bastion>>,
}

type Dialling = BoxFuture<'static, Result<Arc<RusshClient>, LinkError>>;

#[derive(Default)]
struct Bastion {
    live: Weak<RusshClient>,
    dialling: Option<WeakShared<Dialling>>,
    /// Until when it is not asked again, and why.
    refused: Option<(Instant, LinkError)>,
}

/// A host that was reached.
pub(super) struct ReachedServer {
    pub(super) client: Arc<RusshClient>,
    /// What a person must hear of the routes that were tried before.
    pub(super) warning: Option<HostStatus>,
}

/// Reaches a host by the first route that answers.
pub(super) async fn reach(
    inner: &Arc<ConnectorState>,
    host: &HostSpec,
    target: ConnectPlan,
) -> Result<ReachedServer, LinkError> {
    let begun = Instant::now();
    let mut failures = Vec::new();
    for chain in chains(inner, host, target).await {
        let (name, result) = match chain {
            Ok(chain) => (route_name(&chain), through(inner, &chain, begun).await),
            Err(error) => (String::new(), Err(error)),
        };
        match result {
            Ok(client) => {
                return Ok(ReachedServer {
                    client,
                    warning: warning(&failures),
                });
            }
            Err(error) => {
                let last = !name.is_empty() && is_final(&error, host);
                failures.push((name, error));
                if last {
                    break;
                }
            }
        }
    }
    Err(sum_up(host, failures))
}

/// That the key of a jump host has changed, or is revoked: a route less, and perhaps somebody who
/// listens there.
fn warning(failures: &[(String, LinkError)]) -> Option<HostStatus> {
    let changed: Vec<&LinkError> = failures
        .iter()
        .map(|(_, error)| error)
        .filter(|error| error.state() == LinkState::HostKeyChanged)
        .collect();
    let hint = changed.first()?.status.hint.clone().unwrap_or_default();
    let reasons: Vec<&str> = changed.iter().map(|error| error.reason()).collect();
    let reason = format!("{}; another route was taken", reasons.join("; "));
    Some(HostStatus::because(LinkState::HostKeyChanged, reason, hint))
}

/// The host itself answered and refused: it would refuse by any route, and another try may lock us
/// out.
fn is_final(error: &LinkError, host: &HostSpec) -> bool {
    error.state().needs_a_person()
        && !error.reason().starts_with("jump host ")
        && !host.via.is_empty()
}

/// One failure as it is; several with their routes. A state that needs a person wins, for the
/// others would have us try the whole list again, and with it the login that was refused. A route
/// that the configuration has wrong, which has no name, was not dialled: the others count.
fn sum_up(host: &HostSpec, mut failures: Vec<(String, LinkError)>) -> LinkError {
    if failures.len() <= 1 {
        return failures
            .pop()
            .map_or_else(|| no_route(host), |(_, error)| error);
    }
    let dialled = |(name, _): &(String, LinkError)| !name.is_empty();
    let is = |wanted: fn(LinkState) -> bool| {
        failures
            .iter()
            .position(|failure| dialled(failure) && wanted(failure.1.state()))
    };
    let which = match is(|state| state == LinkState::HostKeyChanged)
        .or_else(|| is(LinkState::needs_a_person))
    {
        // A reason has an end, and what a person must see comes before it.
        Some(at) => {
            failures[..=at].rotate_right(1);
            0
        }
        None => failures
            .iter()
            .rposition(dialled)
            .unwrap_or(failures.len() - 1),
    };
    let hint = failures[which].1.status.hint.clone().unwrap_or_default();
    let state = failures[which].1.state();
    let least = failures
        .iter()
        .filter_map(|(_, error)| error.status.retry_in_s)
        .max();
    let each: Vec<String> = failures.iter().map(said_of_route).collect();
    let mut error = LinkError::new(
        state,
        format!("no route to {} works; {}", host.name(), each.join("; ")),
        hint,
    );
    error.status.retry_in_s = least;
    error.may_pass = !state.needs_a_person() && failures.iter().any(|(_, error)| error.may_pass);
    error
}

fn said_of_route((name, error): &(String, LinkError)) -> String {
    if name.is_empty() {
        error.reason().to_owned()
    } else {
        format!("via {name}: {}", error.reason())
    }
}

pub(super) fn no_route(host: &HostSpec) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("{} has no route", host.name()),
        "give `via` a jump host",
    )
}

fn route_name(chain: &[ConnectPlan]) -> String {
    let hops: Vec<&str> = chain
        .iter()
        .rev()
        .skip(1)
        .rev()
        .map(|plan| plan.place.name.as_str())
        .collect();
    if hops.is_empty() {
        "no jump host".to_owned()
    } else {
        hops.join(" > ")
    }
}

/// Every chain to try, each ending with the host itself.
pub(super) async fn chains(
    inner: &ConnectorState,
    host: &HostSpec,
    target: ConnectPlan,
) -> Vec<Result<Vec<ConnectPlan>, LinkError>> {
    if host.via.is_empty() {
        return vec![lead_in(inner, vec![target], &host.endpoint).await];
    }
    let mut chains = Vec::new();
    for route in &host.via {
        chains.push(planned(inner, route, &target, &host.endpoint).await);
    }
    chains
}

async fn planned(
    inner: &ConnectorState,
    route: &[Endpoint],
    target: &ConnectPlan,
    endpoint: &Endpoint,
) -> Result<Vec<ConnectPlan>, LinkError> {
    let mut chain = Vec::with_capacity(route.len() + 1);
    for hop in route {
        chain.push(
            inner
                .plan(hop)
                .await
                .map_err(|error| error.at_hop(hop.name.as_str()))?,
        );
    }
    // The inventory's route replaces the ProxyJump of the user's configuration.
    chain.push(ConnectPlan {
        proxy_jump: Vec::new(),
        ..target.clone()
    });
    lead_in(inner, chain, endpoint).await
}

/// Puts the jump hosts that the first server of a chain needs by the user's configuration before
/// it.
async fn lead_in(
    inner: &ConnectorState,
    mut chain: Vec<ConnectPlan>,
    endpoint: &Endpoint,
) -> Result<Vec<ConnectPlan>, LinkError> {
    while let Some(jumps) = chain
        .first_mut()
        .map(|first| std::mem::take(&mut first.proxy_jump))
        .filter(|j| !j.is_empty())
    {
        let mut before = Vec::with_capacity(jumps.len());
        for jump in &jumps {
            let hop = parse_jump(jump, hop_policy(endpoint, inner.host_keys.get().copied()))?;
            before.push(
                inner
                    .plan(&hop)
                    .await
                    .map_err(|error| error.at_hop(hop.name.as_str()))?,
            );
        }
        chain.splice(0..0, before);
        if chain.len() > MAX_HOPS {
            return Err(failure::denied(
                format!(
                    "{} would be reached through more than {MAX_HOPS} jump hosts",
                    endpoint.name
                ),
                "ProxyJump in ~/.ssh/config leads in a circle",
            ));
        }
    }
    Ok(chain)
}

/// What is said of the unknown key of a jump host that only the user's configuration knows; else
/// that configuration decides. What is strict for the host is strict for the way to it, and nothing
/// else that is said of the host counts.
fn hop_policy(host: &Endpoint, of_all: Option<HostKeyPolicy>) -> Option<HostKeyPolicy> {
    host.host_keys
        .filter(|policy| *policy == HostKeyPolicy::Strict)
        .or(of_all)
}

/// `[user@]host[:port]` or `ssh://[user@]host[:port]`, with IPv6 addresses in brackets.
fn parse_jump(text: &str, host_keys: Option<HostKeyPolicy>) -> Result<Endpoint, LinkError> {
    let wrong = |why: String| {
        failure::denied(
            format!("ProxyJump {text:?}: {why}"),
            "mend ProxyJump in ~/.ssh/config",
        )
    };
    let rest = text
        .strip_prefix("ssh://")
        .unwrap_or(text)
        .trim_end_matches('/');
    let (user, rest) = rest
        .rsplit_once('@')
        .map_or((None, rest), |(user, rest)| (Some(user), rest));
    let (host, port) = match rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None if rest.matches(':').count() == 1 => rest
            .split_once(':')
            .map_or((rest, None), |(h, p)| (h, Some(p))),
        None => (rest, None),
    };
    let port = port
        .map(|port| {
            port.parse()
                .map_err(|_| wrong(format!("{port:?} is no port")))
        })
        .transpose()?;
    Ok(Endpoint {
        name: HostName::new(host).map_err(|error| wrong(error.to_string()))?,
        address: None,
        port,
        user: user
            .map(UserName::new)
            .transpose()
            .map_err(|error| wrong(error.to_string()))?,
        identity: Vec::new(),
        known_hosts: Vec::new(),
        host_keys,
    })
}

/// Dials the last server of a chain through the others.
fn through<'a>(
    inner: &'a Arc<ConnectorState>,
    chain: &'a [ConnectPlan],
    begun: Instant,
) -> BoxFuture<'a, Result<Arc<RusshClient>, LinkError>> {
    async move {
        let Some((plan, hops)) = chain.split_last() else {
            return Err(LinkError::new(
                LinkState::Unreachable,
                "an empty route",
                "give `via` a jump host",
            ));
        };
        let outer = match hops.last() {
            None => None,
            Some(hop) => {
                let reached = bastion(inner, hops, begun).await;
                // A hop further up has already said its name.
                Some(reached.map_err(|e| {
                    if e.reason().starts_with("jump host ") {
                        e
                    } else {
                        e.at_hop(&hop.place.name)
                    }
                })?)
            }
        };
        ServerDial {
            inner,
            plan,
            outer,
            begun,
        }
        .run()
        .await
    }
    .boxed()
}

/// The shared connection to the last server of a chain of jump hosts: the one that lives, the one
/// being dialled, or a new one.
async fn bastion(
    inner: &Arc<ConnectorState>,
    chain: &[ConnectPlan],
    begun: Instant,
) -> Result<Arc<RusshClient>, LinkError> {
    let key = chain_key(chain);
    let dialling = {
        let mut all = inner
            .bastions
            .by_chain
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = all.entry(key.clone()).or_default();
        if let Some(client) = entry.live.upgrade().filter(|client| !client.is_over()) {
            return Ok(client);
        }
        if let Some((_, error)) = entry
            .refused
            .as_ref()
            .filter(|(until, _)| Instant::now() < *until)
        {
            return Err(error.clone());
        }
        let pending = entry
            .dialling
            .as_ref()
            .and_then(WeakShared::upgrade)
            .filter(|d| d.peek().is_none());
        pending.unwrap_or_else(|| {
            let shared = dial_bastion(Arc::clone(inner), chain.to_vec(), key, begun)
                .boxed()
                .shared();
            entry.dialling = shared.downgrade();
            shared
        })
    };
    wait_for(dialling).await
}

async fn wait_for(dialling: Shared<Dialling>) -> Result<Arc<RusshClient>, LinkError> {
    dialling.await
}

async fn dial_bastion(
    inner: Arc<ConnectorState>,
    chain: Vec<ConnectPlan>,
    key: String,
    begun: Instant,
) -> Result<Arc<RusshClient>, LinkError> {
    let result = through(&inner, &chain, begun).await;
    let mut all = inner
        .bastions
        .by_chain
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let entry = all.entry(key).or_default();
    match &result {
        Ok(client) => {
            entry.live = Arc::downgrade(client);
            entry.refused = None;
        }
        Err(error) => {
            entry.refused =
                forbidden_for(error).map(|pause| (Instant::now() + pause, error.clone()));
        }
    }
    result
}

/// A chain by all that its dials depend on: a host for which an unknown key is refused shares no
/// dial with one for which it is accepted.
fn chain_key(chain: &[ConnectPlan]) -> String {
    chain.iter().map(hop_key).collect::<Vec<_>>().join(">")
}

fn hop_key(plan: &ConnectPlan) -> String {
    // In full, so that what is added to a plan is thought of here.
    let ConnectPlan {
        own: _,
        place,
        user,
        identity,
        identities_only,
        certificates,
        agent,
        subject,
        known_hosts,
        store_in,
        hash_names,
        host_keys,
        revoked,
        policy,
        proxy_command,
        proxy_jump,
        beyond_russh: _,
    } = plan;
    let at = format!(
        "{user}@{} {proxy_jump:?} {proxy_command:?}",
        place.dialled()
    );
    let login = format!("{identity:?} {identities_only} {certificates:?} {agent:?}");
    let trust = format!(
        "{subject:?} {known_hosts:?} {store_in:?} {hash_names} {host_keys:?} {revoked:?} {policy:?}"
    );
    format!("{at} {login} {trust}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(text: &str) -> (Option<String>, String, Option<u16>) {
        let hop = parse_jump(text, None).expect("a jump host");
        (
            hop.user.map(|user| user.to_string()),
            hop.name.to_string(),
            hop.port,
        )
    }

    #[test]
    fn jump_hosts_are_written_in_four_ways() {
        assert_eq!(jump("bastion"), (None, "bastion".into(), None));
        assert_eq!(
            jump("ops@bastion:2222"),
            (Some("ops".into()), "bastion".into(), Some(2222))
        );
        assert_eq!(
            jump("ssh://ops@bastion:2222/"),
            (Some("ops".into()), "bastion".into(), Some(2222))
        );
        assert_eq!(jump("[fe80::1]:2222"), (None, "fe80::1".into(), Some(2222)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_of_jump_hosts_panic(text in "\\PC*") {
            let _ = parse_jump(&text, None);
        }
    }

    #[test]
    fn a_jump_host_of_the_configuration_is_never_less_strict_than_the_host_behind_it() {
        use HostKeyPolicy::{AcceptNew, Strict};
        for (of_the_host, of_all, taken) in [
            (Some(Strict), Some(AcceptNew), Some(Strict)),
            (Some(Strict), None, Some(Strict)),
            (Some(AcceptNew), Some(AcceptNew), Some(AcceptNew)),
            (Some(AcceptNew), None, None),
            (None, Some(Strict), Some(Strict)),
            (None, None, None),
        ] {
            let host = Endpoint {
                host_keys: of_the_host,
                ..parse_jump("web-1", None).expect("a host")
            };
            assert_eq!(
                hop_policy(&host, of_all),
                taken,
                "{of_the_host:?}, {of_all:?}"
            );
        }
    }

    #[test]
    fn of_several_routes_the_one_with_the_changed_key_is_told_first_and_whole() {
        let host = HostSpec::new(parse_jump("web-1", None).expect("a host"));
        let long = |state| LinkError::new(state, "x".repeat(400), "");
        let changed = LinkError::new(
            LinkState::HostKeyChanged,
            "presents SHA256:new, on record is SHA256:old",
            "rebuilt?",
        );
        for others in [
            [LinkState::Unreachable, LinkState::Timeout],
            [LinkState::Denied, LinkState::Unreachable],
        ] {
            let [one, two] = others.map(long);
            let failures = vec![
                ("a".into(), one),
                ("b".into(), two),
                ("c".into(), changed.clone()),
            ];
            let error = sum_up(&host, failures);
            assert_eq!(
                (error.state(), error.status.hint.as_deref()),
                (LinkState::HostKeyChanged, Some("rebuilt?"))
            );
            let start = "no route to web-1 works; via c: presents SHA256:new, on record is SHA256:old; via a: xx";
            assert!(error.reason().starts_with(start), "{}", error.reason());
        }
    }

    #[test]
    fn a_route_that_the_configuration_has_wrong_says_nothing_of_the_others() {
        let host = HostSpec::new(parse_jump("web-1", None).expect("a host"));
        let wrong = || {
            (
                String::new(),
                failure::denied("jump host a: cannot expand IdentityFile", "mend it"),
            )
        };
        let of = |state| ("b".to_owned(), LinkError::new(state, "why", "what to do"));
        for (failures, state, may_pass) in [
            (vec![wrong()], LinkState::Denied, false),
            (vec![wrong(), wrong()], LinkState::Denied, false),
            (
                vec![wrong(), of(LinkState::Timeout)],
                LinkState::Timeout,
                true,
            ),
            (
                vec![of(LinkState::Throttled), wrong()],
                LinkState::Throttled,
                true,
            ),
            (
                vec![of(LinkState::Unreachable), wrong()],
                LinkState::Unreachable,
                false,
            ),
            (
                vec![wrong(), of(LinkState::Denied)],
                LinkState::Denied,
                false,
            ),
        ] {
            let error = sum_up(&host, failures);
            assert_eq!(
                (error.state(), error.may_pass),
                (state, may_pass),
                "{}",
                error.reason()
            );
            assert!(!error.reason().contains("via :"), "{}", error.reason());
        }
    }

    #[test]
    fn a_jump_host_that_looks_like_an_option_is_refused() {
        assert!(parse_jump("-oProxyCommand=x", None).is_err());
        assert!(parse_jump("host:port", None).is_err());
    }
}
