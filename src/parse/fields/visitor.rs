//! How readers of formats and those who want fields meet: a reader offers each field by its name,
//! and decodes the value only where the [`FieldVisitor`] takes it.

use std::ops::ControlFlow;

use super::value::FieldValue;

/// Whether to go on; a break ends the whole walk.
pub(crate) type Flow = ControlFlow<()>;

/// The names from the outermost object to a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldPath<'p> {
    pub(crate) parent: Option<&'p FieldPath<'p>>,
    pub(crate) key: &'p [u8],
    /// The key is the place in an array.
    pub(crate) is_index: bool,
}

impl<'p> FieldPath<'p> {
    pub(crate) fn member(parent: Option<&'p Self>, key: &'p [u8]) -> Self {
        Self {
            parent,
            key,
            is_index: false,
        }
    }

    pub(crate) fn element(parent: &'p Self, index: &'p str) -> Self {
        Self {
            parent: Some(parent),
            key: index.as_bytes(),
            is_index: true,
        }
    }

    /// The length of its name.
    pub(crate) fn len(&self) -> usize {
        self.key.len() + self.parent.map_or(0, |parent| parent.len() + 1)
    }

    pub(crate) fn name(&self) -> String {
        let mut name = self
            .parent
            .map(|parent| parent.name() + ".")
            .unwrap_or_default();
        name += &String::from_utf8_lossy(self.key);
        name
    }
}

/// What is under a name, before it is known whether it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldShape {
    /// A value, or an object that is empty or too deep.
    Leaf,
    /// An array.
    Array,
    /// An object with members.
    Object,
}

/// What to do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldWish {
    Skip,
    Take,
    /// Not the object or the array itself, but perhaps something in it.
    Enter,
}

/// Sees every field of a line, and gets the value of those that it takes.
pub(crate) trait FieldVisitor<'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish;
    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'a>) -> Flow;

    /// Whether it is worth while to look for what is in columns without a name.
    fn wants_columns(&self) -> bool {
        false
    }
}

impl<'a> dyn FieldVisitor<'a> + '_ {
    /// A leaf that is decoded only if it is wanted.
    pub(crate) fn offer(
        &mut self,
        path: &FieldPath<'_>,
        value: impl FnOnce() -> FieldValue<'a>,
    ) -> Flow {
        match self.wish(path, FieldShape::Leaf) {
            FieldWish::Take => self.take(path, value()),
            FieldWish::Skip | FieldWish::Enter => Flow::Continue(()),
        }
    }

    pub(crate) fn text(&mut self, key: &[u8], text: &'a [u8]) -> Flow {
        self.offer(&FieldPath::member(None, key), || FieldValue::of_text(text))
    }

    /// A value of a format that has no kinds.
    pub(crate) fn sniffed(&mut self, key: &[u8], text: &'a [u8]) -> Flow {
        self.offer(&FieldPath::member(None, key), || FieldValue::sniffed(text))
    }
}

/// For text that was decoded on the way and will not live as long as the line.
pub(crate) struct OwningVisitor<'v, 'a>(pub(crate) &'v mut dyn FieldVisitor<'a>);

impl<'b> FieldVisitor<'b> for OwningVisitor<'_, '_> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        self.0.wish(path, shape)
    }

    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'b>) -> Flow {
        self.0.take(path, value.into_owned())
    }

    fn wants_columns(&self) -> bool {
        self.0.wants_columns()
    }
}
