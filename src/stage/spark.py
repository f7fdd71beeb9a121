"""agentdiag on Spark: the stages of `agentdiag stage`, placed, shuffled and retried by an engine that is there already.

    agentdiag stage spark-driver > agentdiag-spark.py
    spark-submit agentdiag-spark.py --binary ./agentdiag --output s3a://bucket/report s3a://bucket/otlp/

Written by agentdiag @VERSION@; the binary must be of the same version. Needs Spark 3.5 or later with pyarrow. No row is
looked at in Python: every stage is the binary as a filter between two Arrow streams.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading

import pyarrow as pa
from pyspark import SparkFiles, StorageLevel, TaskContext
from pyspark.sql import SparkSession, functions as f
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import BinaryType, IntegerType, StringType, StructField, StructType

ROW = StructType(
    [
        StructField("schema", StringType(), False),
        StructField("key", BinaryType(), False),
        StructField("body", BinaryType(), False),
    ]
)
ARROW_ROW = pa.schema([("schema", pa.string()), ("key", pa.binary()), ("body", pa.binary())])
ENDINGS = {"text": "txt", "json": "json", "ndjson": "ndjson", "markdown": "md", "html": "html"}


def arguments():
    parser = argparse.ArgumentParser(description="Analyzes dumps of LLM agents with agentdiag on a Spark cluster.")
    parser.add_argument("inputs", nargs="*", metavar="PATH", help="files, folders or globs, of any file system Spark reads")
    parser.add_argument("--output", metavar="DIR", help="where requests/ (Parquet by day) and report.* go")
    parser.add_argument("--jobs", metavar="FILE", help="several dumps, one after the other: a line for each, its DIR and its PATHs, separated by tabs")
    parser.add_argument("--binary", default="agentdiag", metavar="FILE", help="agentdiag for the workers' platform: a file here, or one shipped with --files")
    parser.add_argument("--partitions", type=int, metavar="N", help="partitions by trace id (default: spark.sql.shuffle.partitions)")
    parser.add_argument("--format", action="append", choices=sorted(ENDINGS), help="of the report; may be repeated (default: json and html)")
    for stage in ("facts", "learn", "windows", "prices", "merge"):
        parser.add_argument(f"--{stage}-args", default="", metavar="ARGS", help=f"further arguments of agentdiag stage {stage}" if stage != "prices" else "--price, --prices or --config, for verdict and merge")
    options = parser.parse_args()
    if bool(options.jobs) == bool(options.inputs and options.output):
        parser.error("either --output and a PATH, or --jobs")
    return options


def binary(name):
    """Path of the binary on this machine, which may have lost its permission to run on the way."""
    path = SparkFiles.get(os.path.basename(name))
    if not os.path.exists(path):
        return name
    if not os.access(path, os.X_OK):
        os.chmod(path, 0o755)
    return path


def shipped(args):
    """Arguments in which `@NAME` is a file that was shipped under that name."""
    return [SparkFiles.get(arg[1:]) if arg.startswith("@") else arg for arg in args]


class Failed(Exception):
    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


def filtered(command, feed, read):
    """What `read` yields of the standard output of `command`, while `feed` writes its standard input."""
    # Large pages, where the kernel gives them: else short processes spend a quarter of their time on being given small ones.
    env = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **os.environ}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=env)

        def write():
            try:
                with process.stdin:
                    feed(process.stdin)
            except BrokenPipeError:
                pass  # its exit status says why

        feeder = threading.Thread(target=write, daemon=True)
        feeder.start()
        broken = None
        try:
            yield from read(process.stdout)
        except pa.ArrowInvalid as error:
            broken = error
        finally:
            process.stdout.close()
            status = process.wait()
            feeder.join()
        if status != 0 or broken:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-2000:]
            raise Failed(status, f"{' '.join(command)}: exit status {status}: {words or broken}")


def pieces(stream):
    """A stream that is no Arrow, piece by piece, as rows."""
    while piece := stream.read(1 << 24):
        yield pa.record_batch([["report"], [b""], [piece]], schema=ARROW_ROW)


def stage(command, read=pa.ipc.open_stream):
    """A stage over the rows of a partition."""

    def run(batches):
        first = next(batches, None)
        if first is None:
            return

        def feed(pipe):
            with pa.ipc.new_stream(pipe, first.schema) as stream:
                stream.write_batch(first)
                for batch in batches:
                    stream.write_batch(batch)

        yield from filtered([binary(command[0]), "stage", *shipped(command[1:]), "-"], feed, read)

    return run


def facts(program, args, attempts):
    """Facts of the files of a partition. A file that no attempt could read becomes an entry of the ledger."""

    def one(number, path, content):
        name = "/" + path[5:].lstrip("/") if path.startswith("file:") else path
        command = [binary(program), "stage", "facts", "--threads", "1", "--number", str(number), "--name", name, *args]
        source = name if content is None else "-"
        try:
            yield from filtered([*command, source], lambda pipe: content and pipe.write(content), pa.ipc.open_stream)
        except Failed as error:
            if TaskContext.get().attemptNumber() + 1 < attempts:
                raise
            reason = f"reading it ended with exit status {error.status} in every attempt"
            yield from filtered([*command, "--failed", reason, source], lambda pipe: None, pa.ipc.open_stream)

    def run(batches):
        for batch in batches:
            for row in batch.to_pylist():
                # A file is read to its end before a row of it is passed on: half a file is never taken for one.
                yield from list(one(row["number"], row["path"], row.get("content")))

    return run


def listed(spark, inputs):
    """Every input file with its number, in the order of their paths."""
    paths = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(inputs).select("path").collect()
    return [(number, row.path) for number, row in enumerate(sorted(paths))]


def read(spark, options, attempts):
    """Facts of all files, where the files are."""
    files = listed(spark, options.inputs)
    numbers = spark.createDataFrame(files, StructType([StructField("number", IntegerType()), StructField("path", StringType())]))
    # Some numbers fall to each partition, so that partitions grow about as large as each other.
    keys = min(65536, 8 * options.partitions)
    args = ["--parts", str(keys), *options.facts_args.split()]
    if all(path.startswith("file:") for _, path in files):
        # On a file system that every worker sees the binary reads for itself.
        numbers = numbers.repartition(max(1, min(len(files), 16 * spark.sparkContext.defaultParallelism)), "number")
        return numbers.mapInArrow(facts(options.binary, args, attempts), ROW)
    # One file a batch: contents of many would not fit in one.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    contents = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(options.inputs).select("path", "content")
    return contents.join(f.broadcast(numbers), "path").mapInArrow(facts(options.binary, args, attempts), ROW)


def say(what):
    print(f"agentdiag: {what}", file=sys.stderr, flush=True)


def of(rows, *kinds):
    return rows.filter(f.col("schema").isin(*[f"agentdiag.{kind}.v1" for kind in kinds]))


def local(program, *args):
    return subprocess.run([program, "stage", *args], check=True, stdout=subprocess.PIPE).stdout


def save(rows, path):
    """Rows as a stream in a file of the driver."""
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, ARROW_ROW) as stream:
        for row in rows.toLocalIterator():
            row = [[value] for value in (row["schema"], bytes(row["key"]), bytes(row["body"]))]
            stream.write_batch(pa.record_batch(row, schema=ARROW_ROW))


def learn(spark, options, keyed, folder):
    """Requests of all traces: partitions are asked again until none waits for another."""
    args, known, asked = options.learn_args.split(), None, []
    source, together = "facts", False
    for question in range(1, 8):
        say(f"rebuilding requests, question {question}")
        command = [options.binary, "learn", "--threads", "1", *(["--across", f"@{known}"] if known else []), *args]
        further = []
        if source == "facts":
            first = told = keyed.mapInArrow(stage(command), ROW).persist(StorageLevel.MEMORY_AND_DISK)
        else:
            rows = of(first, "waiting") if source == "waiting" else of(first, "part", "waiting")
            told = rows.mapInArrow(stage(command), ROW).persist(StorageLevel.MEMORY_AND_DISK)
            further.append(told)
        if together:
            joined = of(first, "waiting").coalesce(1).mapInArrow(stage([*command, "--joined"]), ROW).persist(StorageLevel.MEMORY_AND_DISK)
            further.append(joined)
            told = told.union(joined)
        said = os.path.join(folder, f"said.{question}")
        save(of(told, "evidence"), said)
        name = f"{os.path.basename(folder)}.across.{question}"
        answer = local(binary(options.binary), "across", *asked, "--output", os.path.join(folder, name), said).decode().split()
        if answer[0] == "settled":
            requests = of(first, "part", "waiting")
            for more in further:
                requests = requests.union(of(more, "part"))
            return requests
        source, together, known = answer[1], "joined" in answer, name
        asked = ["--across", os.path.join(folder, name)]
        spark.sparkContext.addFile(os.path.join(folder, name))
    raise SystemExit("agentdiag: partitions still wait for each other; please report it")


def report(options, rows, form, windows):
    """The report, as bytes."""
    args = [*options.prices_args.split(), *options.merge_args.split(), f"@{os.path.basename(windows)}"]
    merge = stage([options.binary, "merge", "--format", form, *args], pieces)
    return b"".join(bytes(row["body"]) for row in rows.coalesce(1).mapInArrow(merge, ROW).collect())


def write(spark, path, content):
    """A file on whatever file system `path` names."""
    jvm = spark.sparkContext._jvm
    path = jvm.org.apache.hadoop.fs.Path(path)
    out = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).create(path, True)
    for at in range(0, len(content), 1 << 20):
        out.write(bytearray(content[at : at + (1 << 20)]))
    out.close()


def main():
    options = arguments()
    spark = SparkSession.builder.appName("agentdiag").getOrCreate()
    context = spark.sparkContext
    if os.path.isfile(options.binary):
        context.addFile(os.path.abspath(options.binary))
    program = binary(options.binary)
    version = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE).stdout.decode().split()[1]
    if version != "@VERSION@":
        raise SystemExit(f"agentdiag: {program} is version {version}, this driver was written by @VERSION@; write it again with that binary")
    attempts = 1 if context.master.startswith("local") else int(context.getConf().get("spark.task.maxFailures", "4"))
    options.partitions = options.partitions or int(spark.conf.get("spark.sql.shuffle.partitions"))
    jobs = [(options.output, options.inputs)]
    if options.jobs:
        with open(options.jobs) as lines:
            jobs = [(output, inputs) for output, *inputs in (line.rstrip("\n").split("\t") for line in lines)]
    for options.output, options.inputs in jobs:
        with tempfile.TemporaryDirectory(prefix="agentdiag-") as folder:
            analyze(spark, options, program, attempts, folder)
        spark.catalog.clearCache()
    spark.stop()


def analyze(spark, options, program, attempts, folder):
    batch = spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch")
    facts = read(spark, options, attempts).persist(StorageLevel.DISK_ONLY)
    files = of(facts, "file")
    say("reading")
    files.count()
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", batch)
    keyed = of(facts, "traces").repartition(options.partitions, "key").persist(StorageLevel.DISK_ONLY)
    requests = learn(spark, options, keyed, folder)
    say("learning what is normal")
    learning = stage([options.binary, "windows", *options.windows_args.split()])
    # Files are sent by their names, which must be new in every run.
    windows = os.path.join(folder, os.path.basename(folder) + ".windows")
    save(files.union(requests).coalesce(1).mapInArrow(learning, ROW), windows)
    spark.sparkContext.addFile(windows)
    say("judging")
    prices = options.prices_args.split()
    judging = stage([options.binary, "verdict", "--threads", "1", "--windows", f"@{os.path.basename(windows)}", *prices])
    columns = from_arrow_schema(pa.ipc.open_stream(local(program, "verdict", "--windows", windows, os.devnull)).schema)
    judged = requests.mapInArrow(judging, columns).persist(StorageLevel.MEMORY_AND_DISK)
    table = of(judged, "request").drop("schema", "key", "body")
    table = table.withColumn("day", f.substring("start", 1, 10))
    table.write.mode("overwrite").partitionBy("day").parquet(options.output.rstrip("/") + "/requests")
    verdicts = of(judged, "verdicts").select("schema", "key", "body")
    everything = files.union(requests).union(verdicts)
    for form in options.format or ["json", "html"]:
        path = options.output.rstrip("/") + "/report." + ENDINGS[form]
        write(spark, path, report(options, everything, form, windows))
        print(path)


if __name__ == "__main__":
    sys.exit(main())
