//! Log records.

use super::reader::Reader;
use super::value::time;
use super::wire::{Value, fields};
use crate::ingest::lenient;
use crate::ingest::raw::RawLog;

impl<'a> Reader<'a, '_, '_> {
    /// A `LogRecord` that stands at `at`. A damaged one goes no further.
    pub(super) fn log(&mut self, message: &'a [u8], at: usize, resource: u32) {
        let mut log = RawLog::default();
        if self.log_fields(&mut log, message, at) {
            log.place = self.out.place(at);
            self.out.log(&mut log, resource, at);
        }
    }

    fn log_fields(&mut self, log: &mut RawLog<'a>, message: &'a [u8], at: usize) -> bool {
        let (mut observed, mut severity) = (None, &[][..]);
        let depth = usize::from(self.out.limits().nesting);
        self.keys.begin();
        for field in fields(message) {
            let at = at + field.at;
            match (field.number, field.value) {
                (1, Value::Fixed64(nanos)) => log.time = time(nanos),
                (2, Value::Varint(number)) => {
                    log.severity = u8::try_from(number).ok().filter(|n| *n <= 24).unwrap_or(0);
                }
                (3, Value::Bytes(text)) => severity = text,
                (5, Value::Bytes(body)) => log.body = self.value(body, at, depth),
                (6, Value::Bytes(pair)) => {
                    self.attribute(&mut log.attributes, pair, at, false);
                }
                (9, Value::Bytes(id)) => log.trace = self.trace_id(id, at),
                (10, Value::Bytes(id)) => log.span = self.span_id(id, at),
                (11, Value::Fixed64(nanos)) => observed = time(nanos),
                (12, Value::Bytes(name)) => log.event = self.text(name, at).get(),
                _ if field.is_damage() => {
                    self.damaged(at);
                    return false;
                }
                (1..=3 | 5 | 6 | 9..=12, _) => self.mistyped("a log record", at),
                _ => {}
            }
        }
        log.time = log.time.or(observed);
        if log.severity == 0 {
            log.severity = lenient::severity(severity).unwrap_or(0);
        }
        true
    }
}
