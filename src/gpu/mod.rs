//! Records what GPUs do while agents run, as OTLP/JSON metrics that `analyze` reads beside traces.
//!
//! ```text
//! Driver (NVML, or a recorded session) -> Round -> Recorder -> Measured values -> OTLP/JSON lines
//!         what the driver answers                  who is there, who dropped out
//! ```
//!
//! The driver is a trait: [`Nvml`] asks NVIDIA's library, [`Session`] plays back what it once answered, in
//! its own units. Everything after it is the same code. What a device does not answer is absent, never
//! zero.

mod answers;
mod counter;
mod driver;
mod file;
mod measure;
mod metric;
mod nvml;
mod otlp;
mod recorder;
mod session;
mod throttle;

pub use answers::{Answers, Engine, Process, Round, Sample, Silent};
pub use driver::{Driver, Unavailable};
pub use file::Rotating;
pub use measure::{Label, Measured, Number};
pub use metric::{Metric, Shape};
pub use nvml::Nvml;
pub use otlp::{Origin, line};
pub use recorder::{Frame, Recorder, State};
pub use session::{Saver, Session};
pub use throttle::{Throttle, active};
