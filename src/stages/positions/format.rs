//! The contents of the file: one JSON object, with a checksum that shows a torn one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::cursor::LineRef;
use crate::model::read_position::{ReadPosition, SavedPositions};
use crate::model::time::Time;

/// What is written and understood.
const VERSION: u32 = 1;

/// Generations of sources that are remembered, of hosts that are long gone too; beyond it the
/// oldest are forgotten.
const MOST: usize = 100_000;

#[derive(Serialize, Deserialize)]
struct SavedDocument {
    v: u32,
    entries: Vec<SavedEntry>,
    /// CRC-32 of the entries as they are written.
    check: String,
}

/// Only to distinguish a document of a later version from a torn one.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct SavedEntry {
    host: String,
    source: String,
    /// The last line that was printed; without a check the one that comes next.
    cursor: String,
    length: u64,
    time: Timestamp,
    /// The bytes before its end, in base64.
    before: String,
}

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is torn, or no document of ours.
    Corrupt,
    /// A later version of this program wrote it.
    Later(u32),
}

/// As it is written.
pub(super) fn write(remembered: &SavedPositions) -> Vec<u8> {
    let mut entries = Vec::new();
    for (host, sources) in remembered {
        for (source, reached) in sources {
            entries.extend(
                reached
                    .iter()
                    .map(|reached| SavedEntry::new(host, source, reached)),
            );
        }
    }
    if entries.len() > MOST {
        let mut times: Vec<Timestamp> = entries.iter().map(|entry| entry.time).collect();
        times.sort_unstable();
        let first = times[times.len() - MOST];
        entries.retain(|entry| entry.time >= first);
    }
    let check = check(&entries);
    let mut text = serde_json::to_vec(&SavedDocument {
        v: VERSION,
        entries,
        check,
    })
    .unwrap_or_default();
    text.push(b'\n');
    text
}

/// What was written.
pub(super) fn read(text: &[u8]) -> Result<SavedPositions, Unusable> {
    let Version { v } = serde_json::from_slice(text).map_err(|_| Unusable::Corrupt)?;
    if v > VERSION {
        return Err(Unusable::Later(v));
    }
    let document: SavedDocument = serde_json::from_slice(text).map_err(|_| Unusable::Corrupt)?;
    if document.check != check(&document.entries) {
        return Err(Unusable::Corrupt);
    }
    let mut remembered = SavedPositions::new();
    for entry in document.entries {
        let reached = entry.reached().ok_or(Unusable::Corrupt)?;
        remembered
            .entry(entry.host)
            .or_default()
            .entry(entry.source)
            .or_default()
            .push(reached);
    }
    Ok(remembered)
}

fn check(entries: &[SavedEntry]) -> String {
    format!(
        "{:08x}",
        crc32fast::hash(&serde_json::to_vec(entries).unwrap_or_default())
    )
}

impl SavedEntry {
    fn new(host: &str, source: &str, reached: &ReadPosition) -> Self {
        Self {
            host: host.to_owned(),
            source: source.to_owned(),
            cursor: reached.place.to_string(),
            length: reached.length,
            time: reached.time.to_timestamp(),
            before: STANDARD.encode(&reached.before),
        }
    }

    fn reached(&self) -> Option<ReadPosition> {
        let place: LineRef = self.cursor.parse().ok()?;
        place.cursor.offset.checked_add(self.length)?;
        let before = STANDARD.decode(&self.before).ok()?;
        Some(ReadPosition {
            place,
            length: self.length,
            before,
            time: Time::from_timestamp(self.time),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reached() -> impl Strategy<Value = ReadPosition> {
        let place = "[0-9a-f]{1,8}\\.[0-9a-f]{1,8}\\.[0-9]{1,9}(\\.[0-9a-f]{8})?";
        let before = prop::collection::vec(any::<u8>(), 0..40);
        (place, 0u64..5000, before, any::<i64>()).prop_map(|(place, length, before, time)| {
            ReadPosition {
                place: place.parse().expect("a place"),
                length,
                before,
                time: Time(time),
            }
        })
    }

    fn remembered() -> impl Strategy<Value = SavedPositions> {
        let generations = prop::collection::vec(reached(), 1..4);
        prop::collection::btree_map(
            "[a-z0-9.-]{1,9}",
            prop::collection::btree_map(".{1,9}", generations, 1..4),
            0..4,
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_itself_and_nothing_that_is_torn_does(
            remembered in remembered(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut text = write(&remembered);
            prop_assert_eq!(read(&text), Ok(remembered.clone()));
            prop_assert_eq!(read(&text[..at.index(text.len() - 1)]), Err(Unusable::Corrupt), "half of it");
            let at = at.index(text.len() - 1);
            text[at] ^= 1 << bit;
            if let Ok(other) = read(&text) {
                prop_assert_eq!(other, remembered, "with bit {} of byte {} turned", bit, at);
            }
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_not_taken_for_torn() {
        assert_eq!(read(br#"{"v":2,"anything":[]}"#), Err(Unusable::Later(2)));
        for text in [
            "",
            "{}",
            "[]",
            "\0\0\0",
            r#"{"v":1}"#,
            r#"{"v":1,"entries":[],"check":"1"}"#,
        ] {
            assert_eq!(read(text.as_bytes()), Err(Unusable::Corrupt), "{text:?}");
        }
    }
}
