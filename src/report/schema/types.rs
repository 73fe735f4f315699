//! What the table of objects is made of.

/// A type of objects.
#[derive(Debug)]
pub struct Kind {
    /// Its `type`.
    pub name: &'static str,
    /// What there is one of for each.
    pub about: &'static str,
    /// Those of the object, after `v` and `type`.
    pub fields: &'static [SchemaField],
}

/// A field.
#[derive(Debug)]
pub struct SchemaField {
    /// Its key.
    pub name: &'static str,
    /// What its value is.
    pub form: SchemaType,
    /// May be `null`.
    pub nullable: bool,
    /// What it means.
    pub about: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum SchemaType {
    /// A number without a fraction, not negative.
    Count,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A string of ours.
    Text,
    /// A string, or an object with `bytes` where it is not UTF-8.
    Raw,
    /// An RFC 3339 time in UTC.
    Time,
    /// The name of a line: four parts with dots between.
    Cursor,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object with these fields.
    Object(&'static [SchemaField]),
    /// A list of such.
    List(&'static SchemaType),
    /// An object with any keys.
    Any,
}
