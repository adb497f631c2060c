//! Rules of texts that come in.

use kernel::LocalizedText;

/// What stands in one line, and shows.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(super) fn one_line(text: &str, _context: &()) -> garde::Result {
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    Ok(())
}

/// Several lines, but nothing that a terminal would act upon.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(super) fn some_lines(text: &str, _context: &()) -> garde::Result {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    Ok(())
}

/// 1 to 20 languages, 1 to 100 characters each.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(super) fn names(text: &LocalizedText, context: &()) -> garde::Result {
    if !(1..=20).contains(&text.0.len()) {
        return Err(garde::Error::new("has 1 to 20 languages"));
    }
    for (locale, name) in &text.0 {
        if !(1..=100).contains(&name.chars().count()) {
            return Err(garde::Error::new(format!("{locale} has 1 to 100 characters")));
        }
        one_line(name, context)?;
    }
    Ok(())
}

/// `standard`, `reduced`, …; goods that are not taxed have no class, so there is none to rate.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(super) fn tax_class(text: &str, _context: &()) -> garde::Result {
    let fits = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    match text {
        "none" => Err(garde::Error::new("names goods that are not taxed")),
        _ if !fits => Err(garde::Error::new("has lower-case letters, digits, - and _ only")),
        _ => Ok(()),
    }
}
