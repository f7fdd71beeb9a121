//! Log records.

use super::reader::Reader;
use crate::ingest::fields::Fields;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::RawLog;

impl Reader<'_, '_, '_> {
    /// One log record.
    pub(super) fn log(&mut self, resource: u32) -> Step<()> {
        let at = self.here();
        let (mut log, mut observed) = (RawLog::default(), None);
        let found = self.object("a log record", |r, key| {
            match key {
                b"timeUnixNano" | b"time_unix_nano" => log.time = r.time("a log time")?,
                b"observedTimeUnixNano" | b"observed_time_unix_nano" => {
                    observed = r.time("an observed time")?;
                }
                b"severityNumber" | b"severity_number" => {
                    log.severity = r.choice("a severity", lenient::severity)?;
                }
                b"severityText" | b"severity_text" if log.severity == 0 => {
                    let text = r.name("a severity text")?;
                    log.severity = lenient::severity(text.as_bytes()).unwrap_or(0);
                }
                b"eventName" | b"event_name" => log.event = r.name("an event name")?,
                b"body" => log.body = r.any_value(usize::from(r.out.limits().nesting))?,
                b"attributes" => r.attributes(&mut log.attributes, false)?,
                b"traceId" | b"trace_id" => log.trace = r.trace_id()?,
                b"spanId" | b"span_id" => log.span = r.span_id()?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if found {
            log.time = log.time.or(observed);
            log.place = self.out.place(at);
            self.out.log(&mut log, resource, at);
        }
        Ok(())
    }
}
