//! One cluster event (Kubernetes `Event`): restarts, scaling, evictions.

use crate::units::{Nanos, Sym};

/// Something the orchestrator did or saw.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct ClusterEvent {
    /// When it last happened.
    pub time: Nanos,
    /// `reason`: `Killing`, `BackOff`, `ScalingReplicaSet`, …
    pub reason: Sym,
    /// Kind of the object.
    pub object_kind: Sym,
    /// Name of the object.
    pub object: Sym,
    /// How often, as the cluster counted.
    pub count: u32,
}
