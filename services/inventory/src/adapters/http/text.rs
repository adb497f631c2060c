//! Rules of free texts, for garde; the same stand as patterns in the document.

/// No line breaks, tabs or other control characters: these texts end up in lists and labels.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands the context as a reference")]
pub fn one_line(text: &str, _: &()) -> garde::Result {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err(garde::Error::new("must not hold control characters"));
    }
    Ok(())
}
