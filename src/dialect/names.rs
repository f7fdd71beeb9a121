//! Names made comparable: providers, hosts, tools, finish reasons.

use std::borrow::Cow;

/// The provider in one spelling; `None` for values that name a framework and not a vendor.
pub(super) fn provider(said: &str) -> Option<Cow<'_, str>> {
    let said = bare(said);
    let lower: Cow<'_, str> = if said.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(said.to_ascii_lowercase())
    } else {
        Cow::Borrowed(said)
    };
    let known = match lower.as_ref() {
        "langchain"
        | "langgraph"
        | "crewai"
        | "llamaindex"
        | "llama_index"
        | "strands-agents"
        | "gcp.vertex.agent"
        | "microsoft.agent_framework"
        | "autogen"
        | "agno"
        | "haystack"
        | "_other"
        | "unknown" => return None,
        "openai" | "openai.chat" | "openai.responses" | "openai.completion" => "openai",
        "azure" | "azure_openai" | "azure-openai" | "az.ai.openai" | "azure.ai.openai" => {
            "azure.ai.openai"
        }
        "az.ai.inference" | "azure_ai" | "azure.ai.inference" => "azure.ai.inference",
        "anthropic" | "anthropic.messages" => "anthropic",
        "bedrock" | "aws" | "amazon-bedrock" | "amazon_bedrock" | "aws_bedrock" | "aws.bedrock" => {
            "aws.bedrock"
        }
        "vertex_ai" | "vertexai" | "vertex" | "google_vertex" | "google-vertex"
        | "gcp.vertex_ai" => "gcp.vertex_ai",
        "gemini" | "google" | "google_genai" | "google-gla" | "gcp.gemini" | "gcp.gen_ai" => {
            "gcp.gemini"
        }
        "xai" | "x-ai" | "x.ai" | "x_ai" => "x_ai",
        "mistral" | "mistralai" | "mistral_ai" => "mistral_ai",
        _ => "",
    };
    if !known.is_empty() {
        return Some(Cow::Borrowed(known));
    }
    let vercel = [
        ".chat",
        ".messages",
        ".responses",
        ".completion",
        ".generative-ai",
        ".embedding",
    ];
    if let Some(end) = vercel.iter().find(|end| lower.ends_with(**end)) {
        let family = &lower[..lower.len() - end.len()];
        return provider(family).map(|p| Cow::Owned(p.into_owned()));
    }
    Some(lower)
}

/// A text without the quotes of the JSON that it was packed in.
pub(super) fn bare(said: &str) -> &str {
    said.trim_matches(['"', '\\'])
}

/// A span name without the ids that some tracers put into it, so that like spans are named alike.
pub(super) fn without_ids(said: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(said);
    while let Some(at) = uuid(name.as_bytes()) {
        let start = match name.as_bytes().get(at.wrapping_sub(1)) {
            Some(b'-' | b'_' | b':' | b' ') => at - 1,
            _ => at,
        };
        name = Cow::Owned([&name[..start], &name[at + 36..]].concat());
    }
    name
}

/// Where a UUID stands.
fn uuid(text: &[u8]) -> Option<usize> {
    let is_uuid = |part: &[u8]| {
        part.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
    };
    text.windows(36).position(is_uuid)
}

/// The host of a URL or of `host:port`, without user information, path or query. Empty for what
/// cannot be a host (RFC 3986, section 3.2.2): some programs write sentences into such fields.
pub(super) fn host(url: &str) -> &str {
    let host = authority(url);
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'%');
    match host.len() <= MAX_HOST && host.bytes().all(fits) {
        true => host,
        false => "",
    }
}

/// Octets of the longest name in the DNS (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 255;

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The path of a request without its query.
pub(super) fn route(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or(target)
}

/// A tool's own name: what is left without the name of the MCP server that offers it.
pub(super) fn tool(said: &str) -> &str {
    let said = said.trim();
    let Some(rest) = said.strip_prefix("mcp__") else {
        return said;
    };
    match rest.split_once("__") {
        Some((_, name)) if !name.is_empty() => name,
        _ => said,
    }
}

