//! What the verdict over one request needs from all others, in a form that can be sent: what is normal, who was slowed
//! when and where, and what a part of the requests cannot know of itself.

use serde::{Deserialize, Serialize};

use super::contrast::remarks;
use super::devices::Devices;
use super::giants::Giants;
use super::ground::{Ground, SiteKey, numbered_sites};
use super::holes::Holes;
use super::losses::Losses;
use super::passes::learn_from;
use super::scene::Scene;
use super::serving::Serving;
use super::swing::Swing;
use super::verdict::{slow_limit, survey};
use super::windows::Site;
use super::witnesses::Around;
use super::{Options, Remarks};
use crate::baseline::{Baselines, CallIx, GapKey, Norms};
use crate::model::Dataset;
use crate::trace::Forest;
use crate::units::{Nanos, Sym};

/// What holds for every part.
#[derive(Serialize, Deserialize)]
pub struct Shared {
    /// Strings behind the symbols, from [`Sym`] 1 on.
    pub names: Vec<String>,
    /// What makes a request slow.
    pub rule: Options,
    pub(super) shows_clients: bool,
    pub(super) comparable: usize,
    pub(super) modelled: Vec<Sym>,
    pub(super) tools: Vec<Sym>,
    pub(super) pauses: Vec<GapKey>,
    pub(super) sites: Vec<SiteKey>,
    pub(super) homes: Vec<((Sym, Sym), Sym)>,
    pub(super) usual_crowd: f64,
    pub(super) serving: Serving,
    pub(super) devices: Devices,
    /// Start, request and length of failed attempts, by start.
    pub(super) failures: Vec<(Nanos, u32, Nanos)>,
    pub(super) swing: Option<Swing>,
    pub(super) base: Baselines,
    pub(super) windows: ((Nanos, u64, u64), Vec<u64>),
    pub(super) extra: Vec<((Sym, Sym), (f64, f64))>,
    pub(super) giants: Giants,
    pub(super) holes: Holes,
    pub(super) losses: Losses,
    pub(super) slow_limit: Option<Nanos>,
    pub(super) notes: Remarks,
}

impl Shared {
    /// What the reader must know, as far as no verdict is needed for it.
    #[must_use]
    pub fn remarks(self) -> Remarks {
        self.notes
    }
}

/// What holds for one part. Operations and calls count from its beginning.
#[derive(Default, Serialize, Deserialize)]
pub struct Own {
    /// Number of each of its requests among all.
    pub(super) requests: Vec<u32>,
    /// Whether a request is charged nothing, where that is known already.
    pub(super) clear: Vec<bool>,
    /// Idle time before first calls, by bin.
    pub(super) idle: Vec<(CallIx, u8)>,
    /// Others in flight while a call ran.
    pub(super) crowd: Vec<(CallIx, f64)>,
    /// Silence before operations that ended, and pauses, together with others'.
    pub(super) released: [Vec<(u32, f64)>; 2],
    /// Number of the server that served a call.
    pub(super) servers: Vec<(CallIx, u32)>,
    /// How many calls of other requests overtook a call.
    pub(super) overtaken: Vec<(CallIx, u32)>,
    /// Of the other requests around each of its requests at a place: those slowed by others, and all.
    pub(super) proven: Vec<((u32, Site), (u32, u32))>,
    /// What requests around each of its requests were slow for.
    pub(super) witnesses: Vec<Around>,
}

