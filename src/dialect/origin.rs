//! What resources and scopes say, read once when they are introduced.

use hashbrown::HashMap;

use super::DIALECTS;
use crate::ingest::{RawAttr, RawValue};
use crate::model::{Dataset, Resource, Scope};
use crate::units::{Interner, Sym};

/// What a resource means for its spans.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Host {
    /// True for an inference server that says so in its name.
    pub(super) serving: bool,
}

/// What a scope means for its spans.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speaker {
    /// The dialect that owns the scope.
    pub(super) home: Option<u8>,
    /// The scope's name.
    pub(super) name: Sym,
}

/// Resources and scopes known so far, each once.
#[derive(Debug, Default)]
pub(super) struct Origins {
    resources: HashMap<Resource, u32>,
    scopes: HashMap<Scope, u32>,
    hosts: Vec<Host>,
    speakers: Vec<Speaker>,
}

impl Origins {
    /// The index of a resource in `data`.
    pub(super) fn resource(&mut self, data: &mut Dataset, attributes: &[RawAttr<'_>]) -> u32 {
        let resource = read(&mut data.names, attributes);
        *self.resources.entry(resource).or_insert_with(|| {
            let service = data.names.get(resource.service);
            self.hosts.push(Host {
                serving: service == "claude-platform",
            });
            data.resources.push(resource);
            data.resources.len() as u32 - 1
        })
    }

    /// The index of a scope in `data`.
    pub(super) fn scope(&mut self, data: &mut Dataset, name: &str, version: &str) -> u32 {
        let scope = Scope {
            name: data.names.intern(name),
            version: data.names.intern(version),
        };
        *self.scopes.entry(scope).or_insert_with(|| {
            self.speakers.push(Speaker {
                home: home(name),
                name: scope.name,
            });
            data.scopes.push(scope);
            data.scopes.len() as u32 - 1
        })
    }

    /// What the resource of that index means.
    pub(super) fn host(&self, index: u32) -> Host {
        self.hosts.get(index as usize).copied().unwrap_or_default()
    }

    /// What the scope of that index means.
    pub(super) fn speaker(&self, index: u32) -> Speaker {
        self.speakers
            .get(index as usize)
            .copied()
            .unwrap_or_default()
    }
}

fn home(scope: &str) -> Option<u8> {
    DIALECTS
        .iter()
        .position(|d| d.scopes.iter().any(|pattern| pattern.fits(scope)))
        .map(|index| index as u8)
}

fn read(names: &mut Interner, attributes: &[RawAttr<'_>]) -> Resource {
    let mut resource = Resource::default();
    for attribute in attributes {
        let RawValue::Str(text) = &attribute.value else {
            continue;
        };
        let slot = match attribute.key.as_ref() {
            "service.name" => &mut resource.service,
            "service.version" => &mut resource.version,
            "service.instance.id" => &mut resource.instance,
            "k8s.pod.name" => &mut resource.pod,
            "host.name" => &mut resource.host,
            "cloud.region" => &mut resource.region,
            "deployment.environment.name" => &mut resource.environment,
            "deployment.environment" if resource.environment.is_none() => &mut resource.environment,
            _ => continue,
        };
        *slot = names.intern(&text.get());
    }
    resource
}
