//! Picks the chain of servers by which a host is reached: the inventory's routes in turn, or the
//! user's `ProxyJump`, or directly.
//!
//! A jump host is dialled once and shared by all hosts behind it (`bastion_pool`). What is known of
//! each server comes from `plan`; `dial` dials one server.

use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::connector_state::ConnectorState;
use super::dial::ServerDial;
use super::plan::ConnectPlan;
use super::russh::client::RusshClient;
use super::{LinkError, failure, jump_spec};
use crate::model::host::{Endpoint, HostKeyPolicy, HostSpec, TransportKind};
use crate::model::state::{HostStatus, LinkState};

/// Longest chain; a longer one is a circle.
const MAX_HOPS: usize = 8;

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
            Ok(chain) => match beyond_russh(host, &chain) {
                Some(error) => (None, Err(error)),
                None => (
                    Some(route_name(&chain)),
                    through(inner, &chain, begun).await,
                ),
            },
            Err(error) => (None, Err(error)),
        };
        match result {
            Ok(client) => {
                return Ok(ReachedServer {
                    client,
                    warning: warning(&failures),
                });
            }
            Err(error) => {
                let is_last = name.is_some() && is_final(&error, host);
                failures.push(RouteFailure { name, error });
                if is_last {
                    break;
                }
            }
        }
    }
    Err(sum_up(host, failures))
}

/// That a server on the way needs what only the user's own `ssh` can do, where it may be used.
fn beyond_russh(host: &HostSpec, chain: &[ConnectPlan]) -> Option<LinkError> {
    let needs = |plan: &ConnectPlan| Some((plan.place.name.clone(), plan.beyond_russh.clone()?));
    let (name, why) = chain.iter().find_map(needs)?;
    let error = LinkError {
        beyond_russh: Some(format!("the configuration of {name} has {why}").into()),
        ..failure::denied(
            format!(
                "the built-in client cannot do what the configuration of {name} asks for: {why}"
            ),
            "set transport = \"system\" for this host",
        )
    };
    (host.transport != TransportKind::Russh).then_some(error)
}

/// Why a host was not reached by a route.
struct RouteFailure {
    /// `None` where the configuration has the route wrong, so that it was not dialled.
    name: Option<String>,
    error: LinkError,
}

impl RouteFailure {
    fn text(&self) -> String {
        match &self.name {
            Some(name) => format!("via {name}: {}", self.error.reason()),
            None => self.error.reason().to_owned(),
        }
    }
}

/// That the key of a jump host has changed, or is revoked: a route less, and perhaps somebody who
/// listens there.
fn warning(failures: &[RouteFailure]) -> Option<HostStatus> {
    let changed: Vec<&LinkError> = failures
        .iter()
        .map(|failure| &failure.error)
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
    error.state().needs_a_person() && !is_of_a_hop(error) && !host.via.is_empty()
}

/// Whether it names the jump host that failed.
fn is_of_a_hop(error: &LinkError) -> bool {
    error.reason().starts_with("jump host ")
}

/// One failure as it is; several with their routes. A state that needs a person wins, for the
/// others would have us try the whole list again, and with it the login that was refused. A route
/// that was not dialled says nothing of the others.
fn sum_up(host: &HostSpec, mut failures: Vec<RouteFailure>) -> LinkError {
    if failures.len() <= 1 {
        let only = failures.pop();
        return only.map_or_else(|| no_route(host), |failure| failure.error);
    }
    let which = if let Some(at) = first_for_a_person(&failures) {
        // A reason has an end, and what a person must see comes before it.
        failures[..=at].rotate_right(1);
        0
    } else {
        let dialled = failures.iter().rposition(|failure| failure.name.is_some());
        dialled.unwrap_or(failures.len() - 1)
    };
    let each: Vec<String> = failures.iter().map(RouteFailure::text).collect();
    let reason = format!("no route to {} works; {}", host.name(), each.join("; "));
    let status = &failures[which].error.status;
    let hint = status.hint.clone().unwrap_or_default();
    let mut error = LinkError::new(status.state, reason, hint);
    let errors = failures.iter().map(|failure| &failure.error);
    error.beyond_russh = errors.clone().find_map(|each| each.beyond_russh.clone());
    error.status.retry_in_s = errors
        .clone()
        .filter_map(|each| each.status.retry_in_s)
        .max();
    error.may_pass = !error.state().needs_a_person() && errors.clone().any(|each| each.may_pass);
    error
}

