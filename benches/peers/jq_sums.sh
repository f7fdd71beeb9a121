#!/bin/sh
# Calls and tokens by model: jq_sums.sh DUMP.jsonl
exec jq -n -c 'reduce (inputs.resourceSpans[].scopeSpans[].spans[].attributes | map({(.key): .value}) | add) as $a ({};
  if $a["gen_ai.usage.input_tokens"] then
    ($a["gen_ai.response.model"].stringValue // "") as $m
    | .[$m] |= [(.[0] // 0) + 1,
                (.[1] // 0) + ($a["gen_ai.usage.input_tokens"].intValue | tonumber),
                (.[2] // 0) + ($a["gen_ai.usage.output_tokens"].intValue // 0 | tonumber)]
  else . end)' "$1"
