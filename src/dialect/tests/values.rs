//! Values as emitters write them: texts, numbers in texts, lists, addresses.

use super::super::field::Unit;
use super::super::names;
use super::super::number::parse;
use super::*;
use crate::ingest::{RawEvent, RawLog};
use crate::model::{Digest, ErrorKind, IssueKind, Status};

#[test]
fn numbers_are_read_out_of_texts() {
    for (text, unit, expected) in [
        (" 12 ", Unit::One, Some(12.0)),
        ("1.5e3", Unit::Seconds, Some(1_500.0)),
        ("true", Unit::One, Some(1.0)),
        ("True", Unit::One, Some(1.0)),
        ("false", Unit::One, Some(0.0)),
        ("False", Unit::Printed, Some(0.0)),
        ("1.5ms", Unit::Printed, Some(1.5e6)),
        ("3ns", Unit::Printed, Some(3.0)),
        ("7us", Unit::Printed, Some(7e3)),
        ("2.25s", Unit::Printed, Some(2.25e9)),
        ("2m", Unit::Printed, None),
        ("1.5ms", Unit::One, None),
        ("", Unit::One, None),
    ] {
        assert_eq!(parse(text, unit), expected, "{text}");
    }
}

#[test]
fn values_of_the_wrong_type_are_counted_and_left_out() {
    let of = |value: RawValue<'static>| {
        let all = vec![
            text("gen_ai.operation.name", "chat"),
            int("gen_ai.usage.output_tokens", 5),
            attr("gen_ai.usage.input_tokens", value),
        ];
        let data = read("x", &span("chat", all));
        let input = data
            .llm_of(&data.records[0])
            .unwrap()
            .input
            .map(|k| k.value);
        (
            input,
            data.ledger.total(IssueKind::WrongType),
            data.ledger.total(IssueKind::BadNumber),
        )
    };
    let said = |text: &'static str| RawValue::Str(Text::plain(text.as_bytes()));
    assert_eq!(of(RawValue::Int(7)), (Some(7), 0, 0));
    assert_eq!(of(said("7")), (Some(7), 0, 0));
    assert_eq!(of(RawValue::Bool(true)), (Some(1), 0, 0));
    assert_eq!(of(said("seven")), (None, 1, 0));
    assert_eq!(of(said("")), (None, 0, 0));
    assert_eq!(of(RawValue::Null), (None, 0, 0));
    assert_eq!(of(RawValue::List(vec![])), (None, 1, 0));
    assert_eq!(of(RawValue::Int(-7)), (None, 0, 1));
    assert_eq!(of(RawValue::Double(f64::NAN)), (None, 0, 1));
    let model = |value| {
        let all = vec![
            text("gen_ai.operation.name", "chat"),
            attr("gen_ai.request.model", value),
        ];
        let data = read("x", &span("chat", all));
        let call = data.llm_of(&data.records[0]).unwrap();
        (
            data.text(call.requested).to_owned(),
            data.ledger.total(IssueKind::WrongType),
        )
    };
    assert_eq!(
        model(RawValue::List(vec![said("m"), said("n")])),
        ("m".to_owned(), 0)
    );
    assert_eq!(model(RawValue::List(vec![])), (String::new(), 0));
    assert_eq!(model(RawValue::Int(4)), (String::new(), 0));
    assert_eq!(model(RawValue::Bool(true)), (String::new(), 1));
}

#[test]
fn an_error_type_that_is_a_number_is_a_status() {
    let all = vec![
        text("gen_ai.operation.name", "chat"),
        int("error.type", 429),
    ];
    let data = read("x", &span("chat", all));
    let call = data.llm_of(&data.records[0]).unwrap();
    assert_eq!(
        (call.http_status, data.records[0].error),
        (Some(429), Some(ErrorKind::RateLimit))
    );
    assert_eq!(data.records[0].status, Status::Error);
}

