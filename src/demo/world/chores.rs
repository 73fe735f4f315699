//! Everything that is not a request: jobs of the workers, and what each host says of itself in its
//! syslog.

use rand::RngExt as _;

use super::super::cast::LineForm;
use super::DemoWorld;

/// Kinds of jobs, with the time each takes in milliseconds.
const JOBS: [(&str, f64); 6] = [
    ("send_receipt", 120.0),
    ("resize_image", 340.0),
    ("sync_stock", 90.0),
    ("export_invoices", 900.0),
    ("rebuild_search_index", 1_600.0),
    ("purge_sessions", 60.0),
];

impl DemoWorld {
    /// A worker takes a job from the queue and does it, or fails.
    pub(super) fn job(&mut self, worker: usize, at: i64) {
        let Some(log) = self.workers[worker].file(LineForm::Worker) else {
            return;
        };
        let (kind, base_ms) = JOBS[self.rng.random_range(0..JOBS.len())];
        let job = format!("{:08x}", self.rng.random_range(0..u32::MAX));
        let slot = self.rng.random_range(1..9);
        let took = self.latency(base_ms);
        let end = at + took as i64;
        self.write(
            at,
            log,
            format!(" INFO     worker[{slot}] jobs.{kind} id={job} started"),
        );
        let chance: f64 = self.rng.random_range(0.0..1.0);
        let status = if chance < 0.015 {
            self.job_failed(log, end, slot, kind, &job);
            "failed"
        } else if chance < 0.06 {
            let tries = self.rng.random_range(1..4);
            let answer = if kind == "send_receipt" {
                "mail gateway answered 451"
            } else {
                "storage answered 503"
            };
            let wait = tries * 8;
            let warning = format!(
                " WARNING  worker[{slot}] jobs.{kind} id={job} {answer}, try again in {wait}s ({tries}/5)"
            );
            self.write(end, log, warning);
            "deferred"
        } else {
            let seconds = took / 1000.0;
            self.write(
                end,
                log,
                format!(" INFO     worker[{slot}] jobs.{kind} id={job} done in {seconds:.3}s"),
            );
            "done"
        };
        self.job_event(worker, end, kind, &job, status, took);
    }

    fn job_event(
        &mut self,
        worker: usize,
        at: i64,
        kind: &str,
        job: &str,
        status: &str,
        took_ms: f64,
    ) {
        let Some(file) = self.workers[worker].file(LineForm::AppJson) else {
            return;
        };
        let level = match status {
            "failed" => "error",
            "deferred" => "warn",
            _ => "info",
        };
        let depth = self.rng.random_range(0..40);
        let tail = format!(
            "\",\"level\":\"{level}\",\"msg\":\"job {status}\",\"job\":\"{job}\",\"kind\":\"{kind}\",\
             \"duration_ms\":{took_ms:.1},\"queue_depth\":{depth}}}"
        );
        self.write_around(at, file, "{\"time\":\"".to_owned(), tail);
    }

    fn job_failed(&mut self, log: usize, at: i64, slot: u32, kind: &str, job: &str) {
        let number = self.rng.random_range(80_000..99_000);
        let why = match kind {
            "export_invoices" => {
                format!("ValueError: invoice {number}: amount '12,50' is not a number")
            }
            "send_receipt" => format!("KeyError: 'delivery_note' in order {number}"),
            _ => "ConnectionResetError: [Errno 104] Connection reset by peer".to_owned(),
        };
        let tail = format!(
            " ERROR    worker[{slot}] jobs.{kind} id={job} failed, will be tried again in 30s\n\
             Traceback (most recent call last):\n\
             \x20 File \"/srv/worker/runner.py\", line 118, in run\n\
             \x20   result = handler(payload, deadline=deadline)\n\
             \x20 File \"/srv/worker/jobs/{kind}.py\", line 64, in handle\n\
             \x20   return self.process(payload[\"items\"])\n\
             {why}"
        );
        self.write(at, log, tail);
    }

    /// What every host does besides its work.
    pub(super) fn all_chores(&mut self, more: f64, from: i64, to: i64) {
        let mut due = Vec::new();
        for players in [
            &mut self.webs,
            &mut self.apis,
            &mut self.dbs,
            &mut self.workers,
        ] {
            for player in players.iter_mut() {
                player.owed_chores += more;
                let count = player.owed_chores.floor();
                player.owed_chores -= count;
                if count >= 1.0 {
                    due.push((
                        player.name.clone(),
                        player.file(LineForm::Syslog),
                        player.file(LineForm::Database),
                    ));
                }
            }
        }
        for (host, syslog, database) in due {
            let at = self.rng.random_range(from..to);
            if let Some(database) = database.filter(|_| self.rng.random_bool(0.25)) {
                self.database_chore(database, at);
            } else if let Some(syslog) = syslog {
                self.syslog_chore(syslog, &host, at);
            }
        }
    }

    fn database_chore(&mut self, file: usize, at: i64) {
        let pages = self.rng.random_range(40..4000);
        let seconds = self.rng.random_range(0.8..26.0);
        let text = match self.rng.random_range(0..3) {
            0 => format!(
                " [702] LOG:  checkpoint complete: wrote {pages} buffers; write={seconds:.3} s, sync=0.018 s"
            ),
            1 => format!(
                " [9941] LOG:  automatic vacuum of table \"shop.public.cart_items\": {pages} tuples removed"
            ),
            _ => format!(
                " [2044] shop@shop LOG:  temporary file: path \"base/pgsql_tmp\", size {}",
                pages * 8192
            ),
        };
        self.write(at, file, text);
    }

    fn syslog_chore(&mut self, file: usize, host: &str, at: i64) {
        let pid = self.rng.random_range(900..32_000);
        let client = self.client();
        let port = self.rng.random_range(1024..65_535);
        let number = self.rng.random_range(2..900);
        let text = match self.rng.random_range(0..14) {
            0 | 1 => format!(
                "CRON[{pid}]: (root) CMD (test -x /usr/sbin/logrotate && /usr/sbin/logrotate /etc/logrotate.conf)"
            ),
            2 => format!(
                "systemd[1]: Started session-{number}.scope - Session {number} of User deploy."
            ),
            3 => format!(
                "sshd[{pid}]: Accepted publickey for deploy from {client} port {port} ssh2: ED25519"
            ),
            4 => format!(
                "sshd[{pid}]: Failed password for invalid user admin from {client} port {port} ssh2"
            ),
            5 => format!("sshd[{pid}]: Connection closed by {client} port {port} [preauth]"),
            6 => format!(
                "chronyd[431]: Selected source 192.0.2.{} (ntp.example)",
                number % 250 + 1
            ),
            7 => "systemd[1]: node-textfile.service: Deactivated successfully.".to_owned(),
            8 if number < 100 => format!(
                "kernel: [{number}12.204811] TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies."
            ),
            9 => format!(
                "dhclient[388]: DHCPACK of 10.20.0.{} from 10.20.0.1",
                number % 250 + 1
            ),
            10 => format!(
                "systemd-resolved[402]: Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 10.20.0.{}.",
                number % 9
            ),
            11 => format!(
                "sudo: deploy : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/journalctl -n {number}"
            ),
            12 if number > 600 => {
                format!("backup[{pid}]: warning: snapshot took {number} s, expected at most 600 s")
            }
            12 => format!("backup[{pid}]: snapshot of /srv done in {number} s"),
            _ => format!("node-agent[611]: pushed {number} series in 0.041s"),
        };
        self.write(at, file, format!(" {host} {text}"));
    }
}
