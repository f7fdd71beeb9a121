//! Keeps track of devices from round to round: who is there, who dropped out, what was counted.

use std::collections::BTreeMap;

use super::counter::Counter;
use super::measure::{Label, Measured, Number, measure};
use super::metric;
use super::{Answers, Round};
use crate::units::Nanos;

/// What became of one device in a round.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct State {
    /// Its answers; of a device that is silent, only what names it.
    pub answers: Answers,
    /// Why it does not answer; `None` while it does.
    pub silent: Option<String>,
    /// What was measured.
    pub values: Vec<Measured>,
}

/// One round, ready to be shown and written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Frame {
    /// When.
    pub time: Nanos,
    /// Version of the driver.
    pub driver: Option<String>,
    /// Every device ever seen, by index, MIG instances after their device.
    pub devices: Vec<State>,
    /// What the user should be told: devices that dropped out or came back, answers that were refused.
    pub notes: Vec<String>,
}

/// One device as it was last seen.
#[derive(Debug, Default)]
struct Known {
    name: Answers,
    last: Option<Nanos>,
    silent: bool,
    missed: u64,
    xids: BTreeMap<u64, u64>,
    counts_xids: bool,
    received: Counter,
    sent: Counter,
}

/// The round that is taken in.
struct Now {
    time: Nanos,
    started: Nanos,
    driver: Option<String>,
}

/// Devices over all rounds.
#[derive(Debug, Default)]
pub struct Recorder {
    started: Option<Nanos>,
    known: BTreeMap<(u32, Option<u32>, String), Known>,
    refused: Vec<String>,
    rounds: u64,
}

impl Recorder {
    /// Takes in one round. A device that was there and does not answer stays in the frame as failed.
    pub fn take(&mut self, round: Round) -> Frame {
        let started = *self.started.get_or_insert(round.time);
        let now = Now {
            time: round.time,
            started,
            driver: round.driver.clone(),
        };
        self.rounds += 1;
        let mut notes = Vec::new();
        let mut answered: BTreeMap<_, Answers> = BTreeMap::new();
        for answers in round.devices {
            self.refusals(&answers, &mut notes);
            let key = (answers.index, answers.mig_index, answers.uuid.clone());
            self.known.entry(key.clone()).or_default();
            answered.insert(key, answers);
        }
        let mut devices = Vec::new();
        for (key, known) in &mut self.known {
            let state = match answered.remove(key) {
                Some(answers) => known.answered(answers, &now, &mut notes),
                None => {
                    let why = round.silent.iter().find(|s| s.index == key.0);
                    let why = why.map(|silent| silent.why.as_str());
                    let why = why.or(round.nobody.as_deref());
                    let why = why.unwrap_or("it is no longer there");
                    known.missing(why, &mut notes)
                }
            };
            devices.push(state);
        }
        Frame {
            time: round.time,
            driver: round.driver,
            devices,
            notes,
        }
    }

    /// Rounds taken in.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// How many devices were seen, MIG instances included.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.known.len()
    }

    /// Devices that missed rounds: what they are called, and how many they missed.
    pub fn missed(&self) -> impl Iterator<Item = (String, u64)> {
        let known = self.known.values().filter(|known| known.missed > 0);
        known.map(|known| (called(&known.name), known.missed))
    }

    fn refusals(&mut self, answers: &Answers, notes: &mut Vec<String>) {
        for what in &answers.refused {
            if !self.refused.contains(what) {
                self.refused.push(what.clone());
                notes.push(format!("this user may not see: {what}"));
            }
        }
    }
}

impl Known {
    fn answered(&mut self, mut answers: Answers, now: &Now, notes: &mut Vec<String>) -> State {
        answers.pcie_rx_bytes = answers.pcie_rx_bytes.map(|now| self.received.take(now));
        answers.pcie_tx_bytes = answers.pcie_tx_bytes.map(|now| self.sent.take(now));
        self.name = name_of(&answers);
        if std::mem::take(&mut self.silent) {
            notes.push(format!("{} answers again", called(&self.name)));
        }
        let mut values = status(&self.name, true, now.driver.as_deref());
        values.extend(measure(&answers, now.time, self.last));
        self.counts_xids |= answers.xids.is_some();
        for xid in answers.xids.iter().flatten() {
            *self.xids.entry(*xid).or_default() += 1;
            notes.push(format!("{} reports Xid {xid}", called(&self.name)));
        }
        values.extend(self.xid_values(now.started));
        self.last = Some(now.time);
        State {
            answers,
            silent: None,
            values,
        }
    }

    fn missing(&mut self, why: &str, notes: &mut Vec<String>) -> State {
        self.missed += 1;
        if !std::mem::replace(&mut self.silent, true) {
            let name = called(&self.name);
            notes.push(format!(
                "{name} does not answer: {why}; the recording goes on"
            ));
        }
        State {
            answers: self.name.clone(),
            silent: Some(why.to_owned()),
            values: status(&self.name, false, None),
        }
    }

    /// Counted here, since the recording began: the driver only tells them as they happen.
    fn xid_values(&self, started: Nanos) -> Vec<Measured> {
        let value = |count: u64, code: Option<u64>| {
            let mut labels = vec![("error.type", Label::Text("xid".to_owned()))];
            labels.extend(code.map(|code| ("gpu.xid", Label::Integer(code))));
            Measured {
                metric: &metric::ERRORS,
                labels,
                value: Number::Integer(count),
                since: Some(started),
            }
        };
        let none = self.xids.is_empty() && self.counts_xids;
        let none = none.then(|| value(0, None));
        let each = self
            .xids
            .iter()
            .map(|(code, count)| value(*count, Some(*code)));
        none.into_iter().chain(each).collect()
    }
}

