//! What a person needs to know about each cause. One table feeds `agentdiag explain`, the
//! `next_checks` of the JSON output, the terminal report and the manual page.

use super::Cause;

/// The facts about one cause that do not depend on a dump.
#[derive(Clone, Copy, Debug)]
pub struct CauseMeta {
    /// The cause.
    pub cause: Cause,
    /// A few words for a table.
    pub title: &'static str,
    /// A clause that completes "requests were slow because …".
    pub because: &'static str,
    /// What happens, in two or three sentences.
    pub what: &'static str,
    /// How the account recognises it.
    pub seen_by: &'static str,
    /// What looks the same at first sight, and how the two are told apart.
    pub look_alikes: &'static [&'static str],
    /// Signals without which it cannot be told, or only weakly.
    pub needs: &'static [&'static str],
    /// What to look at or do next, most useful first.
    pub next_checks: &'static [&'static str],
}

impl Cause {
    /// What a person needs to know about this cause.
    #[must_use]
    pub fn meta(self) -> &'static CauseMeta {
        &META[self.index()]
    }

    /// The cause with this label; `-` and upper case are forgiven.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        Self::ALL.into_iter().find(|c| c.label() == label)
    }
}

/// One entry per cause, in the order of [`Cause::ALL`].
static META: [CauseMeta; 10] = [
    CauseMeta {
        cause: Cause::PrefillSurge,
        title: "prompt grew",
        because: "prompts were far larger than this step normally has",
        what: "The model had to read many more new prompt tokens than this step of this kind of \
               task normally has: a tool returned a whole file, retrieval returned too much, or \
               history was not trimmed. The price per token is normal; the amount is not.",
        seen_by: "Prompt growth from one round to the next against the typical growth of the same \
                  agent, and the first-token time it costs at the normal price per uncached token.",
        look_alikes: &[
            "cold_cache: the prompt is as long as ever, but tokens that are normally cached were not",
            "noisy_neighbour: the prompt is normal and every token costs more",
            "long_generation: the output grew, not the prompt",
        ],
        needs: &[
            "input tokens per call",
            "cached tokens, to tell it from cold_cache",
        ],
        next_checks: &[
            "Open the span named in the evidence and look at what was added to the prompt before it: \
             tool result, retrieved documents, or history.",
            "Cap or summarise the tool result or retrieval that grew; check a recent change to top-k or chunk size.",
            "Check that history is trimmed or compacted for long conversations.",
        ],
    },
    CauseMeta {
        cause: Cause::ColdCache,
        title: "prompt cache missed",
        because: "prompt tokens that are normally cached had to be computed again",
        what: "A prefix that this step normally finds in the provider's or engine's prompt cache \
               was not found there, so it was computed again. It costs time to first token, and \
               money, because cached tokens are cheaper.",
        seen_by: "Cached tokens per call against what the previous round of the same agent, or an \
                  equally recent request of the same tenant, left in the cache. Where no cached tokens \
                  are shown: calls that took what their whole prompt costs, on servers that run evenly; \
                  on others, many calls of one tenant, beside others that were not slowed, or of all \
                  at one place, which took longer in proportion to the part of their prompts that is \
                  usually cached.",
        look_alikes: &[
            "prefill_surge: the prompt itself grew",
            "routing_change: requests reach another region or deployment whose cache is empty; \
             the endpoint or fingerprint changed as well",
        ],
        needs: &["cached tokens per call (gen_ai.usage.cache_read.input_tokens or the like)"],
        next_checks: &[
            "Compare the start of two consecutive prompts: a time stamp, an id or reordered tools near the top \
             makes every prefix new.",
            "Check for a deploy, restart or scale-out of the serving engine at the start of the incident.",
            "Check idle time against the provider's cache lifetime, and whether requests of one conversation \
             stick to one replica.",
        ],
    },
    CauseMeta {
        cause: Cause::NoisyNeighbour,
        title: "slowed by other load",
        because: "other requests' load made the same work slower",
        what: "The same work took longer because others used the same model server or quota at the \
               time: requests queued for a slot, prompts were processed later, or tokens came slower.",
        seen_by: "Calls that cost more than their own work explains, at a time when unrelated calls on the \
                  same endpoint were slow too, while a neighbour's giant prompt was worked off or strangers \
                  crowded the server, or when the engine's metrics show queueing.",
        look_alikes: &[
            "prefill_surge: the request brought the extra work itself",
            "routing_change: only requests sent elsewhere are slow, all the time",
            "retry_cascade: attempts hidden inside one client call look like waiting",
        ],
        needs: &[
            "other traffic on the same endpoint in the dump",
            "queue time or engine metrics (vllm:num_requests_waiting and the like), to be sure",
            "metrics of the GPUs (`agentdiag gpu`, DCGM exporter), to see whether the machine agrees",
        ],
        next_checks: &[
            "Look at queue length and running requests of the engine, or at the provider's status page, \
             in the window of the incident.",
            "Find the tenant or batch job with the largest prompts in that window; move it to its own pool or hours.",
            "Consider a concurrency limit, priority scheduling or chunked prefill on the engine.",
        ],
    },
    CauseMeta {
        cause: Cause::ToolBottleneck,
        title: "tool was slow",
        because: "a tool took longer than it usually does",
        what: "A tool, MCP server or retrieval took much longer than the same tool normally takes, and \
               the agent waited for it.",
        seen_by: "The tool span's time against that tool's own typical time in this dump or baseline.",
        look_alikes: &[
            "retry_cascade: the tool is quick, but the agent calls it again and again with the same arguments",
            "orchestration_gap: the tool returned, but the agent did not go on",
        ],
        needs: &["a span per tool call, with the tool's name"],
        next_checks: &[
            "Check the service behind the tool named in the evidence: its latency, errors and deploys in the window.",
            "Set a deadline on the tool and give the agent a useful answer when it expires.",
            "If calls are independent, let the agent run them in parallel.",
        ],
    },
    CauseMeta {
        cause: Cause::RetryCascade,
        title: "retries",
        because: "calls were repeated: failed attempts, back-off, or the same call again",
        what: "Time went into attempts that did not count: a throttled or failing call and the waits \
               between attempts, or an agent that repeats the same tool call and pays a model round each time.",
        seen_by: "Failed attempts followed by the same call, the waits between them, resend counts, warnings in \
                  logs tied to the call, and repeated tool calls with identical arguments.",
        look_alikes: &[
            "provider_error: few attempts that each hang for long before they fail",
            "noisy_neighbour: the call is slow but was sent once",
            "tool_bottleneck: one slow call instead of many",
        ],
        needs: &[
            "a span per attempt, or http.request.resend_count, or logs of the client",
            "a digest of tool arguments, to see identical calls",
        ],
        next_checks: &[
            "Look at the error class in the evidence: rate limits call for a lower rate or a higher quota, \
             time-outs for a longer deadline.",
            "Check that only one layer retries (SDK, gateway, agent) and that back-off has a cap.",
            "If the agent repeats a tool call, look at what the tool returns: an unclear error makes models try again.",
        ],
    },
    CauseMeta {
        cause: Cause::RoutingChange,
        title: "served from elsewhere",
        because: "calls were served by another endpoint, region or deployment",
        what: "The same work went to another endpoint, region, deployment or model version than it normally \
               does, and that one is farther away or slower.",
        seen_by: "Endpoint or region other than the usual one of the same client, or metrics that show the usual \
                  region idle while another one is busy.",
        look_alikes: &[
            "noisy_neighbour: the usual endpoint is slow for everybody",
            "cold_cache: a consequence of moving; the move is the cause",
        ],
        needs: &[
            "server.address, region or system_fingerprint on model calls",
            "or metrics per region",
        ],
        next_checks: &[
            "Check the gateway's or provider's routing rules, fail-over and weights for a change at the start of the incident.",
            "Check the health of the usual endpoint: traffic may have failed over.",
            "If the new place is meant to stay, warm its prompt cache and record a new baseline.",
        ],
    },
    CauseMeta {
        cause: Cause::LongGeneration,
        title: "answer was long",
        because: "the model wrote far more tokens than normal",
        what: "The model generated many more tokens than this step normally needs, at the normal rate: a \
               rambling answer, a loop, a whole file printed again, or more reasoning.",
        seen_by: "Output tokens against the typical output of the same agent and finish reason, and against how far \
                  answers reach in this dump; priced at the normal time per token.",
        look_alikes: &[
            "noisy_neighbour: a normal number of tokens, each of them slower",
            "prefill_surge: the time is before the first token",
        ],
        needs: &[
            "output tokens per call",
            "time to first token, to separate it from prefill",
        ],
        next_checks: &[
            "Check max_tokens, stop sequences and reasoning effort, and the finish reason in the span named.",
            "Look for a prompt or model change that makes answers longer.",
            "Ask for edits or references instead of whole documents.",
        ],
    },
    CauseMeta {
        cause: Cause::OrchestrationGap,
        title: "agent stood still",
        because: "the agent process itself stood still between its calls",
        what: "Nothing the agent called was running; the agent process itself did not go on: a blocked event \
               loop, a lock, garbage collection, CPU throttling, or a queue between workers.",
        seen_by: "Idle time between the end of one operation and the start of the next, against what the same \
                  service normally needs there, and operations of many requests released at one instant.",
        look_alikes: &[
            "a call that was not traced: the same hole always appears at the same step, or the next call finds \
             more cached than was sent before it",
            "retry_cascade: the wait follows a failed attempt",
            "waiting for a person: not counted as latency when it is marked",
        ],
        needs: &["spans for every tool and model call, so that holes are real"],
        next_checks: &[
            "Check CPU throttling, garbage collection and event-loop lag of the service named, in the window.",
            "Look for blocking calls in async code: file access, synchronous HTTP, JSON of large results.",
            "Check worker and connection pool sizes; look for restarts and evictions of the pod.",
        ],
    },
    CauseMeta {
        cause: Cause::ProviderError,
        title: "provider failed",
        because: "calls to the provider hung and then failed",
        what: "Calls to the model provider hung for a long time and then failed (time-outs, 5xx, dropped \
               connections), so the request lost that time whether or not it recovered.",
        seen_by: "Failed attempts that themselves took long, more than the waits between them.",
        look_alikes: &[
            "retry_cascade: attempts fail quickly and the waits add up",
            "noisy_neighbour: slow, but it answers",
        ],
        needs: &["failed attempts as spans with an error status or type"],
        next_checks: &[
            "Check the provider's status page and your gateway's error rate in the window of the incident.",
            "Set a deadline for the first token, shorter than the whole call, and fail over early.",
            "Check network changes (proxy, DNS, TLS) if only one service is concerned.",
        ],
    },
    CauseMeta {
        cause: Cause::Unexplained,
        title: "not shown by the dump",
        because: "the dump does not show why",
        what: "The request took longer than expected and no signal in the dump accounts for the time. This is an \
               honest remainder, not a cause.",
        seen_by: "What is left of the excess after every other cause has been charged.",
        look_alikes: &["any cause whose deciding signal is missing: see missing_signals"],
        needs: &["whatever missing_signals names"],
        next_checks: &[
            "Add the signals listed as missing; time to first token and cached tokens decide most cases.",
            "Analyse again together with metrics and logs of the same window.",
            "Compare with a dump of a healthy period.",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_the_list_of_causes_and_leaves_nothing_out() {
        for cause in Cause::ALL {
            let meta = cause.meta();
            assert_eq!(meta.cause, cause);
            assert!(meta.title.len() <= 24, "{} fits a table", cause.label());
            assert!(!meta.next_checks.is_empty() && !meta.look_alikes.is_empty());
            assert_eq!(Cause::from_label(cause.label()), Some(cause));
        }
        assert_eq!(Cause::from_label("Cold-Cache"), Some(Cause::ColdCache));
        assert_eq!(Cause::from_label("gremlins"), None);
    }
}
