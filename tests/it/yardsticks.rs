//! Verdicts against labels computed from counterfactual re-runs (`fixtures/labelled`), and against
//! two rules of thumb that anybody would try first.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use agentdiag::diagnose::Cause;
use agentdiag::ingest::Source;
use agentdiag::model::Known;
use agentdiag::trace::{Request, StepKind, StepOp};
use agentdiag::units::{Nanos, Sym};

use crate::pipeline::{Run, run};

/// One answer per trace: the cause of a slow request, nothing for a healthy one.
pub(crate) type Answers = BTreeMap<String, Option<Cause>>;

/// (true cause, given cause) of one task; `None` is healthy.
pub(crate) type Pair = (Option<Cause>, Option<Cause>);

/// A cause with fewer true tasks says nothing.
const LEAST_SUPPORT: usize = 3;
/// How far ahead of the rules of thumb the verdicts have to be.
const AHEAD: f64 = 0.15;
/// Healthy tasks that may be accused.
const FALSE_ALARMS: f64 = 0.04;

#[test]
fn verdicts_are_far_better_than_rules_of_thumb() {
    let (mut ours, mut largest, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    for folder in labelled() {
        let labels = labels(&folder);
        let run = run(Source::find(&[folder]), 2);
        ours.extend(pairs(&labels, &verdicts(&run)));
        largest.extend(pairs(&labels, &largest_span(&run)));
        tail.extend(pairs(&labels, &three_times_p95(&run)));
    }
    let (score, one, two) = (macro_f1(&ours), macro_f1(&largest), macro_f1(&tail));
    let told = format!("verdicts {score:.3}, largest span {one:.3}, 3 x p95 {two:.3}");
    assert!(score >= one + AHEAD && score >= two + AHEAD, "{told}");
    let alarms = false_alarms(&ours);
    assert!(alarms <= FALSE_ALARMS, "accused healthy tasks: {alarms:.3}");
    println!("macro-F1: {told}; healthy tasks accused {alarms:.3}");
}

#[test]
fn the_score_is_what_it_says() {
    use Cause::{ColdCache, ToolBottleneck};
    let (tool, cold) = (Some(ToolBottleneck), Some(ColdCache));
    let mut pairs = vec![(tool, tool), (tool, tool), (tool, None), (None, tool)];
    pairs.extend([(cold, cold), (cold, tool), (None, None)]);
    // 2 right, 2 wrongly given, 1 missed; `cold_cache` has two tasks only and does not count.
    assert!((macro_f1(&pairs) - 4.0 / 7.0).abs() < 1e-12);
    assert!((false_alarms(&pairs) - 0.5).abs() < 1e-12);
    pairs.push((cold, None));
    // Now it does: 1 right, 2 missed.
    assert!((macro_f1(&pairs) - (4.0 / 7.0 + 2.0 / 4.0) / 2.0).abs() < 1e-12);
}

pub(crate) fn labelled() -> Vec<PathBuf> {
    labelled_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled"))
}

pub(crate) fn labelled_in(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).expect("labelled dumps");
    let mut folders: Vec<PathBuf> = entries
        .map(|e| e.expect("an entry").path())
        .filter(|path| path.join("labels.json").is_file())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

pub(crate) fn labels(folder: &Path) -> Answers {
    let text = fs::read_to_string(folder.join("labels.json")).expect("labels");
    let labels: BTreeMap<String, Option<String>> = serde_json::from_str(&text).expect("JSON");
    let cause = |label: String| {
        let known = Cause::ALL.into_iter().find(|c| c.label() == label);
        known.unwrap_or_else(|| panic!("{label} is no cause"))
    };
    labels
        .into_iter()
        .map(|(trace, label)| (trace, label.map(cause)))
        .collect()
}

/// Each label with the answer given; a task without an answer is taken for healthy.
pub(crate) fn pairs(labels: &Answers, given: &Answers) -> Vec<Pair> {
    labels
        .iter()
        .map(|(trace, label)| (*label, given.get(trace).copied().flatten()))
        .collect()
}

/// Mean F1 over the causes that enough tasks truly have.
pub(crate) fn macro_f1(pairs: &[Pair]) -> f64 {
    let scores: Vec<f64> = Cause::ALL
        .into_iter()
        .filter_map(|cause| {
            let count = |is: fn(bool, bool) -> bool| {
                let hit = |(truth, given): &&Pair| is(*truth == Some(cause), *given == Some(cause));
                pairs.iter().filter(hit).count()
            };
            let right = count(|truth, given| truth && given);
            let wrong = count(|truth, given| truth != given);
            let support = count(|truth, _| truth);
            (support >= LEAST_SUPPORT).then(|| 2.0 * right as f64 / (2 * right + wrong) as f64)
        })
        .collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}

fn false_alarms(pairs: &[Pair]) -> f64 {
    let healthy = pairs.iter().filter(|p| p.0.is_none());
    let accused = healthy.clone().filter(|p| p.1.is_some()).count();
    accused as f64 / healthy.count() as f64
}

/// The first request of each trace answers for it.
fn answers(run: &Run, answer: impl Fn(usize, &Request) -> Option<Cause>) -> Answers {
    let mut answers = Answers::new();
    for (index, request) in run.forest.requests.iter().enumerate() {
        answers
            .entry(request.trace.to_string())
            .or_insert_with(|| answer(index, request));
    }
    answers
}

pub(crate) fn verdicts(run: &Run) -> Answers {
    let mut slow: BTreeMap<usize, Cause> = BTreeMap::new();
    for d in run.verdicts.diagnoses.iter().filter(|d| d.slow) {
        slow.insert(d.request as usize, d.primary.unwrap_or(Cause::Unexplained));
    }
    answers(run, |index, _| slow.get(&index).copied())
}

/// Slow when far above the median of its kind; the operation furthest above the median of its own
/// kind is to blame.
fn largest_span(run: &Run) -> Answers {
    let mut kinds: HashMap<Sym, Vec<Nanos>> = HashMap::new();
    let mut gaps: HashMap<Sym, Vec<Nanos>> = HashMap::new();
    for request in &run.forest.requests {
        let durations = kinds.entry(request.kind).or_default();
        durations.push(request.duration());
        gaps.entry(request.kind)
            .or_default()
            .push(request.parts.gap);
    }
    let (usual, idle) = (quantiles(kinds, 0.5), quantiles(gaps, 0.5));
    let normal = quantiles(durations(run), 0.5);
    answers(run, |_, request| {
        let limit = 1.3 * usual[&request.kind] + 500.0;
        let gap = request.parts.gap.as_millis() - idle[&request.kind];
        (request.duration().as_millis() > limit).then(|| {
            let over = |op: &StepOp| op.window.len().as_millis() - normal[&what(run, op)];
            let worst = leaves(run, request)
                .filter(|op| op.kind != StepKind::Failed)
                .max_by(|a, b| over(a).total_cmp(&over(b)));
            let most = worst.map_or(0.0, over).max(gap);
            let failed = request.parts.failed_attempts + request.parts.retry_wait;
            match worst {
                // No attempt should fail: all of it is too much.
                _ if failed.as_millis() > most => given_up(run, request),
                Some(op) if over(op) >= gap => blame(run, request, op),
                _ => Cause::OrchestrationGap,
            }
        })
    })
}

/// Any operation above three times the 95th percentile of its kind is to blame, the longest first.
fn three_times_p95(run: &Run) -> Answers {
    let limits: HashMap<_, f64> = quantiles(durations(run), 0.95)
        .into_iter()
        .map(|(what, p95)| (what, 3.0 * p95))
        .collect();
    let gaps = run.forest.requests.iter().map(|r| r.parts.gap).collect();
    let idle = 3.0 * quantile(gaps, 0.95);
    answers(run, |_, request| {
        let longest = leaves(run, request)
            .filter(|op| op.window.len().as_millis() > limits[&what(run, op)])
            .max_by_key(|op| (op.window.len(), op.span));
        match longest {
            Some(op) => Some(blame(run, request, op)),
            None if request.parts.gap.as_millis() > idle => Some(Cause::OrchestrationGap),
            None => None,
        }
    })
}

/// Operations that are no groups of others and no waiting for a person.
fn leaves<'a>(run: &'a Run, request: &Request) -> impl Iterator<Item = &'a StepOp> {
    let ops = &run.forest.ops[request.ops.start as usize..request.ops.end as usize];
    ops.iter()
        .filter(|op| !matches!(op.kind, StepKind::Group | StepKind::Human))
}

