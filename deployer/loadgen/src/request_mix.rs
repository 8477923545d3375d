//! Which requests a load consists of, and in which shares.

use crate::request_template::RequestTemplate;
use sha2::{Digest as _, Sha256};

/// The kinds of requests of a load, with their shares.
#[derive(Clone, Debug)]
pub struct RequestMix {
    kinds: Vec<RequestKind>,
    /// The index of the kind that each number of the schedule gets, repeated for as long as the run takes.
    pattern: Vec<u8>,
}

/// One kind of request.
#[derive(Clone, Debug)]
pub struct RequestKind {
    name: String,
    share: u16,
    handler: String,
    pub(crate) template: RequestTemplate,
    pub(crate) undo: Option<RequestTemplate>,
    /// What makes it the same kind in another run, as text.
    declared: String,
}

/// More kinds than people can tell apart, and few enough that an index fits a byte.
const MOST_KINDS: usize = 50;

/// The largest share that a kind of request may have.
pub const LARGEST_SHARE: u16 = 1000;

impl RequestMix {
    /// Combines kinds of requests.
    ///
    /// # Errors
    /// Why they are not a mix, in words: there is none, there are too many, or two have the same name.
    pub fn new(kinds: Vec<RequestKind>) -> Result<Self, String> {
        if kinds.is_empty() {
            return Err("it has no request with a share".to_owned());
        }
        Self::check_count(kinds.len())?;
        for (n, kind) in kinds.iter().enumerate() {
            if kinds[..n].iter().any(|other| other.name == kind.name) {
                return Err(format!("two requests are called {}", kind.name));
            }
        }
        let pattern = interleaved(&kinds.iter().map(|kind| kind.share).collect::<Vec<_>>());
        Ok(Self { kinds, pattern })
    }

    /// Checks that a mix may have so many kinds of requests, before they are created.
    ///
    /// # Errors
    /// That there are too many, in words.
    pub fn check_count(kinds: usize) -> Result<(), String> {
        if kinds > MOST_KINDS {
            return Err(format!("it has {kinds} requests, more than {MOST_KINDS}"));
        }
        Ok(())
    }

    /// Returns the kinds of requests, in the order in which they were given.
    #[must_use]
    pub fn kinds(&self) -> &[RequestKind] {
        &self.kinds
    }

    /// Returns the index of the kind that this number of the schedule has.
    pub(crate) fn index(&self, number: u64) -> usize {
        let place = usize::try_from(number % self.pattern.len() as u64).unwrap_or_default();
        usize::from(self.pattern[place])
    }

    /// Returns which part of all requests this kind is, between 0 and 1.
    #[must_use]
    pub fn part(&self, kind: &RequestKind) -> f64 {
        let all: u32 = self.kinds.iter().map(|kind| u32::from(kind.share)).sum();
        f64::from(kind.share) / f64::from(all)
    }

    /// Returns which part of all requests meets a condition, between 0 and 1.
    pub fn part_where(&self, condition: impl Fn(&RequestKind) -> bool) -> f64 {
        self.kinds.iter().filter(|kind| condition(kind)).map(|kind| self.part(kind)).sum()
    }

    /// Returns the handlers of all requests, each once, in order of appearance.
    #[must_use]
    pub fn handlers(&self) -> Vec<&str> {
        let mut handlers: Vec<&str> = Vec::new();
        for kind in &self.kinds {
            if !handlers.contains(&kind.handler.as_str()) {
                handlers.push(&kind.handler);
            }
        }
        handlers
    }

    /// Returns the kinds that create items and have no undo.
    pub fn without_undo(&self) -> impl Iterator<Item = &RequestKind> {
        self.kinds.iter().filter(|kind| kind.creates_item() && kind.undo.is_none())
    }

