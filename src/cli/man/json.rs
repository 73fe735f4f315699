//! logtrail-json(5): the JSON Lines, from the table that tests hold them against.

use super::roff::escape;
use crate::report::schema::{KINDS, SchemaField, SchemaType};

const HEAD: &str = "\
.TH logtrail-json 5 \"\" \"logtrail\" \"File Formats\"
.SH NAME
logtrail\\-json \\- the JSON Lines that logtrail\\-tui prints
.SH DESCRIPTION
With
.B \\-\\-json
.BR logtrail\\-tui (1)
prints one object per line. Each has the version of the schema in
.BR v ,
now 1, and its kind in
.BR type .
The last line is always the
.BR summary ;
where it is missing the output is not complete. Only where the reader of a pipe has gone nothing more is printed.
.PP
Every field of a type is always there; what is not known is null where it is marked so. Fields may be added at the end
of a type within a version, and types may be added: ignore those that you do not know.
.PP
A
.I time
is RFC 3339 in UTC with nine digits, so that times sort as text. Sizes are bytes.
.I raw
text is a string, or where it is not UTF\\-8 an object with the one key
.BR bytes ,
base64. Control characters, and those that hide or reorder text, are always escaped. A
.I cursor
is the name of a line: device, inode, offset and a check of the line, with dots between. It can be given back to
.B read
and
.B context
for as long as the line exists, also when its file has been renamed, copied or compressed.
.SH TYPES
";

const FOOT: &str = "\
.SH EXAMPLES
.TP
.B logtrail\\-tui search \\-\\-json \\-\\-since 1h 'level>=error' | jq \\-r 'select(.type==\"hit\") | [.host,.text] | @tsv'
Errors of the last hour as a table.
.TP
.B logtrail\\-tui read \\-\\-json \\-\\-hosts web\\-1 \\-\\-after \"$CURSOR\" | jq \\-r 'select(.type==\"summary\").pages[0].last'
The cursor with which the next page goes on.
.SH SEE ALSO
.BR logtrail\\-tui (1),
.BR jq (1)
";

/// The page as roff.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for kind in KINDS {
        page += &format!(
            ".SS {}\nOne for {}.\n",
            escape(kind.name),
            escape(kind.about)
        );
        fields(kind.fields, &mut page);
    }
    page + FOOT
}

fn fields(fields: &[SchemaField], page: &mut String) {
    for field in fields {
        let null = if field.nullable { " or null" } else { "" };
        *page += &format!(
            ".TP\n.BR {} \" (\\fI{}{null}\\fP)\"\n",
            escape(field.name),
            escape(&name(field.form))
        );
        let about = if field.about.is_empty() {
            field.name.replace('_', " ")
        } else {
            field.about.to_owned()
        };
        *page += &format!("{}.\n", escape(&about));
        if let Some(inner) = inner(field.form) {
            page.push_str(".RS\n");
            self::fields(inner, page);
            page.push_str(".RE\n");
        }
    }
}

/// What a form is called.
fn name(form: SchemaType) -> String {
    match form {
        SchemaType::Count => "count".to_owned(),
        SchemaType::Number => "number".to_owned(),
        SchemaType::Bool => "true or false".to_owned(),
        SchemaType::Text => "text".to_owned(),
        SchemaType::Raw => "raw".to_owned(),
        SchemaType::Time => "time".to_owned(),
        SchemaType::Cursor => "cursor".to_owned(),
        SchemaType::Word(words) => words.join(", "),
        SchemaType::Object(_) | SchemaType::Any => "object".to_owned(),
        SchemaType::List(of) => format!("list of {}", name(*of)),
    }
}

/// The fields of an object, or of those of a list.
fn inner(form: SchemaType) -> Option<&'static [SchemaField]> {
    match form {
        SchemaType::Object(fields) => Some(fields),
        SchemaType::List(of) => inner(*of),
        _ => None,
    }
}
