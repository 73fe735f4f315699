//! Jump routes: each `via` entry becomes a chain of hops, first hop first.

use super::error::{ConfigError, suggestion_or};
use super::file::ConfigText;
use super::host_table::HostTable;
use super::target::SshTarget;
use crate::model::host::Endpoint;

/// More hops than any network needs, and each costs a handshake; beyond it the configuration is
/// wrong.
const MAX_HOPS: usize = 8;
/// Alternatives are tried one after the other, each up to its timeout; more would keep a host
/// "connecting" for ever.
const MAX_ROUTES: usize = 16;

/// Routes to one host: each a chain of hops.
pub(super) type Chains = Vec<Vec<Endpoint>>;

/// Resolves the routes of an inventory.
pub(super) struct RouteResolver<'a> {
    table: &'a HostTable,
    file: &'a ConfigText,
}

impl<'a> RouteResolver<'a> {
    pub(super) fn new(table: &'a HostTable, file: &'a ConfigText) -> Self {
        Self { table, file }
    }

    /// The routes of every host of the inventory, in its order.
    pub(super) fn all(&self) -> Result<Vec<Chains>, ConfigError> {
        (0..self.table.hosts.len())
            .map(|n| self.of_host(n, &mut Vec::new()))
            .collect()
    }

    /// What a list of routes comes to for a host outside the inventory.
    pub(super) fn of_routes(&self, routes: &[(String, usize)]) -> Result<Chains, ConfigError> {
        self.chains(routes, &mut Vec::new())
    }

    /// `on_the_way` are the hosts whose routes led here, the farthest first.
    fn of_host(&self, n: usize, on_the_way: &mut Vec<usize>) -> Result<Chains, ConfigError> {
        on_the_way.push(n);
        let chains = self.chains(&self.table.hosts[n].settings.via, on_the_way);
        on_the_way.pop();
        chains
    }

    fn chains(
        &self,
        routes: &[(String, usize)],
        on_the_way: &mut Vec<usize>,
    ) -> Result<Chains, ConfigError> {
        let mut chains = Vec::new();
        for (route, at) in routes {
            chains.extend(self.route(route, *at, on_the_way)?);
            if chains.len() > MAX_ROUTES {
                return Err(self.file.error(
                    *at,
                    format!("more than {MAX_ROUTES} jump routes to one host"),
                ));
            }
        }
        Ok(chains)
    }

    /// One entry: its hops, with the routes of the first hop in front. A later hop is reached
    /// through the one before it, so its own routes have no say, as with `ssh -J`.
    fn route(
        &self,
        route: &str,
        at: usize,
        on_the_way: &mut Vec<usize>,
    ) -> Result<Chains, ConfigError> {
        let mut chains = vec![Vec::new()];
        for (position, hop) in route.split(',').map(str::trim).enumerate() {
            let endpoint = match self.table.find(hop) {
                Some(n) => {
                    self.refuse_cycle(n, at, on_the_way)?;
                    if position == 0 {
                        let before = self.of_host(n, on_the_way)?;
                        chains = if before.is_empty() { chains } else { before };
                    }
                    self.table.endpoint(n)
                }
                None => self.outside(hop, at)?,
            };
            chains
                .iter_mut()
                .for_each(|chain| chain.push(endpoint.clone()));
            self.refuse_length(&chains, at)?;
        }
        Ok(chains)
    }

    fn refuse_cycle(&self, n: usize, at: usize, on_the_way: &[usize]) -> Result<(), ConfigError> {
        let Some(start) = on_the_way.iter().position(|&other| other == n) else {
            return Ok(());
        };
        let names: Vec<&str> = on_the_way[start..]
            .iter()
            .chain([&n])
            .map(|&n| self.table.hosts[n].name.as_str())
            .collect();
        Err(self
            .file
            .error(at, format!("jump cycle: {}", names.join(" via "))))
    }

    fn refuse_length(&self, chains: &Chains, at: usize) -> Result<(), ConfigError> {
        let Some(chain) = chains
            .iter()
            .find(|chain| has_twice(chain) || chain.len() > MAX_HOPS)
        else {
            return Ok(());
        };
        let message = match chain.last() {
            Some(last) if has_twice(chain) => {
                format!("jump cycle: {} is twice on the same route", last.name)
            }
            _ => format!("more than {MAX_HOPS} hops on a jump route"),
        };
        Err(self.file.error(at, message))
    }

    /// A hop that the file does not define.
    fn outside(&self, hop: &str, at: usize) -> Result<Endpoint, ConfigError> {
        let fail = |message: String| self.file.error(at, message);
        let target =
            SshTarget::parse(hop).map_err(|message| fail(format!("jump host: {message}")))?;
        if !self.table.takes_outside(&target) {
            let otherwise =
                || "one outside the inventory is written user@host:port or ssh://host".to_owned();
            let hint = suggestion_or(hop, self.table.names(), otherwise);
            return Err(fail(format!("unknown jump host {hop:?}{hint}")));
        }
        self.table.endpoint_of_target(&target).map_err(fail)
    }
}

fn has_twice(chain: &[Endpoint]) -> bool {
    chain
        .split_last()
        .is_some_and(|(last, before)| before.contains(last))
}
