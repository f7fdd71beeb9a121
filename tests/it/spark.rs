//! A Spark cluster says what one process says: a master and two workers on this machine, of which one is killed while
//! it works. `AGENTDIAG_SPARK` names a Python after `pip install pyspark pyarrow pandas`; Java 17 is needed as well.
//! `AGENTDIAG_CORPORA` names folders of further dumps.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::stages::{
    Spans, alone, beside, first_difference, fixture, further, generated, printed, program, scatter,
};

/// Processes of a standalone cluster; they end with it.
struct Cluster {
    python: PathBuf,
    home: PathBuf,
    url: String,
    folder: TempDir,
    processes: Vec<Child>,
}

impl Cluster {
    fn start() -> Self {
        let python = PathBuf::from(std::env::var_os("AGENTDIAG_SPARK").expect("a Python"));
        let script = "import os, pyspark; print(os.path.dirname(pyspark.__file__))";
        let home = Command::new(&python)
            .args(["-c", script])
            .output()
            .expect("it runs");
        let home = String::from_utf8(home.stdout).expect("UTF-8");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        let mut cluster = Self {
            python,
            home: home.trim().into(),
            url: format!("spark://127.0.0.1:{port}"),
            folder: TempDir::new().expect("a scratch folder"),
            processes: Vec::new(),
        };
        let port = port.to_string();
        cluster.spawn("master.Master", &["--port", &port], "New state: ALIVE");
        for worker in ["worker-1", "worker-2"] {
            let url = cluster.url.clone();
            let work = cluster.folder.path().join(worker);
            let work = work.to_str().expect("UTF-8");
            let args = ["--cores", "1", "--memory", "1g", "--work-dir", work, &url];
            cluster.spawn("worker.Worker", &args, "Successfully registered");
        }
        cluster
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.home.join("bin").join(script));
        command
            .env("SPARK_HOME", &self.home)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("PYSPARK_PYTHON", &self.python)
            .env("PYSPARK_DRIVER_PYTHON", &self.python)
            .current_dir(self.folder.path());
        command
    }

    /// Starts a process of the cluster and waits until it says that it is ready.
    fn spawn(&mut self, class: &str, args: &[&str], ready: &str) {
        let log = self
            .folder
            .path()
            .join(format!("{}.log", self.processes.len()));
        let file = fs::File::create(&log).expect("a log");
        let mut command = self.command("spark-class");
        command.arg(format!("org.apache.spark.deploy.{class}"));
        command
            .args(["--host", "127.0.0.1", "--webui-port", "0"])
            .args(args);
        command
            .stdout(file.try_clone().expect("a log"))
            .stderr(file);
        self.processes.push(command.spawn().expect("it starts"));
        let began = Instant::now();
        while !fs::read_to_string(&log).expect("a log").contains(ready) {
            assert!(
                began.elapsed() < Duration::from_mins(2),
                "{class} does not come up: {}",
                log.display()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Runs the driver over some dumps; kills the second worker when the driver says `kill_at`. The answer is where
    /// it wrote to, dump by dump.
    fn run(&mut self, dumps: &[Vec<PathBuf>], kill_at: Option<&str>) -> Vec<PathBuf> {
        let driver = self.folder.path().join("agentdiag-spark.py");
        fs::write(&driver, printed(&["stage", "spark-driver"])).expect("written");
        let outputs = (0..dumps.len()).map(|n| self.folder.path().join(format!("output-{n}")));
        let outputs: Vec<PathBuf> = outputs.collect();
        let jobs = self.folder.path().join("jobs");
        fs::write(&jobs, lines(&outputs, dumps)).expect("written");
        let mut command = self.command("spark-submit");
        command.args(["--master", &self.url]);
        command.args(["--conf", "spark.executor.memory=700m"]);
        command.args(["--conf", "spark.ui.enabled=false"]);
        command.arg(&driver).arg("--binary").arg(program());
        command.args(["--partitions", "5", "--format", "json", "--format", "html"]);
        command.arg("--jobs").arg(&jobs);
        let log = self.folder.path().join("driver.log");
        command
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).expect("a log"));
        let mut submitted = command.spawn().expect("it starts");
        let mut said = Vec::new();
        // Spark puts what the driver prints to either stream on its standard output.
        for line in BufReader::new(submitted.stdout.take().expect("a pipe")).lines() {
            let line = line.expect("text");
            if kill_at.is_some_and(|at| line.starts_with("agentdiag: ") && line.contains(at)) {
                let worker = self.processes.last_mut().expect("a worker");
                worker.kill().expect("killed");
            }
            said.push(line);
        }
        let ended = submitted.wait().expect("it ends");
        let logged = fs::read_to_string(&log).expect("a log");
        let tail = logged.lines().rev().take(60).collect::<Vec<_>>();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        assert!(ended.success(), "{}\n{}", tail.join("\n"), said.join("\n"));
        outputs
    }
}

