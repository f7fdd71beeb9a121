//! The rules that are asked about when the user gives none.

/// As shipped: tool choice is watched for every tool.
pub const BUILT_IN: &str = include_str!("agent-alerts.yml");

/// Where the rule about tool choice begins, and how it selects the tools it watches.
const CHOICE: &str = "- alert: ToolSelectionDrift";
const OF_EVERY_TOOL: &str = "sum by (agent_id, tool_name) (rate(agent_tool_calls_total[";

/// The rules, with tool choice watched for these tools only; for every tool when there are none.
#[must_use]
pub fn built_in(high_stakes: &[String]) -> String {
    let Some(at) = BUILT_IN.find(CHOICE).filter(|_| !high_stakes.is_empty()) else {
        return BUILT_IN.to_owned();
    };
    let names: Vec<String> = high_stakes.iter().map(|name| regex::escape(name)).collect();
    let pattern = serde_json::to_string(&names.join("|")).unwrap_or_default();
    let of_these = format!(
        "sum by (agent_id, tool_name) (rate(agent_tool_calls_total{{tool_name=~{pattern}}}["
    );
    let (others, choice) = BUILT_IN.split_at(at);
    format!("{others}{}", choice.replace(OF_EVERY_TOOL, &of_these))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::{Store, Version, read};

    #[test]
    fn tool_choice_is_watched_for_the_tools_named() {
        assert_eq!(built_in(&[]), BUILT_IN);
        let text = built_in(&["pay.out".to_owned(), "a\"b\\c".to_owned()]);
        assert_eq!(text.matches("tool_name=~").count(), 2);
        // All other tools still count in the denominator.
        assert_eq!(
            text.matches("sum by (agent_id) (rate(agent_tool_calls_total[")
                .count(),
            2
        );
        let mut store = Store::new(Version::default());
        let groups = read("built-in", &text, &mut store).unwrap();
        assert_eq!(groups.len(), 1);
    }
}
