//! The least that a program with clap does: what start-up times are compared with.

use clap::Parser;

/// Greets.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Whom to greet.
    #[arg(default_value = "world")]
    name: String,
}

fn main() {
    println!("Hello, {}!", Args::parse().name);
}