    /// Returns a text that is the same for the same requests in the same shares: 12 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let declared: Vec<&str> = self.kinds.iter().map(|kind| kind.declared.as_str()).collect();
        let hash = Sha256::digest(declared.join("\n"));
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl RequestKind {
    /// Creates a kind of request.
    ///
    /// - `name` is shown to people and has 1 to 64 bytes.
    /// - `share` is its weight in the mix, 1 to [`LARGEST_SHARE`].
    /// - `handler` names what answers it, in the caller's words; the generator only groups by it.
    /// - `undo` is the request that takes back what it has created.
    /// - `declared` goes into the fingerprint beside name and share. Two kinds with the same one count as the same request.
    ///
    /// # Errors
    /// What is wrong with the name or the share, in words.
    pub fn new(
        name: &str,
        share: u16,
        handler: &str,
        template: RequestTemplate,
        undo: Option<RequestTemplate>,
        declared: &str,
    ) -> Result<Self, String> {
        if name.is_empty() || name.len() > 64 {
            return Err("its name is not of 1 to 64 characters".to_owned());
        }
        if !(1..=LARGEST_SHARE).contains(&share) {
            return Err(format!("its share of {share} is not within 1 to {LARGEST_SHARE}"));
        }
        let declared = format!("{name} {share} {declared}");
        Ok(Self { name: name.to_owned(), share, handler: handler.to_owned(), template, undo, declared })
    }

    /// Returns the name that people see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its weight: its part of the sum of all shares.
    #[must_use]
    pub fn share(&self) -> u16 {
        self.share
    }

    /// Returns what answers it, as the caller named it.
    #[must_use]
    pub fn handler(&self) -> &str {
        &self.handler
    }

    /// Returns its template.
    #[must_use]
    pub fn template(&self) -> &RequestTemplate {
        &self.template
    }

    /// Returns the template of the request that takes back what it has created.
    #[must_use]
    pub fn undo(&self) -> Option<&RequestTemplate> {
        self.undo.as_ref()
    }

    /// Returns whether it creates an item: whether its path or body has a new id.
    #[must_use]
    pub fn creates_item(&self) -> bool {
        self.template.has_new_id()
    }
}

/// Spreads shares as evenly as possible: 1 and 3 become b b a b, not a b b b. At no point is a kind more than one request
/// ahead of its share or behind it, so no second of a run is unlike another.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The fingerprint of one request with this body, as a mix file declares it.
    fn fingerprint(body: &str) -> String {
        let template = RequestTemplate::new("POST", "/items", body, &BTreeMap::new()).unwrap();
        let declared = template.canonical_text();
        let kind = RequestKind::new("a", 1, "f", template, None, &declared).unwrap();
        RequestMix::new(vec![kind]).unwrap().fingerprint()
    }

    /// Results in files are compared by it, so that it must not change from one version to the next.
    #[test]
    fn fingerprints_stay_the_same_and_depend_on_the_request() {
        assert_eq!(fingerprint("x"), "d30976decec3");
        assert_ne!(fingerprint("x"), fingerprint("y"));
    }

    #[test]
    fn shares_are_spread_evenly() {
        assert_eq!(interleaved(&[1, 3]), [1, 1, 0, 1]);
        assert_eq!(interleaved(&[20, 50, 10, 20]), [1, 0, 1, 3, 1, 0, 1, 2, 1, 3]);
        assert_eq!(interleaved(&[500, 500]), [0, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every round has exactly the shares, and no stretch from its beginning is off by a whole request of a kind.
        #[test]
        fn every_stretch_has_the_shares(shares in proptest::collection::vec(1_u16..1001, 1..51)) {
            let pattern = interleaved(&shares);
            let all: f64 = shares.iter().map(|share| f64::from(*share)).sum();
            let mut seen = vec![0.0; shares.len()];
            for (n, request) in pattern.iter().enumerate() {
                seen[usize::from(*request)] += 1.0;
                let so_far = f64::from(u32::try_from(n).unwrap() + 1);
                for (seen, share) in seen.iter().zip(&shares) {
                    let wanted: f64 = so_far * f64::from(*share) / all;
                    prop_assert!((seen - wanted).abs() < 1.0, "{pattern:?}");
                }
            }
            let divisor = shares.iter().copied().fold(0, gcd);
            let sum: u32 = shares.iter().map(|share| u32::from(*share)).sum();
            prop_assert_eq!(pattern.len(), usize::try_from(sum / u32::from(divisor)).unwrap());
        }
    }
}
