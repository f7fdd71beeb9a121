//! When a snapshot was taken, where the user has to say so: saved metric pages and tables with
//! relative ages carry no time of their own, and none is ever guessed.

use std::path::Path;
use std::str::FromStr;

use super::lenient;
use crate::units::Nanos;

/// The time of one file, or of all that need one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenAt {
    /// The file as named on the command line, or its last part; all files without it.
    pub file: Option<String>,
    /// When it was taken.
    pub time: Nanos,
}

impl TakenAt {
    /// The time that `all` give for the input `name`: one of its own before a general one.
    #[must_use]
    pub fn of(all: &[Self], name: &str) -> Option<Nanos> {
        let last = Path::new(name).file_name().and_then(|part| part.to_str());
        let own = |file: &String| file == name || Some(file.as_str()) == last;
        let own = all.iter().find(|at| at.file.as_ref().is_some_and(own));
        let general = || all.iter().find(|at| at.file.is_none());
        own.or_else(general).map(|at| at.time)
    }
}

impl FromStr for TakenAt {
    type Err = String;

    /// `TIME` or `FILE=TIME`; the time as a date (UTC without an offset) or in Unix seconds.
    fn from_str(text: &str) -> Result<Self, String> {
        let (file, time) = match text.rsplit_once('=') {
            Some((file, time)) => (Some(file.to_owned()), time),
            None => (None, text),
        };
        let seconds = || lenient::decimal(time.as_bytes(), 9).map(Nanos);
        let time = lenient::date(time).or_else(seconds).ok_or_else(|| {
            format!("`{time}` is neither a date like 2026-05-12T08:02:24Z nor Unix seconds")
        })?;
        Ok(Self { file, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_its_own_goes_before_all() {
        let all: Vec<TakenAt> = ["2026-05-12T08:02:24Z", "b.prom=1778572945"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let seconds = |name: &str| TakenAt::of(&all, name).map(|t| t.0 / 1_000_000_000);
        assert_eq!(seconds("x/a.prom"), Some(1_778_572_944));
        assert_eq!(seconds("x/b.prom"), Some(1_778_572_945));
        assert_eq!(TakenAt::of(&all[1..], "a"), None);
        for bad in ["", "now", "a=", "a=soon"] {
            assert!(bad.parse::<TakenAt>().is_err(), "{bad}");
        }
    }
}
