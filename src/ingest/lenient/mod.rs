//! Values as real exporters write them: ids, times, numbers, enums and escapes, read without
//! failing. Everything works on text, because a number that passes through `f64` loses digits.

mod date;
mod id;
mod name;
mod number;
mod text;

pub(crate) use date::{date, duration};
pub use id::read_ids;
pub(crate) use id::{Id, id_from_bytes, span_id, trace_id};
pub(crate) use name::{Temporality, severity, span_kind, status_code, temporality};
pub(crate) use number::{BadNumber, decimal, double, integer, nanos_since_epoch, unsigned};
pub(crate) use text::unescape;
