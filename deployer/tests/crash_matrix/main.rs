//! Running it again is the only recovery that anyone needs: every mutating call of `up` and of `down`, spoilt in every
//! way.
//!
//! The tests that run always take each way once, at the calls where it hurts most. `full_matrix` takes all of them:
//! `make crash-matrix`.

#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

mod cell;
mod full;
mod typical;
