//! A program that computes when it is told to (tests/bin/speed.rs, tests/peer/player.py).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A player that is ready.
pub struct Player {
    pub name: &'static str,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Player {
    /// Starts it and waits until it has computed once.
    pub fn start(name: &'static str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let to = child.stdin.take().context("no standard input")?;
        let from = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut player = Self {
            name,
            child,
            to,
            from,
        };
        let line = player.line()?;
        ensure!(line == "ready", "{name} says {line:?}");
        Ok(player)
    }

    /// Milliseconds of one run.
    pub fn go(&mut self) -> Result<f64> {
        self.ask("go")
    }

    /// Most megabytes so far, above those before it began.
    pub fn memory(&mut self) -> Result<f64> {
        self.ask("memory")
    }

    fn ask(&mut self, question: &str) -> Result<f64> {
        writeln!(self.to, "{question}").with_context(|| format!("{} has ended", self.name))?;
        let line = self.line()?;
        let number = line.parse();
        number.with_context(|| format!("{} says {line:?}", self.name))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        ensure!(!line.is_empty(), "{} has ended", self.name);
        Ok(line.trim().to_owned())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
