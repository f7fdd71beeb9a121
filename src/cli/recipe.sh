#!/bin/sh
# recipe.sh WORK PARTS FILE...: what `agentdiag analyze FILE...` prints, by way of PARTS partitions in the folder WORK.
set -eu
work=$1 parts=$2
shift 2
mkdir -p "$work/facts" "$work/learned" "$work/verdicts"
at_once=${JOBS:-$(nproc)}

# Facts of each file, divided by trace id. The position of a file among all is its number.
number=0
for file; do
    printf '%s\0%s\0' "$number" "$file"
    number=$((number + 1))
done | xargs -0 -n2 -P"$at_once" sh -c \
    'agentdiag stage facts --threads 1 --number "$2" --parts "$1" --output "$0" "$3"' "$work/facts" "$parts"

# Requests of each part; again, as long as traces of one part wait for those of another.
round=0 known=
while :; do
    ls "$work/facts" | xargs -n1 -P"$at_once" sh -c \
        'agentdiag stage learn --threads 1 ${1:+--across "$1"} "$0/facts/$2" >"$0/learned/$2.arrow"' "$work" "$known"
    agentdiag stage learn ${known:+--across "$known"} --joined "$work/facts" >"$work/learned/joined.arrow"
    round=$((round + 1))
    agentdiag stage across ${known:+--across "$known"} --output "$work/across.$round" "$work/learned" >"$work/answer"
    read -r answer <"$work/answer"
    known=$work/across.$round
    [ "$answer" = again ] || break
done

# What is normal, over all requests; then the verdicts of each part, and the report.
agentdiag stage windows "$work/learned" >"$work/windows.arrow"
ls "$work/learned" | xargs -n1 -P"$at_once" sh -c \
    'agentdiag stage verdict --threads 1 --windows "$0/windows.arrow" "$0/learned/$1" >"$0/verdicts/$1"' "$work"
agentdiag stage merge ${REPORT:-} "$work/learned" "$work/windows.arrow" "$work/verdicts"
