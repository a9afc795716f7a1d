//! The server killed while it sends contents to the bucket, and what is there afterwards.

use std::{
    collections::BTreeSet,
    fs, thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;

use crate::harness::{
    Actor, S3,
    bytes::{digest_header, noise, sha256},
    eventually, pages,
};

const ROUNDS: u64 = 12;
const RELEASES: &str = "/api/v1/products/office-maker/releases";

#[test]
fn a_kill_during_an_upload_lists_and_leaves_no_half_artifact() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    println!("the seed of the pauses: {seed}");
    let s3 = S3::start();
    let mut vendor = s3.vendor(&[]);
    vendor.product();
    let (mut acknowledged, mut tried) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        let pause = 30 + (seed ^ (round * 0x9E37)).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 900;
        let done: Vec<(String, bool)> = thread::scope(|scope| {
            let uploads: Vec<_> = [100_usize, 9 << 20, 17 << 20]
                .into_iter()
                .enumerate()
                .map(|(worker, size)| {
                    let admin = vendor.admin.clone();
                    scope.spawn(move || {
                        let mut done = Vec::new();
                        for number in 0.. {
                            let version = format!("{round}.{worker}.{number}");
                            let draft = json!({"version": version});
                            let Some(_) = admin.post(RELEASES).json(&draft).try_send() else { break };
                            let content = noise(size, &version);
                            let path = format!("{RELEASES}/{version}/artifacts/office.tar.gz?{}", super::PLACE);
                            let mut call = admin.put(&path);
                            if number % 2 == 0 {
                                call = call.header("content-digest", &digest_header(&content));
                            }
                            let hash = sha256(&content);
                            let answer = call.body(content).try_send();
                            done.push((hash, answer.as_ref().is_some_and(|answer| answer.status == 201)));
                            if answer.is_none() {
                                break;
                            }
                        }
                        done
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(pause));
            vendor.kill();
            uploads.into_iter().flat_map(|one| one.join().unwrap()).collect()
        });
        for (hash, stored) in done {
            if stored {
                acknowledged.insert(hash.clone());
            }
            tried.insert(hash);
        }
        vendor.run();
    }
    let listed: BTreeSet<String> = pages::all(&vendor.admin, RELEASES, 200)
        .iter()
        .flat_map(|release| release["artifacts"].as_array().unwrap().clone())
        .map(|file| file["sha256"].as_str().unwrap().to_owned())
        .collect();
    println!("{} uploads tried, {} acknowledged, {} listed", tried.len(), acknowledged.len(), listed.len());
    assert!(acknowledged.is_subset(&listed), "what was acknowledged is there");
    for hash in &listed {
        assert!(tried.contains(hash));
        assert_eq!(&sha256(&fs::read(s3.content(hash)).unwrap()), hash, "what is listed is whole");
    }
    // A day later.
    vendor.set("storage.keep_loose", "1ms");
    vendor.restart();
    eventually(30, "what the kills left to be swept away", || {
        (s3.incoming().is_empty() && s3.contents() == listed).then_some(())
    });
}
