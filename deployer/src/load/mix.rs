//! What the requests of a load are, and in which shares.

mod built_in;
mod file;

pub(crate) use built_in::BuiltIn;
#[cfg(test)]
mod tests;

use super::template::Template;
use sha2::{Digest as _, Sha256};

/// The shares of requests.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    pub(crate) requests: Vec<Request>,
    /// Which request each number of the schedule gets, over and over.
    pattern: Vec<u8>,
}

/// One kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What people see.
    pub(crate) name: String,
    /// Its part of the sum of all shares.
    pub(crate) share: u16,
    /// The function that its route leads to, as it is declared.
    pub(crate) function: String,
    pub(super) template: Template,
    /// What takes back what it has made.
    pub(super) undo: Option<Template>,
    /// All of it as text, to tell mixes apart.
    declared: String,
}

/// More than people can tell apart, and few enough for a byte.
const MOST_REQUESTS: usize = 50;
const LARGEST_SHARE: u16 = 1000;

impl Mix {
    /// # Errors
    /// No request, too many, or two of one name, in words.
    fn of(requests: Vec<Request>) -> Result<Self, String> {
        if requests.is_empty() {
            return Err("it has no request with a share".to_owned());
        }
        few_enough(requests.len())?;
        for (n, request) in requests.iter().enumerate() {
            if requests[..n].iter().any(|other| other.name == request.name) {
                return Err(format!("two requests are called {}", request.name));
            }
        }
        let pattern = interleaved(&requests.iter().map(|request| request.share).collect::<Vec<_>>());
        Ok(Self { requests, pattern })
    }

    /// Which request a number of the schedule is.
    pub(super) fn index(&self, number: u64) -> usize {
        let place = usize::try_from(number % self.pattern.len() as u64).unwrap_or_default();
        usize::from(self.pattern[place])
    }

    /// Which part of all requests this one is.
    pub(crate) fn part(&self, request: &Request) -> f64 {
        let all: u32 = self.requests.iter().map(|request| u32::from(request.share)).sum();
        f64::from(request.share) / f64::from(all)
    }

    /// The functions that they get to, each once.
    pub(crate) fn functions(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for request in &self.requests {
            if !all.contains(&request.function.as_str()) {
                all.push(&request.function);
            }
        }
        all
    }

    /// Which part of all requests gets to this function.
    pub(crate) fn part_of(&self, function: &str) -> f64 {
        self.requests.iter().filter(|request| request.function == function).map(|r| self.part(r)).sum()
    }

    /// Those that make items and say not how to take them back.
    pub(crate) fn without_undo(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.makes_an_item() && request.undo.is_none())
    }

    /// The same for the same requests in the same shares.
    pub(crate) fn fingerprint(&self) -> String {
        let declared: Vec<&str> = self.requests.iter().map(|request| request.declared.as_str()).collect();
        let hash = Sha256::digest(declared.join("\n"));
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn few_enough(requests: usize) -> Result<(), String> {
    if requests > MOST_REQUESTS {
        return Err(format!("it has {requests} requests, more than {MOST_REQUESTS}"));
    }
    Ok(())
}

impl Request {
    /// Whether it makes an item.
    pub(crate) fn makes_an_item(&self) -> bool {
        self.template.is_about_a_new_item()
    }

    /// `declared` is what makes it the same request in another run.
    fn new(
        name: &str,
        share: u16,
        function: &str,
        template: Template,
        undo: Option<Template>,
        declared: &str,
    ) -> Result<Self, String> {
        if name.is_empty() || name.len() > 64 {
            return Err("its name is not of 1 to 64 characters".to_owned());
        }
        if !(1..=LARGEST_SHARE).contains(&share) {
            return Err(format!("its share of {share} is not within 1 to {LARGEST_SHARE}"));
        }
        let declared = format!("{name} {share} {declared}");
        Ok(Self { name: name.to_owned(), share, function: function.to_owned(), template, undo, declared })
    }
}

/// Each share spread as evenly as it goes: 1 and 3 are b b a b, not a b b b. At no point of it is a request more than one
/// ahead of its share or one behind it, so that no second of a run is unlike another.
///
/// Each request has a window for each of its turns, as tasks have in the proportionate fair scheduling of Baruah and
/// others (1996), and the one whose window ends first is next.
fn interleaved(shares: &[u16]) -> Vec<u8> {
    let divisor = shares.iter().copied().fold(0, gcd).max(1);
    let shares: Vec<u64> = shares.iter().map(|share| u64::from(share / divisor)).collect();
    let all: u64 = shares.iter().sum();
    let mut turns = vec![0_u64; shares.len()];
    (0..all)
        .map(|now| {
            let next = (0..shares.len())
                .filter(|n| turns[*n] * all / shares[*n] <= now)
                .min_by_key(|n| ((turns[*n] + 1) * all).div_ceil(shares[*n]))
                .unwrap_or_default();
            turns[next] += 1;
            u8::try_from(next).unwrap_or_default()
        })
        .collect()
}

fn gcd(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { gcd(b, a % b) }
}