#[test]
fn a_failure_is_classed_by_what_says_most() {
    let of = |attributes: Vec<RawAttr<'static>>, exception: &[(&'static str, &'static str)]| {
        let mut raw = span("n", attributes);
        raw.status = Status::Error;
        if !exception.is_empty() {
            raw.events.push(RawEvent {
                name: "exception".into(),
                attributes: exception
                    .iter()
                    .map(|(key, value)| text(key, value))
                    .collect(),
                ..RawEvent::default()
            });
        }
        read("x", &raw).records[0].error
    };
    let chat = || text("gen_ai.operation.name", "chat");
    assert_eq!(
        of(
            vec![chat()],
            &[
                ("exception.type", "APITimeoutError"),
                ("exception.message", "odd")
            ]
        ),
        Some(ErrorKind::Timeout)
    );
    assert_eq!(
        of(
            vec![chat()],
            &[
                ("exception.type", "E"),
                ("exception.message", "Error code: 429")
            ]
        ),
        Some(ErrorKind::RateLimit)
    );
    assert_eq!(
        of(
            vec![chat()],
            &[
                ("exception.type", "BadRequestError"),
                ("exception.message", "maximum context length")
            ]
        ),
        Some(ErrorKind::ContextLength)
    );
    assert_eq!(
        of(vec![chat(), int("http.response.status_code", 401)], &[]),
        Some(ErrorKind::Auth)
    );
    assert_eq!(
        of(vec![chat(), int("http.response.status_code", 499)], &[]),
        Some(ErrorKind::Cancelled)
    );
    assert_eq!(
        of(vec![chat(), int("http.response.status_code", 404)], &[]),
        Some(ErrorKind::BadRequest)
    );
    assert_eq!(
        of(vec![text("gen_ai.operation.name", "execute_tool")], &[]),
        Some(ErrorKind::Tool)
    );
    assert_eq!(of(vec![chat()], &[]), Some(ErrorKind::Other));
    let answered = |status: i64| {
        let data = read(
            "x",
            &span("n", vec![chat(), int("http.response.status_code", status)]),
        );
        (
            data.records[0].error.is_some(),
            data.records[0].status == Status::Error,
        )
    };
    assert_eq!(
        (answered(399), answered(400)),
        ((false, false), (true, true))
    );
}

#[test]
fn tools_are_called_what_their_keys_say_else_their_span() {
    let of = |name: &'static str, attributes: Vec<RawAttr<'static>>| {
        let data = read("x", &span(name, attributes));
        let tool = data.tool_of(&data.records[0]).unwrap();
        (data.text(tool.tool).to_owned(), tool.said_failed)
    };
    let tool = || text("gen_ai.operation.name", "execute_tool");
    assert_eq!(
        of(
            "n",
            vec![tool(), text("gen_ai.tool.name", "mcp__files__read")]
        )
        .0,
        "read"
    );
    assert_eq!(
        of("n", vec![tool(), text("traceloop.entity.name", "search")]).0,
        "search"
    );
    assert_eq!(of("execute_tool search", vec![tool()]).0, "search");
    assert_eq!(of("search.tool", vec![tool()]).0, "search");
    assert_eq!(of("execute_tool ", vec![tool()]).0, "execute_tool");
    assert_eq!(of("search", vec![tool()]).0, "search");
    for (status, failed) in [
        ("error", true),
        ("FAILED", true),
        ("cancelled", true),
        ("ok", false),
        ("errors", false),
    ] {
        assert_eq!(
            of("n", vec![tool(), text("gen_ai.tool.status", status)]).1,
            failed,
            "{status}"
        );
    }
    let own = |value| {
        let data = read(
            "com.anthropic.claude_code",
            &span("claude_code.tool", vec![attr("success", value)]),
        );
        data.tool_of(&data.records[0]).unwrap().said_failed
    };
    assert!(own(RawValue::Bool(false)) && !own(RawValue::Bool(true)));
}

#[test]
fn of_protocol_messages_only_those_that_call_a_tool_name_one() {
    let of = |name: &'static str, attributes| {
        let data = read("x", &span(name, attributes));
        assert_eq!(data.records[0].op, Op::Mcp);
        let tool = data.tool_of(&data.records[0]).unwrap();
        data.text(tool.tool).to_owned()
    };
    let method = |m| text("mcp.method.name", m);
    assert_eq!(
        of("n", vec![method("tools/call"), text("mcp.tool.name", "t")]),
        "t"
    );
    assert_eq!(
        of("n", vec![method("tools/list"), text("mcp.tool.name", "t")]),
        ""
    );
    assert_eq!(of("MCP send tools/call search", vec![]), "search");
    assert_eq!(of("MCP send initialize", vec![]), "");
}

