//! Numbers that emitters write as texts.

use super::field::Unit;

/// The number in a text.
pub(super) fn parse(text: &str, unit: Unit) -> Option<f64> {
    let text = text.trim();
    match text {
        "true" | "True" => return Some(1.0),
        "false" | "False" => return Some(0.0),
        _ => {}
    }
    if unit == Unit::Printed {
        return printed_duration(text);
    }
    text.parse().ok()
}

/// A Rust `Duration` as `Debug` prints it, in nanoseconds.
fn printed_duration(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, unit) = text.split_at(split);
    let scale = match unit {
        "ns" => 1.0,
        "µs" | "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|n| n * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_rust_prints_them() {
        assert_eq!(printed_duration("1.5ms"), Some(1.5e6));
        assert_eq!(printed_duration("850µs"), Some(850e3));
        assert_eq!(printed_duration("12"), None);
    }
}
