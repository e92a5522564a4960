//! Percent-encoding of paths and queries.

use percent_encoding::percent_decode_str;

/// Decodes `%20` and the like; what is no such sequence stays.
pub(super) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(percent_decoded("a%20b%2"), "a b%2");
        assert_eq!(percent_decoded("100%zz%C3%A9"), "100%zzé");
    }
}