#[test]
fn arguments_are_compared_by_their_digest_whatever_their_shape() {
    let of = |value: RawValue<'static>| {
        let all = vec![
            text("gen_ai.operation.name", "execute_tool"),
            attr("gen_ai.tool.call.arguments", value),
        ];
        let data = read("x", &span("n", all));
        data.tool_of(&data.records[0]).unwrap().arguments
    };
    let said = |text: &'static str| RawValue::Str(Text::plain(text.as_bytes()));
    assert_eq!(of(said("{}")), Some(Digest::of(b"{}")));
    assert_eq!(of(said("")), None);
    let map = |key: &'static str, value| RawValue::Map(vec![attr(key, value)]);
    let shapes = [
        map("a", RawValue::Int(1)),
        map("a", RawValue::Int(2)),
        map("b", RawValue::Int(1)),
        map("a", RawValue::Bool(true)),
        map("a", RawValue::Bool(false)),
        map("a", RawValue::Null),
        map("a", said("1")),
        RawValue::List(vec![said("a"), said("b")]),
        RawValue::List(vec![said("ab")]),
        RawValue::Double(1.0),
    ];
    let digests: Vec<_> = shapes
        .iter()
        .map(|shape| of(shape.clone()).unwrap())
        .collect();
    let again: Vec<_> = shapes.into_iter().map(|shape| of(shape).unwrap()).collect();
    assert_eq!(digests, again);
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn what_groups_say_of_themselves() {
    let of = |name: &'static str, attributes: Vec<RawAttr<'static>>| {
        let data = read("traceloop.tracer", &span(name, attributes));
        let task = *data.task_of(&data.records[0]).unwrap();
        let texts = [task.agent, task.task_type, task.tenant, task.conversation]
            .map(|s| data.text(s).to_owned());
        (
            texts,
            [
                task.rollup_input,
                task.rollup_output,
                task.declared_steps,
                task.turn,
            ]
            .map(|n| n.map(crate::units::Small::get)),
        )
    };
    let entity = || text("traceloop.entity.name", "e");
    let is = |all: [&str; 4]| all.map(str::to_owned);
    assert_eq!(of("x.workflow", vec![entity()]).0, is(["", "e", "", ""]));
    assert_eq!(of("x.agent", vec![entity()]).0, is(["e", "", "", ""]));
    assert_eq!(
        of("x.task", vec![entity()]).0,
        is(["", "", "", ""]),
        "a step is no agent"
    );
    assert_eq!(
        of(
            "x.agent",
            vec![
                entity(),
                text("gen_ai.agent.name", "a"),
                text("workflow.name", "w")
            ]
        )
        .0,
        is(["a", "w", "", ""])
    );
    assert_eq!(
        of(
            "x.agent",
            vec![
                text("task.type", "k"),
                text("workflow.name", "w"),
                text("user.id", "u")
            ]
        )
        .0,
        is(["", "k", "u", ""])
    );
    assert_eq!(
        of(
            "x.agent",
            vec![
                text("tenant.id", "t"),
                text("user.id", "u"),
                text("session.id", "c")
            ]
        )
        .0,
        is(["", "", "t", "c"])
    );
    let sums = vec![
        int("gen_ai.aggregated_usage.input_tokens", 70),
        int("gen_ai.usage.input_tokens", 50),
        int("gen_ai.usage.output_tokens", 5),
        int("haystack.agent.steps_taken", 3),
        int("interaction.sequence", 4),
    ];
    assert_eq!(of("x.agent", sums).1, [Some(70), Some(5), Some(3), Some(4)]);
    assert_eq!(
        of("x.agent", vec![double("gen_ai.usage.input_tokens", 5e9)]).1[0],
        None
    );
}

