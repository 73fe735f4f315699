//! Values that do not stand in their line as text: syslog's priority (`<86>`) is a number, and
//! `fields` says its facility and severity in words.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::ast::ValueTest;
use super::expression;
use crate::parse::fields;

/// What stands in each line that has such a value.
pub(super) const SIGN: u8 = b'<';

/// The priorities there are.
const PRIORITIES: std::ops::RangeInclusive<u8> = 0..=191;

/// The values, asked of `fields` itself, so that they are its own.
static VALUES: LazyLock<BTreeSet<Vec<u8>>> = LazyLock::new(|| {
    PRIORITIES
        .flat_map(|number| {
            let line = format!("<{number}>-");
            let said = fields::all(line.as_bytes())
                .list
                .into_iter()
                .map(|field| field.value.text.into_owned());
            said.filter(|value| memchr::memmem::find(line.as_bytes(), value).is_none())
                .collect::<Vec<_>>()
        })
        .collect()
});

/// Whether a test may hold of a value that does not stand in its line.
pub(super) fn may_satisfy(test: &ValueTest) -> bool {
    match test {
        ValueTest::Is(wanted) => VALUES.contains(wanted.as_bytes()),
        ValueTest::Like(pieces) => expression::like(pieces).map_or(true, |regex| {
            VALUES.iter().any(|value| regex.is_match(value))
        }),
        ValueTest::IsNot(_) | ValueTest::Number(..) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::ast::ValuePiece;

    #[test]
    fn words_of_a_priority_are_known() {
        assert!(VALUES.len() >= 30, "{:?}", *VALUES);
        for (value, expected) in [
            ("authpriv", true),
            ("warning", true),
            ("cart", false),
            ("86", false),
        ] {
            assert_eq!(
                may_satisfy(&ValueTest::Is(value.into())),
                expected,
                "{value}"
            );
        }
        assert!(may_satisfy(&ValueTest::Like(vec![
            ValuePiece::Text("auth".into()),
            ValuePiece::Any
        ])));
    }
}
