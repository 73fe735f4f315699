//! What the user's OpenSSH configuration says of a host, as `ssh -G` prints it.
//!
//! No parser of ours reads `ssh_config`: `Match`, `Include` and tokens are OpenSSH's business (see
//! `tokens`). Answers, which `openssh` reads, are kept for the run. `plan` decides what they mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use super::LinkError;
use super::openssh::{AlgorithmLists, OpenSsh, SshQuestion};
use super::tokens::SshQuery;
use crate::model::host::Endpoint;

/// Runs of `ssh -G` at once: it is all processor time.
const AT_ONCE: usize = 4;

/// The answers of this run.
pub(super) struct AddressResolver {
    answers: Mutex<HashMap<SshQuestion, Arc<Answer>>>,
    /// The algorithms of the installed `ssh` where nothing is configured.
    default_algorithms: OnceCell<AlgorithmLists>,
    at_once: Semaphore,
}

type Answer = OnceCell<Option<Arc<OpenSsh>>>;

impl AddressResolver {
    pub(super) fn new() -> Self {
        Self {
            answers: Mutex::default(),
            default_algorithms: OnceCell::new(),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// What `ssh -G` says of an endpoint; `None` where there is no `ssh`. `config` is its option
    /// for a configuration.
    ///
    /// # Errors
    /// When `ssh` refuses the configuration or does not answer in time.
    pub(super) async fn ask(
        &self,
        endpoint: &Endpoint,
        config: Option<String>,
    ) -> Result<Option<Arc<OpenSsh>>, LinkError> {
        let asked = SshQuestion {
            name: name_for_ssh(endpoint),
            user: endpoint.user.as_ref().map(ToString::to_string),
            port: endpoint.port,
            address: endpoint.address.clone(),
        };
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(asked.clone()).or_default())
        };
        cell.get_or_try_init(|| self.run(asked, config))
            .await
            .cloned()
    }

    async fn run(
        &self,
        asked: SshQuestion,
        config: Option<String>,
    ) -> Result<Option<Arc<OpenSsh>>, LinkError> {
        let _permit = self.at_once.acquire().await.ok();
        let ssh = SshQuery::new(asked, config);
        let Some(text) = ssh.configuration().await? else {
            return Ok(None);
        };
        let mut said = OpenSsh::parse(&text);
        ssh.expand(&mut said).await?;
        said.default_algorithms = self.default_algorithms().await?;
        Ok(Some(Arc::new(said)))
    }

    async fn default_algorithms(&self) -> Result<AlgorithmLists, LinkError> {
        let ask = || async {
            let nobody = SshQuestion {
                name: "localhost".to_owned(),
                user: None,
                port: None,
                address: None,
            };
            let ssh = SshQuery::new(nobody, Some("-Fnone".to_owned()));
            let text = ssh.configuration().await?.unwrap_or_default();
            Ok(OpenSsh::parse(&text).algorithms)
        };
        self.default_algorithms.get_or_try_init(ask).await.cloned()
    }
}

/// Names of ad-hoc targets carry a user and a port, which `ssh` would not understand; their address
/// is asked about.
fn name_for_ssh(endpoint: &Endpoint) -> String {
    let name = endpoint.name.as_str();
    match &endpoint.address {
        Some(address) if name.contains(['@', ':', '[', ']']) => address.to_string(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_real_ssh_is_asked_once_and_told_the_users_choice() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config");
        std::fs::write(
            &config,
            "Host web-1\n HostName 10.0.0.7\n User ops\nMatch user ops\n Port 2222\n",
        )
        .expect("written");
        let resolver = AddressResolver::new();
        let option = Some(format!("-F{}", config.display()));
        let endpoint = Endpoint::new(crate::model::host::HostName::new("web-1").expect("a name"));
        let said = resolver
            .ask(&endpoint, option.clone())
            .await
            .expect("answered")
            .expect("ssh is installed");
        assert_eq!(
            (said.hostname.as_deref(), said.user.as_deref(), said.port),
            (Some("10.0.0.7"), Some("ops"), Some(2222))
        );
        std::fs::write(&config, "Nonsense yes\n").expect("written");
        assert_eq!(
            resolver.ask(&endpoint, option.clone()).await.expect("kept"),
            Some(said)
        );
        let error = AddressResolver::new()
            .ask(&endpoint, option)
            .await
            .expect_err("a mistake in the file");
        assert!(
            error
                .reason()
                .contains("cannot read the OpenSSH configuration for web-1"),
            "{error}"
        );
        assert!(
            error
                .reason()
                .contains("terminating, 1 bad configuration options"),
            "{error}"
        );
    }
}
