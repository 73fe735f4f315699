//! A stand-in for `docker`, `podman` and `kubectl`: a script with their options and the form of
//! what they print. No engine of containers runs here.

use std::fs;
use std::path::PathBuf;

use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceSpec;

use super::files::{append, executable};
use super::sshd::{Builder, Sshd};

/// `docker` and `kubectl` in one: `ps` and `get` print the file `ps`, `logs` prints the file of the
/// container. Following ends when the file `ended` says so.
pub(crate) const STAND_IN: &str = r#"#!/bin/sh
at=@FOLDER@
[ -e $at/broken ] && { cat $at/broken >&2; exit 1; }
for id; do :; done
follow= tail= since= previous= kind=
for word; do
  case $word in
    ps|get|logs) kind=$word ;;
    --follow) follow=1 ;;
    --tail=*) tail=${word#*=} ;;
    --since=*|--since-time=*) since=${word#*=}; since=${since%Z} ;;
    --container=*) container=.${word#*=} ;;
    --previous) previous=.previous ;;
  esac
done
[ $kind = logs ] || { cat $at/ps; exit; }
log=$at/$id$container$previous
[ -e $log ] || { echo "Error response from daemon: No such container: $id" >&2; exit 1; }
n=$(wc -l <$log); k=1
[ -n "$tail" ] && [ $tail -lt $n ] && k=$((n - tail + 1))
# Like the engines, by time and not by line: everything stamped since then, once more.
# kubectl tells the server no more than whole seconds.
case $0 in */kubectl) since=${since%.*} ;; esac
[ -n "$since" ] && while [ $k -le $n ]; do
  line=$(sed -n "${k}p" $log); stamp=${line%% *}
  [ "$(printf '%s\n%s\n' "$since" "${stamp%Z}" | sort | head -n 1)" = "$since" ] && break
  k=$((k + 1))
done
while :; do
  [ -e $log.ended ] && over=1
  n=$(wc -l <$log)
  if [ $n -ge $k ]; then sed -n "${k},${n}p" $log; k=$((n + 1)); fi
  [ -n "$over" ] || [ -z "$follow" ] && exit
  sleep 0.05
done
"#;

/// A host with a stand-in, and the folder of what it has.
pub(crate) struct StandInHost {
    pub(crate) sshd: Sshd,
    folder: tempfile::TempDir,
}

impl StandInHost {
    /// With stand-ins of these names.
    pub(crate) fn with(programs: &[&str]) -> Self {
        Self::on(Sshd::builder(), programs)
    }

    /// The same with a server of some kind.
    pub(crate) fn on(server: Builder, programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("bin")).expect("a folder");
        for program in programs {
            let file = folder.path().join("bin").join(program);
            let at = folder.path().display().to_string();
            executable(&file, &STAND_IN.replace("@FOLDER@", &at));
        }
        for engine in ["docker", "podman"]
            .iter()
            .filter(|engine| !programs.contains(engine))
        {
            // As if there was none, whatever is installed here.
            executable(
                &folder.path().join("bin").join(engine),
                "#!/bin/sh\nexit 127\n",
            );
        }
        let path = format!("SetEnv PATH={}/bin:/usr/bin:/bin", folder.path().display());
        Self {
            sshd: server.config(path).start(),
            folder,
        }
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `ps` or `get pods` prints from now on; changed in one step.
    pub(crate) fn list(&self, lines: &[&str]) {
        let new = self.file("ps.new");
        fs::write(
            &new,
            lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        )
        .expect("written");
        fs::rename(new, self.file("ps")).expect("renamed");
    }

    /// A container says these lines.
    pub(crate) fn says(&self, log: &str, lines: &[&str]) {
        append(
            &self.file(log),
            &lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        );
    }

    /// The host with these sources.
    pub(crate) fn host(&self, sources: Vec<SourceSpec>) -> HostSpec {
        let mut host = self.sshd.host("web-1");
        host.sources = sources;
        host
    }
}

/// A container.
pub(crate) const CONTAINER_ID: &str =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Another one.
pub(crate) const OTHER_ID: &str =
    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

/// A line as an engine prints it, so many seconds after 15:00.
pub(crate) fn engine_line(second: u32, text: &str) -> String {
    format!(
        "2026-11-20T15:{:02}:{:02}.123456789Z {text}",
        second / 60,
        second % 60
    )
}