/// What is learned over all requests, for the parts they lie in: `part_of` says which, request by request.
#[must_use]
pub fn share(
    dataset: &Dataset,
    forest: &Forest,
    options: &Options,
    norms: Option<&Norms>,
    part_of: &[u32],
) -> (Shared, Vec<Own>) {
    let ground = Ground {
        dataset,
        forest,
        survey: survey(dataset, forest, options, norms),
    };
    let passes = learn_from(&ground, options);
    let scene = Scene::after(&ground, &passes.base, options, passes.kept, passes.found);
    let own = own(&scene, &passes.clear, part_of);
    let notes = remarks(&ground, passes.notes);
    let mut sites = Vec::new();
    numbered_sites(&ground.measured.calls, &mut sites);
    let shared = Shared {
        names: names(dataset, &ground),
        rule: *options,
        shows_clients: ground.shows_clients,
        comparable: ground.comparable,
        modelled: ground.modelled.iter().copied().collect(),
        tools: ground.measured.tools.names().to_vec(),
        pauses: ground.measured.pauses.keys.clone(),
        sites,
        homes: ground.homes.homes.iter().map(|(k, v)| (*k, *v)).collect(),
        usual_crowd: ground.crowd.usual,
        serving: ground.serving.clone(),
        devices: ground.devices.clone(),
        failures: ground.failures.clone(),
        swing: ground.swing,
        base: passes.base.clone(),
        windows: scene.windows.parts(),
        extra: scene.routes.extra.iter().map(|(k, v)| (*k, *v)).collect(),
        giants: scene.giants,
        holes: scene.holes,
        losses: scene.losses,
        slow_limit: slow_limit(forest, options),
        notes,
    };
    (shared, own)
}

/// The strings up to the last one that anything learned can name.
fn names(dataset: &Dataset, ground: &Ground<'_>) -> Vec<String> {
    let calls = ground.measured.calls.all.iter().flat_map(|call| {
        [
            call.model,
            call.endpoint,
            call.region,
            call.service,
            call.kind,
            call.agent,
            call.finish,
            call.tenant,
        ]
    });
    let kinds = ground.forest.requests.iter().map(|request| request.kind);
    let services = ground.measured.pauses.keys.iter().map(|key| key.0);
    let tools = ground.measured.tools.names().iter().copied();
    let labels = dataset
        .series
        .iter()
        .flat_map(|s| s.labels.iter().map(|l| l.1));
    let all = calls
        .chain(kinds)
        .chain(services)
        .chain(tools)
        .chain(labels);
    let last = all.map(|sym| sym.0).max().unwrap_or(0);
    (1..=last)
        .map(|sym| dataset.text(Sym(sym)).to_owned())
        .collect()
}

fn own(scene: &Scene<'_>, clear: &[bool], part_of: &[u32]) -> Vec<Own> {
    let forest = scene.forest;
    let parts = part_of.iter().max().map_or(0, |last| *last as usize + 1);
    let mut own: Vec<Own> = (0..parts).map(|_| Own::default()).collect();
    let mut number_in_part = Vec::with_capacity(part_of.len());
    for (part, request) in part_of.iter().zip(0..) {
        let own = &mut own[*part as usize];
        number_in_part.push(own.requests.len() as u32);
        own.requests.push(request);
        own.clear.extend(clear.get(request as usize));
        let witnesses = &scene.found.witnesses.0;
        own.witnesses.extend(witnesses.get(request as usize));
    }
    for ((request, site), counts) in &scene.found.proven.0 {
        let request = *request as usize;
        let key = (number_in_part[request], *site);
        own[part_of[request] as usize].proven.push((key, *counts));
    }
    own.iter_mut().for_each(|own| own.proven.sort_unstable());
    let mut calls = vec![0; parts];
    for (call, index) in scene.calls.all.iter().zip(0..) {
        let part = part_of[call.request as usize] as usize;
        if let Some(idle) = scene.measured.idle.known(index) {
            own[part].idle.push((calls[part], idle));
        }
        if let Some(others) = scene.crowd.others(index) {
            own[part].crowd.push((calls[part], others));
        }
        if let Some(server) = scene.servers.get(&index) {
            own[part].servers.push((calls[part], *server));
        }
        if let Some(others) = scene.overtaken.by(index) {
            own[part].overtaken.push((calls[part], others));
        }
        calls[part] += 1;
    }
    let mut part_of_op = vec![0; forest.ops.len()];
    for (request, part) in forest.requests.iter().zip(part_of) {
        part_of_op[request.ops.start as usize..request.ops.end as usize].fill(*part);
    }
    let mut ops = vec![0; parts];
    for (part, op) in part_of_op.iter().map(|part| *part as usize).zip(0..) {
        let releases = &scene.releases;
        for (list, found) in own[part]
            .released
            .iter_mut()
            .zip([releases.of_op(op), releases.of_gap(op)])
        {
            list.extend(found.map(|silence| (ops[part], silence)));
        }
        ops[part] += 1;
    }
    own
}
