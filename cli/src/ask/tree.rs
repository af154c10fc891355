//! Shows steps and calls while they come: a tree that is drawn anew on a terminal, plain lines elsewhere.
//!
//! [`Tree`] is what is known so far and can be tested without a terminal; [`View`] puts it on standard error.

use std::time::Duration;

use console::{StyledObject, Term};
use silverback_proto::v1::{Call, Step, plan_event::Event};

use crate::terminal;

/// Fast enough to look alive, slow enough for a slow line.
const FRAME: Duration = Duration::from_millis(120);
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];
/// More lines than this are not drawn: they would scroll away.
const MAX_LINES: usize = 40;

/// What is known of a request that is being worked on.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    stage: String,
    steps: Vec<Branch>,
    /// Pieces that no step was made of.
    lost: Vec<String>,
}

/// One step and what came of it.
#[derive(Clone, Debug)]
struct Branch {
    step: Step,
    state: State,
    calls: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Working { stage: String, attempt: u32 },
    Failed { reason: String },
}

/// The tree on standard error.
#[derive(Debug)]
pub struct View {
    tree: Tree,
    term: Option<Term>,
    drawn: usize,
    frame: usize,
}

// === impl View ===

impl View {
    /// Draws when standard error is a terminal, else writes lines.
    pub fn detect() -> Self {
        let term = Term::buffered_stderr();
        View { tree: Tree::default(), term: term.is_term().then_some(term), drawn: 0, frame: 0 }
    }

    /// Takes in an event and shows what it changed.
    pub fn show(&mut self, event: &Event) {
        let line = self.tree.apply(event);
        if self.term.is_some() {
            self.draw();
        } else if let Some(line) = line {
            terminal::say(&line);
        }
    }

    /// Waits for the next frame and draws it; forever when nothing is drawn.
    pub async fn tick(&mut self) {
        if self.term.is_none() {
            return std::future::pending().await;
        }
        tokio::time::sleep(FRAME).await;
        self.frame += 1;
        self.draw();
    }

    /// Takes the tree away.
    pub fn clear(&mut self) {
        if let Some(term) = &self.term {
            // A terminal that went away is no reason to fail.
            let _ = term.clear_last_lines(self.drawn).and_then(|()| term.flush());
            self.drawn = 0;
        }
    }

    fn draw(&mut self) {
        let Some(term) = &self.term else { return };
        let (rows, columns) = term.size();
        let most = MAX_LINES.min(usize::from(rows).saturating_sub(1)).max(1);
        let lines = self.tree.lines(SPINNER[self.frame % SPINNER.len()]);
        let hidden = lines.len().saturating_sub(most);
        let _ = term.clear_last_lines(self.drawn);
        for line in &lines[hidden..] {
            // A wrapped line would be two, and the next frame would clear too few.
            let _ = term.write_line(&console::truncate_str(line, usize::from(columns).saturating_sub(1), "…"));
        }
        self.drawn = lines.len() - hidden;
        let _ = term.flush();
    }
}

impl Drop for View {
    // Ctrl-C and errors: the shell's prompt should not stand below half a tree.
    fn drop(&mut self) {
        self.clear();
    }
}

// === impl Tree ===

impl Tree {
    /// Takes in an event; gives the line that tells it where no tree is drawn.
    pub fn apply(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Stage(stage) => {
                self.stage = terminal::one_line(stage);
                Some(self.stage.clone())
            }
            Event::Planned(step) => {
                let line = title(step);
                self.steps.push(Branch { step: step.clone(), state: State::Waiting, calls: Vec::new() });
                Some(line)
            }
            Event::StepStarted(started) => {
                let branch = self.branch(&started.step)?;
                let stage = terminal::one_line(&started.stage);
                let is_news = !matches!(&branch.state, State::Working { attempt, .. } if *attempt == started.attempt);
                branch.state = State::Working { stage, attempt: started.attempt };
                let again = if started.attempt > 1 { format!(", attempt {}", started.attempt) } else { String::new() };
                is_news.then(|| format!("{} on {}{again}", started.step, terminal::one_line(&started.worker)))
            }
            Event::CallReady(call) => {
                let line = format!("{} {}", call.step, says(call));
                self.branch(&call.step)?.calls.push(call.clone());
                Some(line)
            }
            Event::StepFailed(failed) => {
                let reason =
                    terminal::one_line(if failed.question.is_empty() { &failed.reason } else { &failed.question });
                let line = format!("{}: {reason}", terminal::one_line(&failed.text));
                match self.branch(&failed.step) {
                    Some(branch) => branch.state = State::Failed { reason },
                    None => self.lost.push(line.clone()),
                }
                Some(line)
            }
            Event::Merged(_) => None,
        }
    }

    /// The tree as it is now; `spinner` stands where work is going on.
    pub fn lines(&self, spinner: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if self.steps.is_empty() && self.lost.is_empty() {
            let stage = if self.stage.is_empty() { "asking" } else { &self.stage };
            lines.push(format!("{spinner} {}", style(stage).dim()));
        }
        for branch in &self.steps {
            lines.push(branch.head(spinner));
            lines.extend(branch.calls.iter().map(|call| format!("    {}", says(call))));
            if let State::Failed { reason } = &branch.state {
                lines.push(format!("    {}", style(reason).yellow()));
            }
        }
        lines.extend(self.lost.iter().map(|line| format!("{} {line}", style("✗").yellow())));
        lines
    }

    fn branch(&mut self, step: &str) -> Option<&mut Branch> {
        self.steps.iter_mut().find(|branch| branch.step.id == step)
    }
}

