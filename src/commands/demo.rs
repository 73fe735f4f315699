//! `demo`: a fleet of servers in this process, for the console or one pass.

use anyhow::Result;

use crate::config::RunPlan;
use crate::demo;
use crate::model::host::HostSpec;

/// The servers, and the plan for them.
pub(super) struct DemoRun {
    servers: demo::DemoFleet,
    plan: RunPlan,
}

impl DemoRun {
    /// Starts `size` servers.
    pub(super) async fn start(plan: &RunPlan, size: u16) -> Result<Self> {
        let servers = demo::DemoFleet::start(usize::from(size)).await?;
        // What ~/.ssh/config says of hosts that happen to have these names is not meant for them.
        let plan = RunPlan {
            ssh_config: false,
            ..plan.clone()
        };
        Ok(Self { servers, plan })
    }

    pub(super) fn plan(&self) -> &RunPlan {
        &self.plan
    }

    pub(super) fn hosts(&self) -> Vec<HostSpec> {
        self.servers.hosts()
    }

    pub(super) async fn stop(self) {
        self.servers.stop().await;
    }
}
