//! Who sent a span: the resource and the instrumentation scope.

use crate::units::Sym;

/// What is kept of an OTLP resource (semantic conventions, "Resource").
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Resource {
    /// `service.name`
    pub service: Sym,
    /// `service.version`
    pub version: Sym,
    /// `service.instance.id`
    pub instance: Sym,
    /// `k8s.pod.name`
    pub pod: Sym,
    /// `host.name`
    pub host: Sym,
    /// `cloud.region`
    pub region: Sym,
    /// `deployment.environment.name`
    pub environment: Sym,
}

/// What is kept of an instrumentation scope.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Scope {
    /// Instrumentation library.
    pub name: Sym,
    /// Its version.
    pub version: Sym,
}
