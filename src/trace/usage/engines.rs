//! Serving sides whose client is recorded in another trace, joined by the id both wrote down.

use hashbrown::HashMap;

use super::above::Above;
use super::{Counted, merge, owner_of};
use crate::model::{Dataset, Digest, Op, SpanIx};

type ById = HashMap<Digest, Option<SpanIx>, foldhash::fast::FixedState>;

/// Joins every serving side without a client above it to the one client call that names its id.
/// Where none or several do, it stays a call of its own.
pub(super) fn join(dataset: &mut Dataset, above: &Above, counted: &mut [Counted]) {
    let alone = above.leads.engines.iter();
    let alone: Vec<(SpanIx, Digest)> = alone
        .filter(|&&i| counted[i as usize] == Counted::Owner)
        .filter_map(|&i| Some((i, id_of(dataset, i)?)))
        .collect();
    if alone.is_empty() {
        return;
    }
    let clients = clients(dataset, above, counted);
    for (engine, id) in alone {
        if let Some(&Some(client)) = clients.get(&id) {
            merge::into(dataset, client, engine);
            counted[engine as usize] = Counted::Twin(client);
        }
    }
}

fn id_of(dataset: &Dataset, span: SpanIx) -> Option<Digest> {
    dataset.llm_of(&dataset.spans[span as usize])?.response_id
}

/// Client calls by response id; `None` where several share one.
fn clients(dataset: &Dataset, above: &Above, counted: &[Counted]) -> ById {
    let mut by_id = ById::default();
    for &i in &above.order {
        if dataset.spans[i as usize].op != Op::Llm {
            continue;
        }
        let Some(id) = id_of(dataset, i) else {
            continue;
        };
        let owner = owner_of(counted, i);
        by_id
            .entry(id)
            .and_modify(|known| *known = known.filter(|&k| k == owner))
            .or_insert(Some(owner));
    }
    by_id
}