/// What is compared with what: calls of one model, runs of one tool.
fn what(run: &Run, op: &StepOp) -> (StepKind, Sym) {
    let span = &run.data.spans[op.span as usize];
    let model = run.data.llm_of(span).map(|call| call.model());
    let tool = run.data.tool_of(span).map(|call| call.tool);
    (op.kind, model.or(tool).unwrap_or(span.name))
}

/// How long the operations of each kind took.
fn durations(run: &Run) -> HashMap<(StepKind, Sym), Vec<Nanos>> {
    let mut seen: HashMap<_, Vec<Nanos>> = HashMap::new();
    for op in &run.forest.ops {
        let durations = seen.entry(what(run, op)).or_default();
        durations.push(op.window.len());
    }
    seen
}

/// The cause that the sight of one long operation suggests.
fn blame(run: &Run, request: &Request, op: &StepOp) -> Cause {
    match op.kind {
        StepKind::Failed => given_up(run, request),
        StepKind::Model => blame_call(run, op),
        _ => Cause::ToolBottleneck,
    }
}

/// Failed attempts: did the request fail with them?
fn given_up(run: &Run, request: &Request) -> Cause {
    match run.data.spans[request.root as usize].failed() {
        true => Cause::ProviderError,
        false => Cause::RetryCascade,
    }
}

