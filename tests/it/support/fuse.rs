//! A file system in this process, over a folder: what is in the folder is seen through it,
//! read-only, and it lies, fails and hangs as it is told. Of what is changed in the folder itself
//! it gives no sign, like a file server.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, Request,
};
use rustix::mount::{UnmountFlags, unmount};

/// As many requests are worked on at once; those that hang beyond them wait in the kernel.
const WORKERS: usize = 8;

/// How it behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manners {
    /// Every request gets this error.
    pub(crate) fails: Option<Errno>,
    /// Every read of a file gets this error.
    pub(crate) reads_fail: Option<Errno>,
    /// No request is answered, and whoever waits for an answer cannot be killed.
    pub(crate) hangs: bool,
    /// Size and time of change of a file are those of so long ago at most; what is read is as it is
    /// now.
    pub(crate) sizes_lag: Duration,
    /// What is read beyond the size that was told last are NUL bytes, and not what is there.
    pub(crate) zeroes_beyond: bool,
    /// For so long the kernel does not ask again what a file is like.
    pub(crate) kept: Duration,
}

/// A mounted one. Unmounted when it is dropped, whoever uses it.
pub(crate) struct Fuse {
    shared: Arc<Shared>,
    point: PathBuf,
    session: Option<BackgroundSession>,
}

struct Shared {
    folder: PathBuf,
    /// What is added to the numbers of files.
    numbers: u64,
    manners: Mutex<Manners>,
    changed: Condvar,
    /// Paths below the folder.
    paths: Mutex<HashMap<u64, PathBuf>>,
    open: Mutex<HashMap<u64, File>>,
    handles: AtomicU64,
    told: Mutex<HashMap<u64, (Instant, FileAttr)>>,
    /// Reads that reached beyond the size that was told.
    beyond: AtomicU64,
    waiting: AtomicU64,
}

impl Fuse {
    /// Shows `folder` at `point`, with numbers of files that are those of the folder and so much.
    pub(crate) fn mount(folder: &Path, point: &Path, numbers: u64, manners: Manners) -> Self {
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            numbers,
            manners: Mutex::new(manners),
            changed: Condvar::new(),
            paths: Mutex::new(HashMap::from([(INodeNo::ROOT.0, PathBuf::new())])),
            open: Mutex::default(),
            handles: AtomicU64::new(1),
            told: Mutex::default(),
            beyond: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
        });
        let mut config = Config::default();
        config.mount_options = vec![MountOption::RO, MountOption::FSName("test".to_owned())];
        config.n_threads = Some(WORKERS);
        let session = fuser::Session::new(View(Arc::clone(&shared)), point, &config)
            .and_then(fuser::Session::spawn);
        let session = session.unwrap_or_else(|error| {
            panic!("cannot mount a FUSE file system ({error}): the tests need /dev/fuse, readable and writable for us")
        });
        Self {
            shared,
            point: point.to_owned(),
            session: Some(session),
        }
    }

    /// From now on it behaves so.
    pub(crate) fn behave(&self, manners: Manners) {
        *self.shared.manners.lock().expect("no panic") = manners;
        self.shared.changed.notify_all();
    }

    /// How many reads reached beyond the size that had been told.
    pub(crate) fn reads_beyond(&self) -> u64 {
        self.shared.beyond.load(Ordering::SeqCst)
    }

    /// How many requests hang.
    pub(crate) fn waiting(&self) -> u64 {
        self.shared.waiting.load(Ordering::SeqCst)
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        self.behave(Manners::default());
        // Whoever has a file open keeps it, and the name is free.
        let _ = unmount(&self.point, UnmountFlags::DETACH);
        drop(self.session.take());
    }
}