// === impl Branch ===

impl Branch {
    fn head(&self, spinner: &str) -> String {
        let (mark, note) = match &self.state {
            State::Failed { .. } => (style("✗").yellow().to_string(), String::new()),
            _ if !self.calls.is_empty() => (style("✓").green().to_string(), String::new()),
            State::Waiting => ("·".to_owned(), String::new()),
            State::Working { stage, attempt: 1 } => (spinner.to_owned(), stage.clone()),
            State::Working { stage, attempt } => (spinner.to_owned(), format!("{stage}, attempt {attempt}")),
        };
        let note = if note.is_empty() { note } else { format!(" {}", style(note).dim()) };
        format!("{mark} {}{note}", title(&self.step))
    }
}

fn title(step: &Step) -> String {
    let capability = terminal::one_line(&step.capability);
    format!("{} {}  {}", terminal::one_line(&step.id), style(capability).cyan(), terminal::one_line(&step.text))
}

/// Colours only when standard error, where the tree stands, has them.
fn style<D>(text: D) -> StyledObject<D> {
    console::style(text).for_stderr()
}

/// The call in its vendor's language.
fn says(call: &Call) -> String {
    match &call.http {
        Some(http) => terminal::one_line(&format!("{} {}", http.method, http.url)),
        None => terminal::command_line(&call.command),
    }
}

#[cfg(test)]
mod tests {
    use silverback_proto::v1::{StepStarted, Unanswered};

    use super::*;

    fn step(id: &str) -> Event {
        Event::Planned(Step { id: id.into(), capability: "aws".into(), text: format!("do {id}"), after: vec![] })
    }

    fn started(step: &str, attempt: u32, stage: &str) -> Event {
        Event::StepStarted(StepStarted { step: step.into(), worker: "w1".into(), attempt, stage: stage.into() })
    }

    fn shown(tree: &Tree) -> String {
        console::strip_ansi_codes(&tree.lines("*").join("\n")).into_owned()
    }

    #[test]
    fn the_tree_fills_as_events_come() {
        let mut tree = Tree::default();
        assert_eq!(shown(&tree), "* asking");
        tree.apply(&Event::Stage("plan".into()));
        assert_eq!(shown(&tree), "* plan");
        tree.apply(&step("s1"));
        tree.apply(&step("s2"));
        tree.apply(&started("s2", 2, "draft"));
        assert_eq!(shown(&tree), "· s1 aws  do s1\n* s2 aws  do s2 draft, attempt 2");
        let command = ["aws", "ec2", "stop-instances"].map(str::to_owned).to_vec();
        tree.apply(&Event::CallReady(Call { step: "s2".into(), command, ..Call::default() }));
        assert_eq!(shown(&tree), "· s1 aws  do s1\n✓ s2 aws  do s2\n    aws ec2 stop-instances");
        let failed =
            Unanswered { step: "s1".into(), text: "do s1".into(), reason: "r".into(), question: "Which?".into() };
        tree.apply(&Event::StepFailed(failed));
        assert!(shown(&tree).starts_with("✗ s1 aws  do s1\n    Which?\n"), "{}", shown(&tree));
    }

    #[test]
    fn a_line_comes_once_for_each_attempt_not_for_each_stage() {
        let mut tree = Tree::default();
        tree.apply(&step("s1"));
        assert!(tree.apply(&started("s1", 1, "draft")).is_some());
        assert!(tree.apply(&started("s1", 1, "ground")).is_none());
        assert!(tree.apply(&started("s1", 2, "draft")).unwrap().contains("attempt 2"));
    }

    #[test]
    fn a_step_nobody_announced_changes_nothing() {
        let mut tree = Tree::default();
        assert_eq!(tree.apply(&started("s9", 1, "draft")), None);
        assert_eq!(shown(&tree), "* asking");
    }

    #[test]
    fn a_models_text_cannot_move_the_cursor() {
        let mut tree = Tree::default();
        let text = "x\u{1b}[2Jy\nz".to_owned();
        tree.apply(&Event::Planned(Step { id: "s1".into(), capability: "aws".into(), text, after: vec![] }));
        assert_eq!(shown(&tree), "· s1 aws  x\u{fffd}[2Jy z");
    }
}
