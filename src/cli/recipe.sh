#!/bin/sh
# recipe.sh WORK PARTS FILE...: what `agentdiag analyze FILE...` prints, by way of PARTS partitions in the folder WORK.
set -eu
work=$1 parts=$2
shift 2
mkdir -p "$work/facts" "$work/requests/learned" "$work/requests/mended" "$work/verdicts"
at_once=${JOBS:-$(nproc)}
# Large pages, where the kernel gives them: else short processes spend a quarter of their time on being given small ones.
export GLIBC_TUNABLES="${GLIBC_TUNABLES-glibc.malloc.hugetlb=1}"

# Facts of each file, divided by trace id. The position of a file among all is its number.
number=0
for file; do
    printf '%s\0%s\0' "$number" "$file"
    number=$((number + 1))
done | xargs -0 -n2 -P"$at_once" sh -c \
    'agentdiag stage facts --threads 1 --number "$2" --parts "$1" --output "$0" "$3"' "$work/facts" "$parts"

# Requests of each part. Parts are asked again, as long as traces wait for others: with their facts, or with what they
# learned of them first. Traces that may belong together are rebuilt in one place.
: >"$work/requests/joined.arrow"
round=0 known= from=facts joined=
while :; do
    case $from in facts) asked=$work/facts told=$work/requests/learned ;; *) asked=$work/requests/learned told=$work/requests/mended ;; esac
    ls "$asked" | xargs -n1 -P"$at_once" sh -c \
        'agentdiag stage learn --threads 1 ${2:+--across "$2"} "$0/$3" >"$1/${3%.arrow}.arrow"' "$asked" "$told" "$known"
    [ -z "$joined" ] ||
        agentdiag stage learn --across "$known" --joined "$work/requests/learned" >"$work/requests/joined.arrow"
    round=$((round + 1))
    agentdiag stage across ${known:+--across "$known"} --output "$work/across.$round" "$told" "$work/requests/joined.arrow" >"$work/answer"
    read -r answer from joined <"$work/answer" || true
    known=$work/across.$round
    [ "$answer" = again ] || break
done

# What is normal, over all requests; then the verdicts of each part, and the report.
agentdiag stage windows "$work/requests" >"$work/windows.arrow"
(cd "$work/requests" && find . -name '*.arrow' -size +0) | xargs -n1 -P"$at_once" sh -c \
    'agentdiag stage verdict --no-requests --threads 1 --windows "$0/windows.arrow" "$0/requests/$1" >"$0/verdicts/$(echo "$1" | tr / -)"' "$work"
agentdiag stage merge ${REPORT:-} "$work/requests" "$work/windows.arrow" "$work/verdicts"
