//! The start: how long until `serve --demo` answers, what it holds then, and how large the program is.

use std::{
    fs, io,
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Arguments, Outcome, note,
    program::Program,
    table::{Aim, Table, median},
};

/// Measures all of it, the time in several rounds.
pub fn measure(table: &mut Table, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    note("the start");
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let data = folder.join(format!("demo-{round}"));
        let began = Instant::now();
        let mut server = Program::sluice(&arguments.program, &data, &["--demo"], None)?;
        answer(&server.address)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        memory.push(server.resident_megabytes()?);
        if round == 0 && !has_examples(&mut server)? {
            table.missing("first answer of serve --demo", "it has no demo");
            break;
        }
    }
    if times.len() == arguments.rounds {
        table.figure("first answer of serve --demo, ms", median(times), Some(Aim::AtMost(200.0)));
        table.figure("memory with the demo, MB", median(memory), None);
    }
    let size = fs::metadata(&arguments.program)?.len();
    table.figure("size of the program, MB", f64::from(u32::try_from(size)?) / 1e6, None);
    Ok(())
}

/// Waits for an answer, whatever it is.
pub fn answer(address: &str) -> Outcome<()> {
    use io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    Ok(())
}

/// Whether the program prints lines to try, as it does once the demo is filled in.
fn has_examples(server: &mut Program) -> Outcome<bool> {
    for _ in 0..20 {
        let line = server.next_line()?;
        if line.contains("curl") {
            return Ok(true);
        }
        if line.contains("/setup?token=") {
            return Ok(false);
        }
    }
    Ok(false)
}