#[test]
fn metadata_names_kind_workflow_tenant_session_agent_and_user() {
    for (packed, place, expected) in [
        ("{\"task_type\": \"k\"}", 1, "k"),
        ("{\"workflow_name\": \"w\"}", 1, "w"),
        ("{\"customer_id\": \"t\"}", 2, "t"),
        ("{\"thread_id\": \"c\"}", 3, "c"),
        ("{\"agent_name\": \"a\"}", 0, "a"),
        ("{\"userId\": \"u\"}", 2, "u"),
        ("{\"inner\": {\"task_type\": \"k\"}}", 1, ""),
    ] {
        let data = read(
            "x",
            &span(
                "n",
                vec![
                    text("gen_ai.operation.name", "invoke_agent"),
                    text("metadata", packed),
                ],
            ),
        );
        let task = data.task_of(&data.records[0]).unwrap();
        let found = [task.agent, task.task_type, task.tenant, task.conversation][place];
        assert_eq!(data.text(found), expected, "{packed}");
    }
    let rounds = |packed| {
        let data = read("x", &span("n", vec![text("metadata", packed)]));
        data.rounds.iter().map(|r| r.number).collect::<Vec<_>>()
    };
    assert_eq!(rounds("{\"langgraph_step\": 3}"), [3]);
    assert_eq!(rounds("{\"langgraph_step\": 0}"), [0]);
    assert_eq!(rounds("{\"langgraph_step\": -1}"), [0; 0]);
}

#[test]
fn rounds_are_noted_once_each_and_only_where_they_can_be_some() {
    let mut reader = Normalizer::default();
    let (resource, scope) = (reader.resource(&[]), reader.scope("x", ""));
    for number in [2, 2, 3, 9_999, 10_000] {
        reader.span(
            &span("n", vec![int("agent.reasoning.step", number)]),
            resource,
            scope,
        );
    }
    let data = reader.finish();
    assert_eq!(
        data.rounds.iter().map(|r| r.number).collect::<Vec<_>>(),
        [2, 3, 9_999]
    );
}

#[test]
fn addresses_are_hosts_of_urls_else_nothing() {
    let host = |attributes: Vec<RawAttr<'static>>| {
        let mut all = vec![text("gen_ai.operation.name", "chat")];
        all.extend(attributes);
        let data = read("x", &span("chat", all));
        data.text(data.llm_of(&data.records[0]).unwrap().endpoint)
            .to_owned()
    };
    assert_eq!(host(vec![text("server.address", "a.example")]), "a.example");
    assert_eq!(
        host(vec![text("url.full", "https://b.example/v1")]),
        "b.example"
    );
    assert_eq!(
        host(vec![
            text("server.address", "a.example"),
            text("url.full", "https://b.example/v1")
        ]),
        "a.example"
    );
    assert_eq!(
        host(vec![text(
            "llm.invocation_parameters",
            "{\"base_url\": \"https://c.example/v1\"}"
        )]),
        "c.example"
    );
    let own = read(
        "openinference.instrumentation.x",
        &span(
            "chat",
            vec![
                text("openinference.span.kind", "LLM"),
                text(
                    "llm.invocation_parameters",
                    "{\"base_url\": \"https://c.example/v1\", \"stream\": true}",
                ),
            ],
        ),
    );
    let call = own.llm_of(&own.records[0]).unwrap();
    assert_eq!(
        (own.text(call.endpoint), call.streamed),
        ("c.example", Some(true))
    );
    assert_eq!(names::host("two words"), "");
    assert_eq!(names::host(&"x".repeat(256)), "");
    assert_eq!(names::host(&"x".repeat(255)).len(), 255);
    assert_eq!(names::host("h:"), "h:");
    assert_eq!(names::host("h:80a"), "h:80a");
    assert_eq!(names::route("/v1?key=x#y"), "/v1");
    assert_eq!(names::tool("mcp__a__"), "mcp__a__");
    assert_eq!(names::finish("Odd"), "odd");
    assert_eq!(names::finish("odd"), "odd");
}

