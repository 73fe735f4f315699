//! Questions to one host, and its whole answer.

use logtrail::host::programs::Talk;
use logtrail::model::host::{HostSpec, SystemFacts};
use logtrail::model::line::Line;
use logtrail::model::time::Time;
use logtrail::query::request::{
    LogRequest, LogResponse, PageRequest, PageStart, RequestKind, ResponseTotals,
};
use logtrail::transport::Connection;

use super::connect::connect;

/// All replies to a question, to the end.
pub(crate) async fn all_replies(
    mut replies: tokio::sync::mpsc::Receiver<LogResponse>,
) -> Vec<LogResponse> {
    let mut all = Vec::new();
    while let Some(reply) = replies.recv().await {
        all.push(reply);
    }
    all
}

/// The whole answer of a host about all its sources.
pub(crate) async fn answer_of(
    host: &HostSpec,
    what: RequestKind,
) -> (Vec<LogResponse>, ResponseTotals) {
    let connection = connect(host).await;
    let answer = answer_over(&connection, host, what).await;
    connection.close().await;
    answer
}

/// The same over a connection that is there already.
pub(crate) async fn answer_over(
    connection: &Connection,
    host: &HostSpec,
    what: RequestKind,
) -> (Vec<LogResponse>, ResponseTotals) {
    let (sender, replies) = tokio::sync::mpsc::channel(1000);
    let ask = LogRequest {
        sources: Vec::new(),
        what,
    };
    logtrail::host::ask::ask(connection, host, &ask, sender)
        .await
        .expect("the host stays");
    let mut all = all_replies(replies).await;
    let Some(LogResponse::Done(totals)) = all.pop() else {
        panic!("the last is not the end: {all:?}")
    };
    (all, totals)
}

/// What its streams answer, and what that came to.
pub(crate) async fn answer_of_streams(
    host: &HostSpec,
    what: RequestKind,
) -> (Vec<LogResponse>, ResponseTotals) {
    let connection = connect(host).await;
    let (sender, replies) = tokio::sync::mpsc::channel(1000);
    let ask = LogRequest {
        sources: Vec::new(),
        what,
    };
    let totals = Talk::default()
        .answer(&connection, host, &SystemFacts::default(), &ask, &sender)
        .await
        .expect("the host stays");
    drop(sender);
    connection.close().await;
    (all_replies(replies).await, totals)
}

/// A request for a page of lines of any time.
pub(crate) fn page_request(start: PageStart, backwards: bool, lines: u32) -> RequestKind {
    RequestKind::Page(PageRequest {
        start,
        backwards,
        lines,
        window: Time(i64::MIN)..Time(i64::MAX),
    })
}

/// The lines of replies that are nothing else.
pub(crate) fn reply_lines(replies: &[LogResponse]) -> Vec<Line> {
    let of = |reply: &LogResponse| match reply {
        LogResponse::Lines(_, lines) => lines.clone(),
        other => panic!("{other:?}"),
    };
    replies.iter().flat_map(of).collect()
}

/// A line as text.
pub(crate) fn text_of(line: &Line) -> String {
    String::from_utf8_lossy(&line.raw).into_owned()
}

/// Each hit with its source and the lines around it.
pub(crate) fn hits_of(replies: &[LogResponse]) -> Vec<String> {
    let around = |lines: &[Line]| lines.iter().map(text_of).collect::<Vec<_>>().join("|");
    let of = |reply: &LogResponse| match reply {
        LogResponse::Hits(name, hits) => {
            let [hit] = &hits[..] else { panic!("{hits:?}") };
            format!(
                "{name}: {} [{}] [{}]",
                text_of(&hit.line),
                around(&hit.before),
                around(&hit.after)
            )
        }
        other => panic!("{other:?}"),
    };
    replies.iter().map(of).collect()
}
