//! The canonical fields: what can be known of a span, whatever vocabulary says it.

/// Fields that hold a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum TextField {
    /// Vendor of the model.
    Provider,
    /// Model asked for.
    Requested,
    /// Model that answered.
    Answered,
    /// Host the call went to.
    Endpoint,
    /// URL the call went to; only its host is kept.
    Url,
    /// `system_fingerprint`, region or deployment that answered.
    Fingerprint,
    /// Service tier of the answer.
    Tier,
    /// Conversation or session.
    Conversation,
    /// Response id (client) or request id (engine).
    ResponseId,
    /// Class of the error as the emitter names it.
    ErrorType,
    /// Error text: content, for classification only.
    ErrorText,
    /// Severity of an observation.
    Level,
    /// Tool that ran.
    Tool,
    /// Call id the model chose.
    ToolCallId,
    /// Outcome the tool reported.
    ToolStatus,
    /// Agent.
    Agent,
    /// Workflow around the agents.
    Workflow,
    /// Name of whatever the span is: a tool, an agent, a node.
    Entity,
    /// Kind of task.
    TaskType,
    /// Tenant.
    Tenant,
    /// User, where no tenant is named.
    User,
    /// HTTP method.
    Method,
    /// HTTP route.
    Route,
    /// MCP method.
    McpMethod,
    /// Kind of record: a marker that announces a span is no span.
    RecordKind,
}

/// How many [`TextField`]s there are.
pub(super) const TEXTS: usize = TextField::RecordKind as usize + 1;

/// Fields that hold a number: a count, a duration in nanoseconds, an amount of US dollars, 0 or 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum NumberField {
    /// Prompt tokens, cached ones included or not.
    Input,
    /// Generated tokens, reasoning included or not.
    Output,
    /// Prompt tokens read from a cache.
    Cached,
    /// Prompt tokens written to a cache.
    CacheWrite,
    /// Of these: to be kept for an hour.
    CacheWriteHour,
    /// Prompt tokens that no cache served, where an emitter says so.
    Fresh,
    /// Reasoning tokens.
    Reasoning,
    /// All tokens, for deciding what the others include.
    Total,
    /// Time to first token.
    FirstToken,
    /// The same under a name that two emitters use with different units.
    ServerFirstToken,
    /// Wait for a slot on the server.
    Queue,
    /// Prompt processing.
    Prefill,
    /// Generation.
    Decode,
    /// Time of the model alone.
    ModelTime,
    /// Reported cost.
    Cost,
    /// HTTP status.
    HttpStatus,
    /// Resends.
    Resends,
    /// Attempt, counted from one.
    Attempt,
    /// Streamed or not.
    Streamed,
    /// Duration of the tool as its emitter measured it.
    ToolTime,
    /// Success as the emitter sees it.
    Success,
    /// Steps of a task.
    Steps,
    /// Number of the round of its request that a span belongs to.
    Round,
    /// Number of a request in its conversation.
    Turn,
    /// Prompt tokens summed over calls.
    RollupInput,
    /// Generated tokens summed over calls.
    RollupOutput,
}

/// How many [`NumberField`]s there are.
pub(super) const NUMBERS: usize = NumberField::RollupOutput as usize + 1;

/// Fields whose value is looked into only when the span's role needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum RawField {
    /// Finish reasons.
    Finish,
    /// Tool arguments: digested, never kept.
    Arguments,
    /// Usage as JSON.
    Usage,
    /// Cost as JSON.
    CostDetails,
    /// Instant of the first token as text.
    FirstTokenAt,
    /// Free metadata as JSON.
    Metadata,
    /// Invocation parameters as JSON.
    Invocation,
    /// What the vendor's client library adds, as JSON.
    Vendor,
}

/// How many [`RawField`]s there are.
pub(super) const RAWS: usize = RawField::Vendor as usize + 1;

/// What a key means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// A text.
    Text(TextField),
    /// A number.
    Number(NumberField, Unit),
    /// A value to be looked into later.
    Raw(RawField),
    /// The role of the span, with the place of this key among all keys that name roles.
    Role(u8),
    /// An attribute of a resource.
    Resource,
    /// Understood and not needed.
    Unused,
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// As it is meant.
    One,
    /// Seconds; becomes nanoseconds.
    Seconds,
    /// Milliseconds; becomes nanoseconds.
    Millis,
    /// A Rust `Duration` as `Debug` prints it (`1.2ms`); becomes nanoseconds.
    Printed,
}
