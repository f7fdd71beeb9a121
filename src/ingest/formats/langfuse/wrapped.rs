//! Values that Langfuse kept in the wrapping that OTLP sent them in.

use crate::ingest::raw::RawValue;

/// Nothing longer is a wrapped number.
const LONGEST: usize = 64;

/// `{"intValue":0}` as the number it holds: zeros and `false` are stored that way.
pub(super) fn unwrapped<'a>(value: &RawValue<'a>) -> Option<RawValue<'a>> {
    let RawValue::Str(text) = value else {
        return None;
    };
    if text.raw().first() != Some(&b'{') || text.raw().len() > LONGEST {
        return None;
    }
    let text = text.get();
    let inside = text.strip_prefix("{\"")?.strip_suffix('}')?;
    let (sort, number) = inside.split_once("\":")?;
    let number = number.trim().trim_matches('"');
    match sort {
        "intValue" => number.parse().ok().map(RawValue::Int),
        "doubleValue" => number.parse().ok().map(RawValue::Double),
        "boolValue" => number.parse().ok().map(RawValue::Bool),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::raw::Text;

    #[test]
    fn numbers_are_taken_out_and_texts_left_alone() {
        let read = |text: &'static str| unwrapped(&RawValue::Str(Text::plain(text.as_bytes())));
        assert!(matches!(read("{\"intValue\":0}"), Some(RawValue::Int(0))));
        assert!(matches!(
            read("{\"boolValue\":false}"),
            Some(RawValue::Bool(false))
        ));
        assert!(matches!(
            read("{\"doubleValue\":0.5}"),
            Some(RawValue::Double(_))
        ));
        for other in [
            "{\"type\":\"auto\"}",
            "{}",
            "{",
            "7",
            "{\"intValue\":\"x\"}",
        ] {
            assert!(read(other).is_none(), "{other}");
        }
        let escaped = Text::escaped(b"{\\\"intValue\\\":7}");
        assert!(matches!(
            unwrapped(&RawValue::Str(escaped)),
            Some(RawValue::Int(7))
        ));
    }
}