impl Shared {
    /// How to behave; waits while it hangs.
    fn manners(&self) -> Result<Manners, Errno> {
        let mut manners = self.manners.lock().expect("no panic");
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while manners.hangs {
            manners = self.changed.wait(manners).expect("no panic");
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        manners.fails.map_or(Ok(*manners), Err)
    }

    fn path(&self, ino: INodeNo) -> Result<PathBuf, Errno> {
        self.paths
            .lock()
            .expect("no panic")
            .get(&ino.0)
            .cloned()
            .ok_or(Errno::ESTALE)
    }

    /// What the folder has under this path.
    fn look(&self, path: &Path, manners: Manners) -> Result<FileAttr, Errno> {
        let attr = self.attr(path, &std::fs::symlink_metadata(self.folder.join(path))?);
        let mut told = self.told.lock().expect("no panic");
        let known = told.entry(attr.ino.0).or_insert((Instant::now(), attr));
        if known.0.elapsed() >= manners.sizes_lag {
            *known = (Instant::now(), attr);
        }
        Ok(known.1)
    }

    fn attr(&self, path: &Path, meta: &Metadata) -> FileAttr {
        let ino = if path.as_os_str().is_empty() {
            INodeNo::ROOT
        } else {
            INodeNo(meta.ino() + self.numbers)
        };
        let changed = meta.modified().unwrap_or(UNIX_EPOCH);
        FileAttr {
            ino,
            size: meta.size(),
            blocks: meta.blocks(),
            atime: changed,
            mtime: changed,
            ctime: changed,
            crtime: changed,
            kind: FileType::from_std(meta.file_type()).unwrap_or(FileType::RegularFile),
            perm: (meta.mode() & 0o7777) as u16,
            nlink: 1,
            uid: meta.uid(),
            gid: meta.gid(),
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    /// What is told of a file that was found before: under its name there may be another now.
    fn look_again(&self, ino: INodeNo, manners: Manners) -> Result<FileAttr, Errno> {
        let attr = self.look(&self.path(ino)?, manners)?;
        if attr.ino == ino {
            Ok(attr)
        } else {
            Err(Errno::ESTALE)
        }
    }

    fn read(&self, ino: INodeNo, fh: FileHandle, from: u64, most: usize) -> Result<Vec<u8>, Errno> {
        let manners = self.manners()?;
        manners.reads_fail.map_or(Ok(()), Err)?;
        let open = self.open.lock().expect("no panic");
        let file = open.get(&fh.0).ok_or(Errno::EBADF)?;
        let mut bytes = vec![0; most];
        let mut length = 0;
        while let n @ 1.. = file.read_at(&mut bytes[length..], from + length as u64)? {
            length += n;
        }
        bytes.truncate(length);
        let told = self
            .told
            .lock()
            .expect("no panic")
            .get(&ino.0)
            .map_or(u64::MAX, |(_, attr)| attr.size);
        let shown = usize::try_from(told.saturating_sub(from)).unwrap_or(usize::MAX);
        if shown < length {
            self.beyond.fetch_add(1, Ordering::SeqCst);
            if manners.zeroes_beyond {
                bytes[shown..].fill(0);
            }
        }
        Ok(bytes)
    }

    fn open(&self, ino: INodeNo) -> Result<u64, Errno> {
        let manners = self.manners()?;
        self.look_again(ino, manners)?;
        let file = File::open(self.folder.join(self.path(ino)?))?;
        let handle = self.handles.fetch_add(1, Ordering::SeqCst);
        self.open.lock().expect("no panic").insert(handle, file);
        Ok(handle)
    }
}

/// The side of it that the kernel talks to.
struct View(Arc<Shared>);

impl Filesystem for View {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.0.manners().and_then(|manners| {
            let path = self.0.path(parent)?.join(name);
            let attr = self.0.look(&path, manners)?;
            self.0
                .paths
                .lock()
                .expect("no panic")
                .insert(attr.ino.0, path);
            Ok((attr, manners.kept))
        });
        match found {
            Ok((attr, kept)) => reply.entry(&kept, &attr, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let looked = self
            .0
            .manners()
            .and_then(|manners| Ok((self.0.look_again(ino, manners)?, manners.kept)));
        match looked {
            Ok((attr, kept)) => reply.attr(&kept, &attr),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.0.open(ino) {
            // The kernel does not cut a read off at the size it was told.
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.0.read(ino, fh, offset, size as usize) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.0.open.lock().expect("no panic").remove(&fh.0);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let names = self.0.manners().and_then(|_| {
            let entries = std::fs::read_dir(self.0.folder.join(self.0.path(ino)?))?;
            let mut names: Vec<_> = entries
                .filter_map(|entry| Some(entry.ok()?.file_name()))
                .collect();
            names.sort();
            Ok(names)
        });
        let names = match names {
            Ok(names) => names,
            Err(error) => return reply.error(error),
        };
        for (n, name) in names
            .iter()
            .enumerate()
            .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        {
            // The number in a listing is of no importance, but must not be 0.
            if reply.add(
                INodeNo(n as u64 + 2),
                n as u64 + 1,
                FileType::RegularFile,
                name,
            ) {
                break;
            }
        }
        reply.ok();
    }
}
