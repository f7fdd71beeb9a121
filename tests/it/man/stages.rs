//! agentdiag-stages(7): the streams between stages, from the table that reads them, and how to run them.

use agentdiag::stage::Kind;
use clap_mangen::roff::{Roff, bold, roman};

const ABOUT: &[&str] = &[
    "agentdiag analyze reads gigabytes on one machine. Where dumps are terabytes in object storage, the same program runs as \
     stages between which an engine that is there already (Spark, or a shell) places, shuffles and retries the work. The report is \
     that of analyze over the same files in the order of their numbers, to the byte, in every format, for any number of partitions.",
    "All stages of a run take the same build of agentdiag and the same options. What people and models said never leaves stage \
     facts: rows hold ids, times, names, token counts and digests, as the report does.",
];

const STAGES: &[(&str, &str)] = &[
    (
        "facts",
        "One input to rows: one for what belongs to no trace, and some for each part that traces are divided into by their ids \
     (--parts, the same for all inputs; 256 unless said). A damaged input costs what is damaged and is entered in the ledger; the exit \
     code is 0. With --output, rows go to one file for each part instead of to one stream.",
    ),
    (
        "learn",
        "All rows of a part, or of some parts, to their requests. Rows of one part must come to one task: shuffle by the column key. \
     They may come from any files, in any order. Traces that are not evidently whole are put apart at first, and wait: what \
     mends them depends on others.",
    ),
    (
        "across",
        "Some repairs join traces: by a span link, by a parent id that another trace has, by a conversation, by the id that \
     client and server wrote down; and what an orphan hangs under is learned from the links of the whole dump. Each partition says \
     what hints at that, and stage across says from all answers what to ask next. It prints one line: settled; or again with facts \
     (ask partitions with their facts again), learned (with what they learned of them first) or waiting (of that, rows of the \
     schema agentdiag.waiting.v1 are enough). Where joined stands behind it, learn --joined must also be run, over the waiting rows \
     of all partitions: it rebuilds traces that may belong together. A dump in which all traces are whole is settled after the \
     first answer. Where some are broken, two or three further questions concern those alone. Only where whole traces may belong to \
     others too is everything rebuilt a second time.",
    ),
    (
        "windows",
        "The requests of all partitions to what is normal, by three passes as in one process, and to who was slowed when and where.",
    ),
    (
        "verdict",
        "The requests of one partition to their verdicts, and to rows of the table requests of agentdiag-export(1), as further \
     columns. Costs of models on machines paid by the hour are null in these rows: they depend on what ran in other partitions.",
    ),
    (
        "merge",
        "Files, requests and verdicts of all partitions, with what was learned over them, to the report.",
    ),
];

const STREAM: &str = "Streams are Arrow IPC streams of three columns: schema (text) names the kind of a row and the version of its body, \
    key (binary) is what to shuffle by, body (binary) is the rest in postcard's encoding and belongs to the program. Further columns \
    come behind them. Offsets of 64 bits are taken as well. The stream's metadata holds agentdiag.stream, 1, \
    agentdiag.version, and agentdiag.sources, which tells builds of one version apart. Spark leaves metadata out; its driver compares \
    versions itself. A stream that is cut off, of another build, or with a kind that is not known, a part or an input that is \
    named twice, and one that is missing are errors with exit code 2 that say which.";

const GROWTH: &[&str] = &[
    "facts: with one record, and the facts of one input. learn and verdict: with the partition, some 450 bytes a span; verdict also holds \
     what windows wrote: some 4 bytes for each model call of the dump.",
    "windows and merge hold the requests of all partitions: some 310 bytes a span, or 4.2 KB for a request of 14 spans, a tenth more with \
     large pages; windows leaves out spans that no request is judged by. They run in one task each. That is what bounds a run: what \
     is normal is fitted on all calls exactly (medians, pooled curves), and the report's quantiles are exact, so that both are those of one process. Fits on mergeable \
     histograms would bound it, and change verdicts in their last digits.",
    "learn --joined holds all traces that may belong to others, in one task: fragments are few where context is rarely lost.",
];

const SPARK: &[&str] = &[
    "agentdiag stage spark-driver writes the driver, a PySpark script for Spark 3.5 or later, on workers with Python, pyarrow and pandas \
     (which pyspark imports). It lists the inputs, runs facts where the files are, shuffles by trace id, and writes requests/ (Parquet, \
     by day) and report.* below --output. No row is looked at in Python. Inputs and output are whatever Spark's file systems reach.",
    "--binary names agentdiag for the workers' platform, which is sent to them; or one shipped with --files. Options of stages go \
     through: --facts-args '--at 2026-05-12T08:00:00Z', --learn-args '--no-stitch', --windows-args '--slow-over 8s', --prices-args \
     '--prices @prices.json', --merge-args '--top 20'; @NAME is a file that was shipped with --files. --jobs FILE \
     does several dumps in one session, one after the other: a line for each, its output and its inputs, separated by tabs.",
    "A task that fails is repeated by Spark. A file that no attempt at facts brings to its end becomes an entry of the ledger instead of a \
     failed job, from spark.task.maxFailures on. Files of a scheme other than file: travel through the worker's memory, one at a \
     time; keep them below 2 GB.",
];

const CLUSTERS: &str = "spark-submit --master spark://HOST:7077 agentdiag-spark.py --binary ./agentdiag --output s3a://bucket/report s3a://bucket/otlp/\n\
spark-submit --master yarn --deploy-mode cluster --files agentdiag agentdiag-spark.py --output hdfs:///report hdfs:///otlp/\n\
spark-submit --master k8s://https://HOST:6443 --deploy-mode cluster --conf spark.kubernetes.container.image=IMAGE \\\n    \
local:///opt/agentdiag-spark.py --binary /opt/agentdiag --output s3a://bucket/report s3a://bucket/otlp/";

const DATABRICKS: &str = "On Databricks the script is a Python task of a job on a cluster with dedicated access, with the binary in a volume: \
    --binary /Volumes/main/default/tools/agentdiag.";

pub(super) fn sections() -> Roff {
    let mut roff = Roff::new();
    let section = |roff: &mut Roff, name: &str| {
        roff.control("SH", [name]);
    };
    let paragraphs = |roff: &mut Roff, texts: &[&str]| {
        for text in texts {
            roff.control("PP", []);
            roff.text([roman(*text)]);
        }
    };
    let verbatim = |roff: &mut Roff, text: &str| {
        roff.control("PP", []);
        roff.control("nf", []);
        for line in text.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    };
    section(&mut roff, "DESCRIPTION");
    paragraphs(&mut roff, ABOUT);
    section(&mut roff, "STAGES");
    for (name, about) in STAGES {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*about)]);
    }
    section(&mut roff, "STREAMS");
    paragraphs(&mut roff, &[STREAM]);
    for kind in Kind::ALL {
        roff.control("TP", []);
        roff.text([bold(kind.name())]);
        roff.text([roman(kind.about())]);
    }
    section(&mut roff, "MEMORY");
    paragraphs(&mut roff, GROWTH);
    section(&mut roff, "WITHOUT AN ENGINE");
    verbatim(&mut roff, include_str!("../../../src/cli/recipe.sh"));
    section(&mut roff, "SPARK");
    paragraphs(&mut roff, SPARK);
    verbatim(&mut roff, CLUSTERS);
    paragraphs(&mut roff, &[DATABRICKS]);
    roff
}