/// What names a device, without its answers.
fn name_of(answers: &Answers) -> Answers {
    Answers {
        index: answers.index,
        uuid: answers.uuid.clone(),
        name: answers.name.clone(),
        parent: answers.parent.clone(),
        mig_index: answers.mig_index,
        ..Answers::default()
    }
}

/// `GPU 0`, or `GPU 0 MIG 1`.
pub(super) fn called(answers: &Answers) -> String {
    match answers.mig_index {
        Some(mig) => format!("GPU {} MIG {mig}", answers.index),
        None => format!("GPU {}", answers.index),
    }
}

/// One point per state. Source: semantic conventions, `hw.status`.
fn status(name: &Answers, answers: bool, driver: Option<&str>) -> Vec<Measured> {
    let model = name.name.clone().map(Label::Text);
    let state = |state: &str, is: bool| {
        let mut labels = vec![("hw.state", Label::Text(state.to_owned()))];
        labels.extend(model.clone().map(|model| ("hw.model", model)));
        labels.push(("hw.vendor", Label::Text("NVIDIA".to_owned())));
        let driver = driver.map(|version| Label::Text(version.to_owned()));
        labels.extend(driver.map(|version| ("hw.driver_version", version)));
        Measured {
            metric: &metric::STATUS,
            labels,
            value: Number::Integer(u64::from(is)),
            since: None,
        }
    };
    vec![state("ok", answers), state("failed", !answers)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Silent;

    fn device(index: u32) -> Answers {
        Answers {
            index,
            uuid: format!("GPU-{index}"),
            power_usage: Some(100_000),
            ..Answers::default()
        }
    }

    fn round(second: u64, devices: Vec<Answers>) -> Round {
        Round {
            time: Nanos(second * 1_000_000_000),
            devices,
            ..Round::default()
        }
    }

    #[test]
    fn a_device_that_drops_out_is_failed_until_it_answers_again() {
        let mut recorder = Recorder::default();
        recorder.take(round(1, vec![device(0), device(1)]));
        let mut lost = round(2, vec![device(0)]);
        lost.silent.push(Silent {
            index: 1,
            why: "GPU is lost".to_owned(),
        });
        let frame = recorder.take(lost.clone());
        assert_eq!(frame.devices[1].silent.as_deref(), Some("GPU is lost"));
        let told = ["GPU 1 does not answer: GPU is lost; the recording goes on"];
        assert_eq!(frame.notes, told);
        // Its state is told, and nothing else made up.
        let names: Vec<&str> = frame.devices[1]
            .values
            .iter()
            .map(|m| m.metric.name)
            .collect();
        assert_eq!(names, ["hw.status", "hw.status"]);
        lost.time = Nanos(3_000_000_000);
        assert!(recorder.take(lost).notes.is_empty(), "told once");
        let back = recorder.take(round(4, vec![device(0), device(1)]));
        assert_eq!(back.notes, ["GPU 1 answers again"]);
        assert_eq!(
            recorder.missed().collect::<Vec<_>>(),
            [("GPU 1".to_owned(), 2)]
        );
        assert_eq!((recorder.rounds(), recorder.devices()), (4, 2));
    }

    #[test]
    fn nobody_answering_fails_everybody() {
        let mut recorder = Recorder::default();
        recorder.take(round(1, vec![device(0), device(1)]));
        let mut gone = round(2, Vec::new());
        gone.nobody = Some("the driver was unloaded".to_owned());
        let frame = recorder.take(gone);
        assert!(frame.devices.iter().all(|d| d.silent.is_some()));
        assert_eq!(frame.notes.len(), 2);
    }

    #[test]
    fn xids_are_counted_by_code_since_the_beginning() {
        let mut recorder = Recorder::default();
        let with = |xids: &[u64]| Answers {
            xids: Some(xids.to_vec()),
            ..device(0)
        };
        let count = |frame: &Frame| {
            let values = frame.devices[0].values.iter();
            let errors = values.filter(|m| m.metric.name == "hw.errors");
            let each = errors.map(|m| (m.labels.len(), m.value, m.since));
            each.collect::<Vec<_>>()
        };
        let since = Some(Nanos(1_000_000_000));
        let none = recorder.take(round(1, vec![with(&[])]));
        assert_eq!(count(&none), [(1, Number::Integer(0), since)]);
        let two = recorder.take(round(2, vec![with(&[79, 79])]));
        assert_eq!(count(&two), [(2, Number::Integer(2), since)]);
        let silent = recorder.take(round(3, vec![device(0)]));
        assert_eq!(count(&silent), [(2, Number::Integer(2), since)]);
    }

    #[test]
    fn refusals_are_told_once() {
        let mut recorder = Recorder::default();
        let refused = Answers {
            refused: vec!["processes".to_owned()],
            ..device(0)
        };
        let first = recorder.take(round(1, vec![refused.clone()]));
        assert_eq!(first.notes, ["this user may not see: processes"]);
        assert!(recorder.take(round(2, vec![refused])).notes.is_empty());
    }
}
