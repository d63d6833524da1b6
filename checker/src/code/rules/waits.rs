//! Waits for something other than a lock, while holding a lock that whoever ends the wait needs.

use std::collections::BTreeSet;

use super::{Certainty, Code, Draft, Finding, LockAt, ResourceUse, Rules, Side, Wants};
use crate::code::flow::Blocked;
use crate::code::known::Resource;
use crate::code::program::BodyId;
use crate::code::summary::{Summary, What};

impl Rules<'_> {
    pub(super) fn waits(&self, found: &mut Vec<Finding>) {
        let mut seen = BTreeSet::new();
        for blocked in &self.solved.blocked {
            let lock = &blocked.held.lock;
            // That just this call lets go of the last handle, or leads there, would be a guess on a guess.
            if blocked.resource == Resource::Join && blocked.trust.is_guess() {
                continue;
            }
            if self.is_vague(lock.class) || !seen.insert((lock.class, blocked.class, blocked.site))
            {
                continue;
            }
            let Some(waits) = Waiting::on(blocked.resource) else {
                found.push(self.called(blocked));
                continue;
            };
            if blocked.resource == Resource::Join {
                let kept = self.solved.kept.iter();
                let kept = kept.filter(|handle| handle.class == blocked.class);
                let needs = blocked
                    .runs
                    .iter()
                    .map(|(body, wanted)| (*body, wanted))
                    .chain(kept.map(|handle| (handle.runs, &handle.lock)))
                    .find(|(_, wanted)| {
                        wanted.class == lock.class && lock.mode.excludes(wanted.mode)
                    });
                found.extend(needs.map(|(body, _)| self.blocked(blocked, &waits, body)));
                continue;
            }
            let enders = self.enders(blocked);
            // Whoever could end the wait must need the lock: all of them, or it may well end.
            let needs = |body: &BodyId| {
                wants(&self.solved.summaries[*body], lock) || self.wants_as_thread(*body, lock)
            };
            if !enders.is_empty() && enders.iter().all(needs) {
                found.push(self.blocked(blocked, &waits, enders[0]));
            }
        }
    }

    /// The functions that can end a wait.
    fn enders(&self, blocked: &Blocked) -> Vec<BodyId> {
        let ends = |what: &What| match (blocked.resource, what) {
            (Resource::Condvar, What::Notifies(class))
            | (Resource::Receive, What::Sends(class) | What::Blocks(Resource::Send, class))
            | (Resource::Send, What::Blocks(Resource::Receive, class))
            | (Resource::Barrier, What::Blocks(Resource::Barrier, class)) => {
                *class == blocked.class
            }
            _ => false,
        };
        let all = self.solved.summaries.iter().enumerate();
        all.filter(|(_, summary)| {
            summary
                .effects
                .iter()
                .any(|effect| effect.through.is_none() && ends(&effect.what))
        })
        .map(|(body, _)| body)
        .collect()
    }

    /// Whether a thread that runs this would wait for the lock, as those see it who begin the thread.
    fn wants_as_thread(&self, body: BodyId, held: &LockAt) -> bool {
        let taken = self.solved.begun.get(&body).into_iter().flatten();
        let mut same = taken.filter(|lock| lock.class == held.class);
        same.any(|lock| held.mode.excludes(lock.mode))
    }

    fn blocked(&self, blocked: &Blocked, waits: &Waiting, ender: BodyId) -> Finding {
        let name = self.short(blocked.held.lock.class);
        let function = self.function(blocked.body);
        let ender = self.function(ender);
        let target = self.short(blocked.class);
        let what = waits.what.replace("{}", &target);
        let who = format!("`{ender}`, which {},", waits.who);
        let side = self.waiting_side(
            blocked,
            match blocked.resource {
                Resource::Join => ender.clone(),
                _ => target.trim_start_matches("channel of ").to_owned(),
            },
        );
        Draft {
            code: Code::WaitWhileHolding,
            certainty: Certainty::Possible,
            message: format!("`{function}` {what} while it holds `{name}`, which {who} needs"),
            cycle: vec![side],
            reasons: vec![
                "it hangs if that happens before the lock is free again, on the same instance"
                    .to_owned(),
            ],
            advice: vec!["let go of the lock before the wait".to_owned()],
            excluded_by: Vec::new(),
        }
        .finish()
    }

    /// What is not known runs under a lock.
    fn called(&self, blocked: &Blocked) -> Finding {
        let name = self.short(blocked.held.lock.class);
        let function = self.function(blocked.body);
        let what = self.program.text(blocked.class).to_string();
        let (does, it) = match what.strip_prefix("drop of ") {
            Some(of) => (
                format!("drops a value of type `{of}`, which is not known here,"),
                "its `Drop`",
            ),
            None => (format!("calls `{what}`, which is not known here,"), "it"),
        };
        Draft {
            code: Code::SelfDeadlock,
            certainty: Certainty::Possible,
            message: format!("`{function}` {does} while it holds `{name}`"),
            cycle: vec![self.waiting_side(blocked, what.clone())],
            reasons: vec![format!("it hangs if {it} takes the same lock")],
            advice: vec![
                "let go of the lock before, and call with a copy of what is needed".to_owned(),
            ],
            excluded_by: Vec::new(),
        }
        .finish()
    }

    /// The side that holds a lock and waits for something else.
    fn waiting_side(&self, blocked: &Blocked, name: String) -> Side {
        Side {
            thread: self.function(blocked.body),
            holds: Some(self.lock_use(&blocked.held.lock)),
            wants: Some(Wants::Resource(ResourceUse {
                resource: blocked.resource.text().to_owned(),
                name,
                site: self.site(blocked.site),
            })),
            gates: Vec::new(),
            thread_name: None,
            started_in: None,
            run: None,
            also_held: Vec::new(),
            stack: Vec::new(),
            stack_of: None,
            path: self.path(&blocked.held, &blocked.calls),
        }
    }
}

/// A wait, in words.
struct Waiting {
    /// What is done, with `{}` for what is waited for.
    what: &'static str,
    /// What whoever ends the wait does.
    who: &'static str,
}

impl Waiting {
    /// The words for this; none for what is no wait that somebody ends.
    fn on(resource: Resource) -> Option<Waiting> {
        let (what, who) = match resource {
            Resource::Condvar => ("waits on `{}`", "wakes it"),
            Resource::Join => ("waits for a thread to end", "that thread runs"),
            Resource::Barrier => ("waits at `{}`", "comes there too"),
            Resource::Receive => ("waits on a {}", "sends"),
            Resource::Send => ("waits for room in a {}", "makes some"),
            Resource::Callback => return None,
        };
        Some(Waiting { what, who })
    }
}

/// Whether a function takes a lock of the class of this one, and would wait for it.
fn wants(summary: &Summary, held: &LockAt) -> bool {
    summary.effects.iter().any(|effect| {
        matches!(&effect.what, What::Wants(lock, waits)
            if waits.is_endless() && lock.class == held.class && held.mode.excludes(lock.mode))
    })
}
