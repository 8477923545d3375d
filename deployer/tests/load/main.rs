//! `load`: against the lab with its real function, and what is refused, turned away and compared.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cleaned_up;
mod compared;
mod refused;
mod several;
mod timing;
