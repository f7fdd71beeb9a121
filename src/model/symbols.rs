//! Which parts of a record are symbols: so that records move from one table of names to another.

use super::{
    ClusterEvent, Exemplar, HttpCall, LlmCall, LogRecord, Resource, Scope, Series, Span, TaskFacts,
    ToolCall,
};
use crate::units::Sym;

/// A record that holds symbols.
pub trait Symbols {
    /// Shows `each` every symbol of the record, to be replaced.
    fn symbols(&mut self, each: impl FnMut(&mut Sym));
}

macro_rules! symbols {
    ($($record:ty: $($field:ident)+;)*) => {
        $(impl Symbols for $record {
            fn symbols(&mut self, mut each: impl FnMut(&mut Sym)) {
                $(each(&mut self.$field);)+
            }
        })*
    };
}

symbols! {
    Resource: service version instance pod host region environment;
    Scope: name version;
    LlmCall: provider requested answered endpoint fingerprint tier finish conversation;
    ToolCall: tool;
    TaskFacts: agent task_type tenant conversation;
    HttpCall: host method route;
    Span: name;
    LogRecord: event;
    ClusterEvent: reason object_kind object;
    Exemplar: metric;
}

impl Symbols for Series {
    fn symbols(&mut self, mut each: impl FnMut(&mut Sym)) {
        each(&mut self.name);
        for (key, value) in &mut self.labels {
            each(key);
            each(value);
        }
    }
}