/// Jobs of the driver: a line for each dump.
fn lines(outputs: &[PathBuf], dumps: &[Vec<PathBuf>]) -> String {
    let text = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    let line = |(output, files): (&PathBuf, &Vec<PathBuf>)| {
        let words = std::iter::once(output).chain(files).map(text);
        words.collect::<Vec<_>>().join("\t") + "\n"
    };
    outputs.iter().zip(dumps).map(line).collect()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn same(output: &Path, files: &[PathBuf]) {
    for (format, name) in [("json", "report.json"), ("html", "report.html")] {
        let whole = alone(format, files);
        let spread = fs::read(output.join(name)).expect("a report");
        assert!(
            whole == spread,
            "{format} differs: {}",
            first_difference(&whole, &spread)
        );
    }
}

/// Files that hold a Parquet table, by day.
fn days(output: &Path) -> usize {
    let entries = fs::read_dir(output.join("requests")).expect("a table");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("day="))
        .count()
}

#[test]
#[cfg_attr(
    not(spark),
    ignore = "needs AGENTDIAG_SPARK, a Python with pyspark, and Java"
)]
fn a_cluster_says_the_same_and_so_does_one_that_loses_a_worker() {
    let mut cluster = Cluster::start();
    let [folder, scattered] = [(); 2].map(|()| TempDir::new().expect("a scratch folder"));
    let dump = fixture("labelled/mixed-full-mixed");
    let mut files = scatter(
        &dump.join("traces.jsonl.gz"),
        folder.path(),
        8,
        Spans::Dirty,
    );
    files.extend(beside(&dump).iter().map(|path| {
        let copy = folder.path().join(path.file_name().expect("a name"));
        fs::copy(path, &copy).expect("copied");
        copy
    }));
    files.sort();
    let generated = scatter(
        &generated(scattered.path()),
        scattered.path(),
        64,
        Spans::Whole,
    );
    let dumps = [files.clone(), generated];
    for (output, files) in cluster.run(&dumps, None).iter().zip(&dumps) {
        same(output, files);
        assert!(days(output) > 0);
    }

    // Delivered twice, and damaged.
    let again = folder.path().join("traces-again.jsonl");
    fs::copy(&files[2], &again).expect("copied");
    let noise = folder.path().join("noise.jsonl");
    fs::write(&noise, [0xff, 0x00, 0x13].repeat(700)).expect("written");
    files.extend([again, noise]);
    files.sort();
    let output = cluster.run(std::slice::from_ref(&files), Some("question 1"));
    let worker = cluster.processes.last_mut().expect("a worker");
    assert!(
        worker.try_wait().expect("known").is_some(),
        "no worker was killed"
    );
    same(&output[0], &files);
}

#[test]
#[cfg_attr(
    not(all(spark, corpora)),
    ignore = "needs AGENTDIAG_SPARK, a Python with pyspark, and Java, and AGENTDIAG_CORPORA, a folder of further dumps"
)]
fn a_cluster_says_the_same_of_further_dumps() {
    let folder = TempDir::new().expect("a scratch folder");
    let files_of = |(dump, number): (PathBuf, usize)| {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own).expect("a folder");
        let mut files = scatter(&dump.join("traces.jsonl.gz"), &own, 4, Spans::Whole);
        files.extend(beside(&dump));
        files.sort();
        files
    };
    let dumps: Vec<Vec<PathBuf>> = further().into_iter().zip(0..).map(files_of).collect();
    let outputs = Cluster::start().run(&dumps, None);
    for (output, files) in outputs.iter().zip(&dumps) {
        same(output, files);
    }
}
