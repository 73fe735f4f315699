//! When a program is read: all the time in a shell of its own, or now and then in one that many
//! share.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep};

use super::container::ContainerReadiness;
use super::followed_program::FollowedProgram;
use super::host::ProgramsHost;
use super::kind::ProgramKind;
use crate::host::problems::Problem;
use crate::transport::LinkError;
use crate::transport::backoff::Backoff;
use crate::transport::sessions::SessionUse;

/// In a bounded pass a command that goes on for ever is heard for so long.
const HEARD_FOR: Duration = Duration::from_secs(3);

/// From one asking to the next, of a program that has no shell of its own.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Asking may take this part of the time in all, for it costs the host a process each time.
const ASKING_SHARE: u32 = 20;

/// A program that is read again and again.
pub(super) struct ProgramTurns {
    program: FollowedProgram,
    as_root: bool,
    command: CommandPass,
}

/// A place in which a program is followed: one of the first connection, or on a further one.
struct FollowPlace<'a> {
    uses: SessionUse,
    _permit: Option<SemaphorePermit<'a>>,
}

/// How far a bounded pass has come with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommandPass {
    NotRun,
    /// It may have run, whatever was heard of it.
    Begun,
    Over,
}

impl ProgramTurns {
    pub(super) fn new(program: FollowedProgram, as_root: bool) -> Self {
        Self {
            program,
            as_root,
            command: CommandPass::NotRun,
        }
    }

    /// Reads it until the connection ends; in a bounded pass until it has given its last lines.
    /// What cannot be read says why and is tried again; it takes nothing else of its host with it.
    pub(super) async fn run(&mut self, host: &ProgramsHost<'_>) {
        self.program.connected(host).await;
        if self.command != CommandPass::NotRun {
            return self.refuse_to_run_again(host).await;
        }
        if self.is_needless(host) {
            return;
        }
        let mut backoff = Backoff::default();
        while self.is_wanted(host).await {
            let began = Instant::now();
            let pause = match self.turn(host).await {
                Ok(pause) => pause,
                Err(error) if host.connection.has_ended_by(&error).await => {
                    // Not the program's problem; whoever holds the connection knows.
                    return std::future::pending().await;
                }
                Err(error) => {
                    self.program.tell(host, Some(error.into())).await;
                    None
                }
            };
            if host.work.once {
                return;
            }
            backoff.after_connection(began.elapsed());
            let failed = || backoff.after_failure(began.elapsed(), rand::random());
            sleep(pause.unwrap_or_else(failed)).await;
        }
    }

    /// A command says something else each time: over another connection of a pass it is not run
    /// once more.
    async fn refuse_to_run_again(&mut self, host: &ProgramsHost<'_>) {
        if self.command == CommandPass::Begun {
            let problem = Problem::new(
                "the connection was lost while it ran, and its last lines with it",
                "ask again; a pass runs a command once",
            );
            self.program.tell(host, Some(problem)).await;
        }
    }

    /// Whether it would run for nothing: a pass without lines has no use for what a command says.
    fn is_needless(&self, host: &ProgramsHost<'_>) -> bool {
        let is_command = matches!(self.program.kind, ProgramKind::Command(_));
        is_command && host.work.once && host.work.lines == 0
    }

    /// Waits until there is something to read; false in a bounded pass where there is nothing.
    async fn is_wanted(&mut self, host: &ProgramsHost<'_>) -> bool {
        while let ProgramKind::Container(container) = &mut self.program.kind {
            let ContainerReadiness::Waits(why) = container.readiness() else {
                break;
            };
            if why.is_some() {
                self.program.tell(host, why).await;
                if host.work.once {
                    return false;
                }
            }
            let container = self.program.kind.container();
            if let Some(container) = container
                && !container.changed().await
            {
                return false;
            }
        }
        true
    }

    /// Reads until there is no more for now: how long to wait, or `None` to wait as after so many
    /// failures.
    async fn turn(&mut self, host: &ProgramsHost<'_>) -> Result<Option<Duration>, LinkError> {
        if host.work.once {
            self.read_once(host).await?;
            return Ok(None);
        }
        let follows = !self.program.kind.has_ended();
        if follows && let Some(place) = self.place(host) {
            let mut shell = host.start_shell(place.uses, self.as_root).await?;
            let end = self.program.read(&mut shell, host, true, None).await?;
            shell.end().await;
            self.program.ended(host, &end).await;
            return Ok(None);
        }
        self.ask_in_turn(host).await.map(Some)
    }

    /// Reads the last lines, in a bounded pass.
    async fn read_once(&mut self, host: &ProgramsHost<'_>) -> Result<(), LinkError> {
        let _place = host.connection.sessions().program().await;
        let uses = SessionUse::Request;
        let mut shell = host.start_shell(uses, self.as_root).await?;
        let is_command = matches!(self.program.kind, ProgramKind::Command(_));
        let limit = is_command.then(|| Instant::now() + HEARD_FOR);
        if is_command {
            self.command = CommandPass::Begun;
        }
        let end = self.program.read(&mut shell, host, false, limit).await?;
        shell.end().await;
        if is_command {
            self.command = CommandPass::Over;
        }
        let problem = self.program.problem_of(&end, true);
        self.program.tell(host, problem).await;
        Ok(())
    }

    /// Reads what came since, in the shell that many share. Returns how long to wait.
    async fn ask_in_turn(&mut self, host: &ProgramsHost<'_>) -> Result<Duration, LinkError> {
        let _waiting = host.waiting();
        let began = Instant::now();
        let mut shared = host.shared_shell(self.as_root).await?;
        let asked = Instant::now();
        let shell = &mut shared.shell;
        let end = self.program.read(shell, host, false, None).await?;
        shared.give_back();
        let took = asked.elapsed();
        tracing::trace!(
            "{} was asked for {took:?}, after {:?}",
            self.program.label(),
            began.elapsed()
        );
        self.program.ended(host, &end).await;
        Ok(ASK_EVERY.max(asked.elapsed() * ASKING_SHARE * host.count_waiting()))
    }

    /// Where it is followed in a shell of its own, where there is room or it cannot do without: a
    /// command says something else each time, so it is not asked now and then.
    fn place<'a>(&self, host: &'a ProgramsHost<'_>) -> Option<FollowPlace<'a>> {
        if let Some(permit) = host.connection.sessions().try_program() {
            return Some(FollowPlace {
                uses: SessionUse::Lasting,
                _permit: Some(permit),
            });
        }
        matches!(self.program.kind, ProgramKind::Command(_)).then_some(FollowPlace {
            uses: SessionUse::Beside,
            _permit: None,
        })
    }
}
