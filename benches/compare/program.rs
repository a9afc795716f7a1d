//! Programs that are measured: started, watched through `/proc`, and ended.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::{Outcome, bare};

/// A running program, which ends when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// The address it serves at, `127.0.0.1:<port>`.
    pub address: String,
    /// Held so that the program can go on writing.
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts a build of Sluice with a data folder, on any free port; `processor` keeps it to one.
    pub fn sluice(program: &Path, data: &Path, more: &[&str], processor: Option<usize>) -> Outcome<Self> {
        Self::sluice_with(program, data, more, processor, [])
    }

    /// The same with more in its environment.
    pub fn sluice_with<'e>(
        program: &Path,
        data: &Path,
        more: &[&str],
        processor: Option<usize>,
        environment: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Outcome<Self> {
        let mut command = on_processor(program.as_ref(), processor);
        command
            .arg("serve")
            .args(more)
            .current_dir(data.parent().unwrap_or(data))
            .env("SLUICE__SERVER__BIND", "127.0.0.1:0")
            .env("SLUICE__DATA__FOLDER", data)
            // The generated artifacts have no contents, of which the server would warn one by one.
            .env("SLUICE__LOG__FILTER", "off")
            // Counted as ever, and never refused: no program out there asks as fast as this one.
            .env("SLUICE__LIMITS__REQUESTS_PER_KEY", "100000000/s")
            .env("SLUICE__LIMITS__DOWNLOADS_AT_ONCE_PER_KEY", "64")
            .envs(environment);
        Self::start(command)
    }

    /// Starts one of the programs that Sluice is compared with.
    pub fn bare(kind: bare::Kind, folder: &Path, processor: Option<usize>) -> Outcome<Self> {
        let mut command = on_processor(std::env::current_exe()?.as_ref(), processor);
        command.arg(format!("--become-bare={kind}")).arg("--folder").arg(folder);
        Self::start(command)
    }

    /// Starts nginx, which says nothing, at an address that its configuration names.
    pub fn nginx(folder: &Path, configuration: &Path, address: String) -> Outcome<Self> {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).arg("-c").arg(configuration).arg("-e").arg("stderr");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let program = Self { child, address, output };
        for _ in 0..100 {
            if std::net::TcpStream::connect(&program.address).is_ok() {
                return Ok(program);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("nginx does not answer".into())
    }

    /// Starts a program that says `… http://127.0.0.1:<port>` in its first line, once it listens.
    fn start(mut command: Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let Some((_, address)) = line.trim().split_once("http://") else {
            return Err(format!("the program ended before it listened; its first line was `{}`", line.trim()).into());
        };
        Ok(Self { child, address: address.to_owned(), output })
    }

    /// The next line that it says.
    pub fn next_line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    /// The processor time it has used, in itself and for its sake in the kernel, all threads together.
    pub fn processor_time(&self) -> Outcome<Duration> {
        /// What Linux counts in, whatever the kernel's own clock is (`USER_HZ`).
        const TICK: Duration = Duration::from_millis(10);
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program, in brackets, may hold anything; user and system time are fields 14 and 15.
        let (_, fields) = text.rsplit_once(')').ok_or("no such line")?;
        let ticks: u32 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
        Ok(TICK * ticks)
    }

    /// The memory it holds.
    pub fn resident_megabytes(&self) -> Outcome<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no such line")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on one processor only, where there is a choice: then each side has one worker, and nothing moves.
pub fn on_processor(program: &OsStr, processor: Option<usize>) -> Command {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    match processor.filter(|number| *number < processors) {
        Some(number) => {
            let mut command = Command::new("taskset");
            command.arg("--cpu-list").arg(number.to_string()).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Whether a program is there to be started.
pub fn is_installed(program: &str) -> bool {
    Command::new(program).arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
