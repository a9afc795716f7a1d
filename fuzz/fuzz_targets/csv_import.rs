//! The import of subscriptions: every line that is read is one of the file, in order, and so is every one that is
//! refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice::services::{Code, selling::import_subscriptions::lines};

fuzz_target!(|file: &[u8]| {
    let length =
        file.iter().filter(|byte| **byte == b'\n').count() + file.iter().filter(|byte| **byte == b'\r').count() + 1;
    match lines(file) {
        Ok(lines) => {
            assert!(lines.is_sorted_by(|one, two| one < two), "{lines:?}");
            assert!(lines.iter().all(|line| (2..=length).contains(&usize::try_from(*line).expect("a number"))));
            // Nothing is passed over.
            let records = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file).records().count();
            assert_eq!(lines.len(), records);
        }
        Err(refusal) => {
            assert_eq!(refusal.code, Code::BodyInvalid);
            assert!((1..=200).contains(&refusal.faults.len()), "{}", refusal.faults.len());
            for fault in refusal.faults {
                let line = fault.field.strip_prefix("line ").and_then(|rest| rest.split(',').next()).expect("a line");
                assert!(
                    (1..=length).contains(&line.parse::<usize>().expect("a number")),
                    "{} of {length}",
                    fault.field
                );
            }
        }
    }
});