/// The failure of a dialled route that a person has to see: a changed key before anything else.
fn first_for_a_person(failures: &[RouteFailure]) -> Option<usize> {
    let first = |wanted: fn(LinkState) -> bool| {
        failures
            .iter()
            .position(|failure| failure.name.is_some() && wanted(failure.error.state()))
    };
    first(|state| state == LinkState::HostKeyChanged).or_else(|| first(LinkState::needs_a_person))
}

pub(super) fn no_route(host: &HostSpec) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("{} has no route", host.name()),
        "give `via` a jump host",
    )
}

fn route_name(chain: &[ConnectPlan]) -> String {
    let hops = chain.split_last().map_or(&[][..], |(_, hops)| hops);
    let names: Vec<&str> = hops.iter().map(|hop| &hop.place.name[..]).collect();
    if names.is_empty() {
        "no jump host".to_owned()
    } else {
        names.join(" > ")
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
        chain.push(plan_hop(inner, hop).await?);
    }
    // The inventory's route replaces the ProxyJump of the user's configuration.
    chain.push(ConnectPlan {
        proxy_jump: Vec::new(),
        ..target.clone()
    });
    lead_in(inner, chain, endpoint).await
}

async fn plan_hop(inner: &ConnectorState, hop: &Endpoint) -> Result<ConnectPlan, LinkError> {
    let plan = inner.plan(hop).await;
    plan.map_err(|error| error.at_hop(hop.name.as_str()))
}

/// Puts the jump hosts that the first server of a chain needs by the user's configuration before
/// it.
async fn lead_in(
    inner: &ConnectorState,
    mut chain: Vec<ConnectPlan>,
    endpoint: &Endpoint,
) -> Result<Vec<ConnectPlan>, LinkError> {
    let policy = hop_policy(endpoint, inner.host_keys.get().copied());
    while let Some(first) = chain.first_mut() {
        let jumps = std::mem::take(&mut first.proxy_jump);
        if jumps.is_empty() {
            break;
        }
        let mut before = Vec::with_capacity(jumps.len());
        for jump in &jumps {
            let hop = jump_spec::parse(jump, policy)?;
            before.push(plan_hop(inner, &hop).await?);
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
                Some(reached.map_err(|error| {
                    // A hop further up has already said its name.
                    if is_of_a_hop(&error) {
                        error
                    } else {
                        error.at_hop(&hop.place.name)
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
    let dial = || dial_bastion(Arc::clone(inner), chain.to_vec(), key.clone(), begun).boxed();
    inner.bastions.get(&key, dial).await
}

async fn dial_bastion(
    inner: Arc<ConnectorState>,
    chain: Vec<ConnectPlan>,
    key: String,
    begun: Instant,
) -> Result<Arc<RusshClient>, LinkError> {
    let result = through(&inner, &chain, begun).await;
    inner.bastions.record(key, &result);
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
        login_methods,
        signs_with_sha1: _,
        local_end,
        checking_is_off: _,
        session_overrides: _,
    } = plan;
    let at = format!(
        "{user}@{} {proxy_jump:?} {proxy_command:?} {local_end:?}",
        place.dialled()
    );
    let login =
        format!("{identity:?} {identities_only} {certificates:?} {agent:?} {login_methods:?}");
    let trust = format!(
        "{subject:?} {known_hosts:?} {store_in:?} {hash_names} {host_keys:?} {revoked:?} {policy:?}"
    );
    format!("{at} {login} {trust}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(name: Option<&str>, error: LinkError) -> RouteFailure {
        RouteFailure {
            name: name.map(str::to_owned),
            error,
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
                ..jump_spec::parse("web-1", None).expect("a host")
            };
            assert_eq!(
                hop_policy(&host, of_all),
                taken,
                "{of_the_host:?}, {of_all:?}"
            );
        }
    }

    #[test]
    fn of_several_routes_the_one_with_the_changed_key_comes_first_and_whole() {
        let host = HostSpec::new(jump_spec::parse("web-1", None).expect("a host"));
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
                failed(Some("a"), one),
                failed(Some("b"), two),
                failed(Some("c"), changed.clone()),
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
        let host = HostSpec::new(jump_spec::parse("web-1", None).expect("a host"));
        let wrong = || {
            let error = failure::denied("jump host a: cannot expand IdentityFile", "mend it");
            failed(None, error)
        };
        let of = |state| failed(Some("b"), LinkError::new(state, "why", "what to do"));
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
}
