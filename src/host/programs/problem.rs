//! Why a program brings nothing, in a line, and what can be done about it.

use super::list_output::ContainerLog;
use crate::host::problems::Problem;
use crate::model::source::ContainerEngine;

/// What the program complains of that prints the log of a container.
pub(super) fn of_container(at: &ContainerLog, code: i32, said: &str) -> Problem {
    match at {
        ContainerLog::Engine(engine, _) => of_engine(*engine, code, said),
        ContainerLog::Pod(_) => of_kubectl(code, said),
    }
}

/// What docker or podman complains of.
pub(super) fn of_engine(engine: ContainerEngine, code: i32, said: &str) -> Problem {
    let name = engine.as_str();
    if code == 127 {
        return Problem::new(
            &format!("there is no {name} on this host"),
            "check `engine` and `container` in hosts.toml",
        );
    }
    if said.contains("permission denied") {
        let hint = "let {user} use it: usermod -aG docker {user} (as good as root), or become = \"sudo\" for the source";
        return Problem::new(&format!("{name}: permission denied"), hint);
    }
    if said.contains("Cannot connect to the Docker daemon") {
        return Problem::new(
            "the docker daemon does not run, or is not where docker looks for it",
            "systemctl start docker",
        );
    }
    spoken(name, code, said)
}

/// Whether a program says that it was kept from writing.
pub(super) fn wants_to_write(said: &[String]) -> bool {
    said.iter()
        .any(|line| line.to_ascii_lowercase().contains("file too large"))
}

/// What podman needs that was not run by this login since the host was started: it keeps its state
/// in files.
pub(super) fn of_writing(engine: ContainerEngine) -> Problem {
    let name = engine.as_str();
    let reason = format!("{name} {WANTS_TO_WRITE}, which nothing of ours may");
    let hint = format!(
        "run {name} ps once on the host as {{user}}; and loginctl enable-linger {{user}}, to last"
    );
    Problem::new(&reason, &hint)
}

const WANTS_TO_WRITE: &str = "wants to write its state first";

/// Whether it is that.
pub(super) fn is_of_writing(problem: &Problem) -> bool {
    problem.reason.contains(WANTS_TO_WRITE)
}

/// What kubectl complains of.
pub(super) fn of_kubectl(code: i32, said: &str) -> Problem {
    if code == 127 {
        return Problem::new(
            "there is no kubectl on this host",
            "name a host that has it, and a context",
        );
    }
    if said.contains("orbidden") {
        let hint = "the kubectl of {user} needs a role that may list pods and get pods/log";
        return Problem {
            hint: hint.to_owned(),
            ..spoken("kubectl", code, said)
        };
    }
    if said.contains("connection to the server") || said.contains("Unable to connect") {
        let hint = "check kubectl's context and KUBECONFIG for {user} on the host, who logs in without a terminal";
        return Problem {
            hint: hint.to_owned(),
            ..spoken("kubectl", code, said)
        };
    }
    spoken("kubectl", code, said)
}

/// What a command of the inventory came to.
pub(super) fn of_command(program: &str, code: i32) -> Problem {
    match code {
        126 => Problem::new(
            &format!("{program} may not be run"),
            "check its mode and that of its folders",
        ),
        127 => Problem::new(
            &format!("there is no {program} on this host"),
            "check `command` in hosts.toml",
        ),
        // 128 and the number of SIGXFSZ.
        153 => Problem::new(
            &format!("{program} was ended for it wrote to a file"),
            "name a command that only prints",
        ),
        code => Problem::plain(&format!("{program} ended with exit code {code}")),
    }
}

fn spoken(program: &str, code: i32, said: &str) -> Problem {
    let said = said.trim();
    let said = ["Error response from daemon: ", "Error: ", "error: "]
        .iter()
        .find_map(|it| said.strip_prefix(it))
        .unwrap_or(said);
    if said.is_empty() {
        return Problem::plain(&format!("{program} ended with exit code {code}"));
    }
    Problem::plain(&format!(
        "{program}: {}",
        said.chars().take(300).collect::<String>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_complain_of_is_one_line_with_what_helps() {
        let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: \
                      Get \"http://%2Fvar%2Frun%2Fdocker.sock/v1.47/containers/json\": dial unix: connect: permission denied";
        let down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        for (code, said, reason, hint) in [
            (
                1,
                denied,
                "docker: permission denied",
                "usermod -aG docker {user}",
            ),
            (
                1,
                down,
                "the docker daemon does not run",
                "systemctl start docker",
            ),
            (
                127,
                "sh: 1: docker: not found",
                "there is no docker on this host",
                "engine",
            ),
            (
                1,
                "Error response from daemon: No such container: x",
                "docker: No such container: x",
                "",
            ),
            (2, "", "docker ended with exit code 2", ""),
        ] {
            let problem = of_engine(ContainerEngine::Docker, code, said);
            assert!(
                problem.reason.starts_with(reason) && problem.hint.contains(hint),
                "{problem:?}"
            );
        }
    }

    #[test]
    fn what_kubectl_complains_of_is_one_line_with_what_helps() {
        let forbidden = "Error from server (Forbidden): pods is forbidden: User \"ops\" cannot list resource \"pods\"";
        let refused = "The connection to the server localhost:8080 was refused - did you specify the right host or port?";
        for (code, said, reason, hint) in [
            (
                1,
                forbidden,
                "kubectl: Error from server (Forbidden)",
                "get pods/log",
            ),
            (
                1,
                refused,
                "kubectl: The connection to the server localhost:8080 was refused",
                "KUBECONFIG",
            ),
            (127, "", "there is no kubectl on this host", "context"),
        ] {
            let problem = of_kubectl(code, said);
            assert!(
                problem.reason.starts_with(reason) && problem.hint.contains(hint),
                "{problem:?}"
            );
        }
    }
}
