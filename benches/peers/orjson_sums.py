"""Calls, tokens and time by model, requests by service: orjson_sums.py DUMP.jsonl"""
import sys

import orjson

models, requests = {}, {}
for line in open(sys.argv[1], "rb"):
    for block in orjson.loads(line)["resourceSpans"]:
        service = next((a["value"].get("stringValue") for a in block["resource"]["attributes"] if a["key"] == "service.name"), None)
        for scope in block["scopeSpans"]:
            for span in scope["spans"]:
                time = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
                if not span.get("parentSpanId"):
                    requests.setdefault(service, []).append(time)
                attributes = {a["key"]: a["value"] for a in span["attributes"]}
                if "gen_ai.usage.input_tokens" in attributes:
                    model = attributes.get("gen_ai.response.model", {}).get("stringValue")
                    sums = models.setdefault(model, [0, 0, 0, []])
                    sums[0] += 1
                    sums[1] += int(attributes["gen_ai.usage.input_tokens"]["intValue"])
                    sums[2] += int(attributes.get("gen_ai.usage.output_tokens", {}).get("intValue", 0))
                    sums[3].append(time)
for table in (requests, {model: sums[3] for model, sums in models.items()}):
    for name, times in sorted(table.items(), key=str):
        times.sort()
        print(name, len(times), times[len(times) // 2], times[len(times) * 95 // 100])
