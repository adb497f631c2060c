//! From serde's sentences to fields.

use kernel::FieldError;

/// `path` is where the reader stood (`.` at the top), `message` what serde said.
pub(super) fn field_error(path: &str, message: &str) -> FieldError {
    let message = match message.rfind(" at line ") {
        Some(end) => &message[..end],
        None => message,
    };
    let parent = if path == "." { "" } else { path };
    for (start, told) in [
        ("unknown field `", "is not a field here"),
        ("missing field `", "is required"),
        ("duplicate field `", "is given twice"),
    ] {
        let Some((name, rest)) = message.strip_prefix(start).and_then(|m| m.split_once('`')) else {
            continue;
        };
        let known = rest.strip_prefix(", ").unwrap_or_default();
        let told = if known.is_empty() { told.to_owned() } else { format!("{told}; {known}") };
        return FieldError::new(join(parent, name), clip(&told));
    }
    let field = if parent.is_empty() { "body" } else { parent };
    FieldError::new(field, clip(message))
}

fn join(parent: &str, name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    let already = parent == name || parent.ends_with(&format!(".{name}"));
    match parent {
        "" => name,
        _ if already => parent.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}

/// A message quotes what was sent; a long one is cut.
fn clip(message: &str) -> String {
    const MOST: usize = 300;
    if message.chars().count() <= MOST {
        return message.to_owned();
    }
    let mut clipped: String = message.chars().take(MOST).collect();
    clipped.push('…');
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_sentences_name_their_field() {
        let field = |path, message| field_error(path, message).field;
        assert_eq!(field("lines[2]", "unknown field `qty`, expected `sku`"), "lines[2].qty");
        assert_eq!(field(".", "missing field `email` at line 1 column 2"), "email");
        assert_eq!(field("lines[0].quantity", "invalid type: string"), "lines[0].quantity");
        assert_eq!(field("note", "unknown field `note`, there are no fields"), "note");
        assert_eq!(field(".", "invalid type: sequence, expected a struct"), "body");
        let error = field_error(".", "unknown field `x`, expected `a` or `b` at line 3 column 9");
        assert_eq!(error.message, "is not a field here; expected `a` or `b`");
    }
}
