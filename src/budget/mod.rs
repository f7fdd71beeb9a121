//! Budgets: what a set of requests must keep to, and whether it does. A budget is broken only beyond what chance
//! explains, and is never kept for want of data.

mod check;
mod drift;
mod expect;
mod fault;
mod file;
mod parse;
mod worst;

pub use check::{Check, Finding, Reference, Verdict, check};
pub use expect::{Comparison, DRIFTS, DriftBy, Expect, Limit, STATISTICS, Statistic, Subject};
pub use fault::{Fault, Place};
pub use file::{Budget, Budgets, FALSE_ALARMS, LEAST, Level, Test, read};
pub use worst::Worst;
