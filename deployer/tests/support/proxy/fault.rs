//! What goes wrong, and at which call.

use super::Call;
use std::fmt;
use std::time::Duration;

/// Relative to AWS applying the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// AWS has not seen it.
    Before,
    /// AWS is done with it, and the client has no answer yet.
    After,
}

/// Something that goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends. Before: the call was never applied. After: it was, and its answer is lost.
    Dropped(Moment),
    /// HTTP 500.
    Broken(Moment),
    /// This call and the next ones of the same operation, as many in all, are refused for their rate.
    Throttled(u32),
    /// Nothing happens for so long, then the connection ends. The call is not applied.
    Hung(Duration),
    /// From this call on, credentials have expired.
    Expired,
    /// The process gets SIGKILL. The call is applied only before it.
    Killed(Moment),
    /// The process gets SIGINT, as by Ctrl-C. The call is applied and answered.
    Interrupted(Moment),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dropped(Moment::Before) => "dropped before",
            Self::Dropped(Moment::After) => "answer lost",
            Self::Broken(Moment::Before) => "500 before",
            Self::Broken(Moment::After) => "500 after",
            Self::Throttled(_) => "throttled",
            Self::Hung(_) => "hung",
            Self::Expired => "expired",
            Self::Killed(Moment::Before) => "kill -9 before",
            Self::Killed(Moment::After) => "kill -9 after",
            Self::Interrupted(Moment::Before) => "Ctrl-C before",
            Self::Interrupted(Moment::After) => "Ctrl-C after",
        })
    }
}

/// Which call it happens to, counted from when the rule is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// Any mutating call if there is none.
    operation: Option<String>,
    nth: u32,
}

impl At {
    /// The n-th mutating call, counted from 1.
    pub fn mutation(nth: u32) -> Self {
        Self { operation: None, nth }
    }

    /// The n-th call of this operation, counted from 1: `CreateRole`, or where services have the same words,
    /// `lambda:TagResource`.
    pub fn operation(name: &str, nth: u32) -> Self {
        Self { operation: Some(name.to_owned()), nth }
    }

    fn counts(&self, call: &Call) -> bool {
        let Some(name) = &self.operation else { return call.mutating };
        match name.split_once(':') {
            Some((service, operation)) => service == call.service && operation == call.operation,
            None => *name == call.operation,
        }
    }
}

/// What becomes of one call.
pub(super) enum Plan {
    Apply,
    Run(Moment, Box<dyn FnOnce() + Send>),
    Break(Fault),
}

#[derive(Default)]
pub(super) struct Rules {
    waiting: Vec<Rule>,
    throttled: Vec<(String, u32)>,
    expired: bool,
}

struct Rule {
    at: At,
    seen: u32,
    plan: Plan,
}

impl Rules {
    pub(super) fn add(&mut self, at: At, plan: Plan) {
        self.waiting.push(Rule { at, seen: 0, plan });
    }

    pub(super) fn clear(&mut self) -> bool {
        let all_happened = self.waiting.is_empty();
        *self = Self::default();
        all_happened
    }

    /// The first rule that this call completes the count of, which is used up by it.
    pub(super) fn plan(&mut self, call: &Call) -> Plan {
        if self.expired {
            return Plan::Break(Fault::Expired);
        }
        let mut due = None;
        for (index, rule) in self.waiting.iter_mut().enumerate().filter(|(_, rule)| rule.at.counts(call)) {
            rule.seen += 1;
            if rule.seen == rule.at.nth && due.is_none() {
                due = Some(index);
            }
        }
        if let Some(index) = due {
            let plan = self.waiting.remove(index).plan;
            match &plan {
                Plan::Break(Fault::Expired) => self.expired = true,
                Plan::Break(Fault::Throttled(times)) => {
                    self.throttled.push((call.operation.clone(), times - 1));
                }
                _ => {}
            }
            return plan;
        }
        let mut throttled = self.throttled.iter_mut();
        match throttled.find(|(operation, left)| *operation == call.operation && *left > 0) {
            Some((_, left)) => {
                *left -= 1;
                Plan::Break(Fault::Throttled(*left))
            }
            None => Plan::Apply,
        }
    }
}
