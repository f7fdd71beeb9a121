//! The driver that runs the stages on Spark.

/// The PySpark script, for this version of the program.
#[must_use]
pub fn spark_driver() -> String {
    include_str!("spark.py").replace("@VERSION@", env!("CARGO_PKG_VERSION"))
}
