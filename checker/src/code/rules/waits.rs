//! Waits for something other than a lock, while holding a lock that whoever ends the wait needs.

use std::collections::BTreeSet;

use super::{Certainty, Code, Draft, Finding, Name, ResourceUse, Rules, Side, Wants};
use crate::code::flow::Blocked;
use crate::code::known::Resource;
use crate::code::program::BodyId;
use crate::code::summary::{Summary, What};

impl Rules<'_> {
    pub(super) fn waits(&self, found: &mut Vec<Finding>) {
        let mut seen = BTreeSet::new();
        for blocked in &self.solved.blocked {
            let lock = &blocked.held.lock;
            if self.is_vague(lock.class) || !seen.insert((lock.class, blocked.class, blocked.site))
            {
                continue;
            }
            if blocked.resource == Resource::Join {
                let needs = blocked.runs.iter().find(|(_, wanted)| {
                    wanted.class == lock.class && lock.mode.excludes(wanted.mode)
                });
                found.extend(needs.map(|(body, _)| self.blocked(blocked, *body)));
                continue;
            }
            let enders = self.enders(blocked);
            // Whoever could end the wait must need the lock: all of them, or it may well end.
            let needs = |body: &BodyId| wants(&self.solved.summaries[*body], lock.class);
            if !enders.is_empty() && enders.iter().all(needs) {
                found.push(self.blocked(blocked, enders[0]));
            }
        }
    }

    /// The functions that can end a wait.
    fn enders(&self, blocked: &Blocked) -> Vec<BodyId> {
        let ends = |what: &What| match (blocked.resource, what) {
            (Resource::Condvar, What::Notifies(class))
            | (Resource::Receive, What::Sends(class))
            | (Resource::Send, What::Blocks(Resource::Receive, class)) => *class == blocked.class,
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

    fn blocked(&self, blocked: &Blocked, ender: BodyId) -> Finding {
        let name = self.short(blocked.held.lock.class);
        let function = self.function(blocked.body);
        let ender = self.function(ender);
        let target = self.short(blocked.class);
        let (what, who) = match blocked.resource {
            Resource::Condvar => (
                format!("waits on `{target}`"),
                format!("`{ender}`, which wakes it,"),
            ),
            Resource::Join => (
                "waits for a thread to end".to_owned(),
                format!("`{ender}`, which that thread runs,"),
            ),
            Resource::Receive => (
                format!("waits on a {target}"),
                format!("`{ender}`, which sends,"),
            ),
            Resource::Send => (
                format!("waits for room in a {target}"),
                format!("`{ender}`, which makes some,"),
            ),
        };
        let side = Side {
            thread: function.clone(),
            holds: Some(self.lock_use(&blocked.held.lock)),
            wants: Some(Wants::Resource(ResourceUse {
                resource: blocked.resource.text().to_owned(),
                name: match blocked.resource {
                    Resource::Join => ender.clone(),
                    _ => target.trim_start_matches("channel of ").to_owned(),
                },
                site: self.site(blocked.site),
            })),
            gates: Vec::new(),
            thread_name: None,
            started_in: None,
            run: None,
            also_held: Vec::new(),
            stack: Vec::new(),
            path: self.path(&blocked.held, &blocked.calls),
        };
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
}

/// Whether a function takes a lock of this class.
fn wants(summary: &Summary, class: Name) -> bool {
    summary
        .effects
        .iter()
        .any(|effect| matches!(&effect.what, What::Wants(lock, _) if lock.class == class))
}
