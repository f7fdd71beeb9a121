//! Prints what every file of a folder was taken for: `AGENTDIAG_SURVEY=folder cargo test --test it
//! survey -- --nocapture`.

use agentdiag::ingest::Source;

use super::recorder::read;

#[test]
fn survey() {
    let Ok(folder) = std::env::var("AGENTDIAG_SURVEY") else {
        return;
    };
    for source in Source::find(&[folder]) {
        let name = source.name().to_owned();
        let record = read(vec![source]);
        let input = &record.inputs[0];
        println!(
            "{name}: {}: spans {} points {} logs {} events {}",
            input.format, input.spans, input.points, input.logs, input.events
        );
        for (kind, _, tally) in record.ledger.iter() {
            println!(
                "    {} x{} at {:?}: {}",
                kind.id(),
                tally.count,
                tally.offset,
                tally.detail
            );
        }
    }
}
