//! `demo`: a fleet of servers in this process, for the console or one pass.

use anyhow::Result;

use crate::config::Plan;
use crate::demo;
use crate::model::host::HostSpec;

/// The servers, and the plan for them.
pub(super) struct DemoFleet {
    servers: demo::Fleet,
    plan: Plan,
}

impl DemoFleet {
    /// Starts `size` servers.
    pub(super) async fn start(plan: &Plan, size: u16) -> Result<Self> {
        let servers = demo::Fleet::start(usize::from(size)).await?;
        // What ~/.ssh/config says of hosts that happen to have these names is not meant for them.
        let plan = Plan {
            ssh_config: false,
            ..plan.clone()
        };
        Ok(Self { servers, plan })
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn hosts(&self) -> Vec<HostSpec> {
        self.servers.hosts()
    }

    pub(super) async fn stop(self) {
        self.servers.stop().await;
    }
}
