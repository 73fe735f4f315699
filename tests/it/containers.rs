//! Containers as their engines really tell of them, which stand-ins do here as docker 20.10 and
//! podman 4.3.1 were seen to.
//!
//! Their logs have an entry for each part that the engine took in one go: `STAMP TAG text`, where
//! the tag is `F` for what ends a line and `P` for what does not. Between two parts of a line the
//! engines print nothing but the stamp of the second.

use std::fs;
use std::time::Duration;

use logtrail::model::cursor::LineRef;
use logtrail::model::source::{PodSelector, SourceKind};
use logtrail::model::state::LinkState;
use logtrail::query::request::PageStart;

use crate::sources::{
    ID, World, answered, append, container, executable, last_reason, lines, page, problem, source,
    text,
};
use crate::support::fleet::Watched;

/// `logs` of both engines; `ps` prints the file `ps`, and what `refused` has in place of
/// everything.
const ENGINE: &str = r#"#!/bin/sh
at=@FOLDER@
[ -e $at/refused ] && { cat $at/refused >&2; exit 125; }
# How long ago that was, of the second that the file names.
case $* in ps' '*) awk -v now=$(date +%s) '$NF ~ /^@/ { $0 = substr($0, 1, index($0, "@") - 1) (now - substr($NF, 2)) " seconds ago" } { print }' $at/ps; exit ;; esac
for id; do :; done
follow= tail= since=
for word; do
  case $word in
    --follow) follow=1 ;;
    --tail=*) tail=${word#*=} ;;
    --since=*) since=${word#*=}; since=${since%Z} ;;
  esac
done
log=$at/$id
[ -e $log ] || { echo "Error: no container with name or ID \"$id\" found: no such container" >&2; exit 125; }
k=1
case $tail,$0 in
  ,*) ;;
  # Entries are counted, so that it may begin in the middle of a line.
  *,*/docker) n=$(wc -l <$log); [ $n -gt $tail ] && k=$((n - tail + 1)) ;;
  # Ends of lines are counted, and what is between two is put behind the first, the other way round.
  *,*/podman)
    awk -v tail=$tail '
      { at[NR] = $1; tag[NR] = $2; text[NR] = substr($0, length($1) + 4) }
      END {
        for (i = NR; i > 0 && n < tail; i--)
          if (tag[i] == "P") parts = parts text[i]
          else { out[n++] = at[i] " " text[i] parts; parts = "" }
        while (n--) print out[n]
      }' $log
    exit ;;
esac
[ -n "$since" ] && k=$(awk -v since=$since '$1 >= since { print NR; k = 1; exit } END { if (!k) print NR + 1 }' $log)
while :; do
  [ -e $log.ended ] && over=1
  n=$(wc -l <$log)
  if [ $n -ge $k ]; then
    sed -n "${k},${n}p" $log | awk '{ printf "%s %s%s", $1, substr($0, length($1) + 4), $2 == "F" ? "\n" : "" }'
    k=$((n + 1))
  fi
  [ -n "$over" ] || [ -z "$follow" ] && exit
  sleep 0.05
done
"#;

fn world(engine: &str) -> World {
    let world = World::with(&[engine]);
    let at = world.file("").display().to_string();
    executable(
        &world.file("bin").join(engine),
        &ENGINE.replace("@FOLDER@", at.trim_end_matches('/')),
    );
    fs::write(world.file(ID), "").expect("written");
    world
}

fn stamp(milli: u32) -> String {
    let (second, milli) = (milli / 1000, milli % 1000);
    format!(
        "2026-11-20T15:{:02}:{:02}.{milli:03}456789Z",
        second / 60,
        second % 60
    )
}

/// The container takes a part at this time, in thousandths of a second.
fn takes(world: &World, milli: u32, tag: char, part: &str) {
    append(&world.file(ID), &format!("{} {tag} {part}\n", stamp(milli)));
}

fn runs(world: &World) {
    world.list(&[&format!("{ID}\tshop-web\tUp 3 minutes")]);
}

/// It has ended so many seconds ago.
fn ended(world: &World, name: &str, ago: i64) {
    let then = jiff::Timestamp::now().as_second() - ago;
    world.list(&[&format!("{ID}\t{name}\tExited (1) @{then}")]);
}