/// Why generation ended, in one spelling.
pub(super) fn finish(said: &str) -> Cow<'_, str> {
    let bare = said.trim_matches(|c: char| matches!(c, '[' | ']' | '"' | '\'' | '\\' | ' '));
    let first = bare.split([',', '"', '\\']).next().unwrap_or(bare).trim();
    Cow::Borrowed(match first {
        "tool_calls" | "tool_use" | "tool_call" | "tool-calls" | "function_call" | "TOOL_CALLS"
        | "TOOL_USE" => "tool_call",
        "length" | "max_tokens" | "max_output_tokens" | "MAX_TOKENS" | "LENGTH" => "length",
        "stop" | "end_turn" | "stop_sequence" | "STOP" | "END_TURN" | "eos_token" => "stop",
        "content_filter" | "content-filter" | "SAFETY" => "content_filter",
        other if other.bytes().any(|b| b.is_ascii_uppercase()) => {
            return Cow::Owned(other.to_ascii_lowercase());
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_one_spelling_and_frameworks_are_none() {
        assert_eq!(provider("openai.responses").as_deref(), Some("openai"));
        assert_eq!(provider("Anthropic").as_deref(), Some("anthropic"));
        assert_eq!(
            provider("google.generative-ai").as_deref(),
            Some("gcp.gemini")
        );
        assert_eq!(provider("my-gateway").as_deref(), Some("my-gateway"));
        assert_eq!(provider("strands-agents"), None);
    }

    #[test]
    fn every_spelling_of_a_provider_is_known() {
        for (spellings, name) in [
            (
                &["openai.chat", "OpenAI", "openai.completion"][..],
                "openai",
            ),
            (
                &["azure", "azure_openai", "azure-openai", "az.ai.openai"],
                "azure.ai.openai",
            ),
            (&["az.ai.inference", "azure_ai"], "azure.ai.inference"),
            (&["anthropic.messages"], "anthropic"),
            (
                &[
                    "bedrock",
                    "aws",
                    "amazon-bedrock",
                    "amazon_bedrock",
                    "aws_bedrock",
                ],
                "aws.bedrock",
            ),
            (
                &[
                    "vertex_ai",
                    "vertexai",
                    "vertex",
                    "google_vertex",
                    "google-vertex",
                ],
                "gcp.vertex_ai",
            ),
            (
                &[
                    "gemini",
                    "google",
                    "google_genai",
                    "google-gla",
                    "gcp.gen_ai",
                ],
                "gcp.gemini",
            ),
            (&["xai", "x-ai", "x.ai"], "x_ai"),
            (&["mistral", "mistralai"], "mistral_ai"),
        ] {
            for spelling in spellings {
                assert_eq!(provider(spelling).as_deref(), Some(name), "{spelling}");
            }
        }
    }

    #[test]
    fn hosts_lose_everything_private() {
        assert_eq!(
            host("https://me:secret@llm.example:8443/v1?key=x"),
            "llm.example"
        );
        assert_eq!(host("llm.example:443"), "llm.example");
        assert_eq!(host("http://[::1]:80/x"), "::1");
        assert_eq!(host("plain"), "plain");
    }

    #[test]
    fn names_lose_ids_and_quotes() {
        let id = "b2b2cb7e-33c2-4378-addb-df8ddd809181";
        assert_eq!(without_ids(&format!("Crew_{id}.kickoff")), "Crew.kickoff");
        assert_eq!(without_ids(&format!("OpenAI.achat-{id}")), "OpenAI.achat");
        assert_eq!(without_ids("chat gpt-4.1-mini"), "chat gpt-4.1-mini");
        assert_eq!(without_ids(id), "");
        assert_eq!(bare("\"gpt-4.1\""), "gpt-4.1");
    }

    #[test]
    fn tools_lose_the_server_that_offers_them() {
        assert_eq!(tool("mcp__files__read"), "read");
        assert_eq!(tool("mcp__x"), "mcp__x");
        assert_eq!(tool("read_file"), "read_file");
    }

    #[test]
    fn finish_reasons_come_out_of_lists_and_quotes() {
        assert_eq!(finish("[\"tool-calls\"]"), "tool_call");
        assert_eq!(finish("\\\"end_turn\\\""), "stop");
        assert_eq!(finish("MAX_TOKENS"), "length");
        assert_eq!(finish("stop,length"), "stop");
    }
}