#[test]
fn resources_are_known_by_all_their_attributes() {
    let mut reader = Normalizer::default();
    let all = [
        "service.name",
        "service.version",
        "service.instance.id",
        "k8s.pod.name",
        "host.name",
        "cloud.region",
        "deployment.environment",
    ];
    let first = reader.resource(&all.map(|key| text(key, "v")));
    assert_eq!(first, reader.resource(&all.map(|key| text(key, "v"))));
    for key in all {
        let other = all.map(|k| text(k, if k == key { "w" } else { "v" }));
        assert_ne!(reader.resource(&other), first, "{key}");
    }
    let both = reader.resource(&[
        text("deployment.environment.name", "new"),
        text("deployment.environment", "old"),
    ]);
    let (again, unnamed) = (reader.scope("s", "1"), reader.scope("s", "2"));
    assert_eq!(
        (reader.scope("s", "1"), reader.scope("s", "2")),
        (again, unnamed)
    );
    assert_ne!(again, unnamed);
    let data = reader.finish();
    assert_eq!(data.text(data.resources[both as usize].environment), "new");
    assert_eq!(data.resources.len(), 1 + all.len() + 1);
}

#[test]
fn emitters_are_counted_once_each() {
    let mut reader = Normalizer::default();
    let (a, b) = (
        reader.resource(&[text("service.name", "a")]),
        reader.resource(&[text("service.name", "b")]),
    );
    let scope = reader.scope("gen_ai", "");
    for resource in [a, b, a, b, b] {
        reader.span(
            &span("n", vec![int("gen_ai.usage.input_tokens", 1)]),
            resource,
            scope,
        );
    }
    let data = reader.finish();
    assert_eq!(
        data.records.iter().map(|s| s.emitter).collect::<Vec<_>>(),
        [0, 1, 0, 1, 1]
    );
    assert_eq!(data.emitters.len(), 2);
    assert_eq!(data.dialects["otel-genai"], 5);
    assert_eq!(data.dialects_of[&(0, "otel-genai")], 5);
    assert!(!data.dialects.contains_key("general") && !data.dialects.contains_key("http"));
}

#[test]
fn logs_are_kept_by_their_size_whatever_their_body_is() {
    let mut reader = Normalizer::default();
    let said = |text: &'static str| RawValue::Str(Text::plain(text.as_bytes()));
    for body in [
        RawValue::Null,
        said("abc"),
        RawValue::Int(1),
        RawValue::List(vec![said("abc"), RawValue::Bool(true)]),
        RawValue::Map(vec![attr("key", said("abc"))]),
    ] {
        let log = RawLog {
            time: Some(Nanos(5)),
            body,
            ..RawLog::default()
        };
        reader.log(&log, 0);
    }
    let sizes = reader.finish().logs.into_iter().map(|l| l.body_bytes);
    assert_eq!(sizes.collect::<Vec<_>>(), [0, 3, 8, 11, 6]);
}

#[test]
fn what_is_kept_of_a_span_beside_its_facts() {
    let of = |flags: u32| {
        let mut raw = span("n", vec![int("a", 1)]);
        raw.flags = flags;
        raw.events = vec![RawEvent::default(), RawEvent::default()];
        let data = read("x", &raw);
        (data.records[0].flags.0, data.records[0].weight)
    };
    let remote = crate::model::SpanFlags::REMOTE_PARENT;
    assert_eq!(
        (of(0), of(0x200), of(0x301)),
        ((0, 3), (remote, 3), (remote, 3))
    );
}

#[test]
fn tiers_and_routes_are_kept() {
    let data = read(
        "x",
        &span(
            "n",
            vec![
                text("gen_ai.operation.name", "chat"),
                text("openai.response.service_tier", "flex"),
            ],
        ),
    );
    let call = data.llm_of(&data.records[0]).unwrap();
    assert_eq!(
        (data.text(call.tier), data.text(call.fingerprint)),
        ("flex", "flex")
    );
    let data = read(
        "x",
        &span(
            "n",
            vec![
                text("http.request.method", "POST"),
                text("http.target", "/v1/chat?key=x"),
            ],
        ),
    );
    let http = data.http_of(&data.records[0]).unwrap();
    assert_eq!(
        (data.text(http.method), data.text(http.route)),
        ("POST", "/v1/chat")
    );
}

#[test]
fn buckets_are_taken_only_where_they_are_asked_for() {
    assert!(!Normalizer::default().wants_buckets());
    assert!(Normalizer::default().taking_buckets().wants_buckets());
}