/// It is cut off, and back again when `after` has happened.
async fn cut_until(world: &World, watched: &mut Watched, after: impl FnOnce()) {
    let before = world.sshd.accepted();
    world.sshd.freeze(true);
    after();
    world.sshd.cut();
    world.sshd.freeze(false);
    watched
        .until("a new connection", |_| world.sshd.accepted() > before)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_podman_took_in_parts_is_one_line_however_it_is_asked_for() {
    let world = world("podman");
    runs(&world);
    takes(&world, 1_000, 'F', "one");
    takes(&world, 1_000, 'P', "slow ");
    takes(&world, 1_300, 'P', "partial ");
    takes(&world, 1_600, 'F', "line");
    takes(&world, 1_600, 'F', "same");
    takes(&world, 1_600, 'F', "same");
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 3);
    watched
        .until("its last lines", |w| w.records.len() == 3)
        .await;
    takes(&world, 5_000, 'P', "loading ");
    takes(&world, 65_000, 'P', "..");
    takes(&world, 95_000, 'F', "done");
    takes(&world, 95_100, 'F', "next");
    watched
        .until("a line of many seconds", |w| w.records.len() == 5)
        .await;
    // Asked from the last second on it begins with "done", which is known.
    cut_until(&world, &mut watched, || {
        takes(&world, 95_200, 'F', "the end");
    })
    .await;
    watched
        .until("the last", |w| {
            w.texts().last().is_some_and(|line| line == "the end")
        })
        .await;
    let all = [
        "one",
        "slow partial line",
        "same",
        "same",
        "loading ..done",
        "next",
        "the end",
    ];
    assert_eq!(watched.texts(), all[1..]);

    let host = world.host(vec![container("shop-web")]);
    for (start, backwards) in [(PageStart::Oldest, false), (PageStart::Newest, true)] {
        let (replies, _) = answered(&host, page(start, backwards, 100)).await;
        assert_eq!(
            lines(&replies).iter().map(text).collect::<Vec<_>>(),
            all,
            "backwards: {backwards}"
        );
    }
    let (replies, totals) = answered(&host, page(PageStart::Newest, true, 3)).await;
    let newest = lines(&replies);
    assert_eq!(newest.iter().map(text).collect::<Vec<_>>(), all[4..]);
    assert!(totals.more, "there are more before");
    let place = LineRef::of(newest[0].cursor, &newest[0].raw);
    let (replies, _) = answered(&host, page(PageStart::Cursor(place), true, 2)).await;
    assert_eq!(
        lines(&replies).iter().map(text).collect::<Vec<_>>(),
        ["same", "same"]
    );
    let (replies, _) = answered(&host, page(PageStart::After(place), false, 9)).await;
    assert_eq!(
        lines(&replies).iter().map(text).collect::<Vec<_>>(),
        ["next", "the end"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_line_without_an_end_and_the_first_of_the_next_run_are_two() {
    for engine in ["docker", "podman"] {
        let world = world(engine);
        runs(&world);
        let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 5);
        takes(&world, 1_000, 'F', "one");
        takes(&world, 2_000, 'P', "last words");
        fs::write(world.file(&format!("{ID}.ended")), "").expect("written");
        ended(&world, "shop-web", 0);
        watched
            .until("its last words", |w| w.texts() == ["one", "last words"])
            .await;
        watched
            .until("its end", |w| {
                problem(w, "shop").as_deref() == Some("exited with code 1")
            })
            .await;
        takes(&world, 9_000, 'F', "hello again");
        fs::remove_file(world.file(&format!("{ID}.ended"))).expect("removed");
        runs(&world);
        watched
            .until("the next run", |w| w.records.len() == 3)
            .await;
        takes(&world, 10_000, 'F', "two");
        watched
            .until("more of it", |w| {
                w.texts().last().is_some_and(|line| line == "two")
            })
            .await;
        assert_eq!(
            watched.texts(),
            ["one", "last words", "hello again", "two"],
            "{engine}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_of_docker_is_whole_and_comes_once() {
    let world = world("docker");
    runs(&world);
    let part = "x".repeat(16 * 1024);
    takes(&world, 1_000, 'F', "one");
    for tag in ['P', 'P', 'F'] {
        takes(
            &world,
            2_000,
            tag,
            if tag == 'P' { &part } else { "the end" },
        );
    }
    let long = format!("{part}{part}the end");
    // Of the last two entries the first is the middle of the long line.
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 2);
    watched
        .until("the last lines", |w| w.texts() == ["one", &long])
        .await;
    cut_until(&world, &mut watched, || takes(&world, 2_100, 'F', "two")).await;
    watched
        .until("the next", |w| {
            w.texts().last().is_some_and(|line| line == "two")
        })
        .await;
    assert_eq!(watched.texts(), ["one", &long, "two"]);

    let (replies, _) = answered(
        &world.host(vec![container("shop-web")]),
        page(PageStart::Newest, true, 2),
    )
    .await;
    assert_eq!(
        lines(&replies).iter().map(text).collect::<Vec<_>>(),
        [&long, "two"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_runs_between_two_looks_is_read_each_time() {
    let world = world("podman");
    fs::write(world.file(&format!("{ID}.ended")), "").expect("written");
    takes(&world, 1_000, 'F', "first run");
    ended(&world, "shop-job", 20);
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-*")])], 5);
    watched
        .until("its end", |w| {
            problem(w, "shop/shop-job").as_deref() == Some("exited with code 1")
        })
        .await;
    takes(&world, 41_000, 'F', "second run");
    ended(&world, "shop-job", 0);
    watched
        .until("the second run", |w| {
            w.texts() == ["first run", "second run"]
        })
        .await;
    assert_eq!(last_reason(&watched).0, Some(LinkState::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_that_must_write_first_says_what_helps() {
    let world = world("podman");
    // Of a login that has not used it since the host was started, and of one that never has.
    for said in [
        "cannot write to file descriptor: File too large\n\
         Error: setting up the process: open /run/user/1001/libpod/tmp/pause.pid: no such file or directory\n",
        "Error: opening database /home/u/.local/share/containers/storage/libpod/bolt_state.db: write \
         /home/u/.local/share/containers/storage/libpod/bolt_state.db: file too large\n",
    ] {
        fs::write(world.file("refused"), said).expect("written");
        let mut watched = Watched::once(
            vec![world.host(vec![container("shop-web")])],
            5,
            Duration::from_secs(20),
        );
        watched.until("the end", |w| w.over).await;
        let (_, reason, hint) = last_reason(&watched);
        assert_eq!(
            reason,
            "container:shop-web: podman wants to write its state first, which nothing of ours may"
        );
        assert!(
            hint.starts_with("run podman ps once on the host as "),
            "{hint}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_that_is_called_docker_is_read_as_podman() {
    let world = world("podman");
    runs(&world);
    let note = "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.";
    executable(
        &world.file("bin/docker"),
        &format!(
            "#!/bin/sh\necho '{note}' >&2\nexec {}/bin/podman \"$@\"\n",
            world.file("").display()
        ),
    );
    takes(&world, 1_000, 'P', "slow ");
    takes(&world, 1_300, 'F', "line");
    let mut watched = Watched::once(
        vec![world.host(vec![container("shop-*")])],
        5,
        Duration::from_secs(20),
    );
    watched.until("the end", |w| w.over).await;
    assert_eq!(watched.texts(), ["slow line"]);
    assert!(
        watched
            .sources
            .iter()
            .any(|info| &*info.path == "podman:0123456789ab"),
        "{:?}",
        watched.sources
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn init_containers_and_sidecars_of_a_pod_are_sources_too() {
    let world = World::with(&["kubectl"]);
    world.list(&["shop   web-0   u-1   Running   app   0   migrate,mesh   0,0   mesh"]);
    for name in ["app", "migrate", "mesh"] {
        world.says(
            &format!("web-0.{name}"),
            &[&format!("{} hello of {name}", stamp(1_000))],
        );
    }
    let pod = PodSelector {
        namespace: Some("shop".to_owned()),
        name: "web-*".to_owned(),
        container: None,
    };
    let mut watched = Watched::follow(
        vec![world.host(vec![source("cart", SourceKind::Pod(pod))])],
        5,
    );
    watched.until("all three", |w| w.records.len() == 3).await;
    let before = |w: &Watched| problem(w, "cart/web-0/migrate");
    watched
        .until("the end of one", |w| {
            before(w).as_deref() == Some("it ran before the others")
        })
        .await;
    assert_eq!(
        (
            problem(&watched, "cart/web-0"),
            problem(&watched, "cart/web-0/mesh")
        ),
        (None, None)
    );
    assert_eq!(last_reason(&watched).0, Some(LinkState::Ok));
    world.says("web-0.mesh", &[&format!("{} more of mesh", stamp(2_000))]);
    watched
        .until("what goes on", |w| {
            w.texts().last().is_some_and(|line| line == "more of mesh")
        })
        .await;
}