/// Another endpoint than most calls have, or the figure of the call that is furthest above the median of its model.
fn blame_call(run: &Run, op: &StepOp) -> Cause {
    let figures = |op: &StepOp| {
        let call = run.data.llm_of(&run.data.spans[op.span as usize]);
        let call = call.unwrap_or_default();
        let tokens = |count: Option<Known<u32>>| count.map(|k| f64::from(k.value));
        let (input, cached) = (tokens(call.input), tokens(call.cached));
        let uncached = cached.and_then(|cached| Some(input? - cached));
        let queue = call.queue.map(|k| k.value.as_millis());
        [
            (input, 0.0, Cause::PrefillSurge),
            (uncached, 100.0, Cause::ColdCache),
            (tokens(call.output), 0.0, Cause::LongGeneration),
            (queue, 100.0, Cause::NoisyNeighbour),
        ]
    };
    let kind = what(run, op);
    let alike: Vec<&StepOp> = run
        .forest
        .ops
        .iter()
        .filter(|other| what(run, other) == kind)
        .collect();
    let endpoint = |op: &StepOp| {
        let call = run.data.llm_of(&run.data.spans[op.span as usize]);
        call.map(|call| call.endpoint).filter(|e| !e.is_none())
    };
    let mut ends: HashMap<Sym, usize> = HashMap::new();
    for end in alike.iter().filter_map(|op| endpoint(op)) {
        *ends.entry(end).or_default() += 1;
    }
    if let Some(own) = endpoint(op)
        && 2 * ends[&own] < ends.values().sum()
    {
        return Cause::RoutingChange;
    }
    let mut worst = (1.5, Cause::NoisyNeighbour);
    for (at, (figure, slack, cause)) in figures(op).into_iter().enumerate() {
        let mut all: Vec<f64> = alike.iter().filter_map(|op| figures(op)[at].0).collect();
        all.sort_unstable_by(f64::total_cmp);
        let Some((figure, normal)) = figure.zip(all.get(all.len() / 2)) else {
            continue;
        };
        let times = figure / (normal + slack);
        if times > worst.0 {
            worst = (times, cause);
        }
    }
    worst.1
}

fn quantiles<K: Eq + Hash>(of: HashMap<K, Vec<Nanos>>, share: f64) -> HashMap<K, f64> {
    of.into_iter()
        .map(|(key, durations)| (key, quantile(durations, share)))
        .collect()
}

/// In milliseconds, by the nearest rank.
fn quantile(mut durations: Vec<Nanos>, share: f64) -> f64 {
    durations.sort_unstable();
    let rank = ((durations.len() as f64 * share).ceil() as usize).max(1);
    durations.get(rank - 1).map_or(0.0, |d| d.as_millis())
}
