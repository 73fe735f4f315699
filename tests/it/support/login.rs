//! What logins that go wrong have in common: how they are followed, and a host that is booting.

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use logtrail::fleet::{FleetOptions, Goal};
use logtrail::model::prompt::{OperatorPrompt, PromptReply};
use logtrail::transport::{Connector, PromptAnswerer};

use super::connect::settings;
use super::mounted::Mounted;
use super::secret;

/// Answers the prompts of one host wrongly, and of no other.
pub(crate) struct Forgetful;

impl PromptAnswerer for Forgetful {
    fn ask(
        &self,
        question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>> {
        let is_ours = matches!(&question, OperatorPrompt::Secret { host, .. } if host.as_str().starts_with("password"));
        Box::pin(async move {
            if is_ours {
                secret("wrong")
            } else {
                PromptReply::No
            }
        })
    }
}

/// Few samples, for what counts are the logins.
pub(crate) fn follow_options() -> FleetOptions {
    FleetOptions {
        goal: Goal::Follow,
        lines: 10,
        sample_every: Duration::from_secs(60),
    }
}

/// With the limits of the field, but for the time that a pass has.
pub(crate) fn field_connector() -> Connector {
    Connector::new(settings(Duration::from_secs(10)), Arc::new(Forgetful))
}

/// What PAM is told: a host that is booting lets nobody in but root.
pub(crate) fn mount_booting_pam(folder: &Path) -> Vec<Mounted> {
    let pam = folder.join("pam.d");
    std::fs::create_dir(&pam).expect("a folder");
    let rules = format!(
        "auth required pam_permit.so\naccount requisite pam_nologin.so file={}\naccount required pam_permit.so\n\
         session required pam_permit.so\n",
        folder.join("nologin").display()
    );
    std::fs::write(pam.join("sshd"), rules).expect("written");
    let users = std::fs::read_to_string("/etc/passwd").expect("users")
        + "operator1:x:54321:65534::/:/bin/bash\n";
    std::fs::write(folder.join("passwd"), users).expect("written");
    let message = "System is booting up. Unprivileged users are not permitted to log in yet.\n";
    std::fs::write(folder.join("nologin"), message).expect("written");
    for (path, mode) in [
        ("", 0o755),
        ("passwd", 0o644),
        ("nologin", 0o644),
        ("pam.d", 0o755),
    ] {
        std::fs::set_permissions(folder.join(path), PermissionsExt::from_mode(mode))
            .expect("chmod");
    }
    [(pam, "/etc/pam.d"), (folder.join("passwd"), "/etc/passwd")]
        .into_iter()
        .map(|(ours, theirs)| Mounted::bind(&ours, Path::new(theirs)))
        .collect()
}
